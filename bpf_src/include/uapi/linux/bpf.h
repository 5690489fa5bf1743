// BCC carries its own copy.
#pragma once
#include <linux/types.h>
#include <bcc/bpf.h>

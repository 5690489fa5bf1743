// The kernel side of the live source: one lean record a call, handed out through one ring buffer.
//
// Owns what is read in the kernel and when. What each call's arguments are is told by the `calls` table, which the
// reader fills (engine/sources/live/calls.py); so are the numbers of steps, kinds and programs, and the offsets of
// kernel structures, all of which arrive as macros. Nothing here knows the scap format. The files are compiled as one,
// one after the other, this one first (engine/sources/live/image.py).

#include <linux/types.h>
#include <uapi/linux/bpf.h>

#define AT(type, base, offset) (*(type *)((char *)(base) + (offset)))
#define READ(type, base, offset)                                                                                       \
    ({                                                                                                                 \
        type value_ = 0;                                                                                               \
        bpf_probe_read_kernel(&value_, sizeof(value_), (char *)(base) + (offset));                                     \
        value_;                                                                                                        \
    })
// The verifier must see the bound that clang proves and drops.
#define BOUNDED(value, mask)                                                                                           \
    ({                                                                                                                 \
        u64 bounded_ = (value);                                                                                        \
        asm volatile("" : "+r"(bounded_));                                                                             \
        bounded_ & (mask);                                                                                             \
    })

// Unrolled loops are slower to compile and to verify than they save.
#define NOT_UNROLLED _Pragma("clang loop unroll(disable)")

#define ABSENT 0xffff
#define PIECE_MAX 4096
#define POSITION_MASK 0xffff
#define NR_BITS 10
#define NR_MASK ((1 << NR_BITS) - 1)
#define TS_COMPAT 2
#define NR_CLONE 56
#define NR_FORK 57
#define NR_VFORK 58
#define NR_EXECVE 59
#define NR_PPOLL 271
#define NR_CLONE3 435
#define CLONE_THREAD_ 0x10f00 // with memory, files, directory and signals shared, as threads must and do
#define COMPAT_FORK 2
#define COMPAT_EXECVE 11
#define COMPAT_CLONE 120
#define COMPAT_VFORK 190
#define SI_KERNEL 128
#define CAP_DAC_OVERRIDE 1
#define SB_RDONLY 1
#define OVERLAYFS 0x794c7630
#define EXE_WRITABLE 1 // the format's execve_flags
#define EXE_UPPER 2
#define EXE_MEMFD 4
#define EXE_LOWER 8
#define PATH_DEPTH 40
#define CGROUP_DEPTH 12
#define CGROUPS_ABOVE 8
#define COMPONENT_MAX 256

struct config {
    u32 enabled;
    u32 self;    // process whose events are never recorded
    u32 snaplen; // bytes kept of data buffers
    u32 only;    // when set, nothing is recorded but this process and those in `followed`
    u32 by_process; // of calls that are KEPT_ASKED, only those of processes in `chosen` are recorded
    u32 by_cgroup;  // only those of tasks in or below the cgroups listed
    u32 unwanted;   // happenings not recorded, one bit each, from KIND_EXIT on
    u32 unused;
    u64 unified[MAX_CGROUPS]; // numbers of cgroups; 0: none. Every hierarchy has numbers of its own
    u64 memory[MAX_CGROUPS];
};

struct step {
    u8 kind;
    u8 a, b, c;
};

struct call {
    u8 kept;    // KEPT_*
    u8 program; // 0: the steps are done in the exit program itself
    u8 count;
    u8 telling; // always kept when argument 4 is given: the address tells what the socket is
    struct step steps[MAX_STEPS];
};

// Payload pieces follow: u16 length (ABSENT: not there or not readable), bytes.
struct record {
    u64 time;    // CLOCK_MONOTONIC
    u64 latency; // all ones: unknown
    u64 args[6];
    s64 result;
    u32 tid;
    u16 kind; // system call number, or KIND_*
    u16 cpu;
};

struct timespec_ {
    u64 seconds, nanoseconds;
};

struct scratch {
    struct record record;
    u32 used;
    u32 part; // bytes of the piece being gathered; kept here so that the verifier forgets how it came about
    u8 data[POSITION_MASK + 1 + 2 * DATA_MAX + 64]; // the last piece may begin at the mask and be gathered from parts
};

struct lost {
    u64 count;
    u64 unused[7];
};

// Sizes of 1 are the loader's to decide.
BPF_RINGBUF_OUTPUT(events, 1);
BPF_F_TABLE("array", u32, struct config, config, 1, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct call, calls, CALLS, BPF_F_MMAPABLE);
// By thread id: when the call it is in began (ktime << NR_BITS | number), 0 outside calls.
BPF_ARRAY(running, u64, 1);
BPF_F_TABLE("array", u32, struct lost, lost, 1, BPF_F_MMAPABLE);
// A bit a process id.
BPF_F_TABLE("array", u32, u64, chosen, 1, BPF_F_MMAPABLE);
// Descendants of the one process to record, by process id.
BPF_TABLE("hash", u32, u8, followed, 65536);
// What a new thread was made with, by thread id, until it returns: its parent's memory may say something else by then.
BPF_TABLE("hash", u32, u64, made_with, 16384);
// How long ppoll was told to wait, by thread id: at its exit the memory says what is left of that.
BPF_TABLE("hash", u32, struct timespec_, timeouts, 16384);
// By processor: what is one's own of a per-cpu map may not be as large.
BPF_ARRAY(buffers, struct scratch, 1);
BPF_PROG_ARRAY(programs, 4);

static inline void count_lost(void) {
    u32 cpu = bpf_get_smp_processor_id();
    struct lost *cell = lost.lookup(&cpu);
    if (cell) cell->count++;
}

// Whether a process is among those to record, when not all are.
static inline bool is_followed(struct config *config_, u32 pid) {
    return !config_->only || pid == config_->only || followed.lookup(&pid);
}

static inline struct config *wanted(struct task_struct *task) {
    u32 zero = 0;
    struct config *config_ = config.lookup(&zero);
    u32 pid = AT(u32, task, TASK_TGID);
    if (!config_ || !config_->enabled || pid == config_->self) return 0;
    return is_followed(config_, pid) ? config_ : 0;
}

// In one of the cgroups listed, or below it, or too deep to tell. Beyond the root everything reads as zero, which no
// cgroup has for a number.
static inline bool is_below(u64 cgroup, u64 *listed) {
    if (!listed[0]) return false;
    u64 node = READ(u64, cgroup, CGROUP_KN), differs = 1;
    NOT_UNROLLED
    for (int i = 0; i < CGROUPS_ABOVE; i++) {
        u64 near[NODE_SPAN / 8];
        bpf_probe_read_kernel(near, sizeof(near), (void *)(node + NODE_LOW));
        u64 id = AT(u64, near, KERNFS_ID - NODE_LOW);
        // Without branches: each is another path to verify.
        for (int j = 0; j < MAX_CGROUPS; j++) {
            u64 difference = (id ^ listed[j]) | !id;
            differs &= (difference | -difference) >> 63;
        }
        node = AT(u64, near, KERNFS_PARENT - NODE_LOW);
    }
    return !differs || node;
}

// What of a process that was not asked for, or not asked for of anybody, is left out.
static inline bool is_asked(struct config *config_, struct task_struct *task) {
    if (config_->by_process) {
        u32 pid = AT(u32, task, TASK_TGID), word = pid / 64;
        u64 *bits = chosen.lookup(&word);
        if (!bits || !(*bits >> (pid & 63) & 1)) return false;
    }
    if (!config_->by_cgroup) return true;
    u64 sets = READ(u64, task, TASK_CGROUPS);
    return is_below(READ(u64, sets, CSS_DEFAULT), config_->unified) ||
           is_below(READ(u64, READ(u64, sets, CSS_MEMORY), CSS_CGROUP), config_->memory);
}

static inline void head(struct record *record, struct task_struct *task, u16 kind) {
    record->time = bpf_ktime_get_ns();
    record->tid = AT(u32, task, TASK_PID);
    record->kind = kind;
    record->cpu = bpf_get_smp_processor_id();
}

static inline void send(struct scratch *scratch) {
    u64 size = BOUNDED(scratch->used, POSITION_MASK) + offsetof(struct scratch, data);
    if (events.ringbuf_output(scratch, size, BPF_RB_NO_WAKEUP)) count_lost();
}

static inline struct scratch *scratch_of_cpu(void) {
    u32 cpu = bpf_get_smp_processor_id();
    return buffers.lookup(&cpu);
}

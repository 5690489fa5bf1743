"""Fields of single threads: ids, control groups, capabilities, faults, memory, time on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.decode.event import Event
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.model.facts import Thread
from engine.store.segment import Sample, Segment
from engine.store.store import Store

_CAPABILITIES = (
    *(b"CAP_CHOWN", b"CAP_DAC_OVERRIDE", b"CAP_DAC_READ_SEARCH", b"CAP_FOWNER", b"CAP_FSETID", b"CAP_KILL"),
    *(b"CAP_SETGID", b"CAP_SETUID", b"CAP_SETPCAP", b"CAP_LINUX_IMMUTABLE", b"CAP_NET_BIND_SERVICE"),
    *(b"CAP_NET_BROADCAST", b"CAP_NET_ADMIN", b"CAP_NET_RAW", b"CAP_IPC_LOCK", b"CAP_IPC_OWNER"),
    *(b"CAP_SYS_MODULE", b"CAP_SYS_RAWIO", b"CAP_SYS_CHROOT", b"CAP_SYS_PTRACE", b"CAP_SYS_PACCT"),
    *(b"CAP_SYS_ADMIN", b"CAP_SYS_BOOT", b"CAP_SYS_NICE", b"CAP_SYS_RESOURCE", b"CAP_SYS_TIME"),
    *(b"CAP_SYS_TTY_CONFIG", b"CAP_MKNOD", b"CAP_LEASE", b"CAP_AUDIT_WRITE", b"CAP_AUDIT_CONTROL"),
    *(b"CAP_SETFCAP", b"CAP_MAC_OVERRIDE", b"CAP_MAC_ADMIN", b"CAP_SYSLOG", b"CAP_WAKE_ALARM"),
    *(b"CAP_BLOCK_SUSPEND", b"CAP_AUDIT_READ", b"CAP_PERFMON", b"CAP_BPF", b"CAP_CHECKPOINT_RESTORE"),
)
"""From bit 0 on (capabilities(7), linux/capability.h)."""


def _capabilities(fact: str) -> Callable[..., Value]:
    def value(thread: Thread, *_: object) -> Value:
        mask = getattr(thread, fact)
        if mask is None:
            return None
        return b" ".join(name for bit, name in enumerate(_CAPABILITIES) if mask >> bit & 1)

    return value


def _cgroup(thread: Thread, _: Store, subsystem: str | None) -> Value:
    prefix = f"{subsystem}=".encode()
    return next((item[len(prefix) :] for item in thread.cgroups if item.startswith(prefix)), None)


def _main(thread: Thread, value: int | None, scale: int = 1) -> int | None:
    """A fact of the process that only its main thread reports, so that sums over threads count it once."""
    if not thread.is_main:
        return 0
    return None if value is None else value * scale


def _cpu(*kinds: int) -> Callable[[Event, str | None], Value]:
    """CPU time of the event's sample as percent of the second it stands for."""

    def value(event: Event, _: str | None) -> Value:
        samples = event.segment.samples
        mine = samples[samples["event"] == event.row]
        counted = [int(sample["value"]) for sample in mine if sample["kind"] in kinds]
        return min(100.0, sum(counted) / 1e7) if counted else None

    return value


def _ran(*kinds: int) -> Callable[..., Numbers]:
    """Time on a CPU that each event tells of; 0 for events that tell nothing."""

    def value(segment: Segment, *_: object) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        samples = segment.samples[np.isin(segment.samples["kind"], kinds)]
        np.add.at(values, samples["event"], samples["value"])
        return Numbers(values)

    return value


TEXT, ID, INTEGER, BOOL = FieldType.TEXT, FieldType.ID, FieldType.INTEGER, FieldType.BOOL
_thread = partial(Field, place=Place.THREAD, group="process")
_event = partial(Field, type=FieldType.DURATION, place=Place.EVENT, group="process")
_percent = partial(Field, type=FieldType.FLOAT, place=Place.LATE, group="process", unit="percent")
FIELDS = (
    _thread("thread.tid", ID, "thread id", lambda t, *_: t.tid, example="thread.tid = 4711"),
    _thread("thread.vtid", ID, "thread id inside its pid namespace", lambda t, *_: t.vtid),
    _thread("thread.ismain", BOOL, "true for the main thread of a process", lambda t, *_: t.is_main),
    _thread(
        "thread.nametid",
        TEXT,
        "process name and thread id in one",
        lambda t, *_: None if t.comm is None else b"%s%d" % (t.comm, t.tid),
    ),
    _thread("thread.cgroups", TEXT, "control groups, subsystem=path", lambda t, *_: b" ".join(t.cgroups)),
    _thread(
        "thread.cgroup",
        TEXT,
        "control group of one subsystem",
        _cgroup,
        argument=Argument.REQUIRED,
        takes="NAME",
        example="thread.cgroup[cpu] contains kubepods",
    ),
    _thread(
        "thread.cap_permitted",
        TEXT,
        "capabilities the thread may make effective, by name",
        _capabilities("cap_permitted"),
        example="thread.cap_permitted contains CAP_SYS_ADMIN",
    ),
    _thread(
        "thread.cap_inheritable",
        TEXT,
        "capabilities that are kept over an exec, by name",
        _capabilities("cap_inheritable"),
    ),
    _thread(
        "thread.cap_effective",
        TEXT,
        "capabilities the kernel checks, by name",
        _capabilities("cap_effective"),
        example="thread.cap_effective contains CAP_NET_RAW",
    ),
    _thread("thread.pfmajor", INTEGER, "major page faults since the thread started", lambda t, *_: t.pf_major),
    _thread("thread.pfminor", INTEGER, "minor page faults since the thread started", lambda t, *_: t.pf_minor),
    _thread(
        "thread.vmsize",
        INTEGER,
        "virtual memory; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_size),
        unit="KiB",
    ),
    _thread(
        "thread.vmrss",
        INTEGER,
        "resident memory; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_rss),
        unit="KiB",
    ),
    _thread(
        "thread.vmsize.b",
        INTEGER,
        "virtual memory; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_size, 1024),
        unit="bytes",
    ),
    _thread(
        "thread.vmrss.b",
        INTEGER,
        "resident memory; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_rss, 1024),
        unit="bytes",
    ),
    _event(
        "thread.exectime",
        meaning="time on a CPU that a switch event ends, 0 elsewhere",
        value=_ran(Sample.CPU),
        example="thread.exectime > 10ms",
    ),
    _event(
        "thread.oncpu",
        meaning="time on a CPU that the event tells of: what a switch ends, or what a CPU sample adds",
        value=_ran(Sample.CPU, Sample.CPU_USER, Sample.CPU_SYSTEM),
        own=True,
        example="thread.oncpu > 10ms",
    ),
    _percent(
        "thread.cpu",
        meaning="use of a CPU in the last second (CPU samples only)",
        value=_cpu(Sample.CPU_USER, Sample.CPU_SYSTEM),
    ),
    _percent(
        "thread.cpu.user",
        meaning="use of a CPU in user mode in the last second (CPU samples only)",
        value=_cpu(Sample.CPU_USER),
    ),
    _percent(
        "thread.cpu.system",
        meaning="use of a CPU in the kernel in the last second (CPU samples only)",
        value=_cpu(Sample.CPU_SYSTEM),
    ),
)

"""Fields of single threads: ids, control groups, capabilities, faults, memory, time on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.fields.columns import integers
from engine.fields.family import process_of
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.series import By, Integers, Mask, told
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


_UNTOLD = -1


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


def memory(kind: int, fact: str, *, by: By = By.PROCESS) -> Callable[[Segment, Store], tuple[Integers, Mask]]:
    """What samples told of a process or thread by each event, else what the fact said when it began."""

    def value(segment: Segment, store: Store) -> tuple[Integers, Mask]:
        values, known = told(segment, store, kind, by=by)
        unknown = np.flatnonzero(~known & (segment.thread >= 0))
        rows, places = np.unique(segment.thread[unknown], return_inverse=True)
        versions = [store.threads[row] for row in rows.tolist()]
        if by is By.PROCESS:
            versions = [process_of(version, store) for version in versions]
        began = integers((getattr(version, fact) for version in versions), _UNTOLD)
        values[unknown] = began[places]
        known[unknown] = began[places] != _UNTOLD
        return values, known

    return value


def _faults(kind: int, fact: str) -> Callable[..., Numbers]:
    read = memory(kind, fact, by=By.THREAD)
    return lambda segment, store, _: Numbers(*read(segment, store))


def _of_main(kind: int, fact: str, scale: int) -> Callable[..., Numbers]:
    """Memory of the process that only its main thread reports, so that sums over threads count it once."""
    read = memory(kind, fact)

    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        values, known = read(segment, store)
        rows, places = np.unique(segment.thread, return_inverse=True)
        others = np.array([row >= 0 and not store.threads[row].is_main for row in rows.tolist()], np.bool_)[places]
        return Numbers(np.where(others, 0, values * scale), known | others)

    return value


def _cpu(*kinds: int) -> Callable[..., Numbers]:
    """CPU time of the event's sample as percent of the second it stands for."""

    def value(segment: Segment, *_: object) -> Numbers:
        samples = segment.samples[np.isin(segment.samples["kind"], kinds)]
        values, known = np.zeros(len(segment)), np.zeros(len(segment), np.bool_)
        np.add.at(values, samples["event"], samples["value"] / 1e7)
        known[samples["event"]] = True
        return Numbers(np.minimum(values, 100.0), known)

    return value


def _ran(*kinds: int) -> Callable[..., Numbers]:
    """Time on a CPU that each event tells of; 0 for events that tell nothing."""

    def value(segment: Segment, *_: object) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        samples = segment.samples[np.isin(segment.samples["kind"], kinds)]
        np.add.at(values, samples["event"], samples["value"])
        return Numbers(values)

    return value


def _total(segment: Segment, store: Store, _: str | None) -> Numbers:
    values, known = told(segment, store, Sample.CPU, by=By.THREAD, total=True)
    return Numbers(values, known | (segment.thread >= 0))


TEXT, ID, INTEGER, BOOL = FieldType.TEXT, FieldType.ID, FieldType.INTEGER, FieldType.BOOL
_thread = partial(Field, place=Place.THREAD, group="process")
_event = partial(Field, type=FieldType.DURATION, place=Place.EVENT, group="process")
_number = partial(Field, type=INTEGER, place=Place.EVENT, group="process")
_percent = partial(Field, type=FieldType.FLOAT, place=Place.EVENT, group="process", unit="percent")
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
    _number(
        "thread.pfmajor",
        meaning="major page faults since the thread started",
        value=_faults(Sample.PF_MAJOR, "pf_major"),
    ),
    _number(
        "thread.pfminor",
        meaning="minor page faults since the thread started",
        value=_faults(Sample.PF_MINOR, "pf_minor"),
    ),
    _number(
        "thread.vmsize",
        meaning="virtual memory when last told; 0 unless main thread",
        value=_of_main(Sample.VM_SIZE, "vm_size", 1),
        unit="KiB",
    ),
    _number(
        "thread.vmrss",
        meaning="resident memory when last told; 0 unless main thread",
        value=_of_main(Sample.VM_RSS, "vm_rss", 1),
        unit="KiB",
    ),
    _number(
        "thread.vmsize.b",
        meaning="virtual memory when last told; 0 unless main thread",
        value=_of_main(Sample.VM_SIZE, "vm_size", 1024),
        unit="bytes",
    ),
    _number(
        "thread.vmrss.b",
        meaning="resident memory when last told; 0 unless main thread",
        value=_of_main(Sample.VM_RSS, "vm_rss", 1024),
        unit="bytes",
    ),
    _event(
        "thread.exectime",
        meaning="time on a CPU that a switch event ends, 0 elsewhere",
        value=_ran(Sample.CPU),
        example="thread.exectime > 10ms",
    ),
    _event(
        "thread.totexectime",
        meaning="time on a CPU of the thread by switch events so far",
        value=_total,
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

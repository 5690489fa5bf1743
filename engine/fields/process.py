"""Fields of processes and threads: facts of the thread version an event points at.

Ancestors are followed from version to version; everything about one version is decided once, however many
events point at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from weakref import WeakKeyDictionary

from engine.decode.event import Event
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.model.facts import Thread
from engine.store.segment import Sample
from engine.store.store import Store

TEXT, ID, INTEGER, BOOL = FieldType.TEXT, FieldType.ID, FieldType.INTEGER, FieldType.BOOL
_ANCESTORS = 64
"""Ancestors followed at most; a damaged capture may have them in a circle."""


def process_of(thread: Thread, store: Store) -> Thread:
    """The main thread's version, which knows what threads share; the thread's own when that is gone."""
    return store.threads[thread.leader] if thread.leader >= 0 else thread


def parent_of(thread: Thread, store: Store) -> Thread | None:
    """The version of the process's parent."""
    row = process_of(thread, store).parent
    return store.threads[row] if row >= 0 else None


def ancestors(thread: Thread, store: Store) -> Iterator[Thread]:
    """Parent, grandparent and so on, as far as they are known."""
    parent = parent_of(thread, store)
    for _ in range(_ANCESTORS):
        if parent is None:
            return
        yield parent
        parent = parent_of(parent, store)


_lives: WeakKeyDictionary[Store, tuple[int, dict[int, set[int]]]] = WeakKeyDictionary()
"""Of each store: thread rows counted so far, and the lives seen of each process id."""


def _threads_of(thread: Thread, store: Store, _: str | None) -> Value:
    if thread.pid < 0:
        return None
    counted, lives = _lives.get(store, (0, {}))
    rows = len(store.threads)
    if counted < rows:
        for one in store.threads[counted:rows]:
            lives.setdefault(one.pid, set()).add(one.life)
        _lives[store] = (rows, lives)
    return len(lives[thread.pid])


def _line(head: bytes | None, thread: Thread) -> bytes | None:
    return None if head is None else b" ".join((head, *thread.args))


def _item(values: tuple[bytes, ...], separator: bytes, name: str) -> bytes | None:
    """The value of ``name`` among ``name=value`` texts."""
    prefix = name.encode() + separator
    return next((value[len(prefix) :] for value in values if value.startswith(prefix)), None)


def _argument(thread: Thread, _: Store, argument: str | None) -> Value:
    if argument is None:
        return b" ".join(thread.args)
    index = int(argument)
    return thread.args[index] if index < len(thread.args) else None


def _env(thread: Thread, store: Store, name: str | None) -> Value:
    env = process_of(thread, store).env
    return b" ".join(env) if name is None else _item(env, b"=", name)


def _cgroup(thread: Thread, _: Store, subsystem: str | None) -> Value:
    return _item(thread.cgroups, b"=", subsystem or "")


def _ancestor(thread: Thread, store: Store, level: int) -> Thread | None:
    if level == 0:
        return thread
    return next((one for index, one in enumerate(ancestors(thread, store), 1) if index == level), None)


def _ancestor_name(thread: Thread, store: Store, level: str | None) -> Value:
    if level is None:
        return tuple(one.comm for one in ancestors(thread, store) if one.comm is not None)
    found = _ancestor(thread, store, int(level))
    return None if found is None else found.comm


def _ancestor_pid(thread: Thread, store: Store, level: str | None) -> Value:
    if level is None:
        return tuple(one.pid for one in ancestors(thread, store))
    found = _ancestor(thread, store, int(level))
    return None if found is None else found.pid


def _parent_name(thread: Thread, store: Store, _: str | None) -> Value:
    parent = parent_of(thread, store)
    return None if parent is None else parent.comm


def _parent_line(thread: Thread, store: Store, _: str | None) -> Value:
    parent = parent_of(thread, store)
    return None if parent is None else _line(parent.comm, parent)


def _login_shell(thread: Thread, store: Store, _: str | None) -> Value:
    line = (thread, *ancestors(thread, store))
    return next((one.pid for one in reversed(line) if one.comm is not None and one.comm.endswith(b"sh")), None)


def _session_name(thread: Thread, store: Store, _: str | None) -> Value:
    oldest = thread
    for one in ancestors(thread, store):
        if one.sid != thread.sid:
            break
        oldest = one
    return oldest.comm


def _main(thread: Thread, value: int | None, scale: int = 1) -> int | None:
    """A fact of the process that only its main thread reports, so that sums over threads count it once."""
    if not thread.is_main:
        return 0
    return None if value is None else value * scale


def _duration(event: Event, _: str | None) -> Value:
    thread = event.thread
    return None if thread is None or thread.started is None else event.time - thread.started


def _cpu(*kinds: int) -> Callable[[Event, str | None], Value]:
    """CPU time of the event's sample as percent of the second it stands for."""

    def value(event: Event, _: str | None) -> Value:
        samples = event.segment.samples
        mine = samples[samples["event"] == event.row]
        counted = [int(sample["value"]) for sample in mine if sample["kind"] in kinds]
        return min(100.0, sum(counted) / 1e7) if counted else None

    return value


_thread = partial(Field, place=Place.THREAD, group="process")
_late = partial(Field, place=Place.LATE, group="process")
FIELDS = (
    _thread("proc.pid", ID, "process id", lambda t, *_: t.pid),
    _thread("proc.name", TEXT, "command name the kernel keeps, at most 15 characters", lambda t, *_: t.comm),
    _thread("proc.exe", TEXT, "first argument (argv[0])", lambda t, *_: t.exe),
    _thread("proc.exepath", TEXT, "path of the executable, resolved", lambda t, *_: t.exepath),
    _thread(
        "proc.args",
        TEXT,
        "arguments without argv[0]; [N] one of them, from 0",
        _argument,
        argument=Argument.OPTIONAL,
        whole_argument=True,
    ),
    _thread("proc.env", TEXT, "environment; [NAME] one variable", _env, argument=Argument.OPTIONAL),
    _thread("proc.cmdline", TEXT, "proc.name and proc.args", lambda t, *_: _line(t.comm, t)),
    _thread("proc.exeline", TEXT, "proc.exe and proc.args", lambda t, *_: None if t.comm is None else _line(t.exe, t)),
    _thread("proc.cwd", TEXT, "working directory", lambda t, store, _: process_of(t, store).cwd),
    _thread("proc.ppid", ID, "process id of the parent", lambda t, store, _: process_of(t, store).ptid),
    _thread("proc.pname", TEXT, "name of the parent", _parent_name),
    _thread("proc.pcmdline", TEXT, "command line of the parent", _parent_line),
    _thread(
        "proc.apid",
        ID,
        "process id of ancestor [N], 0 is the process itself; bare: any ancestor",
        _ancestor_pid,
        argument=Argument.OPTIONAL,
        whole_argument=True,
        multiple=True,
    ),
    _thread(
        "proc.aname",
        TEXT,
        "name of ancestor [N], 0 is the process itself; bare: any ancestor",
        _ancestor_name,
        argument=Argument.OPTIONAL,
        whole_argument=True,
        multiple=True,
    ),
    _thread("proc.loginshellid", ID, "process id of the oldest ancestor whose name ends in sh", _login_shell),
    _late(
        "proc.duration",
        FieldType.DURATION,
        "time since the process started; absent when its start was not seen",
        _duration,
    ),
    _thread("proc.nthreads", INTEGER, "threads of the process in the capture", _threads_of),
    _thread("proc.fdlimit", INTEGER, "most descriptors the process may have open", lambda t, *_: t.fdlimit),
    _thread("proc.vmsize", INTEGER, "virtual memory when last told, KiB", lambda t, *_: t.vm_size),
    _thread("proc.vmrss", INTEGER, "resident memory when last told, KiB", lambda t, *_: t.vm_rss),
    _thread("proc.vmswap", INTEGER, "swapped memory when last told, KiB", lambda t, *_: t.vm_swap),
    _thread("proc.vpid", ID, "process id inside its pid namespace", lambda t, *_: t.vpid),
    _thread("proc.sid", ID, "session id", lambda t, *_: t.sid),
    _thread("proc.sname", TEXT, "name of the oldest known process of the session", _session_name),
    _thread("proc.vpgid", ID, "process group id inside the pid namespace", lambda t, *_: t.vpgid),
    _thread("proc.pgid", ID, "process group id", lambda t, *_: t.pgid),
    _thread("proc.tty", ID, "controlling terminal, 0 for none", lambda t, *_: t.tty),
    _thread("thread.tid", ID, "thread id", lambda t, *_: t.tid),
    _thread("thread.vtid", ID, "thread id inside its pid namespace", lambda t, *_: t.vtid),
    _thread("thread.ismain", BOOL, "true for the main thread of a process", lambda t, *_: t.is_main),
    _thread(
        "thread.nametid",
        TEXT,
        "process name and thread id in one",
        lambda t, *_: None if t.comm is None else b"%s%d" % (t.comm, t.tid),
    ),
    _thread("thread.cgroups", TEXT, "control groups, subsystem=path", lambda t, *_: b" ".join(t.cgroups)),
    _thread("thread.cgroup", TEXT, "control group of one subsystem", _cgroup, argument=Argument.REQUIRED),
    _thread("thread.pfmajor", INTEGER, "major page faults since the thread started", lambda t, *_: t.pf_major),
    _thread("thread.pfminor", INTEGER, "minor page faults since the thread started", lambda t, *_: t.pf_minor),
    _thread("thread.vmsize", INTEGER, "virtual memory, KiB; 0 unless main thread", lambda t, *_: _main(t, t.vm_size)),
    _thread("thread.vmrss", INTEGER, "resident memory, KiB; 0 unless main thread", lambda t, *_: _main(t, t.vm_rss)),
    _thread(
        "thread.vmsize.b",
        INTEGER,
        "virtual memory, bytes; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_size, 1024),
    ),
    _thread(
        "thread.vmrss.b",
        INTEGER,
        "resident memory, bytes; 0 unless main thread",
        lambda t, *_: _main(t, t.vm_rss, 1024),
    ),
    _late(
        "thread.cpu",
        FieldType.FLOAT,
        "CPU percent of the last second (CPU samples only)",
        _cpu(Sample.CPU_USER, Sample.CPU_SYSTEM),
    ),
    _late(
        "thread.cpu.user",
        FieldType.FLOAT,
        "user-mode CPU percent of the last second (CPU samples only)",
        _cpu(Sample.CPU_USER),
    ),
    _late(
        "thread.cpu.system",
        FieldType.FLOAT,
        "kernel-mode CPU percent of the last second (CPU samples only)",
        _cpu(Sample.CPU_SYSTEM),
    ),
)

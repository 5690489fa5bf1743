"""Fields of the process itself: who it is, what it runs, its limits and memory.

Everything about one thread version is decided once, however many events point at it. Relatives are ``family``'s,
what concerns single threads ``thread``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.events import FLAG_TABLES
from engine.fields.family import environment, line_of, process_of, since, variable
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.series import told
from engine.fields.thread import memory
from engine.model.facts import Thread
from engine.store.segment import Sample, Segment
from engine.store.store import Store

TEXT, ID, INTEGER, BOOL = FieldType.TEXT, FieldType.ID, FieldType.INTEGER, FieldType.BOOL
DURATION, TIME = FieldType.DURATION, FieldType.TIME


def _argument(thread: Thread, _: Store, argument: str | None) -> Value:
    if argument is None:
        return b" ".join(thread.args)
    index = int(argument)
    return thread.args[index] if index < len(thread.args) else None


def _environment(thread: Thread, store: Store, name: str | None) -> Value:
    return environment(thread, store) if name is None else variable(process_of(thread, store).env, name)


_KTHREADD = 2
"""Process id of the parent of the kernel's threads, itself one."""


def _exeline(thread: Thread, *_: object) -> Value:
    if thread.comm is None:
        return None
    # They have no command line; it is shown as ps does.
    if not thread.exe and not thread.args and _KTHREADD in (thread.pid, thread.ptid):
        return b"[%s]" % thread.comm
    return line_of(thread.exe, thread)


# --- numbers that change from event to event ---------------------------------------------------------------


def _count(kind: int) -> Callable[..., Numbers]:
    return lambda segment, store, _: Numbers(*told(segment, store, kind))


def _others(segment: Segment, store: Store, _: str | None) -> Numbers:
    threads, known = told(segment, store, Sample.THREADS)
    return Numbers(np.maximum(threads - 1, 0), known)


def _usage(segment: Segment, store: Store, _: str | None) -> Numbers:
    count, known = told(segment, store, Sample.FDS)
    rows, places = np.unique(segment.thread, return_inverse=True)
    limits = [process_of(store.threads[row], store).fdlimit if row >= 0 else 0 for row in rows.tolist()]
    limit = np.array(limits, np.float64)[places]
    return Numbers(100 * count / np.maximum(limit, 1), known & (limit > 0))


def _memory(kind: int, fact: str) -> Callable[..., Numbers]:
    read = memory(kind, fact)
    return lambda segment, store, _: Numbers(*read(segment, store))


# --- the executable ----------------------------------------------------------------------------------------

_EXECUTABLE = dict(FLAG_TABLES["execve_flags"])


def _is_executable(flag: str) -> Callable[..., Value]:
    bit = _EXECUTABLE[flag]
    return lambda thread, *_: bool(thread.exe_flags & bit)


def _since_change(thread: Thread, *_: object) -> Value:
    """From the last change of the executable's inode to the start of the process."""
    return thread.started - thread.exe_ino_ctime if thread.exe_ino_ctime and thread.started is not None else None


def _change_since_namespace(thread: Thread, *_: object) -> Value:
    """From the start of the pid namespace to a later change of the executable's inode."""
    changed, began = thread.exe_ino_ctime, thread.pidns_init_start
    return changed - began if changed and began and changed >= began else None


_thread = partial(Field, place=Place.THREAD, group="process")
_number = partial(Field, type=INTEGER, place=Place.EVENT, group="process")
FIELDS = (
    _thread("proc.pid", ID, "process id", lambda t, *_: t.pid, example="proc.pid = 4711"),
    _thread(
        "proc.name",
        TEXT,
        "command name the kernel keeps, at most 15 characters",
        lambda t, *_: t.comm,
        example="proc.name in (nginx, redis-server)",
    ),
    _thread("proc.exe", TEXT, "first argument (argv[0])", lambda t, *_: t.exe),
    _thread("proc.exepath", TEXT, "path of the executable, resolved", lambda t, *_: t.exepath),
    _thread(
        "proc.args",
        TEXT,
        "arguments without argv[0]; [N] one of them, from 0",
        _argument,
        argument=Argument.OPTIONAL,
        takes="N",
        whole_argument=True,
        example="proc.args contains --verbose",
    ),
    _thread("proc.cmdnargs", INTEGER, "number of arguments", lambda t, *_: len(t.args)),
    _thread(
        "proc.cmdlenargs",
        INTEGER,
        "characters of all arguments, blanks between left out",
        lambda t, *_: sum(map(len, t.args)),
    ),
    _thread(
        "proc.env",
        TEXT,
        "environment; [NAME] one variable",
        _environment,
        argument=Argument.OPTIONAL,
        takes="NAME",
        example="proc.env[LD_PRELOAD] exists",
    ),
    _thread("proc.cmdline", TEXT, "proc.name and proc.args", lambda t, *_: line_of(t.comm, t)),
    _thread("proc.exeline", TEXT, "proc.exe and proc.args; [proc.name] of the kernel's own threads", _exeline),
    _thread("proc.cwd", TEXT, "working directory", lambda t, store, _: process_of(t, store).cwd),
    _thread("proc.vpid", ID, "process id inside its pid namespace", lambda t, *_: t.vpid),
    _thread("proc.tty", ID, "controlling terminal, 0 for none", lambda t, *_: t.tty),
    _thread("proc.pid.ts", TIME, "when the process started, if that was seen", lambda t, *_: t.started),
    _number(
        "proc.duration",
        type=DURATION,
        meaning="time since the process started, if that was seen",
        value=since(lambda thread, _: thread.started),
        example="proc.duration < 100ms",
    ),
    _thread(
        "proc.pidns_init_start_ts",
        TIME,
        "when the first process of the pid namespace started",
        lambda t, *_: t.pidns_init_start or None,
    ),
    _number("proc.nthreads", meaning="threads of the process that live", value=_count(Sample.THREADS)),
    _number("proc.nchilds", meaning="threads of the process that live, without the main thread", value=_others),
    _number("proc.fdopencount", meaning="descriptors the process is known to have open", value=_count(Sample.FDS)),
    _number(
        "proc.fdusage",
        type=FieldType.FLOAT,
        meaning="open descriptors in proportion to the most there may be",
        value=_usage,
        unit="percent",
        example="proc.fdusage > 80",
    ),
    _thread("proc.fdlimit", INTEGER, "most descriptors the process may have open", lambda t, *_: t.fdlimit),
    _number(
        "proc.vmsize", meaning="virtual memory when last told", value=_memory(Sample.VM_SIZE, "vm_size"), unit="KiB"
    ),
    _number("proc.vmrss", meaning="resident memory when last told", value=_memory(Sample.VM_RSS, "vm_rss"), unit="KiB"),
    _number(
        "proc.vmswap", meaning="swapped memory when last told", value=_memory(Sample.VM_SWAP, "vm_swap"), unit="KiB"
    ),
    _thread(
        "proc.is_exe_writable",
        BOOL,
        "true when the user of the process may write its executable",
        _is_executable("EXE_WRITABLE"),
    ),
    _thread(
        "proc.is_exe_upper_layer",
        BOOL,
        "true when the executable is in the upper layer of an overlay: added after the image was made",
        _is_executable("EXE_UPPER_LAYER"),
        example="proc.is_exe_upper_layer = true",
    ),
    _thread(
        "proc.is_exe_lower_layer",
        BOOL,
        "true when the executable is in the lower layer of an overlay: part of the image",
        _is_executable("EXE_LOWER_LAYER"),
    ),
    _thread(
        "proc.is_exe_from_memfd",
        BOOL,
        "true when the executable exists in memory alone (memfd)",
        _is_executable("EXE_FROM_MEMFD"),
    ),
    _thread("proc.exe_ino", ID, "inode of the executable", lambda t, *_: t.exe_ino or None),
    _thread("proc.exe_ino.ctime", TIME, "last change of the executable's inode", lambda t, *_: t.exe_ino_ctime or None),
    _thread(
        "proc.exe_ino.mtime",
        TIME,
        "last modification of the executable's content",
        lambda t, *_: t.exe_ino_mtime or None,
    ),
    _thread(
        "proc.exe_ino.ctime_duration_proc_start",
        DURATION,
        "from the last change of the executable's inode to the start of the process",
        _since_change,
        example="proc.exe_ino.ctime_duration_proc_start < 1m",
    ),
    _thread(
        "proc.exe_ino.ctime_duration_pidns_start",
        DURATION,
        "from the start of the pid namespace to the last change of the executable's inode, if that was later",
        _change_since_namespace,
    ),
)

"""Fields of the process itself: who it is, what it runs, its limits and memory.

Everything about one thread version is decided once, however many events point at it. Relatives are ``family``'s,
what concerns single threads ``thread``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary

from engine.decode.event import Event
from engine.events import FLAG_TABLES
from engine.fields.family import environment, line_of, process_of, variable
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.model.facts import Thread
from engine.store.store import Store

TEXT, ID, INTEGER, BOOL = FieldType.TEXT, FieldType.ID, FieldType.INTEGER, FieldType.BOOL
DURATION, TIME = FieldType.DURATION, FieldType.TIME

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


def _argument(thread: Thread, _: Store, argument: str | None) -> Value:
    if argument is None:
        return b" ".join(thread.args)
    index = int(argument)
    return thread.args[index] if index < len(thread.args) else None


def _environment(thread: Thread, store: Store, name: str | None) -> Value:
    return environment(thread, store) if name is None else variable(process_of(thread, store).env, name)


def _duration(event: Event, _: str | None) -> Value:
    thread = event.thread
    return None if thread is None or thread.started is None else event.time - thread.started


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
_late = partial(Field, place=Place.LATE, group="process")
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
    _thread(
        "proc.exeline", TEXT, "proc.exe and proc.args", lambda t, *_: None if t.comm is None else line_of(t.exe, t)
    ),
    _thread("proc.cwd", TEXT, "working directory", lambda t, store, _: process_of(t, store).cwd),
    _thread("proc.vpid", ID, "process id inside its pid namespace", lambda t, *_: t.vpid),
    _thread("proc.tty", ID, "controlling terminal, 0 for none", lambda t, *_: t.tty),
    _thread("proc.pid.ts", TIME, "when the process started, if that was seen", lambda t, *_: t.started),
    _late(
        "proc.duration",
        DURATION,
        "time since the process started, if that was seen",
        _duration,
        example="proc.duration < 100ms",
    ),
    _thread(
        "proc.pidns_init_start_ts",
        TIME,
        "when the first process of the pid namespace started",
        lambda t, *_: t.pidns_init_start or None,
    ),
    _thread("proc.nthreads", INTEGER, "threads of the process in the capture", _threads_of),
    _thread("proc.fdlimit", INTEGER, "most descriptors the process may have open", lambda t, *_: t.fdlimit),
    _thread("proc.vmsize", INTEGER, "virtual memory when last told", lambda t, *_: t.vm_size, unit="KiB"),
    _thread("proc.vmrss", INTEGER, "resident memory when last told", lambda t, *_: t.vm_rss, unit="KiB"),
    _thread("proc.vmswap", INTEGER, "swapped memory when last told", lambda t, *_: t.vm_swap, unit="KiB"),
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

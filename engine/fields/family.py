"""Fields of a process's relatives: parents, ancestors, descendants, leaders of its session and process groups.

Relatives are followed from version to version: the parent's version in force, or its last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

import numpy as np

from engine.fields.columns import integers
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.index import Index
from engine.fields.resolve import version_at
from engine.model.facts import Thread
from engine.store.segment import Segment
from engine.store.store import Store

TEXT, ID, BOOL = FieldType.TEXT, FieldType.ID, FieldType.BOOL
_ANCESTORS = 64
"""Ancestors followed at most; a damaged capture may have them in a circle."""

Read = Callable[[Thread, Store], Value]
"""A fact of a process for a relative to tell."""


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


def line_of(head: bytes | None, thread: Thread) -> bytes | None:
    """A command line that begins with ``head``; absent where that is."""
    return None if head is None else b" ".join((head, *thread.args))


def variable(values: tuple[bytes, ...], name: str) -> bytes | None:
    """The value of ``name`` among ``name=value`` texts."""
    prefix = name.encode() + b"="
    return next((value[len(prefix) :] for value in values if value.startswith(prefix)), None)


# --- parents and ancestors ---------------------------------------------------------------------------------


def _of_parent(read: Read) -> Callable[..., Value]:
    def value(thread: Thread, store: Store, _: str | None) -> Value:
        parent = parent_of(thread, store)
        return None if parent is None else read(parent, store)

    return value


def _ancestor(thread: Thread, store: Store, level: int) -> Thread | None:
    if level == 0:
        return thread
    return next((one for index, one in enumerate(ancestors(thread, store), 1) if index == level), None)


def _of_ancestors(read: Read) -> Callable[..., Value]:
    """The fact of the ancestor of a level, 0 being the process itself; without a level those of all ancestors."""

    def value(thread: Thread, store: Store, level: str | None) -> Value:
        if level is None:
            return _several(read(one, store) for one in ancestors(thread, store))
        found = _ancestor(thread, store, int(level))
        return None if found is None else read(found, store)

    return value


def _several(values: Iterator[Value]) -> Value:
    return tuple(value for value in values if value is not None)  # type: ignore[return-value]


def _ancestor_environment(thread: Thread, store: Store, wanted: str | None) -> Value:
    if wanted is None or wanted.isdecimal():
        return _of_ancestors(environment)(thread, store, wanted)
    told = (variable(process_of(one, store).env, wanted) for one in ancestors(thread, store))
    return next((value for value in told if value is not None), None)


def environment(thread: Thread, store: Store) -> bytes:
    """The whole environment of a process as one text."""
    return b" ".join(process_of(thread, store).env)


def _login_shell(thread: Thread, store: Store, _: str | None) -> Value:
    line = (thread, *ancestors(thread, store))
    return next((one.pid for one in reversed(line) if one.comm is not None and one.comm.endswith(b"sh")), None)


def since(moment: Callable[[Thread, Store], int | None]) -> Callable[[Segment, Store, str | None], Numbers]:
    """The time from a moment of each event's thread to the event."""

    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        rows, places = np.unique(segment.thread, return_inverse=True)
        moments = [None if row < 0 else moment(store.threads[row], store) for row in rows.tolist()]
        known = np.array([one is not None for one in moments], np.bool_)
        began = integers(moments)
        return Numbers(np.where(known[places], segment.time - began[places], 0), known[places])

    return value


def _parent_start(thread: Thread, store: Store) -> int | None:
    parent = parent_of(thread, store)
    return None if parent is None else parent.started


# --- descendants -------------------------------------------------------------------------------------------


class _Births:
    """The first row of each life, kept up with the thread table's growth."""

    def __init__(self) -> None:
        self._indexed = 0
        self._first: dict[int, int] = {}

    def version(self, store: Store, life: int) -> Thread | None:
        """What a thread was when it began."""
        rows = len(store.threads)
        for row in range(self._indexed, rows):
            self._first.setdefault(store.threads[row].life, row)
        self._indexed = rows
        return store.threads[self._first[life]] if life in self._first else None


_births = Index(_Births)


def _lineage(thread: Thread, store: Store) -> Iterator[Thread]:
    """The process, and those it descends from, also where they ended and others took their children in."""
    births = _births.of(store)
    one: Thread | None = process_of(thread, store)
    for _ in range(_ANCESTORS):
        if one is None:
            return
        yield one
        born = births.version(store, one.life)
        row = one.parent if born is None or born.parent < 0 else born.parent
        one = process_of(store.threads[row], store) if row >= 0 else None


def _of_lineage(read: Read) -> Callable[..., Value]:
    return lambda thread, store, _: _several(read(one, store) for one in _lineage(thread, store))


# --- leaders -----------------------------------------------------------------------------------------------


def _leader(thread: Thread, store: Store, fact: str) -> Thread:
    """The leader of the session or group named by a fact; else the oldest known process of it.

    Of an unknown one too: children stay in the session and group of their makers until they are seen to leave.
    """
    number = getattr(thread, fact)
    oldest = process_of(thread, store)
    inside = fact != "pgid"
    for one in (oldest, *ancestors(thread, store)):
        if getattr(one, fact) != number:
            break
        oldest = one
        if number == (one.vpid if inside else one.pid) >= 0:
            return one
    # Numbers from inside a namespace name nobody outside of it.
    named = number > 0 and (not inside or thread.pid == thread.vpid)
    known = version_at(store, number, thread.first) if named else None
    return oldest if known is None or known.comm is None else known


def _of_leader(fact: str, read: Read) -> Callable[..., Value]:
    return lambda thread, store, _: read(_leader(thread, store, fact), store)


def _leads(fact: str, own: str) -> Callable[..., Value]:
    return lambda thread, *_: getattr(thread, fact) == getattr(thread, own) >= 0


def _told(name: str) -> Read:
    fact = attrgetter(name)
    return lambda thread, _: fact(thread)


def _command_line(thread: Thread, _: Store) -> Value:
    return line_of(thread.comm, thread)


_NAME, _EXE, _EXEPATH, _PID = _told("comm"), _told("exe"), _told("exepath"), _told("pid")
_thread = partial(Field, place=Place.THREAD, group="process")
_any = partial(_thread, argument=Argument.OPTIONAL, takes="N", whole_argument=True, multiple=True)
_tree = partial(_thread, multiple=True, own=True)
_event = partial(Field, place=Place.EVENT, group="process")
_BY_LEVEL = "of ancestor [N], 0 is the process itself; bare: of any ancestor"

FIELDS = (
    _thread("proc.ppid", ID, "process id of the parent", lambda t, store, _: process_of(t, store).ptid),
    _thread("proc.pname", TEXT, "proc.name of the parent", _of_parent(_NAME), example="proc.pname = sshd"),
    _thread("proc.pexe", TEXT, "proc.exe of the parent", _of_parent(_EXE)),
    _thread("proc.pexepath", TEXT, "proc.exepath of the parent", _of_parent(_EXEPATH)),
    _thread("proc.pcmdline", TEXT, "proc.cmdline of the parent", _of_parent(_command_line)),
    _thread("proc.pvpid", ID, "process id of the parent inside its pid namespace", _of_parent(_told("vpid"))),
    _event(
        "proc.ppid.duration",
        FieldType.DURATION,
        "time since the parent started, if that was seen",
        since(_parent_start),
    ),
    _thread("proc.ppid.ts", FieldType.TIME, "when the parent started, if that was seen", _of_parent(_told("started"))),
    _any("proc.apid", ID, f"process id {_BY_LEVEL}", _of_ancestors(_PID), example="proc.apid = 1"),
    _any("proc.aname", TEXT, f"proc.name {_BY_LEVEL}", _of_ancestors(_NAME), example="proc.aname[2] = sshd"),
    _any("proc.aexe", TEXT, f"proc.exe {_BY_LEVEL}", _of_ancestors(_EXE), example="proc.aexe endswith /bash"),
    _any("proc.aexepath", TEXT, f"proc.exepath {_BY_LEVEL}", _of_ancestors(_EXEPATH)),
    _any("proc.acmdline", TEXT, f"proc.cmdline {_BY_LEVEL}", _of_ancestors(_command_line)),
    _any("proc.aargs", TEXT, f"proc.args {_BY_LEVEL}", _of_ancestors(lambda t, _: b" ".join(t.args))),
    _any(
        "proc.aenv",
        TEXT,
        "environment of ancestor [N], or the nearest ancestor's variable [NAME]; bare: of any ancestor",
        _ancestor_environment,
        takes="N or NAME",
        whole_argument=False,
        example="proc.aenv[SSH_TTY] exists",
    ),
    _tree(
        "proc.tree.pid",
        ID,
        "process id of the process or of any it descends from, also of those that ended",
        _of_lineage(_PID),
        example="proc.tree.pid = 4711",
    ),
    _tree(
        "proc.tree.name",
        TEXT,
        "proc.name of the process or of any it descends from",
        _of_lineage(_NAME),
        example="proc.tree.name = make",
    ),
    _tree("proc.tree.exe", TEXT, "proc.exe of the process or of any it descends from", _of_lineage(_EXE)),
    _tree("proc.tree.exepath", TEXT, "proc.exepath of the process or of any it descends from", _of_lineage(_EXEPATH)),
    _tree(
        "proc.tree.cmdline", TEXT, "proc.cmdline of the process or of any it descends from", _of_lineage(_command_line)
    ),
    _thread("proc.loginshellid", ID, "process id of the oldest ancestor whose name ends in sh", _login_shell),
    _thread("proc.sid", ID, "session id, as inside the pid namespace", lambda t, *_: t.sid),
    _thread("proc.sname", TEXT, "proc.name of the session's leader or oldest process", _of_leader("sid", _NAME)),
    _thread("proc.sid.exe", TEXT, "proc.exe of the session's leader or oldest process", _of_leader("sid", _EXE)),
    _thread(
        "proc.sid.exepath", TEXT, "proc.exepath of the session's leader or oldest process", _of_leader("sid", _EXEPATH)
    ),
    _thread("proc.is_sid_leader", BOOL, "true for the leader of a session", _leads("sid", "vpid")),
    _thread("proc.vpgid", ID, "process group id inside the pid namespace", lambda t, *_: t.vpgid),
    _thread("proc.vpgid.name", TEXT, "proc.name of the leader of group proc.vpgid", _of_leader("vpgid", _NAME)),
    _thread("proc.vpgid.exe", TEXT, "proc.exe of the leader of group proc.vpgid", _of_leader("vpgid", _EXE)),
    _thread(
        "proc.vpgid.exepath", TEXT, "proc.exepath of the leader of group proc.vpgid", _of_leader("vpgid", _EXEPATH)
    ),
    _thread("proc.is_vpgid_leader", BOOL, "true for the leader of group proc.vpgid", _leads("vpgid", "vpid")),
    _thread("proc.pgid", ID, "process group id", lambda t, *_: t.pgid),
    _thread("proc.pgid.name", TEXT, "proc.name of the leader of group proc.pgid", _of_leader("pgid", _NAME)),
    _thread("proc.pgid.exe", TEXT, "proc.exe of the leader of group proc.pgid", _of_leader("pgid", _EXE)),
    _thread("proc.pgid.exepath", TEXT, "proc.exepath of the leader of group proc.pgid", _of_leader("pgid", _EXEPATH)),
    _thread("proc.is_pgid_leader", BOOL, "true for the leader of group proc.pgid", _leads("pgid", "pid")),
)

"""Fields of the event itself: its number, times, type, result, payload and parameters.

Numbers come from the columns, a segment at a time; what needs the raw record is late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import CATALOGUE, ERRNO, Category, EventType, FdKind, Trait
from engine.fields.fd import FILES, NET, PATHS, SOCKETS
from engine.fields.field import Argument, Field, FieldType, Measure, Numbers, Outcome, Place, Quantity, Value
from engine.fields.render import argument_text, argument_value, arguments, payload, place_of
from engine.store.segment import NO_RESULT, UNKNOWN_LATENCY, Segment
from engine.store.store import Store

TEXT, INTEGER, ID, BOOL = FieldType.TEXT, FieldType.INTEGER, FieldType.ID, FieldType.BOOL
DURATION, TIME = FieldType.DURATION, FieldType.TIME
OPENS = frozenset({"open", "openat", "openat2", "creat", "open_by_handle_at"})
"""Calls that open files."""
_CONNECTS = frozenset({"accept", "accept4", "connect"})
_IO = (Category.IO_READ, Category.IO_WRITE, Category.IO_OTHER)
_BY_FD = Trait.READS_FROM_FD | Trait.WRITES_TO_FD
SECOND = 1_000_000_000
_DATE = "%Y-%m-%d %H:%M:%S"

Types = Callable[[EventType], bool]


def is_call_exit(kind: EventType) -> bool:
    """True for the exits of system calls: what counts a call once."""
    return kind.is_syscall and kind.is_exit


def _table(types: Types) -> NDArray[np.bool_]:
    return np.fromiter(map(types, CATALOGUE), np.bool_, len(CATALOGUE))


# --- categories --------------------------------------------------------------------------------------------

_CATEGORY_WORDS = {category: category.name.lower().encode() for category in Category} | {Category.IPC: b"IPC"}
_IPC_FD = 512
"""Code of I/O on pipes and the like, whose word is lower-case."""
_CATEGORY_OF_KIND = (
    dict.fromkeys(PATHS, int(Category.FILE))
    | dict.fromkeys(NET, int(Category.NET))
    | dict.fromkeys((FdKind.FIFO, FdKind.UNIX, FdKind.EVENT, FdKind.SIGNALFD, FdKind.INOTIFY), _IPC_FD)
)
_BY_TYPE = np.array([-1 if kind.category in _IO else kind.category for kind in CATALOGUE], np.int64)
_BY_KIND = np.array([_CATEGORY_OF_KIND.get(kind, int(Category.UNKNOWN)) for kind in (*FdKind, -1)], np.int64)
"""The last entry, for -1, is that of events without an fd."""


def _fd_kinds(segment: Segment, store: Store) -> NDArray[np.int64]:
    """The kind of each event's fd, -1 where it is not known."""
    kinds = np.full(len(segment), -1, np.int64)
    known = segment.fd_row >= 0
    kinds[known] = store.fds.rows["kind"][segment.fd_row[known]]
    return kinds


def _category(segment: Segment, store: Store, _: str | None) -> Numbers:
    codes = _BY_TYPE[segment.type]
    return Numbers(np.where(codes < 0, _BY_KIND[_fd_kinds(segment, store)], codes))


def _category_word(code: int) -> bytes:
    return b"ipc" if code == _IPC_FD else _CATEGORY_WORDS[Category(code)]


# --- results -----------------------------------------------------------------------------------------------


def _result(segment: Segment, *_: object) -> Numbers:
    return Numbers(segment.result, segment.result != NO_RESULT)


def _error(segment: Segment, *_: object) -> Numbers:
    """The errno of failed calls, 0 of everything else."""
    return Numbers(np.where(_failed(segment), -segment.result, 0))


def _failed(segment: Segment) -> NDArray[np.bool_]:
    failed: NDArray[np.bool_] = (segment.result < 0) & (segment.result != NO_RESULT)
    return failed


def error_word(code: int) -> bytes:
    """``SUCCESS``, the name of an errno, or the number of one without a name."""
    return ERRNO.get(code, str(code)).encode() if code else b"SUCCESS"


def _latency(segment: Segment, *_: object) -> Numbers:
    return Numbers(segment.latency, segment.latency != UNKNOWN_LATENCY)


# --- times -------------------------------------------------------------------------------------------------


def _since_first(segment: Segment, store: Store, _: str | None) -> Numbers:
    return Numbers(segment.time - store.segments[0].time[0])


def _since_previous(segment: Segment, store: Store, _: str | None) -> Numbers:
    before = bisect_right(store.segments, segment.first, key=lambda each: each.first) - 2
    first = store.segments[before].time[-1] if before >= 0 else segment.time[0]
    return Numbers(np.diff(segment.time, prepend=first))


def _around(segment: Segment, _: Store, moment: str | None) -> Numbers:
    return Numbers(np.abs(segment.time - min(int(moment or 0), 2**62)))


@lru_cache(16)
def _local(second: int, form: str) -> bytes:
    return datetime.fromtimestamp(second).strftime(form).encode()


def clock(event: Event, _: str | None = None) -> bytes:
    """Local time of day with ns."""
    return b"%s.%09d" % (_local(event.time // SECOND, "%H:%M:%S"), event.time % SECOND)


def _iso(event: Event, _: str | None) -> Value:
    moment = datetime.fromtimestamp(event.time // SECOND, UTC)
    return b"%s.%09dZ" % (moment.strftime("%Y-%m-%dT%H:%M:%S").encode(), event.time % SECOND)


def _date(event: Event, _: str | None) -> Value:
    return b"%s.%09d" % (_local(event.time // SECOND, _DATE), event.time % SECOND)


# --- measures ----------------------------------------------------------------------------------------------


def _moves(*categories: Category) -> Types:
    """Exits of calls that move data, by direction."""
    return lambda kind: kind.is_exit and kind.category in categories


def _evaluate(measures: tuple[Measure, ...], absent: bool) -> Callable[[Segment, Store, str | None], Numbers]:
    """The value of every event by the same declaration that views add up (of ones or results);
    where nothing counts it is 0 or absent."""
    tables = [_table(measure.types) for measure in measures]

    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        present = np.zeros(len(segment), np.bool_)
        for measure, table in zip(measures, tables, strict=True):
            counted = table[segment.type]
            if measure.fd_kinds is not None:
                counted &= np.isin(_fd_kinds(segment, store), list(measure.fd_kinds))
            if measure.outcome is Outcome.FAILED:
                counted &= _failed(segment)
            elif measure.outcome is Outcome.OK:
                counted &= segment.result >= 0
            values[counted] += 1 if measure.quantity is Quantity.ONE else segment.result[counted]
            present |= counted
        return Numbers(values, present if absent else None)

    return value


def _sum(name: str, meaning: str, *measures: Measure, absent: bool = False) -> Field:
    return _event(name, INTEGER, meaning, _evaluate(measures, absent), measures=measures)


def _bytes(kinds: frozenset[FdKind], *categories: Category) -> Measure:
    return Measure(Quantity.RESULT, _moves(*categories), frozenset(map(int, kinds)), Outcome.OK)


def _errors(types: Types, kinds: frozenset[FdKind] | frozenset[int] | None = None) -> Measure:
    numbers = None if kinds is None else frozenset(map(int, kinds))
    return Measure(Quantity.ONE, types, numbers, Outcome.FAILED)


_READ, _WRITE = Category.IO_READ, Category.IO_WRITE
_KNOWN = frozenset(FdKind)
_ELSE = frozenset({-1, *map(int, _KNOWN - PATHS - SOCKETS)})


def _by_name(names: frozenset[str]) -> Types:
    return lambda kind: kind.is_exit and kind.name in names


def _unnamed(kind: EventType) -> bool:
    """Exits whose error is not told by the type alone."""
    return kind.is_exit and kind.name not in OPENS | _CONNECTS and kind.category is not Category.MEMORY


def _direction(kind: EventType) -> bytes | None:
    return {_READ: b"read", _WRITE: b"write"}.get(kind.category)


_event = partial(Field, place=Place.EVENT, group="event")
_type = partial(Field, place=Place.TYPE, group="event")
_late = partial(Field, place=Place.LATE, group="event")
_PARAMETERS = frozenset(parameter.name for kind in CATALOGUE for parameter in kind.params)

FIELDS = (
    _event(
        "evt.num",
        ID,
        "number of the event in the capture, hidden ones counted",
        lambda s, *_: Numbers(np.arange(s.first + 1, s.first + 1 + len(s))),
    ),
    _late("evt.time", TEXT, "local time of day with ns", clock),
    _late("evt.outputtime", TEXT, "the time as lines show it, see `tui dig -t`", clock),
    _late("evt.time.s", TEXT, "local time of day, seconds", lambda e, _: _local(e.time // SECOND, "%H:%M:%S")),
    _late("evt.time.iso8601", TEXT, "UTC date and time with ns", _iso),
    _late("evt.datetime", TEXT, "local date and time with ns", _date),
    _late(
        "evt.datetime.s",
        TEXT,
        "local date and time, seconds",
        lambda e, _: _local(e.time // SECOND, _DATE),
    ),
    _event("evt.rawtime", TIME, "ns since 1970", lambda s, *_: Numbers(s.time)),
    _event("evt.rawtime.s", INTEGER, "seconds since 1970", lambda s, *_: Numbers(s.time // SECOND)),
    _event("evt.rawtime.ns", INTEGER, "ns within the second", lambda s, *_: Numbers(s.time % SECOND)),
    _event("evt.reltime", DURATION, "time since the first event", _since_first),
    _event("evt.deltatime", DURATION, "time since the previous event", _since_previous),
    _event(
        "evt.around",
        INTEGER,
        "time to the moment [T] (ns since 1970); evt.around[T]=MS keeps what is no further",
        _around,
        argument=Argument.REQUIRED,
        whole_argument=True,
        filter_only=True,
    ),
    _event(
        "evt.latency",
        DURATION,
        "time from a call's enter to its exit, 0 on enters",
        _latency,
        measures=(Measure(Quantity.LATENCY, is_call_exit),),
    ),
    _event("evt.cpu", ID, "CPU the event was recorded on", lambda s, *_: Numbers(s.cpu.astype(np.int64))),
    _type("evt.dir", TEXT, "> of enters, < of exits", lambda kind, _: b"<" if kind.is_exit else b">"),
    _type("evt.type", TEXT, "name of the event, mostly of the system call", lambda kind, _: kind.name.encode()),
    _type(
        "evt.type.is",
        INTEGER,
        "1 for events of type number [N], else 0",
        lambda kind, number: int(kind.code == int(number or 0)),
        argument=Argument.REQUIRED,
        whole_argument=True,
    ),
    _type(
        "syscall.type",
        TEXT,
        "name of the system call, absent for other events",
        lambda kind, _: kind.name.encode() if kind.is_syscall else None,
    ),
    _event(
        "evt.category",
        TEXT,
        "what the event is about: file, net, ipc, memory, process …",
        _category,
        words=_category_word,
    ),
    _late("evt.args", TEXT, "all parameters, name=value", lambda e, _: arguments(e)),
    _late("evt.info", TEXT, "all parameters, name=value", lambda e, _: arguments(e)),
    _late(
        "evt.arg",
        TEXT,
        "one parameter as text, by [NAME] or [NUMBER]",
        argument_text,
        argument=Argument.REQUIRED,
        named=_PARAMETERS,
        parameter=place_of,
    ),
    _late(
        "evt.rawarg",
        INTEGER,
        "one parameter as it is, by [NAME]",
        argument_value,
        argument=Argument.REQUIRED,
        named=_PARAMETERS,
        parameter=place_of,
    ),
    _late(
        "evt.buffer",
        FieldType.BYTES,
        "captured payload of reads and writes",
        lambda e, _: payload(e),
        parameter=lambda kind, _: kind.index("data"),
    ),
    _event("evt.rawres", INTEGER, "result of a call, negative errno of failures", _result),
    _event("evt.res", TEXT, "SUCCESS or the name of the error", _error, words=error_word),
    _event(
        "evt.failed", BOOL, "true for calls that returned an error", lambda s, *_: Numbers(_failed(s).astype(np.int64))
    ),
    _type("evt.is_io", BOOL, "true for calls that read or write", lambda kind, _: bool(kind.traits & _BY_FD)),
    _type("evt.is_io_read", BOOL, "true for reads", lambda kind, _: bool(kind.traits & Trait.READS_FROM_FD)),
    _type("evt.is_io_write", BOOL, "true for writes", lambda kind, _: bool(kind.traits & Trait.WRITES_TO_FD)),
    _type("evt.io_dir", TEXT, "read or write, of calls that do", lambda kind, _: _direction(kind)),
    _type("evt.is_wait", BOOL, "true for calls that wait", lambda kind, _: bool(kind.traits & Trait.WAITS)),
    _sum("evt.count", "1 for every event", Measure(Quantity.ONE, lambda kind: True)),
    _sum("evt.count.exit", "1 for every call, on its exit", Measure(Quantity.ONE, is_call_exit)),
    _sum("evt.count.open", "1 for every call that opens a file", Measure(Quantity.ONE, _by_name(OPENS))),
    _sum(
        "evt.count.procinfo",
        "1 for every CPU sample of the kernel's",
        Measure(Quantity.ONE, lambda kind: kind.name == "procinfo"),
    ),
    _sum("evt.count.error", "1 for a failed call", _errors(lambda kind: kind.is_exit)),
    _sum("evt.count.error.file", "1 for a failed call about files", _errors(_by_name(OPENS)), _errors(_unnamed, PATHS)),
    _sum(
        "evt.count.error.net",
        "1 for a failed call about sockets",
        _errors(_by_name(_CONNECTS)),
        _errors(_unnamed, SOCKETS),
    ),
    _sum(
        "evt.count.error.memory",
        "1 for a failed call about memory",
        _errors(lambda kind: kind.is_exit and kind.category is Category.MEMORY),
    ),
    _sum("evt.count.error.other", "1 for a failed call of another kind", _errors(_unnamed, _ELSE)),
    _sum("evt.buflen", "bytes moved by a read or write", _bytes(_KNOWN, _READ, _WRITE), absent=True),
    _sum("evt.buflen.in", "bytes read", _bytes(_KNOWN, _READ)),
    _sum("evt.buflen.out", "bytes written", _bytes(_KNOWN, _WRITE)),
    _sum("evt.buflen.file", "bytes moved on regular files", _bytes(FILES, _READ, _WRITE)),
    _sum("evt.buflen.file.in", "bytes read from regular files", _bytes(FILES, _READ)),
    _sum("evt.buflen.file.out", "bytes written to regular files", _bytes(FILES, _WRITE)),
    _sum("evt.buflen.net", "bytes moved on IPv4 and IPv6 sockets", _bytes(NET, _READ, _WRITE)),
    _sum("evt.buflen.net.in", "bytes received on IPv4 and IPv6 sockets", _bytes(NET, _READ)),
    _sum("evt.buflen.net.out", "bytes sent on IPv4 and IPv6 sockets", _bytes(NET, _WRITE)),
)

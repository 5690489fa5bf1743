"""One event in full: its parameters with what they mean, its payload, who and what it was about, and its neighbours.

Owns what is told of an event and in which order. Values and their texts are those of ``engine.fields``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import FLAG_TABLES, EventType, Parameter
from engine.fields import FIELDS
from engine.fields.columns import is_call_exit
from engine.fields.field import Argument, Field, FieldType, Value
from engine.fields.render import payload
from engine.fields.times import SECOND
from engine.fields.values import absent, renderer_of
from engine.filters import quote
from engine.model.facts import Thread
from engine.query import payload as payloads
from engine.query.assembly import shown
from engine.query.matches import event_at
from engine.query.payload import ViewAs
from engine.query.work import PanelRequest, PanelSnapshot, Work
from engine.store.segment import Segment
from engine.store.store import Store
from engine.text import duration, safe

MOST_PAYLOAD = 16_384
"""Bytes of payload shown; more is said to be there."""
MOST_ANCESTORS = 32
HEADING, FACT, READ, WRITE, LINK = "head", "", "read", "write", "link"
"""Kinds of rows."""
_MEANINGS = {
    "FD": "file descriptor", "FD32": "file descriptor", "PID": "thread id", "PID32": "thread id", "ERRNO": "result",
    "FSPATH": "path", "FSRELPATH": "path, relative to a directory", "CHARBUF": "text", "BYTEBUF": "payload",
    "UID": "user id", "GID": "group id", "SOCKADDR": "socket address", "SOCKTUPLE": "ends of a connection",
    "SIGTYPE": "signal", "SIGSET": "set of signals", "RELTIME": "duration", "ABSTIME": "moment", "SYSCALLID": "call",
    "FDLIST": "descriptors with poll flags", "MODE": "file mode", "BOOL": "yes or no", "DYN": "depends on the call",
}  # fmt: skip
_NUMBERS = (FieldType.INTEGER, FieldType.ID, FieldType.PORT, FieldType.DURATION, FieldType.TIME)
_GROUPS = ("event", "process", "fd", "container", "user")


@dataclass(frozen=True, slots=True)
class DetailRow:
    """One line of what is told; texts are safe."""

    kind: str
    name: str
    value: str = ""
    note: str = ""
    """What it means."""
    term: str = ""
    """Filter that keeps events of which the same is true; "" when there is none."""
    event: int = 0
    """Number of the event it leads to, 0 for none."""


@dataclass(frozen=True)
class DetailSnapshot(PanelSnapshot):
    """An event in full."""

    number: int = 0
    title: str = ""
    rows: tuple[DetailRow, ...] = ()
    links: tuple[tuple[str, int], ...] = ()
    """Numbers of neighbours by what they are (``LINKS``), those there are."""


LINKS = {
    "half": "the other half of the call",
    "thread": "next event of the thread",
    "thread-before": "previous event of the thread",
    "fd": "next event of the descriptor",
    "fd-before": "previous event of the descriptor",
}
"""Kinds of neighbours."""


@dataclass(frozen=True, slots=True)
class DetailRequest(PanelRequest):
    """Which event."""

    number: int

    def answer(self, work: Work) -> DetailSnapshot:
        """Tell all there is to know of the event."""
        store = work.store
        if not store.forgotten < self.number <= store.events:
            return self.failed(f"event {self.number} is not kept any more")
        event = event_at(store, self.number - 1)
        links = tuple(_links(event))
        rows = (
            *_about(event),
            *_parameters(event),
            *_payload(event),
            *_lineage(event),
            *(DetailRow(LINK, "▸ go to", f"{LINKS[kind]}: event {number}", event=number) for kind, number in links),
            *_fields(event),
        )
        title = f"{event.number} {event.type.name}"
        return DetailSnapshot(self, "", True, self.number, title, rows, links)

    def failed(self, message: str) -> DetailSnapshot:
        """Nothing is known of it."""
        return DetailSnapshot(self, message, True, self.number)


def _about(event: Event) -> Iterator[DetailRow]:
    thread, fd = event.thread, event.fd
    yield DetailRow(HEADING, f"{event.type.name} {'exit' if event.type.is_exit else 'enter'}")
    when = FIELDS["evt.datetime"].of(event)
    yield DetailRow(FACT, "when", shown(FIELDS["evt.datetime"], when), f"event {event.number}, CPU {event.cpu}")
    if event.latency is not None and is_call_exit(event.type):
        yield DetailRow(FACT, "took", duration(event.latency), "from enter to exit", f"evt.latency>={event.latency}")
    if thread is not None:
        yield DetailRow(FACT, "by", _who(thread), _command(thread), f"thread.tid={thread.tid}")
    if fd is not None and fd.name:
        yield DetailRow(
            FACT, "on", safe(fd.name), f"descriptor {event.fd_number}, {fd.kind.name.lower().replace('_', ' ')}",
            f"fd.name={quote(fd.name)}",
        )  # fmt: skip


def _who(thread: Thread) -> str:
    return f"{safe(thread.comm or b'?')} (thread {thread.tid} of process {thread.pid})"


def _command(thread: Thread) -> str:
    return safe(b" ".join([thread.exe, *thread.args]))


def _parameters(event: Event) -> Iterator[DetailRow]:
    if not event.type.params:
        return
    yield DetailRow(HEADING, "Parameters")
    for place, parameter in enumerate(event.type.params[: len(event.params)]):
        raw = event.params[place]
        if parameter.type == "BYTEBUF":
            yield DetailRow(FACT, parameter.name, f"{len(raw or b''):,} bytes", "payload, below")
            continue
        own, meaning = (absent(parameter), b"") if raw is None else renderer_of(parameter, place)(event, raw)
        text = safe(own) + (f"  {safe(meaning)}" if meaning else "")
        term = "" if raw is None else f"evt.arg.{parameter.name}={quote(meaning or own)}"
        yield DetailRow(FACT, parameter.name, text, _meaning(parameter), term)
        if raw is not None and parameter.type.startswith("FLAGS"):
            yield from _flags(parameter, int.from_bytes(raw[:8], "little"))


def _meaning(parameter: Parameter) -> str:
    kind = parameter.type
    if kind.startswith("FLAGS"):
        return "flags"
    if kind.startswith("ENUM"):
        return "one of several"
    return _MEANINGS.get(kind, "number" if "INT" in kind else kind.lower())


def _flags(parameter: Parameter, value: int) -> Iterator[DetailRow]:
    """Every flag that is set, on a line of its own, and what is left without a name."""
    for name, flag in FLAG_TABLES.get(parameter.table or "", ()):
        if flag and value & flag == flag:
            yield DetailRow(FACT, "", f"{flag:#10x}  {name}")
            value &= ~flag
    if value:
        yield DetailRow(FACT, "", f"{value:#10x}  (no name is known)")


def _payload(event: Event) -> Iterator[DetailRow]:
    raw = payload(event)
    if not isinstance(raw, bytes) or not raw:
        return
    tone = WRITE if event.type.name.startswith(("write", "send", "pwrite")) else READ
    cut = raw[:MOST_PAYLOAD]
    yield DetailRow(HEADING, f"Payload, {len(raw):,} bytes")
    for line in payloads.lines(cut, ViewAs.HEX):
        yield DetailRow(tone, "", line.strip())
    yield DetailRow(HEADING, "Payload as text")
    for line in payloads.lines(cut, ViewAs.PRINTABLE):
        yield DetailRow(tone, "", line)
    if len(cut) < len(raw):
        yield DetailRow(FACT, "", f"… {len(raw) - len(cut):,} bytes more")


def _lineage(event: Event) -> Iterator[DetailRow]:
    """Who it is by, and who made them, as they were then."""
    thread = event.thread
    if thread is None:
        return
    yield DetailRow(HEADING, "Process and ancestors")
    yield DetailRow(FACT, "process", _who(thread), _command(thread), f"proc.pid={thread.pid}")
    latest: dict[int, Thread] = {}
    for candidate in event.store.threads:
        if candidate.first <= event.number and candidate.tid == candidate.pid:
            latest[candidate.tid] = candidate
    seen = {thread.pid}
    main = latest.get(thread.pid, thread)
    for _ in range(MOST_ANCESTORS):
        parent = latest.get(main.ptid)
        if parent is None or parent.pid in seen:
            return
        seen.add(parent.pid)
        yield DetailRow(FACT, "made by", _who(parent), _command(parent), f"proc.pid={parent.pid}")
        main = parent


def _fields(event: Event) -> Iterator[DetailRow]:
    """Every field the event has, as a filter spells it."""
    for group in dict.fromkeys((*_GROUPS, *(field.group for field in FIELDS.values()))):
        rows = [row for field in FIELDS.values() if field.group == group and (row := _field(field, event))]
        if rows:
            yield DetailRow(HEADING, f"Fields: {group}")
            yield from rows


def _field(field: Field, event: Event) -> DetailRow | None:
    if field.filter_only or field.argument is Argument.REQUIRED or field.deprecated:
        return None
    value = field.of(event)
    if value is None or value in ((), b""):
        return None
    return DetailRow(FACT, field.name, shown(field, value)[:512], field.meaning, term_of(field, value))


def term_of(field: Field, value: Value) -> str:
    """The filter that keeps events with the same value; "" when a filter cannot say it."""
    match value:
        case bool():
            return f"{field.name}={'true' if value else 'false'}"
        case bytes() if field.type is FieldType.TEXT:
            return f"{field.name}={quote(value)}"
        case int() if field.type in _NUMBERS:
            return f"{field.name}={value}"
    return ""


# neighbours


def _links(event: Event) -> Iterator[tuple[str, int]]:
    thread = event.thread
    if thread is not None:
        of_thread = _of_thread(event.store, thread)
        if event.type.is_syscall and (number := _half(event, of_thread)):
            yield "half", number
        if number := _neighbour(event, of_thread, 1):
            yield "thread", number
        if number := _neighbour(event, of_thread, -1):
            yield "thread-before", number
    row = int(event.segment.fd_row[event.row])
    if row >= 0:
        of_fd: _Mask = lambda segment: segment.fd_row == row  # noqa: E731
        if number := _neighbour(event, of_fd, 1):
            yield "fd", number
        if number := _neighbour(event, of_fd, -1):
            yield "fd-before", number


_Mask = Callable[[Segment], NDArray[np.bool_]]


def _of_thread(store: Store, thread: Thread) -> _Mask:
    """Events of all versions of a thread's life."""
    rows = np.array([row for row, other in enumerate(store.threads) if other.life == thread.life], np.int32)
    return lambda segment: np.isin(segment.thread, rows)


def _half(event: Event, of_thread: _Mask) -> int:
    """Number of the exit of an enter or the enter of an exit; 0 when it is not there."""
    kind: EventType = event.type
    other = kind.code - 1 if kind.is_exit else kind.code + 1
    step = -1 if kind.is_exit else 1
    nearest = _neighbour(event, of_thread, step)
    if not nearest:
        return 0
    found = event_at(event.store, nearest - 1)
    # A signal or a switch may come in between; another call's event means that the half is missing.
    while found.type.code != other and not found.type.is_syscall:
        nearest = _neighbour(found, of_thread, step)
        if not nearest:
            return 0
        found = event_at(event.store, nearest - 1)
    return nearest if found.type.code == other and abs(found.time - event.time) < 3600 * SECOND else 0


def _neighbour(event: Event, wanted: _Mask, step: int) -> int:
    """Number of the nearest visible event after (1) or before (-1) that is wanted; 0 for none."""
    segments = event.store.segments
    at = segments.index(event.segment)
    while 0 <= at < len(segments):
        segment = segments[at]
        mask = wanted(segment) & (segment.flags == 0)
        if segment is event.segment:
            mask[slice(None, event.row + 1) if step > 0 else slice(event.row, None)] = False
        found = np.flatnonzero(mask)
        if len(found):
            return segment.first + int(found[0 if step > 0 else -1]) + 1
        at += step
    return 0

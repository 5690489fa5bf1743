"""One event in full: its parameters with what they mean, its payload, who and what it was about, and its neighbours.

Owns what is told of an event and in which order. Values and their texts are those of ``engine.fields``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import FD_TYPE_NAMES, FLAG_TABLES, EventType, Parameter
from engine.events.meanings import meaning
from engine.fields import FIELDS
from engine.fields.columns import is_call_exit
from engine.fields.field import Argument, Field, FieldType, Value
from engine.fields.render import payload
from engine.fields.times import SECOND, moment
from engine.fields.values import absent, renderer_of, shortened
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
_LISTS = ("args", "env", "cgroups")
"""Parameters of texts that each end with a zero byte."""
MOST_LISTED = 200
"""Texts of one such parameter shown; more are said to be there."""
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


class _Begun:
    """That a request, the same object, was answered before."""

    fields: frozenset[str] = frozenset()

    def __init__(self, request: DetailRequest) -> None:
        self.request = request
        self.answered = False

    def forget(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class DetailRequest(PanelRequest):
    """Which event."""

    number: int

    def answer(self, work: Work) -> DetailSnapshot:
        """Tell what the event itself says, then all there is to know of it: some fields are worked out from others."""
        begun = work.keep(_Begun, (id(self),), lambda: _Begun(self))
        snapshot = self.told(work, whole=begun.answered)
        begun.answered = True
        return snapshot

    def told(self, work: Work, *, whole: bool) -> DetailSnapshot:
        """What is told of the event, with its fields if it is to be the whole."""
        store = work.store
        if not store.forgotten < self.number <= store.events:
            return self.failed(f"event {self.number} is not kept any more")
        event = event_at(store, self.number - 1)
        links = tuple(_links(event))
        rows = [
            *_about(event),
            *_parameters(event),
            *_payload(event),
            *_lineage(event),
            *(DetailRow(LINK, "▸ go to", f"{LINKS[kind]}: event {number}", event=number) for kind, number in links),
        ]
        if whole:
            for row in _fields(event):
                work.check()
                rows.append(row)
        else:
            rows.append(DetailRow(HEADING, "Fields: reading…"))
        title = f"{event.number} {event.type.name}"
        return DetailSnapshot(self, "", whole, self.number, title, tuple(rows), links)

    def failed(self, message: str) -> DetailSnapshot:
        """Nothing is known of it."""
        return DetailSnapshot(self, message, True, self.number)


def _about(event: Event) -> Iterator[DetailRow]:
    """When, how long, who, on what, for whom and where: as it was then."""
    thread, fd, kind = event.thread, event.fd, event.type
    yield DetailRow(HEADING, kind.name + ((" exit" if kind.is_exit else " enter") if kind.is_syscall else ""))
    yield DetailRow(FACT, "when", safe(moment(event.time)), f"event {event.number}, CPU {event.cpu}")
    if event.latency is not None and is_call_exit(event.type):
        yield DetailRow(FACT, "took", duration(event.latency), "from enter to exit", f"evt.latency>={event.latency}")
    if thread is not None:
        yield DetailRow(FACT, "by", _who(thread), _command(thread), f"thread.tid={thread.tid}")
    if fd is not None and fd.name:
        yield DetailRow(
            FACT,
            "on",
            safe(fd.name),
            f"descriptor {event.fd_number}, {FD_TYPE_NAMES[fd.kind]}",
            f"fd.name={quote(fd.name)}",
        )
    for name, told_by, besides in (("user", "user.name", "user.uid"), ("container", "container.name", "container.id")):
        known = [(FIELDS[field], FIELDS[field].of(event)) for field in (told_by, besides)]
        present = [(field, value) for field, value in known if value not in (None, b"")]
        if present:
            note = shown(*present[1]) if len(present) > 1 and present[0][1] != present[1][1] else ""
            yield DetailRow(FACT, name, shown(*present[0]), note and f"id {note}", term_of(*present[-1]))


def _who(thread: Thread) -> str:
    return f"{safe(thread.comm or b'?')} (thread {thread.tid} of process {thread.pid})"


def _command(thread: Thread) -> str:
    return safe(b" ".join([thread.exe, *thread.args]))


def _parameters(event: Event) -> Iterator[DetailRow]:
    if not event.type.params:
        return
    yield DetailRow(HEADING, "Parameters")
    for place, parameter in enumerate(event.type.params[: len(event.params)]):
        raw, note = event.params[place], meaning(event.type, parameter.name)
        if raw is None:
            yield DetailRow(FACT, parameter.name, safe(absent(parameter)), note)
        elif parameter.type == "BYTEBUF":
            yield from _bytes(parameter.name, raw, note)
        else:
            yield from _parameter(event, place, parameter, raw, note)


def _parameter(event: Event, place: int, parameter: Parameter, raw: bytes, note: str) -> Iterator[DetailRow]:
    own, stands_for = renderer_of(parameter, place)(event, raw)
    value = safe(own) + (f"  {safe(stands_for)}" if stands_for else "")
    term = f"evt.arg.{parameter.name}={quote(stands_for or own)}"
    number = int.from_bytes(raw[:8], "little")
    match parameter.type:
        case "ABSTIME":
            value, term = safe(moment(number)), f"evt.rawarg.{parameter.name}={number}"
        case "RELTIME":
            value = f"{safe(own)}  {duration(number)}"
        case "PID" | "PID32":
            term = f"evt.rawarg.{parameter.name}={safe(own)}"
    yield DetailRow(FACT, parameter.name, value, note, term)
    if parameter.type.startswith("FLAGS"):
        yield from _flags(parameter, number)


def _bytes(name: str, raw: bytes, note: str) -> Iterator[DetailRow]:
    """Bytes: lists of texts one by one, payload by its size."""
    if name not in _LISTS:
        yield DetailRow(FACT, name, f"{len(raw):,} bytes" if name == "data" else safe(shortened(raw)), note)
        return
    texts = raw.removesuffix(b"\0").split(b"\0") if raw else []
    yield DetailRow(FACT, name, f"{len(texts):,}", note)
    for text in texts[:MOST_LISTED]:
        yield DetailRow(FACT, "", safe(text))
    if len(texts) > MOST_LISTED:
        yield DetailRow(FACT, "", f"… {len(texts) - MOST_LISTED:,} more")


def _flags(parameter: Parameter, value: int) -> Iterator[DetailRow]:
    """Every flag that is set, on a line of its own, and what is left without a name."""
    for name, flag in FLAG_TABLES.get(parameter.table or "", ()):
        if flag and value & flag == flag:
            yield DetailRow(FACT, "", f"{flag:#10x}  {name}", "", f"evt.arg.{parameter.name} contains {name}")
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
    text = shown(field, value)[:512]
    match field.type, value:
        case FieldType.TIME, int():
            text += f"  {safe(moment(value))}"
        case FieldType.DURATION, int():
            text += f"  {duration(value)}"
    return DetailRow(FACT, field.name, text, field.meaning, term_of(field, value))


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

"""A line's columns as the pieces compiled code puts together, for lines of text and for JSON objects.

Owns how the value of each kind of field becomes text in a line. A column's texts are made per event type, thread, fd,
or number where its field lives there, and remembered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from engine import text
from engine.decode.event import Event
from engine.decode.layout import layouts
from engine.events import CATALOGUE, L4_NAMES, SCAP_TYPES
from engine.fields.family import process_of
from engine.fields.fd import NET, service
from engine.fields.field import Field, FieldType, Numbers, Place, Value
from engine.fields.render import arguments, place_of
from engine.fields.values import LIMIT, NOTHING, UNKNOWN_BASE, tagged, text_of
from engine.model.fds import Identity
from engine.model.paths import joined
from engine.query import dumps as forms
from engine.query.dumps import Payload
from engine.query.parameters import plan
from engine.query.pieces import Asked, Clocked, Counted, Fitted, Literal, Piece, Quoted, Tabled, assemble
from engine.query.recorded import WORKING, Parameters
from engine.store.segment import Segment
from engine.store.store import Store

_PORT = re.compile(rb":(\d+)(?=->|[)]|$)")
_ARGUMENTS = ("evt.args", "evt.info")
_TIMES = ("evt.outputtime", "evt.time")


@cache
def _laid_out() -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.uint8]]:
    """By scap type code: whether lengths are wide, the parameter counts it may have, most first and then -1, and how
    many bytes it tells too many."""
    facts = layouts(set())
    counts = np.full((SCAP_TYPES, 1 + max(len(each.counts) for each in facts)), -1, np.int8)
    for code, each in enumerate(facts):
        counts[code, : len(each.counts)] = each.counts
    return np.array([each.wide for each in facts], np.uint8), counts, np.array([each.over for each in facts], np.uint8)


def shown(field: Field, value: Value) -> str:
    """A field's value as safe text for a line."""
    match value:
        case None:
            return text.ABSENT
        case bytes():
            if field.type is FieldType.ADDRESS:
                return text.address(value)
            return text.dotted(value) if field.type is FieldType.BYTES else text.safe(value)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.2f}"
        case tuple():
            return ",".join(shown(field, item) for item in value)
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a format."""

    name: str
    """As written, argument included."""
    field: Field
    argument: str | None
    width: int | None
    """Cells it is cut or padded to."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How values look in all lines of a format."""

    clock: int
    """Which of ``lines.Clock``."""
    whole: bool
    """Payload is not cut."""
    payload: Payload
    port_names: bool


@lru_cache(16)
def _day(second: int) -> bytes:
    return datetime.fromtimestamp(second).strftime("%H:%M:%S").encode()


def _escaped(raw: bytes) -> bytes:
    """The inside of a JSON text. All that is not plain ASCII is escaped, so it is safe on a terminal and exact."""
    return json.dumps(text.decoded(raw))[1:-1].replace("\x7f", "\\u007f").encode()


def _services(fd: Identity | None, raw: bytes) -> bytes:
    """A text of an fd's addresses with services in place of ports."""
    protocol = "udp" if fd is not None and fd.socket is not None and L4_NAMES.get(fd.socket.l4) == "udp" else "tcp"
    return _PORT.sub(lambda port: b":" + (service(int(port[1][:6]), protocol) or port[1]), raw)


class Assembly:
    """Makes the lines of one format in one form. For one thread."""

    def __init__(self, parts: list[str | Column], absent: str | None, looks: Looks, *, as_json: bool) -> None:
        """Prepare the pieces of a format's parts; ``absent`` stands in lines for an absent field, null in objects;
        None leaves those with one out."""
        self._looks = looks
        self._json = as_json
        self._store: Store | None = None
        self._segment: Segment | None = None
        self._rows: NDArray[np.intp] = np.empty(0, np.intp)
        self._revision = -1
        self._since_store: Store | None = None
        self._since = 0
        self._begin: list[Callable[[], None]] = []
        self._forget: list[Callable[[], None]] = []
        self._missing = None if absent is None else b"null" if as_json else absent.encode()
        self._ports = _services if looks.port_names else None
        self._clock = Clocked(looks.clock, _day)
        self._begin.append(self._times(self._clock))
        self._pieces = self._object(parts) if as_json else [self._part(part) for part in parts]

    def make(self, store: Store, segment: Segment, rows: NDArray[np.intp]) -> tuple[bytes, int]:
        """Lines of rows of a segment, each with its end, and how many there are."""
        # Facts learned late change what rows say.
        if self._store is not store or self._revision != store.revision:
            self._store, self._revision = store, store.revision
            for forget in self._forget:
                forget()
        self._segment, self._rows = segment, rows
        for begin in self._begin:
            begin()
        return assemble(self._pieces, self._clock, len(rows), self._missing)

    def _event(self, i: int) -> Event:
        assert self._store is not None and self._segment is not None
        return Event(self._store, self._segment, int(self._rows[i]))

    # what a line is made of

    def _object(self, parts: list[str | Column]) -> list[Piece]:
        columns = {part.name: part for part in parts if isinstance(part, Column)}
        pieces: list[Piece] = []
        before = "{"
        for name in sorted(columns):
            pieces.append(Literal(f"{before}{json.dumps(name)}:".encode()))
            pieces.append(self._column(columns[name]))
            before = ","
        return [*pieces, Literal(b"}" if pieces else b"{}")]

    def _part(self, part: str | Column) -> Piece:
        if isinstance(part, str):
            return Literal(part.encode())
        piece = self._column(part)
        if part.width is None:
            return piece
        width = part.width
        return Fitted(piece, width, self._missing, lambda raw: text.fit(raw.decode(), width).encode())

    def _column(self, column: Column) -> Piece:
        field, argument = column.field, column.argument
        if field.name == "evt.outputtime" and self._json:
            return self._counted(lambda segment, store: Numbers(segment.time))
        if field.name == "evt.outputtime":
            return self._clock
        if field.name == "evt.time" and not self._json:
            clock = Clocked(0, _day)
            self._begin.append(self._times(clock))
            return clock
        if field.name in _ARGUMENTS:
            return self._parameters()
        match field.place:
            case Place.TYPE:
                return self._of_types(lambda code: self._text(field, field.value(CATALOGUE[code], argument)))
            case Place.THREAD:
                return self._of_threads(field, argument)
            case Place.FD:
                return self._of_fds(field, argument)
            case Place.EVENT if field.type is FieldType.FLOAT:
                read = field.reader(argument)
                return Asked(lambda i: self._text(field, read(self._event(i))))
            case Place.EVENT if field.words is None and field.type is not FieldType.BOOL:
                return self._counted(lambda segment, store: field.value(segment, store, argument))
            case Place.EVENT:
                return self._coded(field, argument)
            case Place.LATE if field.name == "evt.arg" and self._looks.payload is not Payload.DOTS:
                return Asked(lambda i: self._argument(field, argument, self._event(i)))
            case Place.LATE:
                return Asked(lambda i: self._text(field, field.value(self._event(i), argument)))

    def _argument(self, field: Field, name: str | None, event: Event) -> bytes | None:
        """A parameter's text, data in the form that was asked for."""
        place = place_of(event.type, name)
        if place is None or place >= len(event.params) or event.type.params[place].type != "BYTEBUF":
            return self._text(field, field.value(event, name))
        shown = forms.shown(event.params[place] or b"", self._looks.payload)
        return b'"%s"' % _escaped(shown) if self._json else shown

    def _text(self, field: Field, value: Value) -> bytes | None:
        """A value in the form of the lines."""
        if value is None:
            return None
        if isinstance(value, bytes) and field.type is FieldType.BYTES:
            value = forms.shown(value, self._looks.payload)
            return b'"%s"' % _escaped(value) if self._json else value
        if not self._json:
            return shown(field, value).encode()
        if isinstance(value, bytes) and field.type is FieldType.TEXT:
            return b'"%s"' % _escaped(value)
        return json.dumps(shown(field, value) if isinstance(value, bytes | tuple) else value).encode()

    # pieces by where a field lives

    def _times(self, clock: Clocked) -> Callable[[], None]:
        def begin() -> None:
            assert self._store is not None and self._segment is not None
            if self._store is not self._since_store:
                self._since_store, self._since = self._store, self._store.segments[0].time_span[0]
            clock.begin(self._segment.time[self._rows], self._segment.latency[self._rows], self._since)

        return begin

    def _tabled(self, make: Callable[[int], bytes | None], index: Callable[[], tuple[NDArray[np.int32], int]]) -> Piece:
        piece = Tabled(make)
        self._forget.append(piece.forget)
        self._begin.append(lambda: piece.begin(*index()))
        return piece

    def _of_types(self, make: Callable[[int], bytes | None]) -> Piece:
        def index() -> tuple[NDArray[np.int32], int]:
            assert self._segment is not None
            return self._segment.type[self._rows].astype(np.int32), len(CATALOGUE)

        return self._tabled(make, index)

    def _of_threads(self, field: Field, argument: str | None) -> Piece:
        def make(row: int) -> bytes | None:
            assert self._store is not None
            return self._text(field, field.value(self._store.threads[row], self._store, argument))

        def index() -> tuple[NDArray[np.int32], int]:
            assert self._store is not None and self._segment is not None
            return self._segment.thread[self._rows], len(self._store.threads)

        return self._tabled(make, index)

    def _of_fds(self, field: Field, argument: str | None) -> Piece:
        def make(identity: int) -> bytes | None:
            assert self._store is not None
            fd = self._store.fds.identities[identity]
            value = field.value(fd, self._store, argument)
            if field.name == "fd.name" and fd.kind in NET and self._ports is not None and isinstance(value, bytes):
                value = self._ports(fd, value)
            return self._text(field, value)

        return self._tabled(make, self._identities)

    def _identities(self) -> tuple[NDArray[np.int32], int]:
        """The fd identity of each row, -1 for none, and how many identities there are."""
        assert self._store is not None and self._segment is not None
        fds = self._store.fds
        rows = self._segment.fd_row[self._rows]
        found = np.full(len(rows), -1, np.int32)
        known = rows >= 0
        found[known] = fds.rows["identity"][rows[known]]
        return found, len(fds.identities)

    def _numbers(
        self, value: Callable[[Segment, Store], Numbers]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8] | None]:
        assert self._store is not None and self._segment is not None
        numbers = value(self._segment, self._store)
        present = None if numbers.present is None else numbers.present[self._rows].view(np.uint8)
        return numbers.values[self._rows].astype(np.int64), present

    def _counted(self, value: Callable[[Segment, Store], Numbers]) -> Piece:
        piece = Counted()
        self._begin.append(lambda: piece.begin(*self._numbers(value)))
        return piece

    def _coded(self, field: Field, argument: str | None) -> Piece:
        """A field whose numbers stand for words."""
        codes: dict[int, int] = {}

        def make(place: int) -> bytes | None:
            code = next(code for code, mine in codes.items() if mine == place)
            value = bool(code) if field.words is None else field.words(code)
            return self._text(field, value)

        def index() -> tuple[NDArray[np.int32], int]:
            values, present = self._numbers(lambda segment, store: field.value(segment, store, argument))
            distinct, inverse = np.unique(values, return_inverse=True)
            places = np.array([codes.setdefault(code, len(codes)) for code in distinct.tolist()], np.int32)
            found = places[inverse].astype(np.int32)
            if present is not None:
                found[present == 0] = -1
            return found, len(codes)

        return self._tabled(make, index)

    # the parameters of an event

    def _parameters(self) -> Piece:
        looks = self._looks
        other = None if looks.payload is Payload.DOTS else (lambda raw: forms.shown(raw, looks.payload))

        def clean(raw: bytes) -> bytes:
            return text.safe(raw).encode()

        def whole(i: int) -> bytes:
            line = arguments(self._event(i), whole=looks.whole or self._json)
            return line if self._json else clean(line)

        def path(thread: int, base: int, raw: bytes) -> bytes:
            assert self._store is not None
            told = text_of(raw)
            if told is NOTHING or (base == WORKING and thread < 0):
                return told
            if base == WORKING:
                start = process_of(self._store.threads[thread], self._store).cwd
            else:
                start = (UNKNOWN_BASE if base < 0 else self._store.fds.identities[base].name) + b"/"
            whole = joined(start, told)
            return b"%s(%s)" % (told, whole) if whole else told

        def tag(identity: int) -> bytes:
            assert self._store is not None
            fd: Identity = self._store.fds.identities[identity]
            told = tagged(fd)
            return b"(%s)" % (self._ports(fd, told) if fd.kind in NET and self._ports is not None else told)

        piece = Parameters(
            lambda code: plan(code, self._event, path, self._ports),
            whole,
            tag,
            None if self._json else clean,
            other,
            0 if looks.whole or self._json else LIMIT,
            *_laid_out(),
        )

        def begin() -> None:
            assert self._store is not None and self._segment is not None
            segment, rows = self._segment, self._rows
            begins = segment.offset[rows]
            following = np.minimum(rows + 1, len(segment) - 1)
            ends = np.where(rows + 1 < len(segment), segment.offset[following], segment.end)
            base = int(begins[0])
            data = self._store.raw.read(base, int(ends[-1])) if base >= 0 else memoryview(b"")
            identities, size = self._identities()
            others = segment.others
            mentioned = (
                np.ascontiguousarray(others["event"]),
                np.ascontiguousarray(others["place"]),
                self._store.fds.rows["identity"][others["row"]].astype(np.int32),
            )
            piece.begin(
                data, begins - base, ends - base, segment.type[rows], segment.fd[rows], identities,
                segment.thread[rows], rows.astype(np.int64), mentioned, size,
            )  # fmt: skip

        self._begin.append(begin)
        self._forget.append(piece.forget)
        return Quoted(piece, _escaped) if self._json else piece

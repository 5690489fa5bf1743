"""A small store made by hand, fields of every place and type over it, and a slow, obvious way to ask a filter."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np

from engine.decode.event import Event
from engine.events import FdKind, codes_by_name
from engine.fields import UnknownField
from engine.fields.field import Field, FieldType, Numbers, Place
from engine.filters.syntax import And, Comparison, Exists, Expression, FieldName, Not, Or, Text, Transform, Values
from engine.model.facts import Role, Socket, Thread
from engine.model.fds import Identity
from engine.store.segment import HIDDEN, NO_FD, NO_RESULT, NO_ROW, SAMPLE, Segment
from engine.store.store import Store


class NoBytes:
    """A stream without raw records."""

    nbytes = 0

    def read(self, start: int, end: int) -> memoryview:
        raise AssertionError("no field of these tests reads raw records")


def make_store(seed: int = 1, segments: int = 2, events: int = 200) -> Store:
    """A store with threads, files, sockets, and random events about them, some hidden, some about nothing."""
    store = Store(NoBytes())
    for tid, comm in enumerate((b"curl", b"nginx", b"NGINX", b"a b", b"", None, b"\xff\n"), 100):
        store.threads.append(
            Thread(tid, pid=tid // 2, comm=comm, args=(b"-x",) * (tid % 3), cgroups=(b"cpu=/", b"a=/b"))
        )
    add_fd(store, FdKind.FILE, b"/etc/hosts")
    add_fd(store, FdKind.FILE, b"/etc/nginx/nginx.conf")
    add_fd(store, FdKind.IPV4, b"", Socket(b"\x0a\0\0\1", 4000, b"\x0a\0\1\2", 80, 1, Role.CLIENT))
    add_fd(store, FdKind.IPV6, b"", Socket(b"\0" * 15 + b"\1", 80, b"\0" * 15 + b"\2", 80, 1, Role.SERVER))
    for number in range(segments):
        store.segments.append(make_segment(store, seed + number, store.events, events))
    return store


def add_fd(store: Store, kind: FdKind, name: bytes, socket: Socket | None = None) -> None:
    """Open something."""
    store.fds.add(kind, store.fds.identity(kind, name, socket))
    store.fds.publish()


def make_segment(store: Store, seed: int, first: int, count: int) -> Segment:
    """Random events about what the store knows by now."""
    random = np.random.default_rng(seed)
    codes = [code for name in ("open", "read", "switch", "getpid", "connect") for code in codes_by_name()[name]]
    return Segment(
        first=first,
        time=np.arange(count, dtype=np.int64),
        cpu=random.integers(0, 4, count).astype(np.uint16),
        type=random.choice(codes, count).astype(np.uint16),
        flags=(random.random(count) < 0.1).astype(np.uint8) * HIDDEN,
        thread=random.integers(NO_ROW, len(store.threads), count).astype(np.int32),
        fd=np.full(count, NO_FD, np.int32),
        fd_row=random.integers(NO_ROW, len(store.fds), count).astype(np.int32),
        result=random.choice([NO_RESULT, -2, -1, 0, 1, 7, 2**62], count),
        latency=random.integers(-1, 3, count),
        offset=np.zeros(count, np.int64),
        end=0,
        samples=np.zeros(0, SAMPLE),
    )


def _ends(identity: Identity, pick: Callable[[Socket], tuple[Any, ...]]) -> tuple[Any, ...] | None:
    return None if identity.socket is None else pick(identity.socket)


def _result(segment: Segment, store: Store, argument: str | None) -> Numbers:
    return Numbers(segment.result, segment.result != NO_RESULT)


def _failed(segment: Segment, store: Store, argument: str | None) -> Numbers:
    return Numbers(((segment.result < 0) & (segment.result != NO_RESULT)).astype(np.int64))


def _number(segment: Segment, store: Store, argument: str | None) -> Numbers:
    return Numbers(segment.first + 1 + np.arange(len(segment)))


def _line(event: Event, argument: str | None) -> bytes | None:
    return f"{event.cpu}-{event.number}".encode() if event.number % 3 else None


def _field(name: str, kind: FieldType, place: Place, value: Callable[..., Any], **more: Any) -> Field:
    return Field(name=name, type=kind, meaning="", value=value, place=place, group="test", **more)


FIELDS = {
    field.name: field
    for field in (
        _field("evt.type", FieldType.TEXT, Place.TYPE, lambda kind, argument: kind.name.encode()),
        _field("type.code", FieldType.INTEGER, Place.TYPE, lambda kind, argument: kind.code),
        _field("type.exit", FieldType.BOOL, Place.TYPE, lambda kind, argument: kind.is_exit),
        _field("thread.tid", FieldType.ID, Place.THREAD, lambda thread, store, argument: thread.tid),
        _field("thread.pid", FieldType.ID, Place.THREAD, lambda thread, store, argument: thread.pid),
        _field("thread.name", FieldType.TEXT, Place.THREAD, lambda thread, store, argument: thread.comm),
        _field("thread.any", FieldType.TEXT, Place.THREAD, lambda thread, store, argument: thread.args, multiple=True),
        _field("thread.list", FieldType.TEXT, Place.THREAD, lambda thread, store, argument: thread.args, is_list=True),
        _field("thread.half", FieldType.FLOAT, Place.THREAD, lambda thread, store, argument: thread.tid / 2),
        _field("fd.name", FieldType.TEXT, Place.FD, lambda identity, store, argument: identity.name),
        _field(
            "fd.ip",
            FieldType.ADDRESS,
            Place.FD,
            lambda identity, store, argument: _ends(identity, lambda socket: (socket.source, socket.destination)),
            multiple=True,
        ),
        _field(
            "fd.net",
            FieldType.NETWORK,
            Place.FD,
            lambda identity, store, argument: _ends(identity, lambda socket: (socket.source, socket.destination)),
            multiple=True,
        ),
        _field(
            "fd.port",
            FieldType.PORT,
            Place.FD,
            lambda identity, store, argument: _ends(
                identity, lambda socket: (socket.source_port, socket.destination_port)
            ),
            multiple=True,
        ),
        _field("event.result", FieldType.INTEGER, Place.EVENT, _result),
        _field("event.failed", FieldType.BOOL, Place.EVENT, _failed),
        _field("event.num", FieldType.ID, Place.EVENT, _number),
        _field(
            "event.word",
            FieldType.TEXT,
            Place.EVENT,
            _result,
            words=lambda code: b"SUCCESS" if code >= 0 else b"ENOENT" if code == -2 else b"E",
        ),
        _field("event.line", FieldType.TEXT, Place.LATE, _line),
        _field("event.bytes", FieldType.BYTES, Place.LATE, _line),
        _field("event.cpu", FieldType.INTEGER, Place.LATE, lambda event, argument: event.cpu),
    )
}


def look_up(name: str) -> tuple[Field, str | None]:
    """The look-up of these fields."""
    if name not in FIELDS:
        raise UnknownField(f"unknown field {name}", ("thread.name",))
    return FIELDS[name], None


@cache
def value_of(name: FieldName, event: Event) -> tuple[Field, Any]:
    """A field of these tests, and its value for an event."""
    return FIELDS[name.name], FIELDS[name.name].of(event)


Valued = Callable[[FieldName, Event], tuple[Field, Any]]


def obvious(tree: Expression, event: Event, valued: Valued = value_of) -> bool:
    """What a filter says of one event, without plan, columns or tables; ``valued`` tells a field and its value."""
    match tree:
        case And(operands):
            return all([obvious(operand, event, valued) for operand in operands])
        case Or(operands):
            return any([obvious(operand, event, valued) for operand in operands])
        case Not(operand):
            return not obvious(operand, event, valued)
        case Exists(FieldName() as name):
            return valued(name, event)[1] not in (None, ())
        case Comparison(FieldName() as left, operator, FieldName() | Transform("val", (FieldName(),)) as right):
            other = right if isinstance(right, FieldName) else right.arguments[0]
            assert isinstance(other, FieldName)
            return _obvious_between(*valued(left, event), operator, valued(other, event)[1])
        case Comparison(FieldName() as name, operator, right, quantifier):
            field, value = valued(name, event)
            return _obvious_comparison(field, operator, right, quantifier, value)
    raise AssertionError(f"{tree} is not made by these tests")


def _obvious_between(field: Field, value: Any, operator: str, other: Any) -> bool:
    if value in (None, ()) or other is None:
        return False
    values = value if field.multiple and isinstance(value, tuple) else (value,)
    held = [_HELD[operator](item, other) for item in values]
    return all(held) if operator == "!=" else any(held)


def _obvious_comparison(field: Field, operator: str, right: object, quantifier: str | None, value: Any) -> bool:
    if value in (None, ()):
        return False
    if isinstance(right, Text):
        return _obvious_values(field, operator, value, right.value)
    assert isinstance(right, Values)
    literals = [item.value for item in right.items]
    if field.is_list:
        found = [item in literals for item in value]
        return all(found) if operator == "in" else any(found)
    single = {"in": "=", "intersects": "="}.get(operator, operator)
    held = [_obvious_values(field, single, value, literal) for literal in literals]
    if quantifier == "oneof":
        return sum(held) == 1
    if quantifier == "allof":
        return len(held) > 0 and all(held)
    return any(held)


def _obvious_values(field: Field, operator: str, value: Any, literal: bytes) -> bool:
    values = value if field.multiple and isinstance(value, tuple) else (value,)
    held = [_obvious(field.type, operator, item, literal) for item in values]
    return all(held) if operator == "!=" else any(held)


def _obvious(kind: FieldType, operator: str, value: Any, literal: bytes) -> bool:
    text = literal.decode("latin-1")
    if kind is FieldType.NETWORK:
        held = len(value) == (16 if ":" in text else 4) and ipaddress.ip_address(value) in ipaddress.ip_network(text)
        return held if operator == "=" else not held
    if operator in ("glob", "iglob"):
        shown = value.decode("latin-1")
        return fnmatchcase(*((shown.lower(), text.lower()) if operator == "iglob" else (shown, text)))
    if operator == "pmatch":
        wanted, parts = ([part for part in path.split(b"/") if part] for path in (literal, value))
        return parts[: len(wanted)] == wanted
    readers: dict[FieldType, Callable[[str], Any]] = {
        FieldType.TEXT: lambda text: literal,
        FieldType.BYTES: lambda text: bytes.fromhex(text) if operator[0] == "b" else literal,
        FieldType.BOOL: lambda text: text == "true",
        FieldType.ADDRESS: lambda text: ipaddress.ip_address(text).packed,
        FieldType.FLOAT: float,
    }
    wanted = readers.get(kind, int)(text)
    return _HELD[operator](value, wanted)


_HELD: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
    "contains": lambda value, wanted: wanted in value,
    "bcontains": lambda value, wanted: wanted in value,
    "icontains": lambda value, wanted: wanted.upper() in value.upper(),
    "startswith": lambda value, wanted: value[: len(wanted)] == wanted,
    "bstartswith": lambda value, wanted: value[: len(wanted)] == wanted,
    "endswith": lambda value, wanted: value[len(value) - len(wanted) :] == wanted and len(wanted) <= len(value),
}

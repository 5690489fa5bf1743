"""Fields of the descriptors that a poll waits for, each a list in one text.

A descriptor that is not known has the name <NA>; one without the end that is asked for is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

from engine.decode.event import Event
from engine.fields.field import Field, FieldType, Place, Value
from engine.fields.resolve import fd_at
from engine.fields.values import NOTHING
from engine.model.fds import Identity
from engine.store.segment import LISTED
from engine.text import address, without_controls

_ENTRY = struct.Struct("<qH")


def _numbers(event: Event) -> list[int] | None:
    """The descriptors in the event's list; None of events without one."""
    place = next((index for index, parameter in enumerate(event.type.params) if parameter.type == "FDLIST"), None)
    raw = event.params[place] if place is not None and place < len(event.params) else None
    if raw is None:
        return None
    entries = raw[2 : 2 + (len(raw) - 2) // _ENTRY.size * _ENTRY.size]
    return [number for number, _ in _ENTRY.iter_unpack(entries)]


def _joined(read: Callable[[int, Identity | None], bytes | None]) -> Callable[[Event, str | None], Value]:
    """What is told of each descriptor, by commas; absent when nothing is."""

    def value(event: Event, _: str | None) -> Value:
        told = (
            read(number, fd_at(event, number, LISTED + index)) for index, number in enumerate(_numbers(event) or ())
        )
        return b",".join(one for one in told if one is not None) or None

    return value


def _name(_: int, identity: Identity | None) -> bytes | None:
    return without_controls(identity.name) or NOTHING if identity is not None else NOTHING


def _address(end: str) -> Callable[[int, Identity | None], bytes | None]:
    def read(_: int, identity: Identity | None) -> bytes | None:
        ends = None if identity is None else identity.socket
        return None if ends is None else address(getattr(ends, end)).encode() or None

    return read


def _port(end: str) -> Callable[[int, Identity | None], bytes | None]:
    def read(_: int, identity: Identity | None) -> bytes | None:
        ends = None if identity is None else identity.socket
        return b"%d" % getattr(ends, f"{end}_port") if ends is not None and getattr(ends, end) else None

    return read


_late = partial(
    Field,
    type=FieldType.TEXT,
    place=Place.LATE,
    group="fdlist",
    types=lambda kind: any(parameter.type == "FDLIST" for parameter in kind.params),
)
FIELDS = (
    _late("fdlist.nums", meaning="numbers of the descriptors a poll is about", value=_joined(lambda n, _: b"%d" % n)),
    _late("fdlist.names", meaning="names of the descriptors a poll is about", value=_joined(_name)),
    _late(
        "fdlist.cips", meaning="client addresses of the descriptors a poll is about", value=_joined(_address("source"))
    ),
    _late(
        "fdlist.sips",
        meaning="server addresses of the descriptors a poll is about",
        value=_joined(_address("destination")),
    ),
    _late("fdlist.cports", meaning="client ports of the descriptors a poll is about", value=_joined(_port("source"))),
    _late(
        "fdlist.sports", meaning="server ports of the descriptors a poll is about", value=_joined(_port("destination"))
    ),
)

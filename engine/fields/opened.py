"""Fields of the descriptors a process has open at an event, besides the event's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.decode.event import Event
from engine.events import FD_TYPE_NAMES, FdKind
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.series import Integers, last, told
from engine.model.fds import Identity
from engine.store.segment import Sample, Segment
from engine.store.store import Store
from engine.text import without_controls

_STANDARD = {"stdin": Sample.STDIN, "stdout": Sample.STDOUT, "stderr": Sample.STDERR}
_NUMBERED = list(_STANDARD.values())


_NAMED = list(map(int, FD_TYPE_NAMES))


def _word(kind: int) -> bytes:
    return FD_TYPE_NAMES.get(FdKind(kind), "").encode()


def _standard(event: Event, kind: int) -> Identity | None:
    row = last(event, kind)
    if row is None or row < 0:
        return None
    fds = event.store.fds
    return fds.identities[int(fds.rows["identity"][row])]


def _type(identity: Identity | None) -> bytes | None:
    name = None if identity is None else FD_TYPE_NAMES.get(identity.kind)
    return None if name is None else name.encode()


def _type_of_standard(kind: int) -> Callable[..., Numbers]:
    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        rows, known = told(segment, store, kind)
        known &= rows >= 0
        kinds = np.zeros(len(segment), np.int64)
        kinds[known] = store.fds.rows["kind"][rows[known]]
        return Numbers(kinds, known & np.isin(kinds, _NAMED))

    return value


def _name_of_standard(kind: int) -> Callable[[Event, str | None], Value]:
    def value(event: Event, _: str | None) -> Value:
        identity = _standard(event, kind)
        return None if identity is None else without_controls(identity.name)

    return value


def _last_values(kind: int) -> Callable[[Segment, Store, str | None], Integers]:
    """What samples said last, -1 where nothing: what the fields made of them are the same for."""

    def value(segment: Segment, store: Store, _: str | None) -> Integers:
        values, known = told(segment, store, kind)
        return np.where(known, values, -1)

    return value


def _types_same(segment: Segment, store: Store, number: str | None) -> Integers:
    kind = Sample.FD_KINDS if number is None else _NUMBERED[min(int(number), len(_NUMBERED) - 1)]
    values = _last_values(kind)(segment, store, None)
    if number is None:
        return values
    # The event's own descriptor may be the one that is asked for.
    own: Integers = np.where(segment.fd == min(int(number), 2**31 - 1), segment.fd_row.astype(np.int64) + 2, 0)
    return values << 32 | own


def _types(event: Event, number: str | None) -> Value:
    if number is None:
        bits = last(event, Sample.FD_KINDS)
        if bits is None:
            return None
        return tuple(dict.fromkeys(name.encode() for kind, name in FD_TYPE_NAMES.items() if bits >> kind & 1))
    if int(number) == event.fd_number:
        found = _type(event.fd)
    else:
        found = _type(_standard(event, _NUMBERED[int(number)])) if int(number) < len(_NUMBERED) else None
    return None if found is None else (found,)


_type_field = partial(Field, type=FieldType.TEXT, place=Place.EVENT, group="process", words=_word)
_name_field = partial(Field, type=FieldType.TEXT, place=Place.LATE, group="process")
FIELDS = (
    *(
        _type_field(f"proc.{one}.type", meaning=f"fd.type of {one}", value=_type_of_standard(kind))
        for one, kind in _STANDARD.items()
    ),
    *(
        _name_field(
            f"proc.{one}.name", meaning=f"fd.name of {one}", value=_name_of_standard(kind), same=_last_values(kind)
        )
        for one, kind in _STANDARD.items()
    ),
    Field(
        "fd.types",
        FieldType.TEXT,
        "fd.type of all descriptors the process has open; [N] of 0, 1, 2 or the event's own",
        _types,
        Place.LATE,
        "fd",
        argument=Argument.OPTIONAL,
        takes="N",
        whole_argument=True,
        same=_types_same,
        is_list=True,
        example="fd.types intersects (ipv4, ipv6)",
    ),
)

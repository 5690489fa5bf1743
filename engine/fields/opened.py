"""Fields of the descriptors a process has open at an event, besides the event's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.decode.event import Event
from engine.events import FD_TYPE_NAMES
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.fields.series import last
from engine.model.fds import Identity
from engine.store.segment import Sample
from engine.text import without_controls

_STANDARD = {"stdin": Sample.STDIN, "stdout": Sample.STDOUT, "stderr": Sample.STDERR}
_NUMBERED = list(_STANDARD.values())


def _standard(event: Event, kind: int) -> Identity | None:
    row = last(event, kind)
    if row is None or row < 0:
        return None
    fds = event.store.fds
    return fds.identities[int(fds.rows["identity"][row])]


def _type(identity: Identity | None) -> bytes | None:
    name = None if identity is None else FD_TYPE_NAMES.get(identity.kind)
    return None if name is None else name.encode()


def _name(identity: Identity | None) -> bytes | None:
    return None if identity is None else without_controls(identity.name)


def _of_standard(which: str, read: Callable[[Identity | None], bytes | None]) -> Callable[[Event, str | None], Value]:
    kind = _STANDARD[which]
    return lambda event, _: read(_standard(event, kind))


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


def _standard_fields() -> tuple[Field, ...]:
    made = partial(Field, type=FieldType.TEXT, place=Place.LATE, group="process")
    fields = []
    for which in _STANDARD:
        fields.append(made(f"proc.{which}.type", meaning=f"fd.type of {which}", value=_of_standard(which, _type)))
        fields.append(made(f"proc.{which}.name", meaning=f"fd.name of {which}", value=_of_standard(which, _name)))
    return tuple(fields)


FIELDS = (
    *_standard_fields(),
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
        is_list=True,
        example="fd.types intersects (ipv4, ipv6)",
    ),
)

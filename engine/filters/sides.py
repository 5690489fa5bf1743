"""The sides of comparisons: fields and transformed values, their types known, and how each is read.

What is asked of the values is ``check``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from engine.decode.event import Event
from engine.events import CATALOGUE, PARAM_SIZES
from engine.fields import UnknownField, look_up
from engine.fields.field import Field, FieldType, Place, Value
from engine.filters.errors import FilterError
from engine.filters.syntax import FieldName, Group, Text, Transform, TransformArgument
from engine.filters.transformers import TRANSFORMERS, options
from engine.store.store import Store

Reader = Callable[[Any, Store], Value]
"""Reads a value off a subject: an EventType, a Thread or None, an Identity or None, or an Event."""


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a comparison, or a part of one, its type known."""

    type: FieldType
    place: Place | None
    """The cheapest place it can be read at; None for a constant. Every side can be read late."""
    reader: Callable[[Place], Reader]
    is_list: bool = False
    multiple: bool = False
    field: Field | None = None
    argument: str | None = None
    passing: bool = False
    """As of a field, or of what is made of some."""

    @property
    def in_columns(self) -> bool:
        """Whether it is a number made of columns."""
        return self.place is Place.EVENT and self.field is not None and self.field.words is None

    @property
    def name(self) -> str:
        """Name of the field it is, empty for anything else."""
        return self.field.name if self.field else ""


def common(sides: Iterable[Side]) -> Place:
    """The cheapest place all sides can be read at."""
    places = {side.place for side in sides if side.place is not None} or {Place.TYPE}
    return places.pop() if len(places) == 1 and Place.EVENT not in places else Place.LATE


def side_of(node: TransformArgument) -> Side:
    """The side a field, a transformer, a list or quoted text makes. Raises FilterError when it cannot be."""
    match node:
        case FieldName():
            return _field(node)
        case Transform():
            return _transformed(node)
        case Group(items):
            parts = [side_of(item) for item in items]
            return Side(
                FieldType.TEXT,
                common(parts),
                lambda place: _gathered(parts, place, _tuple),
                is_list=True,
                passing=any(part.passing for part in parts),
            )
        case Text(value):
            return Side(FieldType.TEXT, None, lambda place: lambda subject, store: value)


def _field(node: FieldName) -> Side:
    written = node.name if node.argument is None else f"{node.name}[{node.argument}]"
    try:
        field, argument = look_up(written)
    except UnknownField as error:
        raise FilterError(str(error).partition(", did you mean")[0], node.position, near=error.near) from None
    if field.name == "evt.rawarg" and argument:
        return _raw_argument(field, argument)

    def reader(place: Place) -> Reader:
        if place is Place.TYPE:
            return lambda kind, store: field.value(kind, argument)
        if place is Place.LATE:
            read = field.reader(argument)
            return lambda event, _: read(event)
        return lambda row, store: None if row is None else field.value(row, store, argument)

    return Side(field.type, field.place, reader, field.is_list, field.multiple, field, argument, field.passing)


def _raw_argument(field: Field, name: str) -> Side:
    """An event parameter in its native type: that of the parameters of its name; where they differ, numbers win and
    the parameter is absent from events that have something else under the name."""
    types = {parameter.type for event_type in CATALOGUE for parameter in event_type.params if parameter.name == name}
    is_number = bool(types & PARAM_SIZES.keys())
    native = int if is_number else bytes
    kind = FieldType.INTEGER if is_number else FieldType.BYTES if types == {"BYTEBUF"} else FieldType.TEXT

    def read(event: Event, store: Store) -> Value:
        value = field.of(event, name)
        return value if isinstance(value, native) else None

    return Side(kind, Place.LATE, lambda place: read, field=field, argument=name)


def _transformed(node: Transform) -> Side:
    if node.name == "getopt":
        return _options(node)
    transformer = TRANSFORMERS[node.name]
    if node.option is not None:
        raise FilterError(f"{node.name} takes nothing in brackets after it", node.position)
    if len(node.arguments) != len(transformer.lists) and not (transformer.repeated and node.arguments):
        raise FilterError(f"{node.name} takes {len(transformer.lists)} arguments", node.position)
    parts = [side_of(argument) for argument in node.arguments]
    for part, argument, is_list in zip(parts, node.arguments, cycle(transformer.lists)):
        _require(part, argument, is_list)
        if part.type not in transformer.takes:
            expected = " or ".join(sorted(kind.value for kind in transformer.takes))
            raise FilterError(f"{argument} is of type {part.type.value}", argument.position, expected)
    first = parts[0]
    if node.name == "val":
        return first
    kept_list = first.is_list and transformer.yields is None
    apply = transformer.apply
    return Side(
        transformer.yields or first.type,
        common(parts),
        lambda place: _gathered(parts, place, apply),
        is_list=kept_list,
        passing=any(part.passing for part in parts),
    )


def _options(node: Transform) -> Side:
    """``getopt(ARGUMENTS, "OPTIONS")``, the letters found, or with ``[LETTER]`` the value of one."""
    if len(node.arguments) != 2 or not isinstance(node.arguments[1], Text):
        raise FilterError("getopt takes arguments and options", node.position, 'getopt(proc.args, "ab:")[b]')
    given, wanted = node.arguments[0], node.arguments[1].value
    option = None if node.option is None else node.option.encode("utf-8", "surrogateescape")
    if option is not None and (len(option) != 1 or option not in wanted or option == b":"):
        raise FilterError(f"getopt does not read the option {node.option}", node.position, "one of those in quotes")
    part = side_of(given)
    if part.multiple or part.type is not FieldType.TEXT:
        raise FilterError(f"{given} has no arguments", node.position, "proc.args, a text or a list of texts")

    def reader(place: Place) -> Reader:
        read = _program_arguments(place) if part.name == "proc.args" and not part.argument else part.reader(place)

        def found(subject: Any, store: Store) -> Value:
            value: Any = read(subject, store)
            if value is None:
                return None
            chosen = options(value if isinstance(value, tuple) else tuple(value.split()), wanted)
            return tuple(chosen) if option is None else chosen.get(option)

        return found

    return Side(FieldType.TEXT, part.place, reader, is_list=option is None, passing=part.passing)


def _program_arguments(place: Place) -> Reader:
    """The arguments of ``proc.args`` one by one: a blank in one does not part it."""
    if place is Place.LATE:
        return lambda event, store: None if event.thread is None else event.thread.args
    return lambda thread, store: None if thread is None else thread.args


def _require(part: Side, argument: TransformArgument, is_list: bool | None) -> None:
    if part.multiple:
        raise FilterError(f"{argument} may have several values", argument.position, "a field of one value")
    if is_list is not None and part.is_list != is_list:
        raise FilterError(f"{argument} does not fit", argument.position, "a list" if is_list else "a single value")


def _gathered(parts: Sequence[Side], place: Place, apply: Callable[..., Any]) -> Reader:
    """A reader of all parts that applies a function to them; absent when one of them is."""
    readers = [part.reader(place) for part in parts]

    def read(subject: Any, store: Store) -> Value:
        values = [reader(subject, store) for reader in readers]
        return None if None in values else apply(*values)

    return read


def _tuple(*values: Any) -> tuple[Any, ...]:
    return values

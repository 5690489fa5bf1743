"""What a field is: its name, type and meaning, and where its value lives.

The place a value lives decides how often it is computed: once per event type, once per thread version,
once per fd identity, from columns a segment at a time, or late from one event's raw record. Queries
and filters use the place; ``Field.of`` is the slow, obvious way that works for every field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import EventType
from engine.store.segment import Segment
from engine.store.store import Store

Value = bytes | int | float | bool | tuple[bytes, ...] | tuple[int, ...] | None
"""A field's value. Text is bytes as captured; None is absent; tuples are lists and either-end values."""


class FieldType(Enum):
    """Type of a field, deciding operators and rendering (filter-language §2)."""

    TEXT = "text"
    BYTES = "bytes"
    INTEGER = "integer"
    """Decimal number, scaled in tables."""
    ID = "id"
    """Integer never scaled: pid, fd number, event number."""
    PORT = "port"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"
    """ns."""
    TIME = "time"
    """ns since epoch."""
    ADDRESS = "address"
    NETWORK = "network"


class Place(Enum):
    """Where a field's value lives, cheapest first."""

    TYPE = "type"
    """Of the event type: ``value(EventType, argument)``."""
    THREAD = "thread"
    """Of the thread version: ``value(Thread, Store, argument)``."""
    FD = "fd"
    """Of the fd identity: ``value(Identity, Store, argument)``."""
    EVENT = "event"
    """Of the event's columns, a segment at a time: ``value(Segment, Store, argument)`` → Numbers. A text
    field of this place gives codes, and ``Field.words`` their text."""
    LATE = "late"
    """Of one event, its raw record included: ``value(Event, argument)``."""


class Argument(Enum):
    """Whether a field takes an argument (``field[arg]`` or ``field.arg``)."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numeric field over the rows of a segment."""

    values: NDArray[Any]
    """int64; float64 of fields of type FLOAT, uint8 of type BOOL."""
    present: NDArray[np.bool_] | None = None
    """False where the field is absent; None when it is present everywhere."""


class Quantity(Enum):
    """What a measure adds up."""

    ONE = "one"
    RESULT = "result"
    LATENCY = "latency"


class Outcome(Enum):
    """Which results a measure counts."""

    ANY = "any"
    OK = "ok"
    """Result ≥ 0."""
    FAILED = "failed"
    """Result < 0."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per event made of columns only, in the form aggregation kernels take:
    the quantity where type, fd kind and outcome match, else nothing."""

    quantity: Quantity
    types: Callable[[EventType], bool]
    fd_kinds: frozenset[int] | None = None
    """Kinds of fd that count; -1 stands for no fd; None counts all."""
    outcome: Outcome = Outcome.ANY


@dataclass(frozen=True, slots=True)
class Field:
    """One field's declaration."""

    name: str
    type: FieldType
    meaning: str
    """One line for people."""
    value: Callable[..., Any]
    """See Place for its parameters; returns Value, or Numbers for EVENT."""
    place: Place
    group: str
    """Class shown in lists and completion: event, process, fd, container …"""
    measures: tuple[Measure, ...] = ()
    """Disjoint parts that add up to the field, for EVENT fields that views add up."""
    words: Callable[[int], bytes] | None = None
    """Text of a code, for EVENT fields of text."""
    codes: Callable[[EventType], frozenset[int]] | None = None
    """The codes that events of a type may have, of such fields where the type says much; None: any."""
    parameter: Callable[[EventType, str | None], int | None] | None = None
    """Index of the one parameter a LATE field is made of, None for types that lack it and with it the field."""
    unit: str = ""
    """What a number counts when its type does not say so: bytes, KiB, percent."""
    deprecated: str = ""
    """Why not to use it any more, and what instead; empty for fields in good standing."""
    own: bool = False
    """True for fields that sysdig does not have."""
    passing: bool = False
    """Of a THREAD field: it says something of a thread as of ``Store.inside_at``, and another time something else."""
    of_others: bool = False
    """Told from other events as well, which then must not be missing."""
    types: Callable[[EventType], bool] | None = None
    """Event types that may have a LATE field, so that no other event is looked at closely; None: all."""
    same: Callable[[Segment, Store, str | None], NDArray[np.int64]] | None = None
    """A number for each event of a segment, of LATE fields that say one thing of all events of one number; None:
    nothing is known of that."""
    argument: Argument = Argument.NONE
    takes: str = ""
    """What the argument is, in one word of capitals: NAME, N."""
    example: str = ""
    """A filter that shows the use."""
    named: frozenset[str] | None = None
    """Names the argument may be, numbers apart; None: any."""
    whole_argument: bool = False
    """The argument must be a whole number."""
    filter_only: bool = False
    multiple: bool = False
    """The value is a tuple, any of which may match (``fd.ip``, bare ``proc.aname``)."""
    is_list: bool = False
    """The value is a list: only ``in``, ``intersects`` and ``exists`` apply."""

    @property
    def spelling(self) -> str:
        """Name and argument as they are written, an argument that may be left out in brackets of its own."""
        written = f"[{self.takes or '…'}]"
        return (
            self.name
            + {Argument.NONE: "", Argument.OPTIONAL: f"({written})", Argument.REQUIRED: written}[self.argument]
        )

    @property
    def counts(self) -> str:
        """The unit of its numbers, empty where there is none."""
        return self.unit or {FieldType.DURATION: "ns", FieldType.TIME: "ns since 1970"}.get(self.type, "")

    def of(self, event: Event, argument: str | None = None) -> Value:
        """The field's value for one event; None when absent."""
        match self.place:
            case Place.TYPE:
                return cast(Value, self.value(event.type, argument))
            case Place.THREAD:
                thread = event.thread
                return None if thread is None else cast(Value, self.value(thread, event.store, argument))
            case Place.FD:
                identity = event.fd
                return None if identity is None else cast(Value, self.value(identity, event.store, argument))
            case Place.EVENT:
                numbers: Numbers = self.value(event.segment, event.store, argument)
                return self.pick(numbers, event.row)
            case Place.LATE:
                return cast(Value, self.value(event, argument))

    def reader(self, argument: str | None = None) -> Callable[[Event], Value]:
        """``of`` for many events, those of a segment in a row: what is made of a segment's columns is made once."""
        if self.place is not Place.EVENT:
            return lambda event: self.of(event, argument)
        made_of: Segment | None = None
        numbers = Numbers(np.zeros(0, np.int64))

        def read(event: Event) -> Value:
            nonlocal made_of, numbers
            if event.segment is not made_of:
                made_of, numbers = event.segment, self.value(event.segment, event.store, argument)
            return self.pick(numbers, event.row)

        return read

    def pick(self, numbers: Numbers, row: int) -> Value:
        """What an EVENT field's numbers say of one row."""
        if numbers.present is not None and not numbers.present[row]:
            return None
        if self.type is FieldType.FLOAT:
            return float(numbers.values[row])
        number = int(numbers.values[row])
        if self.words is not None:
            return self.words(number)
        return bool(number) if self.type is FieldType.BOOL else number

"""What a field is: its name, type and meaning, and where its value lives.

The place a value lives decides how often it is computed: once per event type, once per thread version,
once per fd identity, from columns a segment at a time, or late from one event's raw record. Queries
and filters use the place; ``Field.of`` is the slow, obvious way that works for every field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import EventType
from engine.model.facts import Thread
from engine.model.fds import Identity
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
    """Of the event's columns, a segment at a time: ``value(Segment, Store, argument)`` → Numbers."""
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

    values: NDArray[np.int64]
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
    group: str
    """Class shown in lists and completion: event, process, fd, container …"""
    meaning: str
    """One line for people."""
    place: Place
    value: Callable[..., Any]
    """See Place for its parameters; returns Value, or Numbers for EVENT."""
    measure: Measure | None = None
    """Set for EVENT fields that views add up."""
    argument: Argument = Argument.NONE
    filter_only: bool = False
    multiple: bool = False
    """The value is a tuple, any of which may match (``fd.ip``, bare ``proc.aname``)."""
    is_list: bool = False
    """The value is a list: only ``in``, ``intersects`` and ``exists`` apply."""
    deprecated: bool = False

    def of(self, event: Event, argument: str | None = None) -> Value:
        """The field's value for one event; None when absent."""
        raise NotImplementedError


__all__ = ["Argument", "Field", "FieldType", "Measure", "Numbers", "Outcome", "Place", "Quantity", "Segment", "Store", "Thread", "Value", "Identity"]

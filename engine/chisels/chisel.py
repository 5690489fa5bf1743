"""What a chisel is: a class that is given events, and prints.

A chisel of one's own is a Python file in ``chisels`` of the configuration's folder with a class made of ``Chisel``; its
docstring says the rest. Owns reading of the fields a chisel asks for, the ticking of time, and that what is printed
is safe. Which events there are, and the running, belong to the command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import filters, text
from engine.decode.event import Event
from engine.fields import look_up
from engine.fields.field import Field, FieldType, Numbers, Place, Value
from engine.query import dumps
from engine.query.dumps import Payload
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
SECOND = 1_000_000_000
_MOST_TICKS = 3600
"""Ticks made up at most for a time without events."""


class ChiselError(ValueError):
    """Something wrong about the arguments of a chisel; the text is for people."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a chisel."""

    name: str
    meaning: str
    type: str = "text"
    """text, number, address, port, field or filter."""
    optional: bool = False


class Colour(Enum):
    """Colours of lines on a terminal; the value is the code."""

    NONE = 0
    RED = 31
    GREEN = 32
    YELLOW = 33
    BLUE = 34


def _print(line: str) -> None:
    sys.stdout.write(line)


def _no_tables(store: Store, number: int) -> tuple[Store, list[tuple[int, int, int]]]:
    return store, []


@dataclass(slots=True)
class Settings:
    """How a chisel is run."""

    arguments: dict[str, str] = field(default_factory=dict)
    """By name; those not given are left out."""
    filter: str = ""
    """The filter of the command line."""
    captures: tuple[str, ...] = ()
    """Files that are read; none: this machine."""
    containers: bool = False
    json: bool = False
    payload: Payload = Payload.DOTS
    whole: bool = False
    """Payload in the parameters of events is not cut."""
    colours: bool = False
    """Standard output is a terminal that may be given colours."""
    terminal: bool = False
    width: int = 80
    """Cells of a line."""
    write: Callable[[str], None] = _print
    """Takes what is printed, safe already."""
    tables: Callable[[Store, int], tuple[Store, list[tuple[int, int, int]]]] = _no_tables
    """A store of the tables as they stood at an event of a store, by its number, and what was open then: thread id,
    descriptor number, fd row."""

    @property
    def live(self) -> bool:
        """This machine is watched."""
        return not self.captures


class Chisel:
    """Something made of events.

    Say in class attributes what it is, which events it wants (``filter``) and what of them (``fields``); ``event`` is
    called with the values of the fields, one after the other, for every event the filter keeps, ``tick`` every
    ``interval`` seconds, and ``end`` once. Print with ``say``. ``start`` may look at the arguments and change
    ``filter``, ``fields`` and ``interval``; it raises ChiselError when they will not do.

    Values are numbers, texts (str), bytes, lists, or None where the event has none.
    """

    name: ClassVar[str] = ""
    """The name it is called by; that of its file when empty."""
    category: ClassVar[str] = "Others"
    summary: ClassVar[str] = ""
    """One line for the list of chisels."""
    description: ClassVar[str] = ""
    arguments: ClassVar[tuple[Argument, ...]] = ()
    snaplen: ClassVar[int] = 80
    """Bytes of each buffer it wants of a live capture."""

    filter: str = ""
    fields: tuple[str, ...] = ()
    interval: float | None = None
    """Seconds of events between two ticks, None for no ticks."""

    def __init__(self, settings: Settings) -> None:
        """Begin. Raises ChiselError, FilterError, UnknownField."""
        self.settings = settings
        self.start()
        self._kept = filters.compile(self.filter)
        self._reader = Reader(self.fields)
        self._span = None if self.interval is None else round(self.interval * SECOND)
        self._ticked: int | None = None
        self.done = False
        """It wants no more events."""

    # what a chisel is made of

    def start(self) -> None:
        """Look at ``settings``."""

    def event(self, *values: Any) -> None:
        """An event, by the values of its fields."""

    def tick(self, moment: int, now: int) -> None:
        """An interval ended at ``moment``, seen by an event at ``now``, ns since 1970."""

    def end(self) -> None:
        """There are no more events."""

    # what it may use

    def argument(self, name: str, default: str = "") -> str:
        """An argument as it was given."""
        return self.settings.arguments.get(name, default)

    def number(self, name: str, default: float | None = None) -> float:
        """An argument that must be a number."""
        given = self.settings.arguments.get(name)
        if given is None and default is not None:
            return default
        try:
            return float(given or "")
        except ValueError:
            raise ChiselError(f"{name} must be a number, not {given!r}") from None

    def say(self, line: str, colour: Colour = Colour.NONE) -> None:
        """Print a line; whatever could harm a terminal is made visible."""
        line = text.clean(line)
        if self.settings.colours and colour is not Colour.NONE:
            line = f"\x1b[01;{colour.value}m{line}\x1b[00m"
        self.settings.write(line + "\n")

    def say_data(self, raw: bytes) -> None:
        """Print captured data in the form that was asked for."""
        for line in self.data(raw).split("\n"):
            self.settings.write("\t".join(map(text.clean, line.split("\t"))) + "\n")

    def data(self, raw: bytes) -> str:
        """Captured data in the form that was asked for."""
        return dumps.shown(raw, self.settings.payload).decode()

    # running

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Work on the events of a new segment that ``mask`` keeps."""
        if self.done:
            return
        own = np.flatnonzero(self._kept.mask(store, segment) & mask)
        self._reader.begin(store, segment)
        for start, end in self._spans(segment, mask):
            for row in own[np.searchsorted(own, start) : np.searchsorted(own, end)].tolist():
                self.event(*self._reader.values(row))
                if self.done:
                    return

    def clock(self, now: int) -> None:
        """Tell the time of a machine that is watched, ns since 1970."""
        if self._span is None:
            return
        if self._ticked is None:
            self._ticked = now - now % self._span
        while now - self._ticked >= self._span:
            self._ticked += self._span
            self.tick(self._ticked, now)

    def _spans(self, segment: Segment, mask: Mask) -> Iterator[tuple[int, int]]:
        """Stretches of rows with no tick in between; the ticks are made on the way."""
        start = 0
        if self._span is not None and not self.settings.live:
            rows = np.flatnonzero(mask)
            times = segment.time[rows]
            if self._ticked is None and len(times):
                self._ticked = int(times[0]) - int(times[0]) % self._span
            at = 0
            while self._ticked is not None:
                later = np.flatnonzero(times[at:] - self._ticked >= self._span)
                if not len(later):
                    break
                at += int(later[0])
                yield start, int(rows[at])
                start, now = int(rows[at]), int(times[at])
                missed = (now - self._ticked) // self._span
                first = self._ticked
                for number in range(max(0, missed - _MOST_TICKS), missed):
                    self.tick(first + number * self._span, now)
                self._ticked = first + missed * self._span
        yield start, len(segment)


class Reader:
    """Values of fields, row by row; those that are columns are computed once a segment."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Look the fields up. Raises UnknownField."""
        self._fields = [look_up(name) for name in names]
        self._numbers: list[Numbers | None] = [None] * len(names)

    def begin(self, store: Store, segment: Segment) -> None:
        """The rows asked for next are of this segment."""
        self._store, self._segment = store, segment
        self._numbers = [
            each.value(segment, store, argument) if each.place is Place.EVENT else None
            for each, argument in self._fields
        ]

    def values(self, row: int) -> list[Any]:
        """The value of each field."""
        event = Event(self._store, self._segment, row)
        return [
            plain(each, each.of(event, argument) if numbers is None else each.pick(numbers, row))
            for (each, argument), numbers in zip(self._fields, self._numbers, strict=True)
        ]


def plain(field: Field, value: Value) -> Any:
    """A field's value as chisels have it: text as str, addresses as text."""
    if isinstance(value, bytes):
        if field.type is FieldType.BYTES:
            return value
        return text.address(value) if field.type is FieldType.ADDRESS else text.decoded(value)
    if isinstance(value, tuple):
        return [plain(field, item) for item in value]
    return value


# how sysdig's chisels write numbers and columns


def size(number: float) -> str:
    """Bytes: ``860B``, ``23.50KB``, ``1.20M``."""
    units = ("KB", "M", "G", "T", "P")
    if number <= 1024:
        return f"{int(number)}B"
    for power, unit in enumerate(units, 1):
        if number <= 1024 ** (power + 1) or unit == units[-1]:
            # Halves are rounded up, as people expect.
            return f"{int(number * 100 / 1024**power + 0.5) / 100:.2f}{unit}"
    raise AssertionError


def duration(ns: int) -> str:
    """Time with two digits behind the point below ten of a unit, else whole: ``1.21ms``, ``43ms``; ``12.04s``."""
    if ns >= SECOND:
        return f"{ns // SECOND}.{ns % SECOND // 10_000_000:02}s"
    for unit, one in (("ms", 1_000_000), ("us", 1_000)):
        if ns >= 10 * one:
            return f"{ns // one}{unit}"
        if ns >= one:
            return f"{ns // one}.{ns % one * 100 // one:02}{unit}"
    return f"{ns}ns"


def cell(value: object, width: int) -> str:
    """A column: padded to its width, or cut to one less and a blank."""
    shown = text.clean(str(value))
    return shown.ljust(width) if len(shown) < width else shown[: width - 1] + " "


def fixed(value: object, width: int) -> str:
    """A column padded or cut to its width."""
    return text.fit(text.clean(text.ABSENT if value is None else str(value)), width)


def moment(ns: int, form: str = "%H:%M:%S") -> str:
    """Local time."""
    return datetime.fromtimestamp(ns // SECOND).strftime(form)

"""How a filter is evaluated over a segment: the cheap terms first, the expensive ones on what survives.

A term that depends on the event type, the thread or the fd alone is decided once for each row of that table and
gathered through the segment's column; terms over columns are array operations; everything else is asked event by
event. Which terms there are is decided by ``check``. A plan remembers its answers for one store, and is for one
thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import CATALOGUE
from engine.fields.field import Field, Place
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp] | None
"""Rows of a segment that are asked, None for all of them."""
Test = Callable[[Any, Store], bool]
"""Decides about an EventType, a Thread or None, an Identity or None, or an Event, according to its place."""

_COST = {place: cost for cost, place in enumerate(Place)}


class Plan(ABC):
    """A part of a filter that can be asked about the rows of a segment."""

    place: Place
    """The most expensive place its terms look at."""

    @abstractmethod
    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """Which of the rows it holds for, one entry each."""

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when it certainly holds for no row of the segment."""
        return True


class _Answers:
    """A test's answers for the items of a growing list, and as the last entry for no item at all."""

    def __init__(self, test: Test) -> None:
        self._test = test
        self._store: Store | None = None
        self._revision = 0
        self._count = 0
        self._answers: Mask = np.zeros(64, np.bool_)
        self._absent = False

    def update(self, items: Sequence[Any], store: Store) -> Mask:
        """The answers for what the list holds now. O(new items), all of them when facts were learned late."""
        revision = store.revision
        if store is not self._store or revision != self._revision:
            self._store, self._revision, self._count = store, revision, 0
            self._absent = self._test(None, store)
        count = len(items)
        if count >= len(self._answers):
            self._answers = np.resize(self._answers, 2 * count)
        if count > self._count:
            new = (self._test(item, store) for item in items[self._count : count])
            self._answers[self._count : count] = np.fromiter(new, np.bool_, count - self._count)
            self._count = count
        self._answers[count] = self._absent
        return self._answers[: count + 1]


class _Term(Plan):
    """Decided by a test of one subject, of the kind its place says."""

    def __init__(self, test: Test) -> None:
        self.test = test


class _TableTerm(_Term):
    """Decided once for each row of a table, gathered through a column."""

    @abstractmethod
    def table(self, store: Store) -> Mask:
        """The decisions; the last one is for events without a row."""

    @abstractmethod
    def column(self, segment: Segment) -> NDArray[Any]:
        """Index into the table of each event, -1 without a row."""

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        column = self.column(segment)
        return self.table(store).take(column if rows is None else column[rows])

    def possible(self, store: Store, segment: Segment) -> bool:
        return bool(self.table(store).any())


class _TypeTerm(_TableTerm):
    """Decided once for each event type."""

    place = Place.TYPE

    def __init__(self, test: Test) -> None:
        super().__init__(test)
        self._table: Mask | None = None

    def table(self, store: Store) -> Mask:
        if self._table is None:
            self._table = np.array([self.test(kind, store) for kind in CATALOGUE])
        return self._table

    def column(self, segment: Segment) -> NDArray[Any]:
        return segment.type

    def possible(self, store: Store, segment: Segment) -> bool:
        return bool(self.table(store)[segment.types_present].any())


class _ThreadTerm(_TableTerm):
    """Decided once for each thread version."""

    place = Place.THREAD

    def __init__(self, test: Test) -> None:
        super().__init__(test)
        self._answers = _Answers(test)

    def table(self, store: Store) -> Mask:
        return self._answers.update(store.threads, store)

    def column(self, segment: Segment) -> NDArray[Any]:
        return segment.thread


class _FdTerm(_TableTerm):
    """Decided once for each identity of fds."""

    place = Place.FD

    def __init__(self, test: Test) -> None:
        super().__init__(test)
        self._answers = _Answers(test)
        self._table: Mask = np.zeros(0, np.bool_)
        self._made_of: tuple[Store, int, int] | None = None

    def table(self, store: Store) -> Mask:
        # Answers are asked for after the rows were taken, so that they cover every identity the rows name.
        identity = store.fds.rows["identity"]
        made_of = (store, store.revision, len(identity))
        if made_of != self._made_of:
            answers = self._answers.update(store.fds.identities, store)
            self._table = np.append(answers.take(identity), answers[-1])
            self._made_of = made_of
        return self._table

    def column(self, segment: Segment) -> NDArray[Any]:
        return segment.fd_row


class _ColumnTerm(Plan):
    """Decided for the columns of a segment at a time. ``test`` takes an array of values to a mask."""

    place = Place.EVENT

    def __init__(self, field: Field, argument: str | None, test: Callable[[NDArray[Any]], Mask]) -> None:
        self._field = field
        self._argument = argument
        self._test = test

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        numbers = self._field.value(segment, store, self._argument)
        present = numbers.present
        if rows is None:
            held = self._test(numbers.values)
            return held if present is None else held & present
        held = self._test(numbers.values[rows])
        return held if present is None else held & present[rows]


class _LateTerm(_Term):
    """Decided event by event."""

    place = Place.LATE

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        count = len(segment) if rows is None else len(rows)
        events = (Event(store, segment, int(row)) for row in (range(count) if rows is None else rows))
        return np.fromiter((self.test(event, store) for event in events), np.bool_, count)


class _Complement(Plan):
    """Holds where the other does not."""

    def __init__(self, operand: Plan) -> None:
        self.place = operand.place
        self._operand = operand

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        return ~self._operand.mask(store, segment, rows)


class _Junction(Plan):
    """Holds where every operand does, or where any does."""

    def __init__(self, every: bool, operands: Sequence[Plan]) -> None:
        self._every = every
        self._operands = sorted(operands, key=lambda plan: _COST[plan.place])
        self.place = self._operands[-1].place

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        held = self._operands[0].mask(store, segment, rows)
        for operand in self._operands[1:]:
            undecided = held if self._every else ~held
            if not undecided.any():
                break
            if operand.place is Place.LATE:
                chosen = np.flatnonzero(undecided)
                held[chosen] = operand.mask(store, segment, chosen if rows is None else rows[chosen])
            elif self._every:
                held &= operand.mask(store, segment, rows)
            else:
                held |= operand.mask(store, segment, rows)
        return held

    def possible(self, store: Store, segment: Segment) -> bool:
        found = (operand.possible(store, segment) for operand in self._operands)
        return all(found) if self._every else any(found)


_TERMS: dict[Place, Callable[[Test], _Term]] = {
    Place.TYPE: _TypeTerm,
    Place.THREAD: _ThreadTerm,
    Place.FD: _FdTerm,
    Place.LATE: _LateTerm,
}


def term(place: Place, test: Test) -> _Term:
    """A term decided by one test."""
    return _TERMS[place](test)


def columns(field: Field, argument: str | None, test: Callable[[NDArray[Any]], Mask]) -> Plan:
    """A term over the columns of a segment: ``test`` takes the array of a field's values to a mask."""
    return _ColumnTerm(field, argument, test)


def negated(operand: Plan) -> Plan:
    """The complement of a plan."""
    if isinstance(operand, _Term):
        test = operand.test
        return term(operand.place, lambda subject, store: not test(subject, store))
    return _Complement(operand)


def joined(every: bool, operands: Iterable[Plan]) -> Plan:
    """All or any of the operands. Terms that look at one place become one, answered together."""
    tests: dict[Place, list[Test]] = {}
    parts: list[Plan] = []
    for operand in operands:
        if isinstance(operand, _Term):
            tests.setdefault(operand.place, []).append(operand.test)
        else:
            parts.append(operand)
    for place, asked in tests.items():
        parts.append(term(place, _together(every, asked)))
    return parts[0] if len(parts) == 1 else _Junction(every, parts)


def _together(every: bool, tests: Sequence[Test]) -> Test:
    def test(subject: Any, store: Store) -> bool:
        # A loop and no all(): nesting may be deep, and each level must cost one frame.
        for asked in tests:
            if asked(subject, store) is not every:
                return not every
        return every

    return test

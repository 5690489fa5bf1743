"""Terms of a filter: single questions about events, asked as cheaply as what they look at allows.

A term that depends on the event type, the thread or the fd alone is decided once for each row of that table and
gathered through the segment's column; segments whose summary says that none of the rows it holds for occurs are
skipped. Terms over columns are array operations; everything else is asked event by event.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import CATALOGUE
from engine.fields.field import Field, Place
from engine.filters.kernels import spread
from engine.filters.plan import Constant, Mask, Plan, Rows
from engine.store.by_row import ByFdRow, ByRow, Span
from engine.store.segment import Segment
from engine.store.store import Store

Test = Callable[[Sequence[Any], Store], Sequence[bool]]
"""Decides about each of some EventTypes, Threads or None, Identities or None, or Events, according to its place."""


class _TableTerm(Plan):
    """Decided once for each row of a table, gathered through a column."""

    @abstractmethod
    def table(self, store: Store, segment: Segment) -> Mask:
        """The decisions, those for a segment's rows at least; the last one is for events without a row."""

    @abstractmethod
    def column(self, segment: Segment) -> NDArray[Any]:
        """Index into the table of each event, -1 without a row."""

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        column, table = self.column(segment), self.table(store, segment)
        if rows is not None:
            return table.take(column[rows])
        held = np.empty(len(column), np.bool_)
        spread(table.view(np.uint8), column, held.view(np.uint8))
        return held


class TypeTerm(_TableTerm):
    """Decided for each event type, once and for all."""

    place = Place.TYPE

    def __init__(self, answers: Mask, text: str) -> None:
        super().__init__()
        self.answers = answers
        self.text = text

    def table(self, store: Store, segment: Segment) -> Mask:
        """The decisions, one for each type code."""
        return self.answers

    def column(self, segment: Segment) -> NDArray[Any]:
        """The type codes."""
        return segment.type

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when no type it holds for is in the segment."""
        return bool(self.answers[segment.types_present].any())


class Tested(Plan):
    """Decided by a test of subjects of the kind its place says."""

    def __init__(self, test: Test, text: str, *, passing: bool = False) -> None:
        super().__init__()
        self.test = test
        self.text = text
        self.passing = passing
        """It asks fields that are passing."""


class _RowTerm(_TableTerm, Tested):
    """Decided once for each row of a table that segments point at, again when facts were learned late."""

    def __init__(self, test: Test, text: str, *, passing: bool = False) -> None:
        super().__init__(test, text, passing=passing)
        self._made_of: tuple[Store, int, int] | None = None

    def moment(self, store: Store) -> int:
        """As of when it is decided, ns since epoch, 0 where that makes no difference."""
        return store.inside_at if self.passing else 0

    @abstractmethod
    def span(self, segment: Segment) -> Span:
        """First and last row the segment points at, and whether some events point at none."""

    @abstractmethod
    def answer(self, store: Store, segment: Segment) -> Mask:
        """As ``table``, from what was decided before."""

    @abstractmethod
    def begin(self, store: Store) -> None:
        """Nothing is decided yet but for events without a row, and what terms of other filters with the same text
        have decided."""

    def table(self, store: Store, segment: Segment) -> Mask:
        """As of every term decided by rows."""
        made_of = (store, store.revision, self.moment(store))
        if made_of != self._made_of:
            self._made_of = made_of
            self.begin(store)
        return self.answer(store, segment)

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when it holds for no row between the first and the last one of the segment."""
        table = self.table(store, segment)
        first, last, absent = self.span(segment)
        if last >= len(table) - 1:
            raise AssertionError("events point at rows that are not there")
        return bool((absent and table[-1]) or table[first : last + 1].any())


class _ThreadTerm(_RowTerm):
    """Decided once for each thread version."""

    place = Place.THREAD

    def begin(self, store: Store) -> None:
        """As of every term decided by rows."""
        made_of = ByRow, self.text, self.moment(store)
        self._answers = store.keep(made_of, lambda: ByRow(np.bool_, self.test([None], store)[0]))

    def answer(self, store: Store, segment: Segment) -> Mask:
        """As of every term decided by rows."""
        threads = store.threads
        return self._answers.of(threads, segment.thread, segment.thread_span, lambda rows: self.test(rows, store))

    def column(self, segment: Segment) -> NDArray[Any]:
        """The thread rows."""
        return segment.thread

    def span(self, segment: Segment) -> Span:
        """The thread rows' span."""
        return segment.thread_span


class _FdTerm(_RowTerm):
    """Decided once for each identity of fds."""

    place = Place.FD

    def begin(self, store: Store) -> None:
        """As of every term decided by rows."""
        self._answers = store.keep((ByFdRow, self.text), lambda: ByFdRow(np.bool_, self.test([None], store)[0]))

    def answer(self, store: Store, segment: Segment) -> Mask:
        """As of every term decided by rows."""
        fds = store.fds
        return self._answers.of_fds(fds, segment.fd_row, segment.fd_span, lambda rows: self.test(rows, store))

    def column(self, segment: Segment) -> NDArray[Any]:
        """The fd rows."""
        return segment.fd_row

    def span(self, segment: Segment) -> Span:
        """The fd rows' span."""
        return segment.fd_span


class _ColumnTerm(Plan):
    """Decided for the columns of a segment at a time. ``test`` takes an array of values to a mask."""

    place = Place.EVENT

    def __init__(self, field: Field, argument: str | None, test: Callable[[NDArray[Any]], Mask], text: str) -> None:
        super().__init__()
        self._field = field
        self._argument = argument
        self._test = test
        self.text = text

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        numbers = self._field.value(segment, store, self._argument)
        present = numbers.present
        if rows is None:
            held = self._test(numbers.values)
            return held if present is None else held & present
        held = self._test(numbers.values[rows])
        return held if present is None else held & present[rows]


class ColumnsTerm(Plan):
    """Decided by two fields made of columns, a segment at a time."""

    place = Place.EVENT

    def __init__(
        self,
        first: tuple[Field, str | None],
        second: tuple[Field, str | None],
        test: Callable[[NDArray[Any], NDArray[Any]], Mask],
        text: str,
    ) -> None:
        super().__init__()
        self._sides = (first, second)
        self._test = test
        self.text = text

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        first, second = (field.value(segment, store, argument) for field, argument in self._sides)
        held = self._test(first.values, second.values)
        for numbers in (first, second):
            if numbers.present is not None:
                held = held & numbers.present
        return held if rows is None else held[rows]


class _LateTerm(Tested):
    """Decided event by event."""

    place = Place.LATE

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        count = len(segment) if rows is None else len(rows)
        events = (Event(store, segment, int(row)) for row in (range(count) if rows is None else rows))
        return np.fromiter((self.test([event], store)[0] for event in events), np.bool_, count)


_TERMS: dict[Place, type[Tested]] = {
    Place.THREAD: _ThreadTerm,
    Place.FD: _FdTerm,
    Place.LATE: _LateTerm,
}


def term(place: Place, test: Test, text: str, *, passing: bool = False) -> Plan:
    """A term decided by one test; what an event type is does not depend on a store, and is asked without one.

    ``passing``: the test asks fields that are (``Field.passing``).
    """
    if place is Place.TYPE:
        return of_types(np.array(test(CATALOGUE, None)), text)  # type: ignore[arg-type]
    return _TERMS[place](test, text, passing=passing)


def types_of(plan: Plan) -> Mask | None:
    """Of which types it holds, by type code, whatever else an event says; None where the type does not decide."""
    return plan.answers if isinstance(plan, TypeTerm) else None


def of_types(answers: Mask, text: str) -> Plan:
    """A term decided by the type alone, given its answers by type code."""
    return Constant(bool(answers[0]), text) if answers.all() == answers.any() else TypeTerm(answers, text)


def columns(field: Field, argument: str | None, test: Callable[[NDArray[Any]], Mask], text: str) -> Plan:
    """A term over the columns of a segment: ``test`` takes the array of a field's values to a mask."""
    return _ColumnTerm(field, argument, test, text)

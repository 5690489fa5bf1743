"""How a filter is evaluated over a segment: the cheap terms first, the expensive ones on what survives.

A term that depends on the event type, the thread or the fd alone is decided once for each row of that table and
gathered through the segment's column; segments whose summary says that none of the rows it holds for occurs are
skipped. Terms over columns are array operations; everything else is asked event by event. What always or never holds
is folded away. Operands are ordered by where they look, then, once there are figures, by what they cost and how much
they decide. Which terms there are is decided by ``check``. A plan remembers its answers for one store, and is for one
thread.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import CATALOGUE
from engine.fields.field import Field, Place
from engine.filters.kernels import spread
from engine.store.by_row import ByFdRow, ByRow, Span
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp] | None
"""Rows of a segment that are asked, None for all of them."""
Test = Callable[[Sequence[Any], Store], Sequence[bool]]
"""Decides about each of some EventTypes, Threads or None, Identities or None, or Events, according to its place."""

EventTest = Callable[[Event, Store], bool]
"""Decides about one event."""

_COST = {place: 4.0**cost for cost, place in enumerate(Place)}
"""ns an event before anything was measured, in order rather than in size."""
_FEW = 8
"""When less than one in so many rows is undecided, only those are asked, also by what could ask all at once."""


class Plan(ABC):
    """A part of a filter that can be asked about the rows of a segment, and counts what it answered."""

    place: Place
    """The most expensive place its terms look at."""
    text: str
    """The part, as a filter writes it."""

    def __init__(self) -> None:
        self.asked = 0
        """Events asked about."""
        self.kept = 0
        """Those of them it held for."""
        self.ns = 0
        """Time it took."""

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """Which of the rows it holds for, one entry each."""
        began = time.perf_counter_ns()
        held = self._mask(store, segment, rows)
        self.asked += len(held)
        self.kept += int(np.count_nonzero(held))
        self.ns += time.perf_counter_ns() - began
        return held

    @abstractmethod
    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """As ``mask``, without counting."""

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when it certainly holds for no row of the segment."""
        return True

    @property
    def way(self) -> str:
        """How it is answered, for people."""
        return _WAYS[self.place]

    @property
    def parts(self) -> Sequence[Plan]:
        """What it joins, in the order asked next."""
        return ()

    def burden(self, every: bool) -> float:
        """ns spent for each event it decides as an operand of ``and`` (every) or ``or``."""
        if not self.asked:
            return _COST[self.place]
        deciding = self.asked - self.kept if every else self.kept
        return self.ns / max(deciding, 0.5)


_WAYS = {
    Place.TYPE: "once per event type",
    Place.THREAD: "once per thread",
    Place.FD: "once per descriptor",
    Place.EVENT: "columns",
    Place.LATE: "event by event",
}


class Constant(Plan):
    """Always or never holds."""

    place = Place.TYPE

    def __init__(self, held: bool, text: str) -> None:
        super().__init__()
        self.held = held
        self.text = text

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        return np.full(len(segment) if rows is None else len(rows), self.held)

    def possible(self, store: Store, segment: Segment) -> bool:
        """As of every plan."""
        return self.held

    @property
    def way(self) -> str:
        """As of every plan."""
        return "always" if self.held else "never"


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


class _TypeTerm(_TableTerm):
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


class _Tested(Plan):
    """Decided by a test of subjects of the kind its place says."""

    def __init__(self, test: Test, text: str, *, passing: bool = False) -> None:
        super().__init__()
        self.test = test
        self.text = text
        self.passing = passing
        """It asks fields that are passing."""


class _RowTerm(_TableTerm, _Tested):
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


class _LateTerm(_Tested):
    """Decided event by event."""

    place = Place.LATE

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        count = len(segment) if rows is None else len(rows)
        events = (Event(store, segment, int(row)) for row in (range(count) if rows is None else rows))
        return np.fromiter((self.test([event], store)[0] for event in events), np.bool_, count)


class _Complement(Plan):
    """Holds where the other does not."""

    def __init__(self, operand: Plan) -> None:
        super().__init__()
        self.place = operand.place
        self.text = f"not ({operand.text})"
        self._operand = operand

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        return ~self._operand.mask(store, segment, rows)

    @property
    def way(self) -> str:
        """As of every plan."""
        return "none of" if self._operand.parts else self._operand.way

    @property
    def parts(self) -> Sequence[Plan]:
        """As of every plan."""
        return (self._operand,) if self._operand.parts else ()


class _Junction(Plan):
    """Holds where every operand does, or where any does."""

    def __init__(self, every: bool, operands: Sequence[Plan]) -> None:
        super().__init__()
        self.every = every
        self.operands = sorted(operands, key=lambda plan: _COST[plan.place])
        self.place = self.operands[-1].place
        self.text = (" and " if every else " or ").join(operand.text for operand in operands)

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        self.operands.sort(key=lambda plan: plan.burden(self.every))
        held = self.operands[0].mask(store, segment, rows)
        for operand in self.operands[1:]:
            if not decide(operand, self.every, held, store, segment, rows):
                break
        return held

    def possible(self, store: Store, segment: Segment) -> bool:
        """As of every plan."""
        found = (operand.possible(store, segment) for operand in self.operands)
        return all(found) if self.every else any(found)

    @property
    def way(self) -> str:
        """As of every plan."""
        return "all of" if self.every else "any of"

    @property
    def parts(self) -> Sequence[Plan]:
        """As of every plan."""
        return sorted(self.operands, key=lambda plan: plan.burden(self.every))


def decide(plan: Plan, every: bool, held: Mask, store: Store, segment: Segment, rows: Rows) -> bool:
    """Ask one more operand of ``and`` (every) or ``or``, and change to its answer what those before left undecided in
    ``held``, one entry for each of the rows. False when they left nothing."""
    undecided = held if every else ~held
    left = int(np.count_nonzero(undecided))
    if not left:
        return False
    if plan.place is Place.LATE or left * _FEW < len(held):
        chosen = np.flatnonzero(undecided)
        held[chosen] = plan.mask(store, segment, chosen if rows is None else rows[chosen])
    elif every:
        held &= plan.mask(store, segment, rows)
    else:
        held |= plan.mask(store, segment, rows)
    return True


_TERMS: dict[Place, type[_Tested]] = {
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
    return plan.answers if isinstance(plan, _TypeTerm) else None


def of_types(answers: Mask, text: str) -> Plan:
    """A term decided by the type alone, given its answers by type code."""
    return Constant(bool(answers[0]), text) if answers.all() == answers.any() else _TypeTerm(answers, text)


def columns(field: Field, argument: str | None, test: Callable[[NDArray[Any]], Mask], text: str) -> Plan:
    """A term over the columns of a segment: ``test`` takes the array of a field's values to a mask."""
    return _ColumnTerm(field, argument, test, text)


def negated(operand: Plan) -> Plan:
    """The complement of a plan."""
    text = f"not ({operand.text})"
    match operand:
        case Constant():
            return Constant(not operand.held, text)
        case _TypeTerm():
            return _TypeTerm(~operand.answers, text)
        case _Tested():
            test = operand.test
            return term(
                operand.place,
                lambda rows, store: [not held for held in test(rows, store)],
                text,
                passing=operand.passing,
            )
        case _:
            return _Complement(operand)


def joined(every: bool, operands: Iterable[Plan]) -> Plan:
    """All or any of the operands. Terms that look at one place become one, answered together; what always or never
    holds decides here or is left out."""
    by_place: dict[Place, list[Plan]] = {}
    parts: list[Plan] = []
    flat = (part for operand in operands for part in _operands(operand, every))
    for operand in {part.text: part for part in flat}.values():
        if isinstance(operand, _TypeTerm | _Tested):
            by_place.setdefault(operand.place, []).append(operand)
        else:
            parts.append(operand)
    parts += (_merged(every, terms) for terms in by_place.values())
    deciding = [part for part in parts if isinstance(part, Constant) and part.held is not every]
    if deciding:
        return deciding[0]
    open_parts = [part for part in parts if not isinstance(part, Constant)]
    if not open_parts:
        return parts[0]
    return open_parts[0] if len(open_parts) == 1 else _Junction(every, open_parts)


def _operands(plan: Plan, every: bool) -> Sequence[Plan]:
    """The operands of a junction of that kind, else the plan itself."""
    return plan.operands if isinstance(plan, _Junction) and plan.every is every else (plan,)


def _merged(every: bool, terms: Sequence[Plan]) -> Plan:
    """One term for all or any of some that look at one place."""
    if len(terms) == 1:
        return terms[0]
    text = " and ".join(one.text for one in terms) if every else f"({' or '.join(one.text for one in terms)})"
    if terms[0].place is Place.TYPE:
        answers = np.array([one.answers for one in terms if isinstance(one, _TypeTerm)])
        return of_types((np.logical_and if every else np.logical_or).reduce(answers), text)
    tested = [one for one in terms if isinstance(one, _Tested)]
    passing = any(one.passing for one in tested)
    return term(terms[0].place, _together(every, [one.test for one in tested]), text, passing=passing)


def _together(every: bool, tests: Sequence[Test]) -> Test:
    first, *others = tests

    def test(subjects: Sequence[Any], store: Store) -> Sequence[bool]:
        held = list(first(subjects, store))
        # A loop and no recursion: nesting may be deep, and each level must cost one frame.
        for asked in others:
            undecided = [place for place, answer in enumerate(held) if answer is every]
            answers = asked([subjects[place] for place in undecided], store)
            for place, answer in zip(undecided, answers, strict=True):
                held[place] = answer
        return held

    return test


def described(plan: Plan, level: int = 0) -> Iterator[str]:
    """Lines that tell a plan: how each part is answered and, once asked, of how many events, how many it kept, and the
    time it took."""
    told = f"  {plan.asked:,} asked, {plan.kept:,} kept, {plan.ns / 1e6:,.1f} ms" if plan.asked else ""
    what = "" if plan.parts else f": {plan.text if len(plan.text) <= 200 else plan.text[:199] + '…'}"
    yield f"{'  ' * level}{plan.way}{what}{told}"
    for part in plan.parts:
        yield from described(part, level + 1)

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
from engine.query.growing import Growing
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp] | None
"""Rows of a segment that are asked, None for all of them."""
Test = Callable[[Any, Store], bool]
"""Decides about an EventType, a Thread or None, an Identity or None, or an Event, according to its place."""

_COST = {place: 4.0**cost for cost, place in enumerate(Place)}
"""ns an event before anything was measured, in order rather than in size."""
_FEW = 8
"""When less than one in so many rows is undecided, only those are asked about columns."""


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


class Answers:
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


class _TableTerm(Plan):
    """Decided once for each row of a table, gathered through a column."""

    @abstractmethod
    def table(self, store: Store) -> Mask:
        """The decisions; the last one is for events without a row."""

    @abstractmethod
    def column(self, segment: Segment) -> NDArray[Any]:
        """Index into the table of each event, -1 without a row."""

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        column, table = self.column(segment), self.table(store)
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

    def table(self, store: Store) -> Mask:
        """The decisions, one for each type code."""
        return self.answers

    def column(self, segment: Segment) -> NDArray[Any]:
        """The type codes."""
        return segment.type

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when no type it holds for is in the segment."""
        return bool(self.answers[segment.types_present].any())


class _Tested(Plan):
    """Decided by a test of one subject, of the kind its place says."""

    def __init__(self, test: Test, text: str) -> None:
        super().__init__()
        self.test = test
        self.text = text


class _RowTerm(_TableTerm, _Tested):
    """Decided once for each row of a table whose rows a segment points at."""

    @abstractmethod
    def span(self, segment: Segment) -> tuple[int, int, bool]:
        """First and last row the segment points at, and whether some events point at none."""

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when it holds for no row between the first and the last one of the segment."""
        table = self.table(store)
        first, last, absent = self.span(segment)
        if last >= len(table) - 1:
            raise AssertionError("events point at rows that are not there")
        return bool((absent and table[-1]) or table[first : last + 1].any())


class _ThreadTerm(_RowTerm):
    """Decided once for each thread version."""

    place = Place.THREAD

    def __init__(self, test: Test, text: str) -> None:
        super().__init__(test, text)
        self._answers = Answers(test)

    def table(self, store: Store) -> Mask:
        """The decisions, one for each thread version."""
        return self._answers.update(store.threads, store)

    def column(self, segment: Segment) -> NDArray[Any]:
        """The thread rows."""
        return segment.thread

    def span(self, segment: Segment) -> tuple[int, int, bool]:
        """The thread rows' span."""
        return segment.thread_span


class _FdTerm(_RowTerm):
    """Decided once for each identity of fds."""

    place = Place.FD

    def __init__(self, test: Test, text: str) -> None:
        super().__init__(test, text)
        self._answers = Answers(test)
        self._table = Growing(np.bool_)
        self._made_of: tuple[Store, int] | None = None

    def table(self, store: Store) -> Mask:
        """The decisions, one for each fd row."""
        # Answers are asked for after the rows were taken, so that they cover every identity the rows name.
        identity = store.fds.rows["identity"]
        made_of = (store, store.revision)
        if made_of != self._made_of or len(self._table) > len(identity) + 1:
            self._table, self._made_of = Growing(np.bool_), made_of
        if len(self._table) <= len(identity):
            answers = self._answers.update(store.fds.identities, store)
            # The last entry is that of absence: new rows take its place, and it comes after them.
            known = max(len(self._table) - 1, 0)
            self._table.shorten(known)
            self._table.extend(answers.take(identity[known:]))
            self._table.extend(answers[-1:])
        return self._table.values

    def column(self, segment: Segment) -> NDArray[Any]:
        """The fd rows."""
        return segment.fd_row

    def span(self, segment: Segment) -> tuple[int, int, bool]:
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
        return np.fromiter((self.test(event, store) for event in events), np.bool_, count)


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
            undecided = held if self.every else ~held
            left = int(np.count_nonzero(undecided))
            if not left:
                break
            if operand.place is Place.LATE or (operand.place is Place.EVENT and left * _FEW < len(held)):
                chosen = np.flatnonzero(undecided)
                held[chosen] = operand.mask(store, segment, chosen if rows is None else rows[chosen])
            elif self.every:
                held &= operand.mask(store, segment, rows)
            else:
                held |= operand.mask(store, segment, rows)
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


_TERMS: dict[Place, Callable[[Test, str], _Tested]] = {
    Place.THREAD: _ThreadTerm,
    Place.FD: _FdTerm,
    Place.LATE: _LateTerm,
}


def term(place: Place, test: Test, text: str) -> Plan:
    """A term decided by one test; what an event type is does not depend on a store, and is asked without one."""
    if place is Place.TYPE:
        return of_types(np.array([test(kind, None) for kind in CATALOGUE]), text)  # type: ignore[arg-type]
    return _TERMS[place](test, text)


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
            return term(operand.place, lambda subject, store: not test(subject, store), text)
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
    return term(terms[0].place, _together(every, [one.test for one in terms if isinstance(one, _Tested)]), text)


def _together(every: bool, tests: Sequence[Test]) -> Test:
    def test(subject: Any, store: Store) -> bool:
        # A loop and no all(): nesting may be deep, and each level must cost one frame.
        for asked in tests:
            if asked(subject, store) is not every:
                return not every
        return every

    return test


def described(plan: Plan, level: int = 0) -> Iterator[str]:
    """Lines that tell a plan: how each part is answered and, once asked, of how many events, how many it kept, and the
    time it took."""
    told = f"  {plan.asked:,} asked, {plan.kept:,} kept, {plan.ns / 1e6:,.1f} ms" if plan.asked else ""
    what = "" if plan.parts else f": {plan.text if len(plan.text) <= 200 else plan.text[:199] + '…'}"
    yield f"{'  ' * level}{plan.way}{what}{told}"
    for part in plan.parts:
        yield from described(part, level + 1)

"""The numbers of a view's columns by group: what is added up, and from which events.

Owns which numbers a field gives for the events of a segment, and what each aggregation makes of them. What a group is
belongs to ``keys``, numbers of threads as such to ``lives``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.event import Event
from engine.decode.kernels import accumulate, add_numbers, measured
from engine.events import CATALOGUE, TYPES
from engine.fields import look_up
from engine.fields.field import Field, FieldType, Place, Quantity, Value
from engine.fields.field import Numbers as Values
from engine.query.keys import Lookup
from engine.query.lives import Floats
from engine.query.spread import Spread
from engine.query.totals import Measures, Totals
from engine.query.view import SPREADS, Aggregation, Column
from engine.store.by_row import ByFdRow
from engine.store.segment import Segment
from engine.store.store import Store

Numbers = tuple[Floats, NDArray[np.bool_]]
"""A column of numbers, and where they are known."""
Samples = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""A number for each event of a segment, and where there is one."""
_TIMES = frozenset({FieldType.DURATION, FieldType.TIME})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.FLOAT, *_TIMES})
_UNKNOWN = -(2**63)
_PARTS = 1 << 40
"""Numbers with a fraction are added up in such parts of one."""


def is_number(field: Field) -> bool:
    """True for fields whose values can be added up or compared as numbers."""
    if field.measures:
        return True
    return field.type in _NUMBERS and not (field.multiple or field.is_list)


def is_summed(column: Column) -> bool:
    """True when a column's numbers are added up or compared, False when it shows one event's value."""
    return column.aggregation not in (Aggregation.FIRST, Aggregation.LAST)


class _Reader:
    """The numbers of a field that has no measures."""

    def __init__(self, name: str, store: Store) -> None:
        self._field, self._argument = look_up(name)
        self._store = store
        self._by_row = ByFdRow(np.int64, _UNKNOWN)

    def samples(self, segment: Segment, mask: NDArray[np.bool_]) -> Samples:
        """Of the events that ``mask`` keeps."""
        field, store, argument = self._field, self._store, self._argument
        match field.place:
            case Place.EVENT:
                numbers = field.value(segment, store, argument)
                if field.type is FieldType.FLOAT:
                    numbers = Values(np.rint(numbers.values * _PARTS).astype(np.int64), numbers.present)
                return numbers.values, mask if numbers.present is None else mask & numbers.present
            case Place.TYPE:
                span = 0, TYPES - 1, False
                table = self._by_row.of(
                    CATALOGUE,
                    segment.type,
                    span,
                    lambda kinds: [_number(field.value(kind, argument)) for kind in kinds],
                    mask,
                )
                column: NDArray[Any] = segment.type
            case Place.THREAD:
                column, span = segment.thread, segment.thread_span
                table = self._by_row.of(store.threads, column, span, self._of_subjects, mask)
            case Place.FD:
                column, span = segment.fd_row, segment.fd_span
                table = self._by_row.of_fds(store.fds, column, span, self._of_subjects, mask)
            case _:
                return self._each(segment, mask)
        # Row -1 falls on the entry of absence at the end.
        values = table[column]
        return values, mask & (values != _UNKNOWN)

    def _of_subjects(self, subjects: Sequence[Any]) -> list[int]:
        return [_number(self._field.value(subject, self._store, self._argument)) for subject in subjects]

    def _each(self, segment: Segment, mask: NDArray[np.bool_]) -> Samples:
        """One by one: the view's filter is to leave few."""
        values = np.zeros(len(segment), np.int64)
        present = np.zeros(len(segment), np.bool_)
        for row in np.flatnonzero(mask).tolist():
            number = _whole(self._field.of(Event(self._store, segment, row), self._argument))
            if number is not None:
                values[row], present[row] = number, True
        return values, present


def _number(value: Value) -> int:
    number = _whole(value)
    return _UNKNOWN if number is None else number


def _whole(value: Value) -> int | None:
    """A number as it is added up."""
    if isinstance(value, float):
        value = round(value * _PARTS)
    return max(_UNKNOWN + 1, min(value, 2**63 - 1)) if isinstance(value, int) else None


class Sums:
    """Totals by group of the columns that count the same events of a row."""

    def __init__(self, store: Store, columns: Sequence[Column], where: str) -> None:
        """Prepare for columns that are added up; ``where`` keeps what of the row's events they count."""
        self._store = store
        self._filter = filters.compile(where) if where else None
        parts = {column.field: look_up(column.field)[0].measures for column in columns}
        # One measure serves every column that asks for it.
        self._measures = list(dict.fromkeys(measure for measures in parts.values() for measure in measures))
        self._readers = {name: _Reader(name, store) for name, measures in parts.items() if not measures}
        self._places = {name: [self._measures.index(m) for m in measures] for name, measures in parts.items()}
        for place, name in enumerate(self._readers, len(self._measures)):
            self._places[name] = [place]
        self._tables = Measures(self._measures)
        self.totals = Totals(self._tables, len(self._readers))
        self._spreads = {column.field: Spread() for column in columns if column.aggregation in SPREADS}

    def add(self, segment: Segment, mask: NDArray[np.bool_], codes: Lookup, count: int) -> None:
        """Take in the events of a segment that ``mask`` keeps; ``count`` codes there are by now."""
        if self._filter is not None:
            mask = mask & self._filter.mask(self._store, segment)
        self.totals.make_room(count)
        kinds = self._store.fds.rows["kind"]
        accumulate(segment, mask, codes.index, codes.table, kinds, self._tables, self.totals)
        read = {name: reader.samples(segment, mask) for name, reader in self._readers.items()}
        for name, (values, present) in read.items():
            add_numbers(values, present, codes.index, codes.table, self.totals, self._places[name][0])
        for name, spread in self._spreads.items():
            wanted = sum(1 << place for place in self._places[name])
            samples = read[name] if name in read else measured(segment, mask, kinds, self._tables, wanted)
            spread.add(*samples, codes.index, codes.table)

    def standing(self, column: Column, stand_ins: Segment) -> Numbers | None:
        """What is so of threads at the end of the window, by row of a segment of stand-ins; None for columns that are
        about what happened."""
        field = look_up(column.field)[0]
        if column.aggregation not in (Aggregation.MIN, Aggregation.MAX) or field.group != "process" or field.measures:
            return None
        values, known = self._readers[column.field].samples(stand_ins, np.ones(len(stand_ins), np.bool_))
        return (values / _PARTS if field.type is FieldType.FLOAT else values.astype(np.float64)), known

    def spread(self, field: str) -> Spread:
        """The distribution of a field some column asks one of."""
        return self._spreads[field]

    def numbers(self, column: Column, count: int, seconds: float) -> Numbers:
        """A column by code."""
        values, known = self._numbers(column, count, seconds)
        return (values / _PARTS, known) if look_up(column.field)[0].type is FieldType.FLOAT else (values, known)

    def _numbers(self, column: Column, count: int, seconds: float) -> Numbers:
        totals, places = self.totals, self._places[column.field]
        totals.make_room(count)
        samples = totals.counts[:count, places].sum(axis=1)
        sums = totals.added(places)[:count].sum(axis=1)
        match column.aggregation:
            case Aggregation.AVG:
                return sums / np.maximum(samples, 1), samples > 0
            case Aggregation.MIN:
                mins = np.where(totals.counts[:count, places] > 0, totals.mins[:count, places], np.inf)
                return mins.min(axis=1), samples > 0
            case Aggregation.MAX:
                maxs = np.where(totals.counts[:count, places] > 0, totals.maxs[:count, places], -np.inf)
                return maxs.max(axis=1), samples > 0
            case Aggregation.RATE:
                return sums / (seconds or 1), np.full(count, seconds > 0)
            case _:
                # Nothing of it happened, so the sum is nothing; but no time is known of calls without their start.
                return sums, samples > 0 if self._is_time(column.field) else np.ones(count, np.bool_)

    def _is_time(self, name: str) -> bool:
        if name in self._readers:
            return look_up(name)[0].type in _TIMES
        return self._measures[self._places[name][0]].quantity is Quantity.LATENCY

"""The rows of a table view: events grouped by key, their columns added up, rows merged into groups.

Which events count is the filter's business, what a column's numbers are made of that of ``sums`` and ``lives``; order
and looks are the table's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields import look_up
from engine.fields.family import ancestors
from engine.fields.field import Place, Value
from engine.filters import Filter
from engine.query.keys import GroupedKey, Key, ThreadKey, codes_of, make_key
from engine.query.lives import CPU_TIMES, PER_THREAD, CpuTimes, Lives
from engine.query.matches import event_at
from engine.query.single import Pieces, Single, numbered, pieces_of
from engine.query.spread import Spread
from engine.query.sums import Numbers, Sums, is_summed
from engine.query.tree import Tree
from engine.query.view import AND, PERCENTILES, SPREADS, Aggregation, Column, View
from engine.store.segment import Segment, Window
from engine.store.store import Store

_MANY = 1 << 15
"""Thread rows."""


class Rows(Protocol):
    """The rows of a view in order of arrival, before sorting."""

    def __len__(self) -> int: ...

    def key(self, row: int) -> Value:
        """What a drill-down from the row selects; in lists the event's number."""

    def row_of(self, key: Value) -> int | None:
        """The row with a key, None when there is none. O(log rows), but for the first question."""

    def event(self, row: int) -> Event:
        """The row's newest event; in lists its only one."""

    def value(self, column: int, row: int) -> Value:
        """A cell; None when unknown."""

    def numbers(self, column: int) -> Numbers | None:
        """A column that is added up, whole; None for columns of single values."""

    def weights(self, column: int) -> Numbers | None:
        """What rows are sorted by on a column that is added up."""

    def single(self, column: int) -> Single | None:
        """A column that has its values from one event of each row, whole; None of others."""

    @property
    def tree(self) -> Tree | None:
        """The tree that the rows are, None when they are none."""


class Grouping:
    """Totals of a table view over the segments taken in so far."""

    def __init__(self, store: Store, view: View, kept: Filter, containers: bool, window: Window | None) -> None:
        """Prepare; ``kept`` decides which threads without events have rows."""
        self._store = store
        self._filter = kept
        self._columns = view.columns_for(containers)
        self._merged = view.group is not None
        self._is_tree = view.tree is not None
        self._idle_fds = view.idle_fds
        # Where many have come and gone, a window's totals need no place for those of others.
        shared = window is None or len(store.threads) < _MANY
        self._key = make_key(store, view.key_for(containers), view.group, shared=shared)
        self._window = window
        self._lives = Lives(store, window)
        self._of_threads = of_threads(view.key_for(containers)) and isinstance(self._key, ThreadKey)
        self._cpu = CpuTimes()
        self._by_switches = not self._of_threads and any(column.field in PER_THREAD for column in self._columns)
        self._now: Seen | None = None
        self._first: int | None = None
        """Number of the first event taken in."""
        mine = [column for column in self._columns if is_summed(column) and column.field not in PER_THREAD]
        # The first one, of all the row's events, also tells where each code was seen.
        self._sums = {
            where: Sums(store, [column for column in mine if column.where == where], where)
            for where in dict.fromkeys(("", *(column.where for column in mine)))
        }

    def add(self, segment: Segment, mask: NDArray[np.bool_]) -> None:
        """Take in the next sealed segment; ``mask`` is what the filter keeps of it."""
        if self._first is None:
            self._first = segment.first
        self._lives.add(segment)
        inside = segment.inside(self._window)
        if inside is not None:
            mask = mask & inside
        if not mask.any():
            return
        codes = self._key.look_up(segment, mask)
        for sums in self._sums.values():
            sums.add(segment, mask, codes, len(self._key))
        if self._by_switches:
            self._cpu.add(segment, mask, codes.index, codes.table, len(self._key))

    def forget(self) -> bool:
        """What is added up holds as long as all of it is kept."""
        return self._first is None or self._first >= self._store.forgotten

    def rows(self) -> Rows:
        """The rows by now."""
        self._now = self._seen()
        rows = Groups(self._store, self._columns, self._key, self._merged, self._numbers, self._spread, self._now)
        if self._is_tree:
            rows.plant()
        return rows

    def _seen(self) -> Seen:
        """Where each code was seen: as events, or else as a stand-in for a thread without any."""
        stand_ins = None
        stood = np.empty(0, np.int64), np.empty(0, np.int64)
        if self._of_threads:
            stand_ins = self._lives.stand_ins()
        elif self._idle_fds:
            stand_ins = self._lives.open_fds()
        if stand_ins is not None and len(stand_ins):
            mask = self._filter.mask(self._store, stand_ins)
            codes = codes_of(self._key.look_up(stand_ins, mask))
            rows = np.flatnonzero(mask & (codes >= 0))
            stood = rows, codes[rows].astype(np.int64)
        # Looking stand-ins up may have given new codes.
        count = len(self._key)
        standing = np.full(count, -1, np.int64)
        standing[stood[1]] = stood[0]
        totals = self._sums[""].totals
        totals.make_room(count)
        return Seen(totals.first[:count].copy(), totals.last[:count].copy(), standing, stand_ins, stood)

    def _spread(self, column: Column) -> Spread:
        return self._sums[column.where].spread(column.field)

    def _numbers(self, column: Column) -> Numbers:
        """A summed column by code."""
        if column.field not in PER_THREAD:
            return self._with_standing(
                column, self._sums[column.where].numbers(column, len(self._key), self._lives.seconds)
            )
        if self._of_threads:
            return self._per_thread(column.field)
        return self._cpu.percent(len(self._key), self._lives.seconds)

    def _with_standing(self, column: Column, numbers: Numbers) -> Numbers:
        """Extremes of what is so of processes count threads without events too."""
        assert self._now is not None
        told = None
        if self._now.stand_ins is not None:
            told = self._sums[column.where].standing(column, self._now.stand_ins)
        if told is None:
            return numbers
        rows, codes = self._now.stood
        rows, codes = rows[told[1][rows]], codes[told[1][rows]]
        most = column.aggregation is Aggregation.MAX
        values = np.where(numbers[1], numbers[0], -np.inf if most else np.inf)
        (np.maximum if most else np.minimum).at(values, codes, told[0][rows])
        return values, np.isfinite(values)

    def _per_thread(self, field: str) -> Numbers:
        assert isinstance(self._key, ThreadKey)
        rows, values = self._lives.numbers(field)
        codes = self._key.codes(rows)
        codes, values = codes[codes >= 0], values[codes >= 0]
        count = len(self._key)
        result = np.zeros(count)
        if field in CPU_TIMES:
            np.add.at(result, codes, values)
        else:
            np.maximum.at(result, codes, values)
        seen = np.zeros(count, np.bool_)
        seen[codes] = True
        return result, seen


def of_threads(key: str) -> bool:
    """True when a key is one field of threads."""
    return AND not in key and look_up(key)[0].place is Place.THREAD


class Seen:
    """Where each code was seen first and last (index of the event, -1 never), or its stand-in (-1 none).

    ``stood`` has the row of every stand-in with a code, and that code.
    """

    def __init__(
        self,
        first: NDArray[np.int64],
        last: NDArray[np.int64],
        standing: NDArray[np.int64],
        stand_ins: Segment | None,
        stood: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        """Hold arrays by code."""
        self.first, self.last, self.standing, self.stand_ins, self.stood = first, last, standing, stand_ins, stood

    def in_order(self) -> NDArray[np.int64]:
        """Codes that make rows: those with events by their first, then those without by their stand-in."""
        active = np.flatnonzero(self.first >= 0)
        idle = np.flatnonzero((self.first < 0) & (self.standing >= 0))
        idle = idle[np.argsort(self.standing[idle])]
        return np.concatenate([active[np.argsort(self.first[active], kind="stable")], idle])


class Groups:
    """Rows of a table view at one moment. A row is made of one code, or of several merged by their group."""

    def __init__(
        self,
        store: Store,
        columns: tuple[Column, ...],
        key: Key,
        merged: bool,
        sums: Callable[[Column], Numbers],
        spread: Callable[[Column], Spread],
        seen: Seen,
    ) -> None:
        """Freeze what the totals say now."""
        self._store = store
        self._columns = columns
        self._seen = seen
        self._codes = seen.in_order()
        self._keys: list[Value]
        if merged:
            assert isinstance(key, ThreadKey | GroupedKey)
            self._keys, self._row = numbered([key.group(code) for code in self._codes.tolist()])
        else:
            self._keys = [key.value(code) for code in self._codes.tolist()]
            self._row = np.arange(len(self._codes))
        self._fields = [look_up(column.field) for column in columns]
        self._merged = merged
        self._numbers: list[Numbers | None] = []
        self._histograms: dict[int, NDArray[np.int64]] = {}
        self._singles: dict[int, Single] = {}
        row_of = np.full(len(key), -1, np.int64)
        row_of[self._codes] = self._row
        for place, column in enumerate(columns):
            if column.aggregation in PERCENTILES:
                percent = PERCENTILES[column.aggregation]
                self._numbers.append(spread(column).percentile(row_of, len(self._keys), percent))
            elif column.aggregation in SPREADS:
                self._histograms[place] = spread(column).histogram(row_of, len(self._keys))
                self._numbers.append(None)
            else:
                self._numbers.append(self._merge(column, sums))

        self.tree: Tree | None = None

    def plant(self) -> None:
        """Make a tree of the rows, which are processes."""
        places = self._places
        parents = []
        for row in range(len(self)):
            thread = self._event(self._first_code[row], False).thread
            above = ancestors(thread, self._store) if thread is not None else ()
            found = (places[one.pid] for one in above if places.get(one.pid, row) != row)
            parents.append(next(found, -1))
        self.tree = Tree(parents)
        for place, column in enumerate(self._columns):
            numbers = self._numbers[place]
            if column.subtree and numbers is not None:
                values, known = numbers
                told = self.tree.totals(known.astype(np.float64)) > 0
                self._numbers[place] = self.tree.totals(np.where(known, values, 0)), told

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, row: int) -> Value:
        """The key, or the group's value."""
        return self._keys[row]

    def row_of(self, key: Value) -> int | None:
        """The row with a key."""
        return self._places.get(key)

    @cached_property
    def _places(self) -> dict[Value, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self._keys)}

    def numbers(self, column: int) -> Numbers | None:
        """A column that is added up."""
        return self._numbers[column]

    weights = numbers

    def single(self, column: int) -> Single | None:
        """A column of the first or last events' values."""
        if self._numbers[column] is not None or column in self._histograms:
            return None
        if column not in self._singles:
            one = self._columns[column]
            newest = one.aggregation is Aggregation.LAST
            self._singles[column] = Single(self._store, one.field, self._pieces(newest), len(self))
        return self._singles[column]

    def _pieces(self, newest: bool) -> Pieces:
        """The event that tells each row's value, or its stand-in."""
        seen = self._seen
        codes = self._last_code if newest else self._first_code
        events = (seen.last if newest else seen.first)[codes]
        pieces = pieces_of(self._store, events)
        if seen.stand_ins is not None and (events < 0).any():
            idle = np.flatnonzero(events < 0)
            pieces.append((seen.stand_ins, seen.standing[codes[idle]], idle))
        return pieces

    def value(self, column: int, row: int) -> Value:
        """A number that was added up, or the field of the row's first or last event."""
        numbers = self._numbers[column]
        if numbers is not None:
            values, known = numbers
            return plain(values[row]) if known[row] else None
        if column in self._histograms:
            return tuple(self._histograms[column][row].tolist())
        field, argument = self._fields[column]
        newest = self._columns[column].aggregation is Aggregation.LAST
        return field.of(self._event(self._last_code[row] if newest else self._first_code[row], newest), argument)

    def event(self, row: int) -> Event:
        """The newest event of a row, a stand-in where there is none."""
        return self._event(int(self._last_code[row]), True)

    def _event(self, code: int, newest: bool) -> Event:
        index = int((self._seen.last if newest else self._seen.first)[code])
        if index >= 0:
            return event_at(self._store, index)
        assert self._seen.stand_ins is not None
        return Event(self._store, self._seen.stand_ins, int(self._seen.standing[code]))

    @cached_property
    def _first_code(self) -> NDArray[np.int64]:
        """The code of each row that was seen first."""
        codes = np.empty(len(self._keys), np.int64)
        codes[self._row[::-1]] = self._codes[::-1]
        return codes

    @cached_property
    def _last_code(self) -> NDArray[np.int64]:
        """The code of each row that was seen last."""
        by_last = np.argsort(self._seen.last[self._codes], kind="stable")
        codes = np.empty(len(self._keys), np.int64)
        codes[self._row[by_last]] = self._codes[by_last]
        return codes

    def _merge(self, column: Column, sums: Callable[[Column], Numbers]) -> Numbers | None:
        """A column by row."""
        if self._merged and column.merge is Aggregation.COUNT:
            return self._count(column)
        if not is_summed(column):
            return None
        values, known = sums(column)
        values, known = values[self._codes], known[self._codes]
        if not self._merged:
            return values, known
        result = np.zeros(len(self._keys))
        rows, values = self._row[known], values[known]
        samples = np.bincount(rows, minlength=len(self._keys))
        match column.merge:
            case Aggregation.SUM | Aggregation.AVG:
                np.add.at(result, rows, values)
                if column.merge is Aggregation.AVG:
                    result /= np.maximum(samples, 1)
            case Aggregation.MIN:
                result[:] = np.inf
                np.minimum.at(result, rows, values)
            case _:
                np.maximum.at(result, rows, values)
        return result, samples > 0

    def _count(self, column: Column) -> Numbers:
        """How many different values the merged codes have in a column."""
        field, argument = look_up(column.field)
        found: list[set[Value]] = [set() for _ in self._keys]
        for code, row in zip(self._codes, self._row, strict=True):
            value = field.of(self._event(int(code), False), argument)
            if value is not None:
                found[row].add(value)
        return np.array([len(values) for values in found], np.float64), np.ones(len(found), np.bool_)


def plain(number: float) -> int | float:
    """A number without a fraction as an int."""
    return int(number) if float(number).is_integer() else float(number)

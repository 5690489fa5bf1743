"""Which values a field has in a store, and in how many events.

Counted through the columns, segment by segment: events of each row of a table first, then the field's value of each
row, once. Work is done within a given time and kept, so that an answer may be incomplete and the next one goes on from
there. What is counted of segments that a store has dropped is taken out again. For one thread.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.events import CATALOGUE, TYPES, Category
from engine.fields.field import Field, FieldType, Place, Value
from engine.store.segment import Segment
from engine.store.store import Store
from engine.text import address

Single = bytes | int | float | bool
"""A value, lists and either-end values taken apart."""

MOST_VALUES = 1 << 16
"""Values of a field kept: those of the rows with most events."""
_MOST_OF_SEGMENT = 4096
"""Values of a column in one segment, past which none is worth offering."""
_FIELDS = 32
"""Fields whose values are kept, the least recently asked dropped first."""
_ROWS = 256
"""Rows of a table looked at between two looks at the clock."""
_ROWS_AT_ONCE = 1 << 14
"""Rows looked at for one answer at most."""
_ENDLESS = frozenset({FieldType.TIME, FieldType.DURATION, FieldType.FLOAT})
"""Types whose values are measured, each mostly another."""


@dataclass(frozen=True, slots=True)
class Present:
    """Values of a field; of networks, as text, those the addresses are in."""

    counts: Iterable[tuple[Single, int]]
    """Each value once, with how many events have it; the most frequent first."""
    complete: bool
    """False while segments or rows have not been looked at."""


class Presence:
    """Counts over one store, growing with it."""

    fields: frozenset[str] = frozenset()
    """None that is asked for changes its values later."""

    def __init__(self, store: Store) -> None:
        """Nothing is counted yet."""
        self._store = store
        self._tables = {
            Place.TYPE: _Rows(lambda segment: segment.type[_counted(segment)]),
            Place.THREAD: _Rows(lambda segment: segment.thread[_counted(segment)]),
            Place.FD: _Rows(self._identities),
        }
        self._fields: OrderedDict[tuple[str, str | None], _OfTable | _OfColumn] = OrderedDict()

    def _identities(self, segment: Segment) -> NDArray[Any]:
        rows = segment.fd_row[_counted(segment)]
        return self._store.fds.rows["identity"][rows[rows >= 0]]

    def values(self, field: Field, argument: str | None, seconds: float) -> Present:
        """What is known of a field's values after at most about ``seconds`` of counting. Fields read late from single
        events, and measured ones, have none."""
        if field.place is Place.LATE or field.type in _ENDLESS:
            return Present((), True)
        deadline = time.perf_counter() + seconds
        key = (field.name, argument)
        if key not in self._fields:
            self._fields[key] = (
                _OfColumn(field, argument)
                if field.place is Place.EVENT
                else _OfTable(field, argument, self._tables[field.place])
            )
        self._fields.move_to_end(key)
        while len(self._fields) > _FIELDS:
            self._fields.popitem(last=False)
        return self._fields[key].values(self._store, deadline)

    def forget(self) -> bool:
        """Segments the store has forgotten are taken out when values are asked for."""
        return True


_SHOWN = np.array([kind.category is not Category.INTERNAL for kind in CATALOGUE])
"""Event lines, and the counts of filters, leave out what capturing itself makes."""


def _counted(segment: Segment) -> NDArray[np.bool_]:
    """The events of a segment that a filter is said to keep or not."""
    shown: NDArray[np.bool_] = _SHOWN[segment.type] & segment.visible
    return shown


class _PerSegment:
    """Something added up over segments and taken out when they are dropped."""

    def __init__(self) -> None:
        self._taken: list[tuple[Segment, Any]] = []

    def update(self, segments: Sequence[Segment], deadline: float) -> bool:
        """Take in segments until the time is over; False when some are left."""
        segments = list(segments)
        while self._taken and (not segments or self._taken[0][0] is not segments[0]):
            self._change(self._taken.pop(0)[1], -1)
        for segment in segments[len(self._taken) :]:
            part = self._part(segment)
            self._change(part, 1)
            self._taken.append((segment, part))
            if time.perf_counter() > deadline:
                break
        return len(self._taken) == len(segments)

    def _part(self, segment: Segment) -> Any:
        raise NotImplementedError

    def _change(self, part: Any, sign: int) -> None:
        raise NotImplementedError


class _Rows(_PerSegment):
    """Events of each row of a table."""

    def __init__(self, column: Callable[[Segment], NDArray[Any]]) -> None:
        super().__init__()
        self._column = column
        self.counts = np.zeros(TYPES, np.int64)

    def _part(self, segment: Segment) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        counts = np.bincount(self._column(segment) + 1)[1:]
        rows = np.flatnonzero(counts)
        return rows.astype(np.int32), counts[rows].astype(np.int32)

    def _change(self, part: tuple[NDArray[np.int32], NDArray[np.int32]], sign: int) -> None:
        rows, counts = part
        if len(rows):
            most = int(rows[-1]) + 1
            if most > len(self.counts):
                self.counts = np.append(self.counts, np.zeros(2 * most - len(self.counts), np.int64))
            self.counts[rows] += sign * counts


class _OfTable:
    """Values of a field that is the same for all events of a table's row."""

    def __init__(self, field: Field, argument: str | None, rows: _Rows) -> None:
        self._field = field
        self._argument = argument
        self._rows = rows
        self._revision = -1
        self._forget()

    def _forget(self) -> None:
        self._ids: dict[Value, int] = {}
        self._of_row = np.full(256, -1, np.int32)

    def values(self, store: Store, deadline: float) -> Present:
        if store.revision != self._revision:
            self._revision = store.revision
            self._forget()
        complete = self._rows.update(store.segments, deadline)
        counts = self._rows.counts
        if len(counts) > len(self._of_row):
            self._of_row = np.append(self._of_row, np.full(len(counts) - len(self._of_row), -1, np.int32))
        of_row = self._of_row[: len(counts)]
        unknown = np.flatnonzero((counts > 0) & (of_row < 0))
        asked = unknown
        if len(unknown) > _ROWS_AT_ONCE:
            asked = unknown[np.argpartition(-counts[unknown], _ROWS_AT_ONCE)[:_ROWS_AT_ONCE]]
        for start in range(0, len(asked), _ROWS):
            if len(self._ids) >= MOST_VALUES:
                break
            for row in asked[start : start + _ROWS].tolist():
                of_row[row] = self._ids.setdefault(self._value(store, row), len(self._ids))
            if time.perf_counter() > deadline:
                break
        left = len(self._ids) < MOST_VALUES and bool((of_row[unknown] < 0).any())
        return Present(self._ranked(counts, of_row), complete and not left)

    def _value(self, store: Store, row: int) -> Value:
        match self._field.place:
            case Place.TYPE:
                found = self._field.value(CATALOGUE[row], self._argument)
            case Place.THREAD:
                found = self._field.value(store.threads[row], store, self._argument)
            case _:
                found = self._field.value(store.fds.identities[row], store, self._argument)
        if self._field.type is FieldType.NETWORK and found is not None:
            addresses = found if isinstance(found, tuple) else (found,)
            return tuple({_network(one) for one in addresses if len(one) in (4, 16)})
        return found  # type: ignore[no-any-return]

    def _ranked(self, counts: NDArray[np.int64], of_row: NDArray[np.int32]) -> Iterable[tuple[Single, int]]:
        known = np.flatnonzero((of_row >= 0) & (counts > 0))
        sums = np.bincount(of_row[known], counts[known], len(self._ids)).astype(np.int64)
        values = list(self._ids)
        if self._field.multiple or self._field.is_list or self._field.type is FieldType.NETWORK:
            singles: dict[Single, int] = {}
            for value, count in zip(values, sums.tolist(), strict=True):
                several: tuple[Single, ...] = value if isinstance(value, tuple) else ()
                for single in set(several):
                    singles[single] = singles.get(single, 0) + count
            return _falling(singles)
        return (
            (value, int(sums[place]))
            for place in np.argsort(-sums, kind="stable").tolist()
            if (value := values[place]) is not None and not isinstance(value, tuple)
        )


def _network(packed: bytes) -> bytes:
    """The text of the network an address is in: /24 of IPv4, /64 of IPv6."""
    kept, prefix = (3, 24) if len(packed) == 4 else (8, 64)
    return f"{address(packed[:kept].ljust(len(packed), bytes(1)))}/{prefix}".encode()


def _falling(counts: Mapping[Single, int]) -> list[tuple[Single, int]]:
    return sorted(counts.items(), key=lambda entry: -entry[1])


class _OfColumn(_PerSegment):
    """Values of a field that is computed from columns."""

    def __init__(self, field: Field, argument: str | None) -> None:
        super().__init__()
        self._field = field
        self._argument = argument
        self._store: Store | None = None
        self._sums: dict[int, int] = {}
        self._many = False

    def values(self, store: Store, deadline: float) -> Present:
        self._store = store
        if self._many:
            return Present((), True)
        complete = self.update(store.segments, deadline)
        words, as_bool = self._field.words, self._field.type is FieldType.BOOL
        named: dict[Single, int] = {}
        for code, count in self._sums.items():
            value = bool(code) if as_bool else code if words is None else words(code)
            named[value] = named.get(value, 0) + count
        return Present(_falling(named), complete)

    def _part(self, segment: Segment) -> dict[int, int]:
        if self._many:
            return {}
        numbers = self._field.value(segment, self._store, self._argument)
        shown = _counted(segment)
        values = numbers.values[shown if numbers.present is None else shown & numbers.present]
        if not len(values):
            return {}
        low, high = int(values.min()), int(values.max())
        if high - low < MOST_VALUES:
            counts = np.bincount(values - low)
            distinct = np.flatnonzero(counts)
            found = dict(zip((distinct + low).tolist(), counts[distinct].tolist(), strict=True))
        else:
            distinct, counts = np.unique(values, return_counts=True)
            found = dict(zip(distinct.tolist(), counts.tolist(), strict=True)) if len(distinct) < MOST_VALUES else {}
        if not found or len(found) > _MOST_OF_SEGMENT or len(self._sums) > MOST_VALUES:
            self._many, self._sums = True, {}
            return {}
        return found

    def _change(self, part: dict[int, int], sign: int) -> None:
        for value, count in part.items():
            left = self._sums.get(value, 0) + sign * count
            if left:
                self._sums[value] = left
            else:
                self._sums.pop(value, None)

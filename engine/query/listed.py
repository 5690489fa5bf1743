"""The rows of a list view: one for each event its filter keeps, in order."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields import look_up
from engine.fields.field import Value
from engine.query.matches import Matches
from engine.query.single import Single
from engine.query.view import Column
from engine.store.segment import Segment, Window
from engine.store.store import Store


class Listing:
    """The events of a list view taken in so far; its own rows, as they are only ever added to."""

    def __init__(self, store: Store, columns: tuple[Column, ...], window: Window | None) -> None:
        """Prepare for the events of a window of time, None for all."""
        self._store = store
        self._columns = columns
        self._fields = [look_up(column.field) for column in columns]
        self._matches = Matches(store, "", window)
        self._singles: dict[int, Single] = {}

    def add(self, segment: Segment, mask: NDArray[np.bool_]) -> None:
        """Take in the next sealed segment; ``mask`` is what the filter keeps of it."""
        self._matches.add(segment, mask)
        self._singles.clear()

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        self._singles.clear()
        return self._matches.forget()

    def rows(self) -> Listing:
        """The rows by now."""
        return self

    def __len__(self) -> int:
        return len(self._matches)

    def key(self, row: int) -> Value:
        """The event's number: tells rows apart, nothing drills down on it."""
        return self._matches.at(row).number

    def row_of(self, key: Value) -> int | None:
        """The row of the event with a number."""
        assert isinstance(key, int)
        row = bisect_left(range(len(self)), key, key=lambda row: self._matches.at(row).number)
        return row if row < len(self) and self.key(row) == key else None

    def event(self, row: int) -> Event:
        """The row's event."""
        return self._matches.at(row)

    def value(self, column: int, row: int) -> Value:
        """A field of the row's event."""
        field, argument = self._fields[column]
        return field.of(self._matches.at(row), argument)

    def single(self, column: int) -> Single:
        """A column, whole."""
        if column not in self._singles:
            name, pieces = self._columns[column].field, self._matches.pieces()
            self._singles[column] = Single(self._store, name, pieces, len(self))
        return self._singles[column]

    tree = None
    """Events stand side by side."""

    def numbers(self, column: int) -> None:
        """Nothing is added up in a list."""

    weights = numbers

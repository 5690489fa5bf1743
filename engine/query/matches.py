"""The events a filter keeps, in order, as positions: nothing of them is read before it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.event import Event
from engine.query.single import Pieces
from engine.store.segment import Segment, Window
from engine.store.store import Store

Cancelled = Callable[[], bool]
"""Asked between segments; True gives up."""


def event_at(store: Store, index: int) -> Event:
    """The event with this index (its number - 1) in a sealed segment. O(log segments)."""
    place = bisect_right(store.segments, index, key=lambda segment: segment.first) - 1
    segment = store.segments[place]
    return Event(store, segment, index - segment.first)


class Matches:
    """Events of sealed segments that a filter keeps; ``update`` takes in the new ones."""

    def __init__(self, store: Store, filter_text: str, window: Window | None = None) -> None:
        """Prepare for the events of a window, None for all; raises FilterError for a bad filter."""
        self.store = store
        self._window = window
        self._filter = filters.compile(filter_text)
        self.fields = self._filter.fields()
        self._taken = 0
        self._rows: list[tuple[Segment, NDArray[np.int32] | range]] = []
        self._ends: list[int] = []
        """Matches up to and including each entry of ``_rows``."""
        self.forgotten = 0
        """Matches that were taken out at the front."""

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def update(
        self, cancelled: Cancelled = lambda: False, mask: Callable[[Segment], NDArray[np.bool_]] | None = None
    ) -> bool:
        """Take in segments sealed since; False when given up halfway (what was taken in stays). ``mask`` tells what the
        filter keeps, where that is known already."""
        mask = mask or partial(self._filter.mask, self.store)
        for segment in self.store.since(self._taken, self._window):
            if cancelled():
                return False
            self.add(segment, mask(segment))
            self._taken = segment.first + len(segment)
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        gone = sum(segment.first < self.store.forgotten for segment, _ in self._rows)
        if gone:
            before = self._ends[gone - 1]
            self.forgotten += before
            del self._rows[:gone]
            self._ends = [end - before for end in self._ends[gone:]]
        return True

    def add(self, segment: Segment, mask: NDArray[np.bool_]) -> None:
        """Take in the matches of the next segment."""
        inside = segment.inside(self._window)
        if inside is not None:
            mask = mask & inside
        rows = range(len(mask)) if mask.all() else np.flatnonzero(mask).astype(np.int32)
        if len(rows):
            self._rows.append((segment, rows))
            self._ends.append(len(self) + len(rows))

    def pieces(self, indexes: NDArray[np.intp] | None = None) -> Pieces:
        """The matches with some indexes, ascending, each telling of its place among these; None: all."""
        if indexes is None:
            indexes = np.arange(len(self))
        if not len(indexes):
            return []
        first, last = (bisect_right(self._ends, int(indexes[at])) for at in (0, -1))
        bounds = [self._ends[first - 1] if first else 0, *self._ends[first : last + 1]]
        edges = np.searchsorted(indexes, bounds).tolist()
        pieces: Pieces = []
        for (segment, rows), before, (start, end) in zip(self._rows[first:], bounds, pairwise(edges), strict=False):
            if start < end:
                mine = indexes[start:end] - before
                pieces.append(
                    (segment, mine if isinstance(rows, range) else rows[mine].astype(np.intp), np.arange(start, end))
                )
        return pieces

    def at(self, index: int) -> Event:
        """The match with this index, 0 the first. O(log segments)."""
        place = bisect_right(self._ends, index)
        segment, rows = self._rows[place]
        start = self._ends[place - 1] if place else 0
        return Event(self.store, segment, int(rows[index - start]))

"""How long calls took, and when: numbers of calls by time and latency.

Rows are cells of time as in a timeline, columns are equal parts of the decades from 1 ns to 100 s.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.query.compose import compose
from engine.query.matches import Cancelled
from engine.query.snapshots import Level
from engine.query.widths import width_for
from engine.query.work import EVERYTHING, Coverage, PanelRequest, PanelSnapshot, SupersededError, Work
from engine.store.segment import Segment, Window
from engine.store.store import Store

DECADES = 11
"""From 1 ns to 100 s."""
CALLS = "syscall.type exists and evt.dir=<"
"""Filter of what has a latency."""
FILES = "fd.type=file"
SHARE = 0.04
"""Seconds of counting after which there is an answer, complete or not."""
GRIDS_KEPT = 3
Counts = NDArray[np.int64]


def edges(columns: int) -> Counts:
    """The least latency of each column, ns; what is shorter is in the first, what is longer in the last."""
    return np.ceil(10.0 ** (np.arange(columns) * DECADES / columns) - 1e-9).astype(np.int64)


@dataclass(frozen=True)
class SpectrogramSnapshot(PanelSnapshot):
    """Calls by time and latency."""

    start: int = 0
    """When the first row begins, ns since epoch."""
    width: int = 1
    """Of a row, ns."""
    counts: Counts = field(default_factory=lambda: np.zeros((0, 1), np.int64))
    """By row and column."""
    filter: str = ""
    """Keeps what is counted."""
    coverage: Coverage = EVERYTHING


@dataclass(frozen=True, slots=True)
class SpectrogramRequest(PanelRequest):
    """Which calls, over which time, in how many rows and columns."""

    levels: tuple[Level, ...] = ()
    filter: str = ""
    window: Window | None = None
    rows: int = 20
    columns: int = 66
    files: bool = False
    """Only calls on files."""

    def answer(self, work: Work) -> SpectrogramSnapshot:
        """Count for a moment; the answer is complete once every segment is in."""
        text = filters.combine(compose(self.filter, self.levels, None), CALLS, FILES if self.files else "")
        run = work.keep(SpectrogramRun, (text, self.window), lambda: SpectrogramRun(work.store, text, self.window))
        span = self.window or work.store.time_span
        if not span[1]:
            return SpectrogramSnapshot(self)
        width = width_for(span, self.rows)
        first = span[0] // width
        count = min(self.rows, span[1] // width - first + 1)
        done = run.update(width, self.columns, work.given_up)
        counts = run.cells(width, self.columns, first, count)
        return SpectrogramSnapshot(self, "", done, first * width, width, counts, text, work.coverage(self.window, text))

    def failed(self, message: str) -> SpectrogramSnapshot:
        """Nothing to see."""
        return SpectrogramSnapshot(self, message)


class SpectrogramRun:
    """What a filter keeps in a window, by grid and segment."""

    def __init__(self, store: Store, filter_text: str, window: Window | None) -> None:
        """Prepare; raises FilterError."""
        self._store = store
        self._window = window
        self._filter = filters.compile(filter_text)
        self.fields = self._filter.fields()
        self._grids: OrderedDict[tuple[int, int], dict[int, tuple[int, Counts]]] = OrderedDict()

    def update(self, width: int, columns: int, cancelled: Cancelled) -> bool:
        """Count what is missing; False when time was up before the end."""
        counted = self._grids.setdefault((width, columns), {})
        self._grids.move_to_end((width, columns))
        while len(self._grids) > GRIDS_KEPT:
            self._grids.popitem(last=False)
        began = time.monotonic()
        for segment in self._store.since(0, self._window):
            if segment.first in counted:
                continue
            if cancelled():
                raise SupersededError
            if time.monotonic() - began > SHARE:
                return False
            counted[segment.first] = self._count(segment, width, columns)
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        for counted in self._grids.values():
            for gone in [first for first in counted if first < self._store.forgotten]:
                del counted[gone]
        return True

    def _count(self, segment: Segment, width: int, columns: int) -> tuple[int, Counts]:
        """First row of a segment, counted from the epoch, and its counts."""
        mask = self._filter.mask(self._store, segment) & (segment.latency >= 0)
        inside = segment.inside(self._window)
        if inside is not None:
            mask &= inside
        rows = segment.time[mask] // width
        if not len(rows):
            return 0, np.zeros((0, columns), np.int64)
        first = int(rows.min())
        places = np.searchsorted(edges(columns), segment.latency[mask], "right") - 1
        flat = (rows - first) * columns + np.maximum(places, 0)
        height = int(rows.max()) - first + 1
        return first, np.bincount(flat, minlength=height * columns).reshape(height, columns)

    def cells(self, width: int, columns: int, first: int, count: int) -> Counts:
        """Counts of rows from a number on."""
        counts = np.zeros((count, columns), np.int64)
        for start, part in self._grids[width, columns].values():
            at = start - first
            into = slice(max(at, 0), max(0, min(at + len(part), count)))
            if into.start < into.stop:
                counts[into] += part[into.start - at : into.stop - at]
        return counts

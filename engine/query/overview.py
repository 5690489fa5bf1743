"""The overview: totals of every tile over a window, and how each spread over time.

Owns the counting. What is counted is declared in ``tiles``. Segments are counted one after the other, each for itself,
so that a growing capture costs only what is new and forgotten segments can be taken out, and in short turns, so that
nobody else waits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.kernels import measured, occurring, tally
from engine.fields import look_up
from engine.query.compose import compose
from engine.query.keys import codes_of, make_key
from engine.query.lines import NOT_INTERNAL
from engine.query.lives import Lives
from engine.query.matches import Cancelled
from engine.query.snapshots import Level
from engine.query.tiles import TILES, Counted, Tile
from engine.query.totals import Measures
from engine.query.work import PanelRequest, PanelSnapshot, Work
from engine.store.segment import Segment, Window
from engine.store.store import Store

CELLS = 32
"""Cells of a sparkline at most; at least half of them are used."""
_BYTES = look_up("evt.buflen")[0]
SHARE = 0.04
"""Seconds of counting after which there is an answer, complete or not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A tile's total and its course."""

    tile: Tile
    total: int
    course: tuple[float, ...]
    """Events, or bytes, of each cell of time."""
    error: str = ""
    """Why there is no figure."""


@dataclass(frozen=True)
class OverviewSnapshot(PanelSnapshot):
    """All tiles."""

    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class OverviewRequest(PanelRequest):
    """Of what to tell the figures."""

    levels: tuple[Level, ...] = ()
    filter: str = ""
    window: Window | None = None

    def answer(self, work: Work) -> OverviewSnapshot:
        """Count for a moment; the answer is complete once every segment is in."""
        text = compose(self.filter, self.levels, None)
        run = work.keep(OverviewRun, (text, self.window), lambda: OverviewRun(work.store, text, self.window))
        began = time.monotonic()
        done = run.update(lambda: time.monotonic() - began > SHARE)
        work.check()
        if done:
            run.look_at_open()
        return OverviewSnapshot(self, "", done, run.figures())

    def failed(self, message: str) -> OverviewSnapshot:
        """No figures."""
        return OverviewSnapshot(self, message)


class OverviewRun:
    """Every tile of what a filter keeps in a window."""

    def __init__(self, store: Store, filter_text: str, window: Window | None) -> None:
        """Prepare; raises FilterError for the filter, but not for a tile's own."""
        self._store = store
        self._window = window
        filters.compile(filter_text)
        self._counts = [_Count(store, tile, filter_text, window) for tile in TILES]
        self._next = 0
        """Which tile is counted next in the segment at work."""
        self._taken = 0

    def update(self, time_is_up: Cancelled) -> bool:
        """Count on; False when time was up before the end. At least one tile of a segment is counted."""
        for segment in self._store.since(self._taken, self._window):
            inside = segment.inside(self._window)
            for count in self._counts[self._next :]:
                count.add(segment, inside, self._width(segment))
                self._next += 1
                if time_is_up():
                    break
            if self._next == len(self._counts):
                self._next = 0
                self._taken = segment.first + len(segment)
            if self._next or time_is_up():
                return not self._next and self._taken >= self._store.events
        return True

    def look_at_open(self) -> None:
        """Count what is open, once all segments are in."""
        lives = Lives(self._store, self._window)
        for segment in self._store.since(0, self._window):
            lives.add(segment)
        is_open = lives.open_fds()
        for count in self._counts:
            count.look_at(is_open)

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        for count in self._counts:
            count.forget()
        if self._taken < self._store.forgotten:
            self._taken, self._next = self._store.forgotten, 0
        return True

    def _width(self, segment: Segment) -> int:
        """Of a segment's cells, ns: that of the shorter one of it and the window."""
        spans = (self._window or segment.time_span, segment.time_span)
        return _width(min(spans, key=lambda span: span[1] - span[0]))

    def figures(self) -> tuple[Figure, ...]:
        """What was counted so far."""
        start, end = self._window or self._store.time_span
        width = _width((start, end))
        first, count = start // width, max(1, min(CELLS, end // width - start // width + 1))
        return tuple(each.figure(width, first, count) for each in self._counts)


def _width(span: Window) -> int:
    """Of cells over a span, ns: a power of two, so that cells of a shorter span join to those of a longer one."""
    width = 1
    while span[1] // width - span[0] // width >= CELLS:
        width *= 2
    return width


@dataclass(frozen=True, slots=True)
class _Part:
    """What a tile counts in one segment."""

    total: int
    starts: NDArray[np.int64]
    """When its cells begin, ns since epoch."""
    values: NDArray[np.float64]
    """Events, or bytes, of each cell."""
    codes: NDArray[np.int64]
    """Different values in it."""


class _Count:
    """One tile being counted."""

    def __init__(self, store: Store, tile: Tile, filter_text: str, window: Window | None) -> None:
        self._store = store
        self._window = window
        self._tile = tile
        self._error = ""
        self._parts: dict[int, _Part] = {}
        """By number of the segment's first event; of segments with something to count."""
        try:
            # Open descriptors stand for no call at all.
            own = "" if tile.counted is Counted.OPEN else NOT_INTERNAL
            self._filter = filters.compile(filters.combine(tile.filter, filters.combine(filter_text, own)))
        except filters.FilterError as error:
            self._error = str(error)
        self._key = make_key(store, tile.field, None) if tile.field else None
        self._open = 0
        self._measures = Measures([*_BYTES.measures] if tile.counted is Counted.BYTES else [])

    def add(self, segment: Segment, inside: NDArray[np.bool_] | None, width: int) -> None:
        """Count one segment, ``inside`` the window, over cells of a width."""
        if self._error or self._tile.counted is Counted.OPEN:
            return
        mask = self._filter.mask(self._store, segment)
        if inside is not None:
            mask = mask & inside
        if not mask.any():
            return
        weights = None
        if self._tile.counted is Counted.BYTES:
            kinds = self._store.fds.rows["kind"]
            weights, mask = measured(segment, mask, kinds, self._measures, (1 << self._measures.count) - 1)
        found = np.empty(0, np.int64)
        if self._key is not None:
            codes = self._key.look_up(segment, mask)
            found = np.flatnonzero(occurring(codes.index, codes.table, mask, len(self._key)))
        shift = width.bit_length() - 1
        start, end = segment.time_span
        if self._window is not None:
            start, end = max(start, self._window[0]), min(end, self._window[1])
        first = start >> shift
        values = np.zeros((end >> shift) - first + 1)
        tally(segment.time, mask, weights, shift, first, values)
        self._parts[segment.first] = _Part(int(values.sum()), (first + np.arange(len(values))) << shift, values, found)

    def look_at(self, is_open: Segment) -> None:
        """Count open descriptors, each an event that stands in for it."""
        if self._tile.counted is Counted.OPEN and self._key is not None and not self._error:
            codes = codes_of(self._key.look_up(is_open, self._filter.mask(self._store, is_open)))
            self._open = len(np.unique(codes[codes >= 0]))

    def forget(self) -> None:
        """Take out segments the store has forgotten."""
        for gone in [first for first in self._parts if first < self._store.forgotten]:
            del self._parts[gone]

    def figure(self, width: int, first: int, count: int) -> Figure:
        """What was counted, over given cells."""
        course: NDArray[np.float64] = np.zeros(count)
        parts = self._parts.values()
        total = self._open + sum(part.total for part in parts)
        if parts:
            places = (np.concatenate([part.starts for part in parts]) >> (width.bit_length() - 1)) - first
            values = np.concatenate([part.values for part in parts])
            there = (places >= 0) & (places < count)
            course += np.bincount(places[there], values[there], count)
            if self._key is not None:
                seen = np.zeros(len(self._key), np.bool_)
                seen[np.concatenate([part.codes for part in parts])] = True
                total = int(np.count_nonzero(seen))
        return Figure(self._tile, total, tuple(course.tolist()), self._error)

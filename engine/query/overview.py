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
from engine.query.masks import Masks
from engine.query.matches import Cancelled
from engine.query.snapshots import Level
from engine.query.tiles import TILES, Counted, Tile
from engine.query.totals import Measures
from engine.query.widths import unit_of, width_for
from engine.query.work import EVERYTHING, Coverage, PanelRequest, PanelSnapshot, Work
from engine.store.segment import Segment, Window
from engine.store.store import Store

MOST_CELLS = 100
"""Cells of a course at most."""
_BYTES = look_up("evt.buflen")[0]
SHARE = 0.04
"""Seconds of counting after which there is an answer, complete or not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A tile's total and its course."""

    tile: Tile
    total: int
    course: tuple[float, ...]
    """Events, or bytes, of each cell of time; at most as many as were asked for."""
    error: str = ""
    """Why there is no figure."""
    span: Window | None = None
    """From when to when it happened, about; None for what did not."""


@dataclass(frozen=True)
class OverviewSnapshot(PanelSnapshot):
    """All tiles."""

    figures: tuple[Figure, ...] = ()
    counted: int = 0
    """Events counted."""
    share: float = 1.0
    """Of the events there are."""
    coverage: Coverage = EVERYTHING


@dataclass(frozen=True, slots=True)
class OverviewRequest(PanelRequest):
    """Of what to tell the figures."""

    levels: tuple[Level, ...] = ()
    filter: str = ""
    window: Window | None = None
    cells: int = 40
    """Of a course at most, MOST_CELLS or fewer."""

    def answer(self, work: Work) -> OverviewSnapshot:
        """Count for a moment; the answer is complete once every segment is in."""
        text = compose(self.filter, self.levels, None)
        run = work.keep(OverviewRun, (text, self.window), lambda: OverviewRun(work.store, text, self.window))
        began = time.monotonic()
        done = run.update(lambda: time.monotonic() - began > SHARE, work.masks(text) if text else None)
        work.check()
        if done:
            run.look_at_open()
        return OverviewSnapshot(
            self, "", done, run.figures(self.cells), *run.counted(), work.coverage(self.window, text)
        )

    def failed(self, message: str) -> OverviewSnapshot:
        """No figures."""
        return OverviewSnapshot(self, message)


class OverviewRun:
    """Every tile of what a filter keeps in a window."""

    def __init__(self, store: Store, filter_text: str, window: Window | None) -> None:
        """Prepare; raises FilterError for the filter, but not for a tile's own."""
        self._store = store
        self._window = window
        self.fields = (
            filters.compile(filter_text).fields().union(*(filters.compile(tile.filter).fields() for tile in TILES))
        )
        self._counts = [_Count(store, tile, filter_text, window) for tile in TILES]
        self._next = 0
        """Which tile is counted next in the segment at work."""
        self._taken = 0

    def update(self, time_is_up: Cancelled, masks: Masks | None) -> bool:
        """Count on; False when time was up before the end. At least one tile of a segment is counted. ``masks`` are
        those of the filter, None where it keeps everything: it is asked once for all tiles."""
        for segment in self._store.since(self._taken, self._window):
            among = None if masks is None else masks.of(segment)
            inside = segment.inside(self._window)
            if inside is not None:
                among = inside & (segment.visible if among is None else among)
            unit = unit_of(width_for(self._span, MOST_CELLS))
            for count in self._counts[self._next :]:
                count.add(segment, among, unit)
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

    def counted(self) -> tuple[int, float]:
        """How many events of the window are counted, and what share of it that is."""
        all_of_it = sum(map(len, self._store.since(0, self._window)))
        counted = all_of_it - sum(map(len, self._store.since(self._taken, self._window)))
        return counted, counted / all_of_it if all_of_it else 1.0

    @property
    def _span(self) -> Window:
        """What courses are over: the window, of which nothing need be known after the end or before the beginning."""
        first, last = self._store.time_span
        start, end = self._window or (first, last)
        return (max(start, first), min(end, last)) if start <= last and end >= first else (start, end)

    def figures(self, cells: int) -> tuple[Figure, ...]:
        """What was counted so far, courses in that many cells or a few less."""
        start, end = self._span
        width = width_for((start, end), min(cells, MOST_CELLS))
        first = start // width
        return tuple(each.figure(width, first, end // width - first + 1) for each in self._counts)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a tile counts in one segment."""

    total: int
    starts: NDArray[np.int64]
    """When those of its cells begin in which there is something, ns since epoch."""
    values: NDArray[np.float64]
    """Events, or bytes, of each of them."""
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
            # Open descriptors stand for no call at all, marks of losses are no events of anybody. What stands in for a
            # descriptor is in no segment, and the whole filter is asked about it.
            others = {Counted.OPEN: filter_text, Counted.LOST: ""}.get(tile.counted, NOT_INTERNAL)
            self._filter = filters.compile(filters.combine(tile.filter, others))
        except filters.FilterError as error:
            self._error = str(error)
        self._key = make_key(store, tile.field, None) if tile.field else None
        self._open = 0
        self._measures = Measures([*_BYTES.measures] if tile.counted is Counted.BYTES else [])

    def add(self, segment: Segment, among: NDArray[np.bool_] | None, unit: int) -> None:
        """Count one segment, ``among`` the events that may count (None: all), over cells of a unit (``widths``)."""
        if self._error or self._tile.counted is Counted.OPEN:
            return
        mask = self._filter.mask(self._store, segment, among)
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
        start, end = segment.time_span
        if self._window is not None:
            start, end = max(start, self._window[0]), min(end, self._window[1])
        first = start // unit
        values = np.zeros(end // unit - first + 1)
        tally(segment.time, mask, weights, unit, first, values)
        there = np.flatnonzero(values)
        self._parts[segment.first] = _Part(int(values.sum()), (first + there) * unit, values[there], found)

    def look_at(self, is_open: Segment) -> None:
        """Count open descriptors, each an event that stands in for it."""
        if self._tile.counted is Counted.OPEN and self._key is not None and not self._error:
            mask = self._filter.mask(self._store, is_open)
            codes = codes_of(self._key.look_up(is_open, mask))[mask]
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
        span = None
        if parts:
            places = np.concatenate([part.starts for part in parts]) // width - first
            values = np.concatenate([part.values for part in parts])
            there = (places >= 0) & (places < count)
            course += np.bincount(places[there], values[there], count)
            if self._key is not None:
                seen = np.zeros(len(self._key), np.bool_)
                seen[np.concatenate([part.codes for part in parts])] = True
                total = int(np.count_nonzero(seen))
            if len(places):
                span = (int(places.min()) + first) * width, (int(places.max()) + first + 1) * width - 1
        if self._tile.counted is Counted.LOST:
            for loss in self._store.losses_in(self._window):
                total += loss.count
                begin, end = (min(max(moment // width - first, 0), count - 1) for moment in loss.window)
                course[begin : end + 1] += loss.count / (end + 1 - begin)
                span = min(loss.window[0], (span or loss.window)[0]), max(loss.window[1], (span or loss.window)[1])
        return Figure(self._tile, total, tuple(course.tolist()), self._error, span)

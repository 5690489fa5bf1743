"""How much happened when: a measure of the events a filter keeps, over cells of equal time.

Cells begin at multiples of their width since the epoch, and widths come from a fixed ladder, so that what was counted
of a segment serves every range of that width. Losses are those the capture
itself or the live source tells of.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from engine.events import codes_by_name
from engine.fields import look_up
from engine.query.compose import compose
from engine.query.masks import Masks, without_internal
from engine.query.matches import Cancelled
from engine.query.snapshots import Level
from engine.query.work import PanelRequest, PanelSnapshot, SupersededError, Work
from engine.store.segment import Segment, Window
from engine.store.store import Store

Floats = NDArray[np.float64]
STEPS = (100, 125, 150, 200, 250, 300, 400, 500, 600, 800)
"""Widths within a decade, in hundredths: neighbours differ little, so that the cells there are get used."""
SHARE = 0.04
"""Seconds of counting after which there is an answer, complete or not."""
WIDTHS_KEPT = 4
_DROPS = np.array(codes_by_name().get("drop", ()), np.uint16)


class Measure(Enum):
    """What is counted; the value says it to people."""

    EVENTS = "events"
    ERRORS = "errors"
    BYTES = "bytes moved"
    LATENCY = "slowest call"


MEANINGS = {
    Measure.EVENTS: "Events a second.",
    Measure.ERRORS: "Failed calls a second.",
    Measure.BYTES: "Bytes read and written a second.",
    Measure.LATENCY: "The longest time a call took that ended then.",
}
_FIELDS = {Measure.ERRORS: "evt.count.error", Measure.BYTES: "evt.buflen"}


@dataclass(frozen=True)
class TimelineSnapshot(PanelSnapshot):
    """A timeline, one value a cell."""

    start: int = 0
    """When the first cell begins, ns since epoch."""
    width: int = 1
    """Of a cell, ns."""
    values: Floats = field(default_factory=lambda: np.zeros(0))
    """Per second, or ns for the slowest call."""
    losses: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Cells in which events were lost."""


@dataclass(frozen=True, slots=True)
class TimelineRequest(PanelRequest):
    """What to count, over which time, in how many cells at most."""

    levels: tuple[Level, ...] = ()
    filter: str = ""
    span: Window | None = None
    """None for everything there is."""
    cells: int = 80
    measure: Measure = Measure.EVENTS

    def answer(self, work: Work) -> TimelineSnapshot:
        """Count, for a moment; the answer is complete once every segment is in."""
        text = compose(self.filter, self.levels, None)
        run = work.keep(TimelineRun, (text, self.measure), lambda: TimelineRun(work.store, self.measure))
        span = self.span or work.store.time_span
        if not span[1]:
            return TimelineSnapshot(self)
        width = width_for(span, self.cells)
        start = span[0] // width * width
        count = min(self.cells, (span[1] - start) // width + 1)
        done = run.update(width, span, work.masks(text), work.given_up)
        work.check()
        values, losses = run.cells(width, start // width, count)
        return TimelineSnapshot(self, "", done, start, width, values, losses)

    def failed(self, message: str) -> TimelineSnapshot:
        """No timeline."""
        return TimelineSnapshot(self, message)


def width_for(span: Window, cells: int) -> int:
    """The least width of the ladder with which a span takes at most that many cells, ns."""
    decade = 1
    while True:
        for step in STEPS:
            width = max(1, decade * step // 100)
            if span[1] // width - span[0] // width + 1 <= cells:
                return width
        decade *= 10


@dataclass(slots=True)
class _Counted:
    """A segment over cells of one width."""

    first: int
    """Number of the first cell, counted from the epoch."""
    values: Floats
    losses: NDArray[np.bool_]


class TimelineRun:
    """A measure of what a filter keeps, by width and segment."""

    def __init__(self, store: Store, measure: Measure) -> None:
        """Prepare."""
        self._store = store
        self._measure = measure
        self._field = look_up(_FIELDS[measure])[0] if measure in _FIELDS else None
        self._by_width: OrderedDict[int, dict[int, _Counted]] = OrderedDict()

    def update(self, width: int, span: Window, masks: Masks, cancelled: Cancelled) -> bool:
        """Count what is missing of the segments in a span; False when time was up before the end."""
        counted = self._by_width.setdefault(width, {})
        self._by_width.move_to_end(width)
        while len(self._by_width) > WIDTHS_KEPT:
            self._by_width.popitem(last=False)
        began = time.monotonic()
        for segment in self._store.since(0, span):
            if segment.first in counted:
                continue
            if cancelled():
                raise SupersededError
            if time.monotonic() - began > SHARE:
                return False
            counted[segment.first] = self._count(segment, width, without_internal(masks.of(segment), segment))
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        for counted in self._by_width.values():
            for gone in [first for first in counted if first < self._store.forgotten]:
                del counted[gone]
        return True

    def cells(self, width: int, first: int, count: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Values and losses of cells from a number on."""
        values, losses = np.zeros(count), np.zeros(count, np.bool_)
        for part in self._by_width[width].values():
            # Where the part's cells are among the wanted ones.
            start, end = part.first - first, part.first - first + len(part.values)
            into = slice(max(start, 0), min(end, count))
            if into.start >= into.stop:
                continue
            taken = slice(into.start - start, into.stop - start)
            if self._measure is Measure.LATENCY:
                np.maximum(values[into], part.values[taken], out=values[into])
            else:
                values[into] += part.values[taken]
            losses[into] |= part.losses[taken]
        for loss in self._store.losses:
            start, end = loss.window[0] // width - first, loss.window[1] // width - first + 1
            losses[max(start, 0) : max(end, 0)] = True
        return values if self._measure is Measure.LATENCY else values * (1e9 / width), losses

    def _count(self, segment: Segment, width: int, mask: NDArray[np.bool_]) -> _Counted:
        start, end = segment.time_span
        first, cells = start // width, end // width - start // width + 1
        losses = np.zeros(cells, np.bool_)
        if np.isin(_DROPS, segment.types_present).any():
            lost = np.isin(segment.type, _DROPS)
            losses[np.clip(segment.time[lost] // width - first, 0, cells - 1)] = True
        weights = None
        if self._measure is Measure.LATENCY:
            mask = mask & (segment.latency > 0)
        elif self._field is not None:
            numbers = self._field.value(segment, self._store, None)
            mask = mask & (numbers.values > 0)
            weights = numbers.values[mask]
        places = segment.time[mask] // width - first
        if self._measure is Measure.LATENCY:
            values = np.zeros(cells)
            np.maximum.at(values, places, segment.latency[mask].astype(np.float64))
            return _Counted(first, values, losses)
        return _Counted(first, np.bincount(places, weights, cells).astype(np.float64), losses)

"""How much happened when: a measure of the events a filter keeps, over cells of equal time.

Segments are counted over cells of the unit of the asked width (``widths``), so that what was counted serves every range
seen at widths of that unit. Losses are those the capture itself or the live source tells of.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from engine.decode.kernels import tally
from engine.events import codes_by_name
from engine.fields import look_up
from engine.query.compose import compose
from engine.query.masks import Masks, without_internal
from engine.query.matches import Cancelled
from engine.query.snapshots import Level
from engine.query.widths import unit_of, width_for
from engine.query.work import PanelRequest, PanelSnapshot, SupersededError, Work
from engine.store.segment import Segment, Window
from engine.store.store import Store

Floats = NDArray[np.float64]
SHARE = 0.04
"""Seconds of counting after which there is an answer, complete or not."""
UNITS_KEPT = 4
MOST_UNITS = 1 << 16
"""Units of a segment that are kept; where one takes more, only what is seen of it is counted, each time anew."""
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
        masks = work.masks(text)
        run = work.keep(TimelineRun, (text, self.measure), lambda: TimelineRun(work.store, self.measure, masks.fields))
        span = self.span or work.store.time_span
        if not span[1]:
            return TimelineSnapshot(self)
        width = width_for(span, self.cells)
        start = span[0] // width * width
        count = min(self.cells, (span[1] - start) // width + 1)
        done = run.update(width, (start, start + count * width - 1), masks, work.given_up)
        work.check()
        values, losses = run.cells(width, start // width, count)
        return TimelineSnapshot(self, "", done, start, width, values, losses)

    def failed(self, message: str) -> TimelineSnapshot:
        """No timeline."""
        return TimelineSnapshot(self, message)


@dataclass(slots=True)
class _Counted:
    """Some of a segment over cells of one unit, those in which there is something."""

    cells: NDArray[np.int64]
    """Their numbers, counted from the epoch, ascending."""
    values: Floats
    losses: NDArray[np.int64]
    """Numbers of the cells in which events were lost."""


class TimelineRun:
    """A measure of what a filter keeps, by unit and segment."""

    def __init__(self, store: Store, measure: Measure, fields: frozenset[str]) -> None:
        """Prepare; ``fields`` are those the filter asks for."""
        self._store = store
        self.fields = fields
        self._measure = measure
        self._field = look_up(_FIELDS[measure])[0] if measure in _FIELDS else None
        self._by_unit: OrderedDict[int, dict[int, _Counted]] = OrderedDict()
        self._seen: tuple[tuple[int, Window], dict[int, _Counted]] = (0, (0, 0)), {}
        """Of segments too long to be kept, what was counted of the span that was asked for last."""

    def update(self, width: int, span: Window, masks: Masks, cancelled: Cancelled) -> bool:
        """Count what is missing of the segments in a span; False when time was up before the end."""
        unit = unit_of(width)
        counted = self._by_unit.setdefault(unit, {})
        self._by_unit.move_to_end(unit)
        while len(self._by_unit) > UNITS_KEPT:
            self._by_unit.popitem(last=False)
        if self._seen[0] != (unit, span):
            self._seen = (unit, span), {}
        began = time.monotonic()
        for segment in self._store.since(0, span):
            start, end = segment.time_span
            kept = (end - start) // unit < MOST_UNITS
            into = counted if kept else self._seen[1]
            if segment.first in into:
                continue
            if cancelled():
                raise SupersededError
            if time.monotonic() - began > SHARE:
                return False
            within = (start, end) if kept else (max(start, span[0]), min(end, span[1]))
            mask = without_internal(masks.of(segment), segment)
            into[segment.first] = self._count(segment, mask, unit, within)
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        for counted in (*self._by_unit.values(), self._seen[1]):
            for gone in [first for first in counted if first < self._store.forgotten]:
                del counted[gone]
        return True

    def cells(self, width: int, first: int, count: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Values and losses of cells from a number on; of what the last update was for."""
        values, losses = np.zeros(count), np.zeros(count, np.bool_)
        unit = unit_of(width)
        parts = [*self._by_unit[unit].values(), *self._seen[1].values()]
        if parts:
            places = np.concatenate([part.cells for part in parts]) // (width // unit) - first
            there = (places >= 0) & (places < count)
            found = np.concatenate([part.values for part in parts])[there]
            if self._measure is Measure.LATENCY:
                np.maximum.at(values, places[there], found)
            else:
                values += np.bincount(places[there], found, count)
            lost = np.concatenate([part.losses for part in parts]) // (width // unit) - first
            losses[lost[(lost >= 0) & (lost < count)]] = True
        for loss in self._store.losses:
            start, end = loss.window[0] // width - first, loss.window[1] // width - first + 1
            losses[max(start, 0) : max(end, 0)] = True
        return values if self._measure is Measure.LATENCY else values * (1e9 / width), losses

    def _count(self, segment: Segment, mask: NDArray[np.bool_], unit: int, within: Window) -> _Counted:
        first = within[0] // unit
        values, weights = np.zeros(within[1] // unit - first + 1), None
        if self._measure is Measure.LATENCY:
            mask = mask & (segment.latency > 0)
            places = segment.time[mask] // unit - first
            there = (places >= 0) & (places < len(values))
            np.maximum.at(values, places[there], segment.latency[mask][there].astype(np.float64))
        else:
            if self._field is not None:
                numbers = self._field.value(segment, self._store, None)
                mask, weights = mask & (numbers.values > 0), np.ascontiguousarray(numbers.values, np.int64)
            tally(segment.time, mask, weights, unit, first, values)
        lost = np.empty(0, np.int64)
        if np.isin(_DROPS, segment.types_present).any():
            times = segment.time[np.isin(segment.type, _DROPS)].clip(*segment.time_span)
            lost = np.unique(times[(times >= within[0]) & (times <= within[1])] // unit)
        cells = np.flatnonzero(values)
        return _Counted(first + cells, values[cells], lost)

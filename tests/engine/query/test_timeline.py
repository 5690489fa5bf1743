"""Timelines: every event in its cell, whatever the width, the range and the filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import filters
from engine.query.timeline import Measure, TimelineRequest, TimelineSnapshot, width_for
from engine.query.work import Kept, Work
from engine.store.store import Loss, Store
from tui.reading import Reading

NEVER = 2**62


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    with Reading(captures / "502Error.scap") as reading:
        for _ in reading:
            pass
        return reading.store


def ask(store: Store, request: TimelineRequest, kept: Kept | None = None) -> TimelineSnapshot:
    work = Work(store, kept or Kept(), lambda: False)
    while not (snapshot := request.answer(work)).complete:
        pass
    return snapshot


@pytest.mark.parametrize("cells", [1, 7, 80, 200])
@pytest.mark.parametrize("text", ["", "evt.type=read", "proc.name=curl"])
def test_every_event_is_counted_once(store: Store, cells: int, text: str) -> None:
    timeline = ask(store, TimelineRequest(filter=text, cells=cells))
    wanted = filters.compile(filters.combine(text, "not evt.category=internal"))
    kept = sum(int(wanted.mask(store, segment).sum()) for segment in store.segments)
    assert len(timeline.values) <= cells
    assert round(timeline.values.sum() * timeline.width / 1e9) == kept > 0


def test_a_range_shows_the_cells_of_the_whole(store: Store) -> None:
    kept = Kept()
    whole = ask(store, TimelineRequest(cells=60), kept)
    first, last = whole.start + 10 * whole.width, whole.start + 30 * whole.width - 1
    # As many cells as the range has at the same width.
    part = ask(store, TimelineRequest(span=(first, last), cells=20), kept)
    assert part.width == whole.width
    assert part.start == first
    np.testing.assert_array_equal(part.values, whole.values[10:30])


def test_measures_agree_with_the_events(store: Store) -> None:
    bytes_moved = ask(store, TimelineRequest(measure=Measure.BYTES, cells=1))
    segments = store.segments
    latency = ask(store, TimelineRequest(measure=Measure.LATENCY, cells=50))
    assert latency.values.max() == max(int(segment.latency.max()) for segment in segments)
    errors = ask(store, TimelineRequest(measure=Measure.ERRORS, cells=1))
    failed = filters.compile("evt.failed=true and not evt.category=internal")
    count = sum(int(failed.mask(store, segment).sum()) for segment in segments)
    assert round(float(errors.values[0]) * errors.width / 1e9) == count > 0
    assert bytes_moved.values[0] > 0


@given(st.integers(0, 2**61), st.integers(0, 10**13), st.integers(1, 300))
def test_the_width_is_the_least_that_fits(start: int, length: int, cells: int) -> None:
    span = (start, start + length)
    width = width_for(span, cells)
    assert span[1] // width - span[0] // width < cells
    assert cells < 10 or width == 1 or length // width + 2 > cells / 2


def test_cells_in_which_events_were_lost_are_marked(captures: Path) -> None:
    with Reading(captures / "tiny.scap") as reading:
        for _ in reading:
            pass
        start, end = reading.store.time_span
        middle = (start + end) // 2
        reading.store.losses.append(Loss((middle, middle), 7))
        timeline = ask(reading.store, TimelineRequest(cells=60))
        assert np.flatnonzero(timeline.losses).tolist() == [(middle - timeline.start) // timeline.width]

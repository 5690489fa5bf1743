"""Timelines: every event in its cell, whatever the width, the range and the filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import filters
from engine.query.timeline import MOST_UNITS, Measure, TimelineRequest, TimelineSnapshot
from engine.query.widths import unit_of, width_for
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
    work = Work(store, kept or Kept(store), lambda: False)
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
    kept = Kept(store)
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


def test_a_moment_within_a_long_segment_is_seen_as_closely_as_anything(store: Store) -> None:
    """Of a segment that takes more cells than are kept only what is seen is counted, again and again the same."""
    wanted = filters.compile("evt.type=read")
    segment = store.segments[0]
    times = np.concatenate([each.time[wanted.mask(store, each)] for each in store.segments])
    when, kept = int(times[100]), Kept(store)
    for span in ((when - 400_000, when + 400_000), (when, when + 70), (when - 400_000, when + 400_000)):
        assert (segment.time_span[1] - segment.time_span[0]) // unit_of(width_for(span, 80)) > MOST_UNITS
        timeline = ask(store, TimelineRequest(filter="evt.type=read", span=span), kept)
        cells = (times - timeline.start) // timeline.width
        expected = np.bincount(cells[(cells >= 0) & (cells < len(timeline.values))], minlength=len(timeline.values))
        np.testing.assert_array_equal((timeline.values * timeline.width / 1e9).round(), expected)
        assert expected.sum() > 0


def test_cells_in_which_events_were_lost_are_marked(captures: Path) -> None:
    with Reading(captures / "tiny.scap") as reading:
        for _ in reading:
            pass
        start, end = reading.store.time_span
        middle = (start + end) // 2
        reading.store.losses.append(Loss((middle, middle), 7))
        timeline = ask(reading.store, TimelineRequest(cells=60))
        assert np.flatnonzero(timeline.losses).tolist() == [(middle - timeline.start) // timeline.width]

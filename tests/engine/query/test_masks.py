"""What a filter keeps, worked out once for the count, the table, the lines and the timeline."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from engine import filters
from engine.query.compose import compose
from engine.query.lines import NOT_INTERNAL
from engine.query.masks import Masks, without_internal
from engine.query.table import TableRun
from engine.store.segment import Window
from engine.store.store import Store
from tests.engine.query.test_window import capture
from tests.views.running import VIEWS, as_rows

FILTERS = (
    "evt.failed=true or fd.name contains lib",
    "proc.name=cat",
    "evt.type=openat and fd.name contains etc",
    "evt.category=internal or evt.type in (read, write)",
    "proc.name=nobody",
    "evt.reltime < 1s",
)


def middle(store: Store) -> Window:
    start, end = store.time_span
    return start + (end - start) // 3, end - (end - start) // 3


@pytest.mark.parametrize(("text", "view"), product(FILTERS, ("files", "procs", "connections", "spy_users", "errors")))
@pytest.mark.parametrize("windowed", [False, True])
def test_a_table_is_the_same_whether_its_filter_was_asked_before_or_not(text: str, view: str, windowed: bool) -> None:
    store = capture()
    masks = Masks(store, text)
    for segment in store.segments[::2]:
        masks.of(segment)
    rows = []
    for besides in (None, masks):
        run = TableRun(store, VIEWS[view], compose(text, (), VIEWS[view]), window=middle(store) if windowed else None)
        assert run.update(besides=besides)
        rows.append(as_rows(run.table()))
    assert rows[0] == rows[1]


@pytest.mark.parametrize("text", FILTERS)
def test_a_mask_is_remembered_as_it_was_worked_out(text: str) -> None:
    store, masks = capture(), Masks(capture(), text)
    kept, lines = filters.compile(text), filters.compile(filters.combine(text, NOT_INTERNAL))
    for segment in store.segments:
        assert masks.known(segment) is None
        expected = kept.mask(store, segment)
        assert np.array_equal(masks.of(segment), expected)
        known = masks.known(segment)
        assert known is not None and np.array_equal(known, expected)
        assert np.array_equal(without_internal(known, segment), lines.mask(store, segment))


@pytest.mark.parametrize(
    ("text", "change", "stale"),
    [
        ("proc.name=cat", "revision", True),
        ("proc.name=cat", "inside_at", False),
        ("proc.name=cat", "events", False),
        ("thread.call exists", "inside_at", True),
        ("http.status=503", "events", True),
    ],
)
def test_a_mask_is_forgotten_when_what_its_filter_asks_about_changes(text: str, change: str, stale: bool) -> None:
    store = capture()
    (segment, *_) = store.segments
    # Only what masks look at of a store: changing a whole one would change it for other tests.
    now = SimpleNamespace(revision=store.revision, inside_at=store.inside_at, events=store.events)
    masks = Masks(store, text)
    masks._store = now  # type: ignore[assignment]
    masks._filter = SimpleNamespace(mask=lambda *_: np.ones(len(segment), np.bool_))  # type: ignore[assignment]
    masks.of(segment)
    assert masks.known(segment) is not None
    setattr(now, change, getattr(now, change) + 1)
    assert (masks.known(segment) is None) is stale


def test_masks_of_forgotten_segments_go() -> None:
    store = capture()
    masks = Masks(store, "proc.name=cat")
    for segment in store.segments[:3]:
        masks.of(segment)
    before, store.forgotten = store.forgotten, store.segments[2].first
    try:
        assert masks.forget()
        assert [masks.known(segment) is not None for segment in store.segments[:3]] == [False, False, True]
    finally:
        store.forgotten = before

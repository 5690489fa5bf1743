"""What is worked out by row of a table is right for the rows asked about, and for long tables for those alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.query.by_row import ByRow

ABSENT = -7


@given(
    segments=st.lists(st.lists(st.integers(-1, 400), min_size=1, max_size=40), min_size=1, max_size=6),
    growth=st.integers(0, 300),
    data=st.data(),
)
def test_every_row_events_point_at_has_its_value(segments: list[list[int]], growth: int, data: st.DataObject) -> None:
    items = list(range(401))
    made = ByRow(np.int64, ABSENT)
    for rows in segments:
        column = np.array(rows, np.int32)
        known = column[column >= 0]
        span = (int(known.min()), int(known.max()), bool((column < 0).any())) if len(known) else (0, -1, True)
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
        table = made.of(items, column, span, lambda item: 3 * item, mask)
        assert table[column[mask]].tolist() == [3 * row if row >= 0 else ABSENT for row in column[mask].tolist()]
        some = np.array(data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)), np.int64)
        assert made.at(items, some, lambda item: 3 * item)[some].tolist() == [3 * row for row in some.tolist()]
        items.extend(range(len(items), len(items) + growth))


def test_rows_no_event_points_at_are_not_looked_at() -> None:
    items = list(range(100_000))
    asked: list[int] = []

    def value(item: int) -> bool:
        asked.append(item)
        return item % 2 == 1

    column = np.array([7, 99_999, 7, 50_001] * 100, np.int32)
    made = ByRow(np.bool_, False)
    for _ in range(2):
        held = made.of(items, column, (7, 99_999, False), value)[column]
        assert held.all()
    assert asked == [7, 50_001, 99_999]

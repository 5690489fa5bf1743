"""What is worked out by row of a table is right for the rows asked about, and for long tables for those alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.store.by_row import ByFdRow, ByRow

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
        table = made.of(items, column, span, lambda items: [3 * item for item in items], mask)
        assert table[column[mask]].tolist() == [3 * row if row >= 0 else ABSENT for row in column[mask].tolist()]
        some = np.array(data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)), np.int64)
        assert made.at(items, some, lambda items: [3 * item for item in items])[some].tolist() == [
            3 * row for row in some.tolist()
        ]
        items.extend(range(len(items), len(items) + growth))


def test_rows_no_event_points_at_are_not_looked_at() -> None:
    items = list(range(100_000))
    asked: list[int] = []

    def odd(items: Sequence[int]) -> list[bool]:
        asked.extend(items)
        return [item % 2 == 1 for item in items]

    column = np.array([7, 99_999, 7, 50_001] * 100, np.int32)
    made = ByRow(np.bool_, False)
    for _ in range(2):
        held = made.of(items, column, (7, 99_999, False), odd)[column]
        assert held.all()
    assert asked == [7, 50_001, 99_999]


@dataclass
class _Fds:
    """What is asked of the fds' table."""

    rows: NDArray[Any]
    identities: list[int]


@given(identities=st.lists(st.integers(0, 30), min_size=1, max_size=500), data=st.data())
def test_every_fd_row_has_the_value_of_its_identity(identities: list[int], data: st.DataObject) -> None:
    rows = np.array([(identity,) for identity in identities], np.dtype([("identity", np.int32)]))
    # The table grows while it is asked.
    lengths = sorted(data.draw(st.lists(st.integers(1, len(rows)), min_size=1, max_size=8)))
    asked: list[int] = []

    def values(items: Sequence[int]) -> list[int]:
        asked.extend(items)
        return [3 * item for item in items]

    made = ByFdRow(np.int64, ABSENT)
    for length in lengths:
        column = np.array(data.draw(st.lists(st.integers(-1, length - 1), min_size=1, max_size=40)), np.int32)
        known = column[column >= 0]
        span = (int(known.min()), int(known.max()), True) if len(known) else (0, -1, True)
        fds = cast(Any, _Fds(rows[:length], list(range(31))))
        table = made.of_fds(fds, column, span, values)
        assert table[column].tolist() == [3 * identities[row] if row >= 0 else ABSENT for row in column.tolist()]
    assert len(asked) == len(set(asked))


def test_no_more_fd_rows_are_worked_out_ahead_than_were_asked_about() -> None:
    identities = list(range(100_000))
    rows = np.array([(identity,) for identity in identities], np.dtype([("identity", np.int32)]))
    asked: list[int] = []

    def odd(items: Sequence[int]) -> list[bool]:
        asked.extend(items)
        return [item % 2 == 1 for item in items]

    made = ByFdRow(np.bool_, False)
    column = np.array([7, 99_000, 7, 50_001] * 100, np.int32)
    held = made.of_fds(cast(Any, _Fds(rows, identities)), column, (7, 99_000, False), odd)[column]
    assert held.tolist() == [True, False, True, True] * 100
    assert asked == [7, 50_001, 99_000, 99_001, 99_002, 99_003]

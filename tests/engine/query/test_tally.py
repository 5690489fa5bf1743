"""Counts over cells of time, and which groups occur, are those of looking at every event."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.kernels import occurring, tally

_events = st.lists(
    st.tuples(st.integers(0, 600), st.booleans(), st.integers(-1, 9), st.integers(0, 2**40)), max_size=80
)


@given(_events, st.integers(1, 170), st.booleans(), st.integers(0, 2))
def test_cells_hold_what_fell_into_them(
    events: list[tuple[int, bool, int, int]], width: int, weighed: bool, cut: int
) -> None:
    start = 5000
    first = start // width + cut
    cells = np.zeros(max(0, (start + 600) // width - start // width + 1 - 2 * cut))
    expected = cells.copy()
    for time, kept, _, weight in events:
        if 0 <= (place := (start + time) // width - first) < len(cells):
            expected[place] += (weight if weighed else 1) * kept

    times = np.array([start + event[0] for event in events], np.int64)
    mask = np.array([event[1] for event in events], np.bool_)
    weights = np.array([event[3] for event in events], np.int64) if weighed else None
    tally(times, mask, weights, width, first, cells)

    assert cells.tolist() == expected.tolist()


@given(_events, st.lists(st.integers(-1, 4), max_size=8))
def test_groups_occur_where_an_event_of_theirs_is_kept(events: list[tuple[int, bool, int, int]], of: list[int]) -> None:
    expected = {of[row] for _, kept, row, _ in events if kept and 0 <= row < len(of)} - {-1}
    mask = np.array([event[1] for event in events], np.bool_)
    index = np.array([event[2] for event in events], np.int32)
    found = occurring(index, np.array(of, np.int32), mask, 5)
    assert set(np.flatnonzero(found).tolist()) == expected

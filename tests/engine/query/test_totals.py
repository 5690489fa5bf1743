"""Grouped totals equal what adding event by event gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.kernels import Distinct, accumulate
from engine.events import CATALOGUE, FdKind
from engine.fields.field import Measure, Outcome, Quantity
from engine.query.totals import MOST, Measures, Totals
from engine.store.segment import NO_RESULT
from tests.engine.query.handmade import Row, segment

READ_ENTER, READ, OPEN, SWITCH = 6, 7, 3, 17
KINDS = [int(FdKind.FILE), int(FdKind.IPV4), int(FdKind.FIFO)]
GROUPS = np.array([0, 2, -1, 1], np.int32)
"""Group of thread rows 0..3; row 2 has none."""

rows = st.builds(
    Row,
    type=st.sampled_from([READ_ENTER, READ, OPEN, SWITCH]),
    thread=st.integers(-1, 4),
    fd_row=st.integers(-1, 2),
    result=st.sampled_from([NO_RESULT, -2, 0, 10, 2**40]),
    latency=st.sampled_from([-1, 0, 5, 1000]),
    time=st.just(0),
    hidden=st.just(False),
)
measures = st.builds(
    Measure,
    quantity=st.sampled_from(Quantity),
    types=st.sampled_from([lambda kind: True, lambda kind: kind.name == "read", lambda kind: kind.is_exit]),
    fd_kinds=st.sampled_from([None, frozenset({1}), frozenset({3, -1}), frozenset({-1})]),
    outcome=st.sampled_from(Outcome),
)


def samples_of(row: Row, measure: Measure) -> list[int]:
    """The obvious way: what one event adds to one measure."""
    kind = CATALOGUE[row.type]
    fd_kind = KINDS[row.fd_row] if row.fd_row >= 0 else -1
    known = row.result != NO_RESULT
    wanted = {
        Outcome.ANY: known or measure.quantity is not Quantity.RESULT,
        Outcome.OK: known and row.result >= 0,
        Outcome.FAILED: known and row.result < 0,
    }[measure.outcome]
    if not (measure.types(kind) and wanted and (measure.fd_kinds is None or fd_kind in measure.fd_kinds)):
        return []
    if measure.quantity is Quantity.LATENCY:
        return [row.latency] if kind.is_exit and row.latency >= 0 else []
    return [row.result if measure.quantity is Quantity.RESULT else 1]


@given(st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=40), st.lists(measures, max_size=4))
def test_totals_are_those_of_adding_event_by_event(events: list[tuple[Row, bool]], wanted: list[Measure]) -> None:
    totals = Totals(Measures(wanted))
    totals.make_room(3)
    half = len(events) // 2
    for start, part in ((0, events[:half]), (half, events[half:])):
        piece = segment([row for row, _ in part], first=start)
        mask = np.array([kept for _, kept in part], np.bool_)
        accumulate(piece, mask, piece.thread, GROUPS, np.array(KINDS, np.uint8), Measures(wanted), totals)

    for group in range(3):
        mine = [
            (index, row)
            for index, (row, kept) in enumerate(events)
            if kept and 0 <= row.thread < 4 and GROUPS[row.thread] == group
        ]
        assert totals.first[group] == (mine[0][0] if mine else -1)
        assert totals.last[group] == (mine[-1][0] if mine else -1)
        for place, measure in enumerate(wanted):
            values = [value for _, row in mine for value in samples_of(row, measure)]
            assert totals.counts[group, place] == len(values)
            assert totals.added([place])[group, 0] == sum(values)
            if values:
                assert totals.mins[group, place] == min(values)
                assert totals.maxs[group, place] == max(values)


def test_totals_stay_when_room_is_made() -> None:
    everything = Measures([Measure(Quantity.RESULT, types=lambda kind: True)])
    totals = Totals(everything)
    totals.make_room(3)
    piece = segment([Row(READ, thread=3, result=7)])
    accumulate(piece, np.ones(1, np.bool_), piece.thread, GROUPS, np.zeros(0, np.uint8), everything, totals)

    totals.make_room(5000)

    assert totals.sums[1, 0] == 7
    assert totals.first[:3].tolist() == [-1, 0, -1]
    assert (totals.first[3:] == -1).all()


def test_more_measures_than_bits_are_refused() -> None:
    one = Measure(Quantity.ONE, types=lambda kind: True)
    with pytest.raises(ValueError, match="at most 32 different things, this one 33"):
        Measures([one] * (MOST + 1))


@given(st.lists(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300), st.booleans()))))
def test_distinct_numbers_values_in_order_of_first_sight(batches: list[list[tuple[int, bool]]]) -> None:
    distinct = Distinct()
    seen: dict[int, int] = {}
    for batch in batches:
        expected = [seen.setdefault(value, len(seen)) if present else -1 for value, present in batch]
        values = np.array([value for value, _ in batch], np.int64)
        assert distinct.number(values, np.array([present for _, present in batch], np.bool_)).tolist() == expected
    assert distinct.values.tolist() == list(seen)


def test_distinct_grows_over_many_values() -> None:
    distinct = Distinct()
    values = np.arange(100_000, dtype=np.int64) * -4096
    numbers = distinct.number(values, np.ones(len(values), np.bool_))
    assert numbers.tolist() == list(range(100_000))
    assert (distinct.values == values).all()

"""Distributions say of samples what the samples themselves say, within the error they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.query.spread import DIGITS, ERROR, Spread

Samples = list[tuple[int, int]]
samples = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**62) | st.integers(0, 2000)), max_size=60)


def spread(*parts: Samples) -> Spread:
    """A distribution that took in (group, value) pairs part by part."""
    made = Spread()
    for part in parts:
        groups = np.array([group for group, _ in part], np.int32)
        values = np.array([value for _, value in part], np.int64)
        made.add(values, np.ones(len(part), np.bool_), groups, np.arange(5, dtype=np.int32))
    return made


@given(samples, st.sampled_from([50, 95, 99]))
def test_a_percentile_is_that_of_the_sorted_samples_within_the_error(pairs: Samples, percent: int) -> None:
    values, known = spread(pairs).percentile(np.arange(5), 5, percent)
    for group in range(5):
        mine = sorted(value for of, value in pairs if of == group)
        assert bool(known[group]) is bool(mine)
        if mine:
            exact = mine[max(-(-len(mine) * percent // 100), 1) - 1]
            assert values[group] == pytest.approx(exact, rel=ERROR, abs=0)
            assert mine[0] * (1 - 1e-9) <= values[group] <= mine[-1] * (1 + 1e-9)


@given(samples, samples)
def test_parts_taken_in_one_by_one_say_what_the_whole_says(some: Samples, others: Samples) -> None:
    apart, together = spread(some, others), spread(some + others)
    rows = np.arange(5)
    for percent in (50, 99):
        assert apart.percentile(rows, 5, percent)[0] == pytest.approx(together.percentile(rows, 5, percent)[0])
    assert (apart.histogram(rows, 5) == together.histogram(rows, 5)).all()


@given(samples)
def test_merged_groups_say_what_one_group_of_all_samples_says(pairs: Samples) -> None:
    merged = spread(pairs).percentile(np.zeros(5, np.int64), 1, 95)
    alone = spread([(0, value) for _, value in pairs]).percentile(np.array([0, -1, -1, -1, -1]), 1, 95)
    assert merged[0] == pytest.approx(alone[0])
    assert (merged[1] == alone[1]).all()


def test_a_histogram_counts_samples_by_their_digits() -> None:
    made = spread([(0, value) for value in (0, 3, 9, 10, 99, 100, 5_000_000, 10**15)])
    counts = made.histogram(np.array([0]), 1)[0].tolist()
    assert counts == [3, 2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert len(counts) == DIGITS


def test_negative_numbers_share_the_lowest_bucket() -> None:
    assert spread([(0, -5)]).percentile(np.array([0]), 1, 50)[0].tolist() == [-5]
    assert spread([(0, -5)]).histogram(np.array([0]), 1)[0][0] == 1

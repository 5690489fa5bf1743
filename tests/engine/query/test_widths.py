"""Widths of cells of time: the least that fits, of few kinds, and made of units."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.query.widths import unit_of, width_for


@given(st.integers(0, 2**61), st.integers(0, 10**13), st.integers(1, 300))
def test_a_span_takes_the_cells_there_are_and_leaves_few_of_them_empty(start: int, length: int, cells: int) -> None:
    span = (start, start + length)
    width = width_for(span, cells)
    assert span[1] // width - span[0] // width < cells
    assert width < 10 or length // width + 2 > 0.9 * (cells - 1)


@given(st.integers(0, 2**61), st.integers(0, 10**13), st.integers(1, 300))
def test_a_width_is_made_of_ten_units_or_more_and_so_is_every_wider_one(start: int, length: int, cells: int) -> None:
    width = width_for((start, start + length), cells)
    unit = unit_of(width)
    assert width % unit == 0
    assert width // unit in range(10, 100) or unit == 1
    wider = width_for((start, start + 3 * length), cells)
    assert wider % unit == 0

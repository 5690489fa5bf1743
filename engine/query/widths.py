"""Widths of cells of time. Cells begin at multiples of their width since the epoch.

Widths have two digits that count, and neighbours differ by a tenth at most, so that the cells there are get used. Each
is a multiple of its unit: what was counted over cells of a unit serves every width of ten times it and more.
"""

from __future__ import annotations

from engine.store.segment import Window

_DIGITS = range(10, 100)


def width_for(span: Window, cells: int) -> int:
    """The least width with which a span takes at most that many cells, ns."""
    start, end = span
    unit: int = 10 ** max(0, len(str((end - start) // cells)) - 2)
    while True:
        for digits in _DIGITS if unit > 1 else range(1, 100):
            width = unit * digits
            if end // width - start // width < cells:
                return width
        unit *= 10


def unit_of(width: int) -> int:
    """The unit of a width, ns: it takes 10 to 99 of it, less only of one nanosecond."""
    unit = 1
    while unit * 100 <= width:
        unit *= 10
    return unit

"""Moments and ranges of time as people read them. Knows nothing of widgets."""

from __future__ import annotations

from datetime import datetime

from engine.store.segment import Window
from engine.text import duration

SECOND = 1_000_000_000
_DAY = 86_400 * SECOND


def clock(moment: int, unit: int, *, dated: bool = False) -> str:
    """Local time of day of a moment (ns since epoch), as fine as a unit (ns) needs, with the date if asked for."""
    when = datetime.fromtimestamp(moment // SECOND)
    text = when.strftime("%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S")
    digits = 0 if unit >= SECOND else 3 if unit >= 1_000_000 else 6 if unit >= 1_000 else 9
    return f"{text}.{moment % SECOND:09}"[: len(text) + 1 + digits] if digits else text


def range_text(window: Window) -> str:
    """A range: when it begins, when it ends, how long it is."""
    start, end = window
    length = end - start + 1
    unit = max(1, length // 100)
    return f"{clock(start, unit, dated=length > _DAY)} – {clock(end, unit, dated=length > _DAY)} ({duration(length)})"

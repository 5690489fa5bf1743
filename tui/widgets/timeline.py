"""The timeline: how much happened when, with the selected range marked; a range is selected with mouse or keys.

Owns drawing and selecting cells. Which range that is in nanoseconds it tells with ``RangeChosen``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.query.timeline import Measure, TimelineRequest, TimelineSnapshot
from engine.store.segment import Window
from engine.text import duration, fit, scaled, width
from tui.moments import clock

BARS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BARS) - 1
SELECTING = "Space edge · Enter range · Esc"
KEYS = {
    "left": -1, "h": -1, "right": 1, "l": 1, "shift+left": -10, "H": -10, "shift+right": 10, "L": 10,
    "home": -(1 << 20), "end": 1 << 20,
}  # fmt: skip
"""By how many cells keys move the cursor while a range is selected."""


class Timeline(Widget, can_focus=True):
    """Bars over cells of time, and under them the clock and the selected range."""

    FOCUS_ON_CLICK = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "timeline--bar",
        "timeline--outside",
        "timeline--axis",
        "timeline--range",
        "timeline--loss",
    }
    """
    | class | is |
    | --- | --- |
    | `timeline--bar` | bars of the selected range, or of everything when there is none |
    | `timeline--outside` | bars outside the selected range |
    | `timeline--axis` | times and units under the bars |
    | `timeline--range` | marks of the selected range and of the cursor |
    | `timeline--loss` | marks of lost events |
    """

    class RangeChosen(Message):
        """A range was selected; None for everything."""

        def __init__(self, window: Window | None) -> None:
            """Remember the range."""
            super().__init__()
            self.window = window

    class CellsChanged(Message):
        """The widget is as wide as it was not before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._shown: TimelineSnapshot | None = None
        self._window: Window | None = None
        self._cursor = 0
        self._edge: int | None = None
        """Cell of the first edge of a range being selected."""
        self._dragged = False

    @property
    def cells(self) -> int:
        """Cells there is room for."""
        return max(1, self.size.width)

    @property
    def shown(self) -> TimelineSnapshot | None:
        """What is shown."""
        return self._shown

    def show(self, snapshot: TimelineSnapshot) -> None:
        """Show counts."""
        self._shown = snapshot
        self.refresh()

    def mark(self, window: Window | None) -> None:
        """Show which range is selected."""
        self._window = window
        self.refresh()

    # selecting

    @property
    def selecting(self) -> bool:
        """True while a range is selected by keys."""
        return self.has_focus

    def select(self) -> None:
        """Begin to select a range by keys."""
        marked = self._marked()
        count = len(self._shown.values) if self._shown else 1
        self._cursor = marked[0] if marked else count // 2
        self._edge = None
        self.focus()
        self.refresh()

    def leave(self) -> None:
        """Select no range after all."""
        self._edge = None
        self.screen.set_focus(None)
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Move the cursor, mark an edge, choose the range."""
        event.stop()
        if by := KEYS.get(event.key):
            count = len(self._shown.values) if self._shown else 1
            self._cursor = max(0, min(self._cursor + by, count - 1))
        elif event.key == "space" and self._edge is None:
            self._edge = self._cursor
        elif event.key in ("space", "enter"):
            self._choose(self._cursor if self._edge is None else self._edge, self._cursor)
        elif event.key in ("escape", "r", "q"):
            self.leave()
        self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag a range."""
        event.stop()
        if event.button == 1:
            self.capture_mouse()
            self._edge = self._cursor = self._cell(event.x)
            self._dragged = False
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag on."""
        if self._edge is not None and self.app.mouse_captured is self:
            self._cursor = self._cell(event.x)
            self._dragged |= self._cursor != self._edge
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Choose what was dragged; a mere click chooses everything."""
        event.stop()
        if self._edge is None or self.app.mouse_captured is not self:
            return
        self.release_mouse()
        if self._dragged:
            self._choose(self._edge, self._cursor)
        else:
            self._edge = None
            self.post_message(self.RangeChosen(None))
        self.refresh()

    def _cell(self, x: int) -> int:
        count = len(self._shown.values) if self._shown else 1
        return max(0, min(x, count - 1))

    def _choose(self, one: int, other: int) -> None:
        self._edge = None
        self.screen.set_focus(None)
        if self._shown:
            first, last = min(one, other), max(one, other)
            start, cell = self._shown.start, self._shown.width
            self.post_message(self.RangeChosen((start + first * cell, start + (last + 1) * cell - 1)))

    def on_resize(self) -> None:
        """Ask for as many cells as there is room for."""
        self.post_message(self.CellsChanged())

    def _marked(self) -> tuple[int, int] | None:
        """First and last cell of the selected range, or of the one being selected; None without one in sight."""
        shown = self._shown
        if shown is None or not len(shown.values):
            return None
        if self._edge is not None:
            return min(self._edge, self._cursor), max(self._edge, self._cursor)
        if self.selecting:
            return self._cursor, self._cursor
        if self._window is None:
            return None
        first = (self._window[0] - shown.start) // shown.width
        last = (self._window[1] - shown.start) // shown.width
        if last < 0 or first >= len(shown.values):
            return None
        return max(0, first), min(len(shown.values) - 1, last)

    # drawing

    def render_line(self, y: int) -> Strip:
        """Bars, and on the last line the axis."""
        size = self.size
        shown = self._shown
        if shown is None or shown.error or not len(shown.values):
            text = shown.error if shown else ""
            return Strip([Segment(fit(text if y == size.height - 1 else "", size.width), self._style("axis"))])
        if y == size.height - 1:
            return self._axis(shown).crop_extend(0, size.width, self.rich_style)
        return self._bars(shown, size.height - 2 - y).crop_extend(0, size.width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"timeline--{name}")

    def _bars(self, shown: TimelineSnapshot, above: int) -> Strip:
        """One line of bars, ``above`` lines over the lowest."""
        top = float(shown.values.max()) or 1.0
        levels = np.ceil(shown.values / top * (self.size.height - 1) * EIGHTHS).astype(int) - above * EIGHTHS
        marks = [BARS[level] for level in np.clip(levels, 0, EIGHTHS)]
        first, last = self._marked() or (0, len(marks))
        bar, outside, loss = self._style("bar"), self._style("outside"), self._style("loss")
        styles = [bar if first <= cell <= last else outside for cell in range(len(marks))]
        if not above:
            for cell in np.flatnonzero(shown.losses).tolist():
                marks[cell], styles[cell] = "!", loss
        return _joined(marks, styles)

    def _axis(self, shown: TimelineSnapshot) -> Strip:
        """Times at both ends, what the bars say between them, the range over it all."""
        room, cells = self.size.width, len(shown.values)
        end = shown.start + cells * shown.width
        left, right = clock(shown.start, shown.width), clock(end, shown.width)
        marked = self._marked()
        begin, end_of_text = 0, room - width(right)
        text = f"{left} {self._unit(shown)}"
        if marked is not None and marked[0] < width(text):
            # Beside the range, on the side with more room.
            if marked[0] >= end_of_text - marked[1]:
                end_of_text = marked[0]
            else:
                begin, text = min(marked[1] + 1, end_of_text), f" {self._unit(shown)}"
        line = list(" " * begin + fit(text, max(0, end_of_text - begin)))
        line = (line + [" "] * (room - width(right) - len(line)) + list(right))[:room]
        styles = [self._style("axis")] * len(line)
        if marked is not None:
            first, last = marked
            for cell in range(first, min(last + 1, len(line))):
                styles[cell] = self._style("range")
                line[cell] = "◆" if first == last else "├" if cell == first else "┤" if cell == last else "─"
        return _joined(line, styles)

    def _unit(self, shown: TimelineSnapshot) -> str:
        """What a full bar is; while a range is selected what the cell under the cursor is."""
        assert isinstance(shown.request, TimelineRequest)
        measure = shown.request.measure
        if self.selecting:
            at = clock(shown.start + self._cursor * shown.width, shown.width)
            return f"at {at}: {value_text(measure, float(shown.values[self._cursor]))}   {SELECTING}"
        lost = "  ! events lost" if shown.losses.any() else ""
        more = "" if shown.complete else " counting…"
        return f"{measure.value}, highest {value_text(measure, float(shown.values.max()))}{lost}{more}"


def _joined(characters: Iterable[str], styles: Iterable[Style]) -> Strip:
    """Characters each with its style, neighbours of one style joined."""
    return Strip(Segment.simplify(map(Segment, characters, styles)))


def value_text(measure: Measure, value: float) -> str:
    """A value of a measure with its unit."""
    if measure is Measure.LATENCY:
        return duration(value)
    return f"{scaled(value, 1 if value < 10 else 0)}{'B' if measure is Measure.BYTES else ''}/s"

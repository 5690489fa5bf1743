"""The timeline: how much happened when, with the selected range marked; a range is selected with mouse or keys.

Owns drawing and selecting cells. Which range that is in nanoseconds it tells with ``RangeChosen``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.query.timeline import Measure, TimelineRequest, TimelineSnapshot
from engine.store.segment import Window
from engine.text import duration, fit, scaled, width
from tui.moments import clock, range_text

BARS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BARS) - 1
KEYS = {
    "left": -1, "h": -1, "right": 1, "l": 1, "shift+left": -10, "H": -10, "shift+right": 10, "L": 10,
    "home": -(1 << 20), "end": 1 << 20,
}  # fmt: skip
"""By how many cells keys move the cursor while a range is selected."""


class Timeline(Widget, can_focus=True):
    """Bars over cells of time, and under them the clock and the selected range."""

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Earlier"),
        Binding("right", "move(1)", "Later"),
        Binding("space", "edge", "Edge"),
        Binding("enter", "choose", "Choose"),
        Binding("escape", "leave", "Leave"),
    ]
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

    class Turned(Message):
        """The wheel was turned: less or more time is to be seen around a moment, or, sideways, another."""

        def __init__(self, moment: int, *, closer: bool, sideways: int) -> None:
            """Remember where the mouse is (ns since epoch) and what is wanted: -1 an earlier time, 1 a later one."""
            super().__init__()
            self.moment, self.closer, self.sideways = moment, closer, sideways

    class CellsChanged(Message):
        """The widget is as wide as it was not before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._shown: TimelineSnapshot | None = None
        self._window: Window | None = None
        self._against: Window | None = None
        """Another range that the selected one is compared with."""
        self._cursor = 0
        self._under_mouse: int | None = None
        """Cell the mouse is over."""
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

    def mark(self, window: Window | None, against: Window | None = None) -> None:
        """Show which range is selected, and which other one it is compared with."""
        self._window, self._against = window, against
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

    def action_leave(self) -> None:
        """Select no range after all."""
        self._edge = None
        self.screen.set_focus(None)
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Do what a key does before the next one is looked at, however fast they come; none gets to the table."""
        event.stop()
        if by := KEYS.get(event.key):
            self.action_move(by)
        elif event.key == "space" and self._edge is None:
            self.action_edge()
        elif event.key in ("space", "enter"):
            self.action_choose()
        elif event.key in ("escape", "r", "q"):
            self.action_leave()

    def action_move(self, cells: int) -> None:
        """Move the cursor by cells."""
        count = len(self._shown.values) if self._shown else 1
        self._cursor = max(0, min(self._cursor + cells, count - 1))
        self.refresh()

    def action_edge(self) -> None:
        """Begin the range at the cursor."""
        self._edge = self._cursor
        self.refresh()

    def action_choose(self) -> None:
        """Choose the range up to the cursor."""
        self._choose(self._cursor if self._edge is None else self._edge, self._cursor)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag a range."""
        event.stop()
        if event.button == 1:
            self.capture_mouse()
            self._edge = self._cursor = self._cell(event.x)
            marked = self._cells_of(self._window)
            if marked and self._cursor in marked:
                # An end of the range is moved, the other one stays.
                self._edge = marked[0] + marked[1] - self._cursor
            self._dragged = False
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag on; without a button tell what is under the mouse."""
        self._under_mouse = event.x
        self.refresh()
        if self._edge is not None and self.app.mouse_captured is self:
            before, self._cursor = self._cursor, self._cell(event.x)
            self._dragged |= self._cursor != before

    def on_leave(self) -> None:
        """Tell of the whole again."""
        self._under_mouse = None
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

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show less time, with Shift an earlier one."""
        self._turned(event, -1 if event.shift else 0, closer=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show more time, with Shift a later one."""
        self._turned(event, 1 if event.shift else 0, closer=False)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Show an earlier time."""
        self._turned(event, -1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Show a later time."""
        self._turned(event, 1)

    def _turned(self, event: events.MouseEvent, sideways: int, *, closer: bool = False) -> None:
        event.stop()
        event.prevent_default()
        if self._shown and len(self._shown.values):
            moment = self._shown.start + self._cell(event.x) * self._shown.width
            self.post_message(self.Turned(moment, closer=closer, sideways=sideways))

    def _cell(self, x: int) -> int:
        count = len(self._shown.values) if self._shown else 1
        return max(0, min(x, count - 1))

    def _choose(self, one: int, other: int) -> None:
        self._edge = None
        self.screen.set_focus(None)
        if self._shown:
            self.post_message(self.RangeChosen(self._window_of(self._shown, one, other)))

    @staticmethod
    def _window_of(shown: TimelineSnapshot, one: int, other: int) -> Window:
        first, last = min(one, other), max(one, other)
        return shown.start + first * shown.width, shown.start + (last + 1) * shown.width - 1

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
        return self._cells_of(self._window)

    def _cells_of(self, window: Window | None) -> tuple[int, int] | None:
        """First and last cell of a range, None when nothing of it is in sight."""
        shown = self._shown
        if window is None or shown is None:
            return None
        first, last = ((moment - shown.start) // shown.width for moment in window)
        if last < 0 or first >= len(shown.values):
            return None
        return max(0, first), min(len(shown.values) - 1, last)

    @staticmethod
    def _end(shown: TimelineSnapshot) -> int:
        """When the last cell ends."""
        return shown.start + len(shown.values) * shown.width

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
        ranges = [cells for cells, _ in self._ranges()] or [(0, len(marks))]
        bar, outside, loss = self._style("bar"), self._style("outside"), self._style("loss")
        styles = [
            bar if any(first <= cell <= last for first, last in ranges) else outside for cell in range(len(marks))
        ]
        if not above:
            for cell in np.flatnonzero(shown.losses).tolist():
                marks[cell], styles[cell] = "!", loss
        return _joined(marks, styles)

    def _axis(self, shown: TimelineSnapshot) -> Strip:
        """Ranges, the times of both ends where no range covers them, and what there is to tell where there is room."""
        room, styles = self.size.width, [self._style("axis")] * self.size.width
        line, taken = [" "] * room, [False] * room
        ranges = self._ranges()
        for (first, last), (begin, end, single) in ranges:
            for cell in range(first, min(last + 1, room)):
                line[cell] = single if first == last else begin if cell == first else end if cell == last else "─"
                styles[cell], taken[cell] = self._style("range"), True
        if not self.selecting:
            left, right = clock(shown.start, shown.width), clock(self._end(shown), shown.width)
            _put(line, taken, 0, left)
            _put(line, taken, max(len(shown.values), width(left) + 1 + width(right)) - width(right), right)
        _tell(line, taken, self._told(shown))
        return _joined(line, styles)

    def _ranges(self) -> list[tuple[tuple[int, int], tuple[str, str, str]]]:
        """First and last cell of the ranges in sight, and how their ends are drawn: both, and the only cell of one."""
        marked, against = self._marked(), self._cells_of(self._against)
        if against is None:
            return [(marked, ("├", "┤", "◆"))] if marked else []
        return [(against, ("A", "A", "A")), *([(marked, ("B", "B", "B"))] if marked else [])]

    def _told(self, shown: TimelineSnapshot) -> tuple[str, ...]:
        """What to tell, in long and in short: of the range that is being selected, of the cell under cursor or
        mouse, else what a full bar is."""
        assert isinstance(shown.request, TimelineRequest)
        measure = shown.request.measure
        if self._edge is not None:
            window = self._window_of(shown, self._edge, self._cursor)
            return (range_text(window), duration(window[1] - window[0] + 1))
        at = self._cursor if self.selecting else self._under_mouse
        if at is not None and at < len(shown.values):
            value = value_text(measure, float(shown.values[at]))
            return (f"at {clock(shown.start + at * shown.width, shown.width)}: {value}", f"here {value}")
        highest = f"highest {value_text(measure, float(shown.values.max()))}"
        lost = "  ! events lost" if shown.losses.any() else ""
        more = "" if shown.complete else " counting…"
        return (f"{measure.value}, {highest}{lost}{more}", f"{measure.value}, {highest}", highest)


def _put(line: list[str], taken: list[bool], at: int, text: str) -> bool:
    """Write a text where nothing is in the way; False when something is."""
    if at < 0 or at + len(text) > len(line) or any(taken[at : at + len(text)]):
        return False
    line[at : at + len(text)] = text
    taken[at : at + len(text)] = [True] * len(text)
    return True


def _tell(line: list[str], taken: list[bool], texts: Sequence[str]) -> None:
    """Write the first of some texts for which there is room, a space around it; where there is none, on a range."""
    for text in texts:
        for at in range(len(line)):
            wanted = f"{' ' if at else ''}{text} "
            if _put(line, taken, at, wanted):
                return
    for text in texts:
        drawn, wanted = "".join(line), f" {text} "
        at = drawn.find("─" * (len(wanted) + 2))
        if at >= 0:
            line[at + 1 : at + 1 + len(wanted)] = wanted
            return


def _joined(characters: Iterable[str], styles: Iterable[Style]) -> Strip:
    """Characters each with its style, neighbours of one style joined."""
    return Strip(Segment.simplify(map(Segment, characters, styles)))


def value_text(measure: Measure, value: float) -> str:
    """A value of a measure with its unit."""
    if measure is Measure.LATENCY:
        return duration(value)
    return f"{scaled(value, 1 if value < 10 else 0)}{'B' if measure is Measure.BYTES else ''}/s"

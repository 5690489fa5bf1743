"""The latency spectrogram: time downwards, latency to the right, a colour and a mark for how many calls.

Owns drawing and selecting a rectangle. What is done with it is the screen's business.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.query.spectrogram import DECADES, SpectrogramSnapshot, edges
from engine.text import duration, fit, scaled
from tui.moments import clock
from tui.place import Position

LABEL = 13
"""Cells of the times at the left."""
ROOM_FOR_SCALE = 96
"""Cells of a screen from which the scale's marks are two cells wide, and all is told of a rectangle."""
LEGEND, AXIS = 1, 1
"""Lines of the colour scale at the top and of latencies at the bottom."""
LIMITS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""The least number of calls of each colour."""
MARKS = "·.:-=+*x%#@█"
"""What stands for each colour where there are none, and over them."""
FAINTEST = 0.3
"""How much of its colour a single call has; the most calls have all of it."""
NAMES = ("1ns", "10ns", "100ns", "1us", "10us", "100us", "1ms", "10ms", "100ms", "1s", "10s")


class Rectangle(NamedTuple):
    """Calls of some time and latency."""

    start: int
    """ns since epoch, as ``end``, which is part of it."""
    end: int
    least: int
    """Latency, ns."""
    below: int | None
    """Latency that is too long, ns; None when none is."""
    calls: int


class Spectrogram(Widget):
    """Shows numbers of calls, and a cursor or a rectangle among them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "spectrogram--few",
        "spectrogram--some",
        "spectrogram--many",
        "spectrogram--axis",
        "spectrogram--cursor",
    }
    """
    | class | is |
    | --- | --- |
    | `spectrogram--few` | the colour of one call; others lie between these three |
    | `spectrogram--some` | the colour in the middle of the scale |
    | `spectrogram--many` | the colour of the most calls |
    | `spectrogram--axis` | times, latencies and the scale |
    | `spectrogram--cursor` | the cell under the cursor or the selected rectangle |
    """

    class CursorMoved(Message):
        """Another cell is under the cursor, or another rectangle is selected."""

    class Opened(Message):
        """A rectangle was drawn with the mouse."""

    class GridChanged(Message):
        """There is room for another number of rows and columns."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._shown: SpectrogramSnapshot | None = None
        self._row = self._column = 0
        self._corner: tuple[int, int] | None = None
        self._placed = False
        """True when the cursor is where somebody left it."""
        self.drawing = False
        """True while a rectangle is drawn: the picture is to hold still under it."""
        self._clicked = self._again = False
        """Whether the mouse clicked the cell under the cursor, and whether it is clicking it again."""
        self._colours: list[Style] = []

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns there is room for."""
        return max(1, self.size.height - LEGEND - AXIS), max(DECADES, self.size.width - LABEL)

    def show(self, snapshot: SpectrogramSnapshot | None) -> None:
        """Show counts."""
        before, self._shown = self._shown, snapshot
        if snapshot is not None and len(snapshot.counts):
            rows, columns = snapshot.counts.shape
            if not self._placed:
                # Begin where most calls are.
                self._row, self._column = divmod(int(snapshot.counts.argmax()), columns)
            elif before is not None and len(before.counts):
                # Cursor and corner stay on their times and latencies.
                began, width, before_columns = before.start - snapshot.start, before.width, before.counts.shape[1]

                def moved(row: int, column: int) -> tuple[int, int]:
                    row = max(0, (began + row * width) // snapshot.width)
                    return min(row, rows - 1), column * columns // before_columns

                self._row, self._column = moved(self._row, self._column)
                self._corner = self._corner and moved(*self._corner)
            self._placed = True
            self._row, self._column = min(self._row, rows - 1), min(self._column, columns - 1)
        self.refresh()
        self.post_message(self.CursorMoved())

    # selecting

    @property
    def rectangle(self) -> Rectangle | None:
        """What is selected, at least the cell under the cursor; None while nothing is shown."""
        shown = self._shown
        if shown is None or not len(shown.counts):
            return None
        top, left, bottom, right = self._box()
        limits = edges(shown.counts.shape[1])
        return Rectangle(
            shown.start + top * shown.width,
            shown.start + (bottom + 1) * shown.width - 1,
            int(limits[left]) if left else 0,
            int(limits[right + 1]) if right + 1 < len(limits) else None,
            int(shown.counts[top : bottom + 1, left : right + 1].sum()),
        )

    def _box(self) -> tuple[int, int, int, int]:
        row, column = self._corner or (self._row, self._column)
        return min(row, self._row), min(column, self._column), max(row, self._row), max(column, self._column)

    def mark(self) -> None:
        """Make the cell under the cursor a corner of a rectangle, or forget the rectangle."""
        self._corner = None if self._corner else (self._row, self._column)
        self.drawing = self._corner is not None
        self.refresh()
        self.post_message(self.CursorMoved())

    def unmark(self) -> bool:
        """Forget the rectangle; False when there was none."""
        had, self._corner, self.drawing = self._corner is not None, None, False
        self.refresh()
        self.post_message(self.CursorMoved())
        return had

    def _go(self, row: int, column: int) -> None:
        if self._shown is None or not len(self._shown.counts):
            return
        rows, columns = self._shown.counts.shape
        self._row, self._column = max(0, min(row, rows - 1)), max(0, min(column, columns - 1))
        self.refresh()
        self.post_message(self.CursorMoved())

    @property
    def position(self) -> Position:
        """Where the user is."""
        return Position(self._row, self._corner, self._placed, self._column)

    def restore(self, position: Position) -> None:
        """Begin where somebody was."""
        self._shown, self._corner, self._placed = None, position.key, position.chosen
        self.drawing = self._clicked = False
        self._row, self._column = position.index, position.left

    def place_in_all(self) -> tuple[int, int]:
        """Row under the cursor, and how many there are."""
        return self._row, len(self._shown.counts) if self._shown else 0

    def move_by(self, rows: int) -> None:
        """Move the cursor in time."""
        self._go(self._row + rows, self._column)

    def move_by_page(self, pages: int) -> None:
        """Move the cursor far in time."""
        self._go(self._row + pages * 10, self._column)

    def move_to_end(self, last: bool) -> None:
        """Move the cursor to the first or last time."""
        self._go((1 << 30) if last else 0, self._column)

    def move_sideways(self, steps: int) -> None:
        """Move the cursor in latency."""
        self._go(self._row, self._column + steps)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to draw a rectangle."""
        event.stop()
        before, self._corner = (self._row, self._column), None
        self._go(event.y - LEGEND, event.x - LABEL)
        self._corner, self.drawing = (self._row, self._column), True
        self._again = self._clicked and self._corner == before
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw on."""
        if self.app.mouse_captured is self:
            self._go(event.y - LEGEND, event.x - LABEL)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The rectangle is drawn, or a cell was clicked: for the second time it opens."""
        event.stop()
        if self.app.mouse_captured is self:
            self.release_mouse()
            self.drawing = False
            self._clicked = self._corner == (self._row, self._column)
            if self._clicked:
                self._corner = None
                self.refresh()
            if self._again or not self._clicked:
                self.post_message(self.Opened())

    def on_resize(self) -> None:
        """Ask for as many cells as there is room for."""
        self.post_message(self.GridChanged())

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._colours = []

    # drawing

    def render_line(self, y: int) -> Strip:
        """The scale, a row, or the latencies."""
        room = self.size.width
        if y == 0:
            return Strip(self._scale()).adjust_cell_length(room, self._style("axis"))
        if y == self.size.height - 1:
            return Strip([Segment(fit(self._latencies(room - LABEL), room), self._style("axis"))])
        shown, row = self._shown, y - LEGEND
        if shown is None or shown.error or row >= len(shown.counts):
            text = (shown.error if shown else "Counting…") if row == 1 else ""
            return Strip([Segment(fit("  " + text, room), self.rich_style)])
        return Strip(self._cells(shown, row)).adjust_cell_length(room, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"spectrogram--{name}")

    def _palette(self) -> list[Style]:
        """A style for each step of the scale, between three colours of the theme."""
        if not self._colours:
            few, some, many = (
                self.get_component_styles(f"spectrogram--{name}").color for name in ("few", "some", "many")
            )
            last, background = len(LIMITS) - 1, self.background_colors[1]
            for step in range(len(LIMITS)):
                part = 2 * step / last
                colour: Color = few.blend(some, part) if part <= 1 else some.blend(many, part - 1)
                block = background.blend(colour, FAINTEST + (1 - FAINTEST) * step / last)
                # The last mark fills its cell.
                mark = block if step == last else block.blend(block.get_contrast_text(1.0), 0.7)
                self._colours.append(Style(color=mark.rich_color, bgcolor=block.rich_color, bold=step > last // 2))
        return self._colours

    def _scale(self) -> list[Segment]:
        palette = self._palette()
        axis = self._style("axis")
        segments = [Segment(fit("calls", LABEL), axis)]
        wide = 2 if self.size.width >= ROOM_FOR_SCALE else 1
        for step, limit in enumerate(LIMITS):
            segments += [Segment(MARKS[step] * wide, palette[step]), Segment(f" {scaled(limit)}{' ' * wide}", axis)]
        return segments

    def _latencies(self, room: int) -> str:
        line = [" "] * room
        for decade, name in enumerate(NAMES):
            at = decade * room // DECADES
            text = f"|{name}"
            if at + len(text) <= room:
                line[at : at + len(text)] = text
        return " " * LABEL + "".join(line)

    def _cells(self, shown: SpectrogramSnapshot, row: int) -> list[Segment]:
        label = clock(shown.start + row * shown.width, shown.width)
        segments = [Segment(fit(label, LABEL - 1) + " ", self._style("axis"))]
        top, left, bottom, right = self._box()
        palette, cursor = self._palette(), self._style("cursor")
        texts: list[str] = []
        styles: list[Style] = []
        for column, count in enumerate(shown.counts[row].tolist()):
            step = bisect_right(LIMITS, count) - 1
            texts.append(MARKS[step] if step >= 0 else " ")
            inside = top <= row <= bottom and left <= column <= right
            styles.append(cursor if inside else palette[step] if step >= 0 else self.rich_style)
        return [*segments, *Segment.simplify(map(Segment, texts, styles))]


def rectangle_text(rectangle: Rectangle, *, brief: bool) -> str:
    """What is selected, in words; ``brief`` leaves out what the rows tell, when."""
    least, below = duration(rectangle.least), rectangle.below
    length = rectangle.end - rectangle.start + 1
    if brief:
        return f"{rectangle.calls:,} calls {least}–{duration(below) if below is not None else ''} in {duration(length)}"
    took = f"{least} to {duration(below)}" if below is not None else f"{least} and more"
    when = clock(rectangle.start, max(1, length // 10))
    return f"{rectangle.calls:,} calls of {took} at {when} + {duration(length)}"

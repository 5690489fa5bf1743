"""Tiles with a figure and its course over time, noteworthy ones first, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.query.overview import Figure
from engine.query.tiles import Counted
from engine.text import fit, scaled, width
from tui.place import Position
from tui.widgets.timeline import BARS, EIGHTHS

LEAST_WIDTH = 36
"""Cells of a tile at least."""
GAP = 2
MARK = "▌"
COUNTING = 0.95
"""Share of the events counted below which it is told that counting goes on."""
NOTEWORTHY = "Noteworthy"
WHEEL_LINES = 3


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the page: a heading, or the first or second line of some tiles."""

    heading: str = ""
    tiles: tuple[int, ...] = ()
    second: bool = False


class Tiles(ScrollView, inherit_bindings=False, can_focus=False):
    """Shows figures, and which of them is under the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tiles--heading",
        "tiles--title",
        "tiles--noteworthy",
        "tiles--quiet",
        "tiles--course",
        "tiles--cursor",
    }
    """
    | class | is |
    | --- | --- |
    | `tiles--heading` | the name of a category |
    | `tiles--title` | what a tile counts |
    | `tiles--noteworthy` | the same of a tile worth a look |
    | `tiles--quiet` | a tile that counts nothing |
    | `tiles--course` | the course over time |
    | `tiles--cursor` | the tile under the cursor |
    """

    class CursorMoved(Message):
        """Another tile is under the cursor."""

    class Opened(Message):
        """A tile was clicked that was under the cursor already."""

    class CellsChanged(Message):
        """Tiles may be as wide as they were not before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._figures: tuple[Figure, ...] = ()
        self._noteworthy: set[int] = set()
        self._lines: tuple[_Line, ...] = ()
        self._columns = 1
        self._chosen = ""
        """Title of the tile under the cursor, "" for the first."""
        self._moved = False
        """Whether the user put the cursor there."""
        self._message = ""
        self._share = 1.0

    def show(self, figures: Sequence[Figure], message: str = "", *, share: float = 1.0) -> None:
        """Take figures, ``share`` of all events counted; the cursor stays on its tile, which stays where it is seen.
        Where nobody has moved it, it is on the first until all that is there was counted once."""
        before = self._seen_at()
        self._figures = tuple(
            figure
            for figure in figures
            if figure.total or figure.tile.always or figure.error or figure.tile.title == self._chosen
        )
        self._message, self._share = message, share
        self._lay_out(before)
        if share == 1 and self._figures:
            self._chosen = self._figures[self._at].tile.title

    def _seen_at(self) -> int | None:
        """Line of the screen with the tile under the cursor, None when that is out of sight."""
        line = self._line_of(self._at) - int(self.scroll_offset.y) if self._order else -1
        return line if 0 <= line < self.size.height else None

    def _lay_out(self, seen_at: int | None) -> None:
        columns = max(1, (self.size.width - 1) // (LEAST_WIDTH + GAP))
        groups: dict[str, list[int]] = {NOTEWORTHY: []}
        for index, figure in enumerate(self._figures):
            noteworthy = figure.tile.noteworthy and figure.total
            groups.setdefault(NOTEWORTHY if noteworthy else figure.tile.category, []).append(index)
        self._noteworthy = set(groups[NOTEWORTHY])
        lines: list[_Line] = []
        for heading, indices in groups.items():
            if not indices:
                continue
            lines.append(_Line(heading))
            for start in range(0, len(indices), columns):
                tiles = tuple(indices[start : start + columns])
                lines += [_Line(tiles=tiles), _Line(tiles=tiles, second=True)]
        self._lines = tuple(lines)
        self._columns = columns
        self.virtual_size = Size(self.size.width, len(lines))
        if seen_at is not None and self._figures:
            if self._moved:
                self.scroll_to(y=self._line_of(self._at) - seen_at, animate=False, force=True)
            self._bring_in_sight()
        self.refresh()
        self.post_message(self.CursorMoved())

    # the cursor

    @property
    def figure(self) -> Figure | None:
        """The figure under the cursor."""
        return self._figures[self._at] if self._figures else None

    @property
    def _order(self) -> list[int]:
        """Tiles as they are read."""
        return [index for line in self._lines if not line.second for index in line.tiles]

    @property
    def _at(self) -> int:
        titles = [figure.tile.title for figure in self._figures]
        return titles.index(self._chosen) if self._chosen in titles else (self._order or [0])[0]

    @property
    def position(self) -> Position:
        """Where the user is."""
        return Position(0, self._chosen, self._moved, 0, int(self.scroll_offset.y))

    def restore(self, position: Position) -> None:
        """Begin where somebody was."""
        self._chosen, self._moved = str(position.key or ""), position.chosen
        self._figures, self._lines = (), ()
        self.scroll_to(y=position.top, animate=False, force=True)

    def place_in_all(self) -> tuple[int, int]:
        """Place of the tile under the cursor among all."""
        order = self._order
        return (order.index(self._at) if order else 0), len(order)

    def _go(self, index: int) -> None:
        self._chosen, self._moved = self._figures[index].tile.title, True
        self._bring_in_sight()
        self.refresh()
        self.post_message(self.CursorMoved())

    def _line_of(self, index: int) -> int:
        return next((at for at, line in enumerate(self._lines) if index in line.tiles), 0)

    def _bring_in_sight(self) -> None:
        line, top, height = self._line_of(self._at), int(self.scroll_offset.y), self.size.height
        # The heading over the first tiles is to be seen too.
        if line - 1 < top:
            self.scroll_to(y=line - 1, animate=False, force=True)
        elif line + 2 > top + height:
            self.scroll_to(y=line + 2 - height, animate=False, force=True)

    def move_by(self, rows: int) -> None:
        """Move to the tile below or above."""
        if not self._figures:
            return
        rows_of_tiles = [line.tiles for line in self._lines if line.tiles and not line.second]
        at = next(n for n, tiles in enumerate(rows_of_tiles) if self._at in tiles)
        column = rows_of_tiles[at].index(self._at)
        tiles = rows_of_tiles[max(0, min(at + rows, len(rows_of_tiles) - 1))]
        self._go(tiles[min(column, len(tiles) - 1)])

    def move_by_page(self, pages: int) -> None:
        """Move by what is seen at once."""
        self.move_by(pages * max(1, self.size.height // 3))

    def move_to_end(self, last: bool) -> None:
        """Move to the first or the last tile."""
        if order := self._order:
            self._go(order[-1 if last else 0])

    def move_sideways(self, steps: int) -> None:
        """Move to the next tile, or the one before."""
        if order := self._order:
            self._go(order[max(0, min(order.index(self._at) + steps, len(order) - 1))])

    # what happens to it

    def on_resize(self) -> None:
        """Use the new room."""
        self._lay_out(self._seen_at())
        self.post_message(self.CellsChanged())

    def on_click(self, event: events.Click) -> None:
        """Choose a tile; the chosen one opens."""
        event.stop()
        at = event.y + int(self.scroll_offset.y)
        if at >= len(self._lines) or not self._lines[at].tiles:
            return
        column = event.x // self._tile_width
        tiles = self._lines[at].tiles
        if column >= len(tiles):
            return
        again = tiles[column] == self._at
        self._go(tiles[column])
        if again:
            self.post_message(self.Opened())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show what is further down."""
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.scroll_offset.y + WHEEL_LINES, animate=False, force=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show what is further up."""
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.scroll_offset.y - WHEEL_LINES, animate=False, force=True)

    # drawing

    @property
    def cells(self) -> int:
        """Cells there are for a course."""
        return max(1, self._tile_width - GAP - 1)

    @property
    def _tile_width(self) -> int:
        """Cells of a tile and the gap after it."""
        return max(1, (self.size.width - 1) // self._columns)

    def render_line(self, y: int) -> Strip:
        """A heading, or a line of tiles."""
        at = y + int(self.scroll_offset.y)
        total = self.size.width
        if not self._lines:
            return Strip([Segment(fit("  " + self._message if y == 1 else "", total), self._style("quiet"))])
        if at >= len(self._lines):
            return Strip.blank(total, self.rich_style)
        line = self._lines[at]
        if line.heading:
            told = f"counting {self._share:.0%} " if at == 0 and self._share < COUNTING else ""
            heading = fit(" " + line.heading, max(0, total - len(told))) + told
            return Strip([Segment(heading, self._style("heading"))])
        segments: list[Segment] = []
        for index in line.tiles:
            segments += self._tile(index, line.second, self._tile_width - GAP)
            segments.append(Segment(" " * GAP, self.rich_style))
        return Strip(segments).adjust_cell_length(total, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tiles--{name}")

    def _tile(self, index: int, second: bool, room: int) -> list[Segment]:
        figure, at_cursor = self._figures[index], index == self._at
        mark = Segment(MARK if at_cursor else " ", self._style("cursor") if at_cursor else self.rich_style)
        if second:
            return [mark, Segment(fit(_course(figure.course, room - 1), room - 1), self._style("course"))]
        name = "noteworthy" if index in self._noteworthy else "title" if figure.total else "quiet"
        total = (figure.error and "not counted") or _total(figure)
        title = fit(figure.tile.title, max(0, room - 2 - width(total)))
        style = self._style("cursor") if at_cursor else self._style(name)
        return [mark, Segment(f"{title} {total}", style)]


def _total(figure: Figure) -> str:
    if figure.tile.counted is Counted.BYTES:
        return f"{scaled(figure.total, 1 if figure.total > 1024 else 0)}B"
    return f"{figure.total:,}"


def _course(course: Sequence[float], room: int) -> str:
    """Eighth blocks; each cell of time is several cells wide where there are few."""
    top = max(course, default=0.0)
    wide = max(1, room // max(1, len(course)))
    if not top:
        return ""
    return "".join(BARS[-int(-value / top * EIGHTHS // 1)] * wide for value in course)[:room]

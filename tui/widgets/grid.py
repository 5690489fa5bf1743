"""A page of rows drawn line by line, with a cursor that stays on its row.

Owns drawing, scrolling and the cursor. Holds only the rows of one page; says which it needs
(``WindowWanted``) and leaves fetching, sorting and drilling to its screen. Cells are safe text.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.query.snapshots import Row
from tui.place import Position
from tui.widgets.page import Page, cells_of, fitted, marked

GUTTER = 1
"""Cells left of the first column, for the cursor's mark."""
CURSOR_MARK = "▌"
UNDERLINED = Style(underline=True)
QUIET = frozenset({"-", "0", "0.00", "0.0"})
"""Cells that say nothing happened, drawn with less weight."""
WHEEL_LINES = 3
RIGHT = 3
"""The mouse's right button."""
SIDE_STEP = 8
"""Cells the arrow keys scroll sideways."""


class Grid(ScrollView, inherit_bindings=False, can_focus=False):
    """Shows a page of rows and repaints only the lines that changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--cursor",
        "grid--head",
        "grid--header",
        "grid--header-sorted",
        "grid--link",
        "grid--message",
        "grid--name",
        "grid--note",
        "grid--quiet",
        "grid--read",
        "grid--sorted",
        "grid--write",
    }
    """
    | class | is |
    | --- | --- |
    | `grid--cursor` | the row under the cursor |
    | `grid--head` | a line that says what the lines under it are |
    | `grid--header` | the line of titles |
    | `grid--header-sorted` | the title of the column sorted on |
    | `grid--link` | a line that leads to another event |
    | `grid--message` | what is said in place of rows |
    | `grid--name` | what a line tells |
    | `grid--note` | what that means |
    | `grid--quiet` | zeros and unknown values |
    | `grid--read` | payload that was read |
    | `grid--sorted` | cells of the column sorted on |
    | `grid--write` | payload that was written |
    """

    class WindowWanted(Message):
        """Rows are visible that the page does not hold."""

    class CursorMoved(Message):
        """The cursor is on another row, or the number of rows changed."""

    class RowOpened(Message):
        """A row was clicked that was already selected."""

    class CellAsked(Message):
        """A cell was clicked with the right button."""

        def __init__(self, column: int) -> None:
            """Remember the index of the shown column."""
            super().__init__()
            self.column = column

    class HeaderClicked(Message):
        """A title was clicked."""

        def __init__(self, column: int) -> None:
            """Remember the index of the shown column."""
            super().__init__()
            self.column = column

    virtual_size = Reactive(Size(0, 0))
    """Unlike other widgets', nothing else on the screen depends on it: a new number of rows lays nothing out anew."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._page = Page()
        self._position = Position()
        self._restoring = False
        self._message = ""
        self._widths: tuple[int, ...] = ()
        self._needed: tuple[int, ...] = ()
        self._strips: dict[int, tuple[Row, bool, Strip]] = {}
        self._styles: dict[str, Style] = {}
        self._hit = ""
        """Text that was searched and led to the row under the cursor, folded."""
        self._hit_seen = False

    # what is shown

    @property
    def page(self) -> Page:
        """The page shown."""
        return self._page

    @property
    def position(self) -> Position:
        """Where the user is now, to come back to."""
        now = self._position
        left, top = self.scroll_offset
        return Position(now.index, now.key, now.chosen, int(left), int(top), self._needed)

    @property
    def hold(self) -> Any:
        """Key of the row to stay on, None while the user has not chosen one."""
        return self._position.key if self._position.chosen else None

    @property
    def body_height(self) -> int:
        """Lines there are for rows."""
        return max(1, self.size.height - self._page.headed)

    @property
    def body_width(self) -> int:
        """Cells there are left of the scrollbar, which always has its place."""
        return self.size.width - self.scrollbar_size_vertical

    @property
    def widths(self) -> tuple[int, ...]:
        """Cells of each column as they are drawn."""
        return self._widths

    @property
    def window(self) -> tuple[int, int]:
        """Offset and count of the rows to ask for: what is visible and a screenful around it."""
        height = self.body_height
        top = self._position.top if self._restoring else int(self.scroll_offset.y)
        return max(0, top - height), 3 * height

    def row(self, index: int | None = None) -> Row | None:
        """The row at an index, by default the one under the cursor; None when the page does not hold it."""
        return self._page.row(self._position.index if index is None else index)

    def restore(self, position: Position) -> None:
        """Begin with another table at a position; the next page is shown there."""
        self._position = position
        self._hit = ""
        self._restoring = True
        self._needed = position.needed
        self._strips.clear()

    def show(self, page: Page, held: int | None = None, message: str = "") -> None:
        """Take a page. ``held`` is where the cursor's row is now, None when it is unknown or gone;
        ``message`` stands in place of rows when there are none."""
        before, self._page = self._page, page
        self._message = message
        top = self._position.top if self._restoring else int(self.scroll_offset.y)
        was_visible = top <= self._position.index < top + self.body_height
        was_last = not self._restoring and 0 < before.total <= self._position.index + 1
        if page.arrival and self._position.chosen and was_last and page.total > self._position.index + 1:
            # The last row is another one now, which need not be held yet.
            self._place_cursor(page.total - 1, None)
        elif held is not None and self._position.chosen:
            self._place_cursor(held, self._position.key)
        elif self._position.index >= page.total:
            self._place_cursor(max(0, page.total - 1), None)
        if (under := self.row()) is not None and (not self._position.chosen or held is None):
            self._place_cursor(self._position.index, under.key)
        laid_out = self._lay_out()
        if self._restoring:
            self._restoring = False
            self.scroll_to(self._position.left, top, animate=False, force=True)
            laid_out = False
        if was_visible:
            self._scroll_to_cursor()
        same_place = (
            laid_out
            and (before.columns, before.sort, before.descending) == (page.columns, page.sort, page.descending)
            and top == int(self.scroll_offset.y)
            and bool(before.total) == bool(page.total)
        )
        if same_place:
            self._refresh_changed(before)
        else:
            self.refresh()
        self._want_window()
        self._show_hit()
        self.post_message(self.CursorMoved())

    def say(self, message: str) -> None:
        """Change what stands in place of rows."""
        self._message = message
        self.refresh()

    def _refresh_changed(self, before: Page) -> None:
        top = int(self.scroll_offset.y)
        for index in range(top, top + self.body_height):
            old, new = before.row(index), self.row(index)
            drawn = self._strips.get(index)
            if (old is not new and old != new) or (drawn and drawn[1] != (index == self._position.index)):
                self._refresh_row(index)

    def _refresh_row(self, index: int) -> None:
        line = index - int(self.scroll_offset.y) + self._page.headed
        if 0 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _lay_out(self) -> bool:
        """Compute widths; True when they are what they were."""
        page, before = self._page, self._widths
        self._needed = page.needed(self._needed)
        self._widths = page.widths(self._needed, self.body_width - GUTTER)
        if same := self._widths == before:
            self._strips = {index: entry for index, entry in self._strips.items() if self.row(index) is entry[0]}
        else:
            self._strips.clear()
        self.virtual_size = Size(GUTTER + sum(self._widths), page.total + page.headed)
        return same

    def watch_virtual_size(self, size: Size) -> None:
        """Fit the scrollbar to it."""
        self._scroll_update(size)

    # the cursor

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, scrolling as little as needed."""
        if not self._page.total:
            return
        if self._hit:
            self._hit = ""
            self._strips.pop(self._position.index, None)
        before = self._position.index
        index = max(0, min(index, self._page.total - 1))
        row = self.row(index)
        self._place_cursor(index, row and row.key, chosen=True)
        self._scroll_to_cursor()
        self._refresh_row(before)
        self._refresh_row(index)
        self._want_window()
        self.post_message(self.CursorMoved())

    def jump_to(self, index: int, hit: str = "") -> None:
        """Put the cursor on a row, which comes into the middle when what is around it was out of sight; ``hit``: a text
        in it, which is underlined and comes into sight too."""
        around = self.body_height // 6
        if not around <= index - int(self.scroll_offset.y) < self.body_height - around:
            self.scroll_to(y=index - self.body_height // 2, animate=False, force=True)
        self.move_to(index)
        self._hit, self._hit_seen = hit.casefold(), False
        self._show_hit()

    def _show_hit(self) -> None:
        """Scroll sideways to the text that was searched, once its row is there."""
        index, row = self._position.index, self.row()
        if not self._hit or self._hit_seen or row is None:
            return
        self._hit_seen = True
        self._strips.pop(index, None)
        self._refresh_row(index)
        span = cells_of(self._hit, self._row_strip(index, row, True).text)
        seen = int(self.scroll_offset.x)
        if span and not seen <= span[0] <= span[1] <= seen + self.body_width:
            self.scroll_to(x=span[0] - self.body_width // 3, animate=False, force=True)

    def move_by(self, rows: int) -> None:
        """Move the cursor by a number of rows."""
        self.move_to(self._position.index + rows)

    def move_by_page(self, pages: int) -> None:
        """Move the cursor and what is seen by a screenful."""
        self.scroll_to(y=self.scroll_offset.y + pages * self.body_height, animate=False, force=True)
        self.move_by(pages * self.body_height)

    def move_to_end(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.move_to(self._page.total - 1 if last else 0)

    def move_sideways(self, steps: int) -> None:
        """Show what is further right (or left, negative)."""
        self.scroll_sideways(steps * SIDE_STEP)

    def place_in_all(self) -> tuple[int, int]:
        """Index of the row under the cursor, and how many there are."""
        return self._position.index, self._page.total

    def scroll_sideways(self, cells: int) -> None:
        """Scroll to the right (or left, negative)."""
        self.scroll_to(x=self.scroll_offset.x + cells, animate=False, force=True)

    def _place_cursor(self, index: int, key: Any, *, chosen: bool | None = None) -> None:
        now = self._position
        self._position = Position(index, key, now.chosen if chosen is None else chosen, now.left, now.top)

    def _scroll_to_cursor(self) -> None:
        index, top = self._position.index, int(self.scroll_offset.y)
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + self.body_height:
            self.scroll_to(y=index - self.body_height + 1, animate=False, force=True)

    def _want_window(self) -> None:
        top = int(self.scroll_offset.y)
        bottom = min(top + self.body_height, self._page.total)
        if top < self._page.offset or bottom > self._page.offset + len(self._page.rows):
            self.post_message(self.WindowWanted())

    # what happens to it

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the rows that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._want_window()

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._lay_out()
        self._scroll_to_cursor()
        self._want_window()
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def on_click(self, event: events.Click) -> None:
        """Sort on a title, select a row, open the selected row."""
        event.stop()
        if self._page.headed and event.y == 0:
            if (column := self._column_at(event.x + int(self.scroll_offset.x))) is not None:
                self.post_message(self.HeaderClicked(column))
            return
        index = event.y - self._page.headed + int(self.scroll_offset.y)
        if index >= self._page.total:
            return
        again = self._position.chosen and index == self._position.index
        self.move_to(index)
        if event.button == RIGHT:
            self.post_message(self.CellAsked(self._column_at(event.x + int(self.scroll_offset.x)) or 0))
        elif again:
            self.post_message(self.RowOpened())

    def _column_at(self, cell: int) -> int | None:
        edge = GUTTER
        for index, width in enumerate(self._widths):
            edge += width
            if cell < edge:
                return index
        return None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show later rows; the cursor stays where it is."""
        self._wheel(event, WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show earlier rows."""
        self._wheel(event, -WHEEL_LINES)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        event.stop()
        event.prevent_default()
        if event.shift or event.ctrl:
            self.scroll_sideways(2 * lines)
        else:
            self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    # drawing

    def render_line(self, y: int) -> Strip:
        """One line of the widget: titles first, then rows."""
        left, top = self.scroll_offset
        width = self.body_width
        if self._page.headed and y == 0:
            return self._edge_marks(self._header().crop_extend(left, left + width, self._style("header")), left, width)
        index = y - self._page.headed + top
        if not self._page.total:
            return self._message_line(index, width)
        row = self.row(index)
        if row is None:
            return Strip.blank(width, self.rich_style)
        at_cursor = index == self._position.index
        background = self._style("cursor") if at_cursor else self.rich_style
        return self._row_strip(index, row, at_cursor).crop_extend(left, left + width, background)

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"grid--{name}")
        return self._styles[name]

    def _header(self) -> Strip:
        segments = [Segment(" " * GUTTER, self._style("header"))]
        for index, (column, width) in enumerate(zip(self._page.columns, self._widths, strict=True)):
            is_sorted = index == self._page.sort
            title = fitted(column.title, width, column.right)
            if is_sorted:
                title = marked(title, "▼" if self._page.descending else "▲", column.right)
            segments.append(Segment(title, self._style("header-sorted" if is_sorted else "header")))
        return Strip(segments)

    def _edge_marks(self, strip: Strip, left: int, width: int) -> Strip:
        """Say in the line of titles that there is more to either side."""
        style = self._style("header-sorted")
        if left:
            strip = Strip.join([Strip([Segment("◂", style)]), strip.crop(1)])
        if left + width < self.virtual_size.width:
            strip = Strip.join([strip.crop(0, width - 1), Strip([Segment("▸", style)])])
        return strip

    def _message_line(self, index: int, width: int) -> Strip:
        lines = wrap(self._message, max(1, width - 4))
        text = lines[index - 1] if 0 < index <= len(lines) else ""
        return Strip([Segment(set_cell_size("  " + text, width), self._style("message"))], width)

    def _row_strip(self, index: int, row: Row, at_cursor: bool) -> Strip:
        drawn = self._strips.get(index)
        if drawn and drawn[0] == row and drawn[1] == at_cursor:
            return drawn[2]
        cursor, normal = self._style("cursor"), self.rich_style
        if self._page.tones and (tone := self._page.tones[index - self._page.offset]):
            normal = self._style(tone)
        texts = [CURSOR_MARK if at_cursor else " "]
        style = cursor if at_cursor else normal
        segments: list[Segment] = []
        tones = self._page.column_tones
        for number, (cell, text) in enumerate(zip(row.cells, self._page.texts(row, self._widths), strict=True)):
            if not at_cursor:
                name = "quiet" if cell in QUIET else "sorted" if number == self._page.sort else ""
                if tones and normal is self.rich_style:
                    name = tones[number]
                wanted = self._style(name) if name else normal
                if wanted is not style:
                    segments.append(Segment("".join(texts), style))
                    texts, style = [], wanted
            texts.append(text)
        segments.append(Segment("".join(texts), style))
        strip = Strip(segments)
        if at_cursor and self._hit and (span := cells_of(self._hit, strip.text)):
            before, hit, after = strip.divide([*span, strip.cell_length])
            strip = Strip.join([before, hit.apply_style(UNDERLINED), after])
        self._strips[index] = (row, at_cursor, strip)
        return strip

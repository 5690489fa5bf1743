"""The screen: a table, or lines of events, at one place of a drill-down.

Owns the stack of places and what keys do to it. Asks the engine for the rows of the present place and
shows the snapshots that come; sorting, searching and counting are the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from engine.query.snapshots import (
    LinesRequest,
    LinesSnapshot,
    Row,
    ShownColumn,
    Snapshot,
    Status,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.query.view import View
from tui.engine import Engine
from tui.options import Options
from tui.place import Place, target
from tui.screens.dialogs import choose_sort, choose_view, show_help, show_legend
from tui.screens.keys import BINDINGS
from tui.widgets.dialog import Dialog
from tui.widgets.grid import Grid, Page
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.prompts import FilterPrompt, Prompt, SearchPrompt

PATIENCE = 0.25
"""Seconds an answer may take before the header says that one is awaited."""
SIDE_STEP = 8
"""Cells the arrow keys scroll sideways."""
LINE_COLUMN = (ShownColumn("", 0, False, ""),)
"""The one column lines of events have."""


class Explorer(Screen[None]):
    """Shows the rows of the present place."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(self, engine: Engine, views: Mapping[str, View], options: Options) -> None:
        """Begin at the start view."""
        super().__init__()
        self._engine = engine
        self._views = views
        self._options = options
        self._places = [Place(views.get(options.view), filter=options.filter)]
        self._status = Status("", 0, 0, 0, 0.0, (), "", 0)
        self._stale = False
        self._paused = False
        self._pending: TableRequest | LinesRequest | None = None
        self._impatience: Timer | None = None
        self._searched = ""
        self._before_search = 0
        self._asked_at: Any = None

    @property
    def place(self) -> Place:
        """Where the user is."""
        return self._places[-1]

    def compose(self) -> ComposeResult:
        """Header, table, prompts, keys, and the dialog over them."""
        yield Header()
        yield Grid(id="rows")
        yield FilterPrompt(id="filter-prompt")
        yield SearchPrompt(id="search-prompt")
        yield KeyBar(id="keys")
        yield Dialog(id="dialog")

    def on_mount(self) -> None:
        """Find the parts once, and ask for the first rows."""
        self.header = self.query_one(Header)
        self.grid = self.query_one("#rows", Grid)
        self.filter_prompt = self.query_one(FilterPrompt)
        self.search_prompt = self.query_one(SearchPrompt)
        self.key_bar = self.query_one(KeyBar)
        self.dialog = self.query_one(Dialog)
        self.set_interval(self._options.delay_ms / 1000, self._refresh_stale)
        self._show_place()

    # asking and showing

    def _ask(self, search: str = "", search_from: int = 0, *, backwards: bool = False) -> None:
        """Ask for the rows around what is visible."""
        offset, count = self.grid.window
        place, containers = self.place, self._options.containers
        request: TableRequest | LinesRequest
        if place.view is None:
            request = LinesRequest(
                place.levels, place.filter, containers, offset, count, search, search_from, backwards
            )
        else:
            request = TableRequest(
                place.view, place.levels, place.filter, containers, place.sort, place.descending,
                offset, count, self.grid.hold, search, search_from, backwards,
            )  # fmt: skip
        self._pending = request
        self._asked_at = self.grid.hold
        self._stale = False
        if not self._impatience:
            self._impatience = self.set_timer(PATIENCE, self._show_source)
        self._engine.ask("table", request)

    def take(self, snapshot: Snapshot) -> None:
        """Show what the engine answered."""
        match snapshot:
            case Status():
                self._take_status(snapshot)
            case VerdictSnapshot():
                self.filter_prompt.judge(snapshot)
            case TableSnapshot() | LinesSnapshot():
                self._take_rows(snapshot)

    def _take_status(self, status: Status) -> None:
        grew = status.events != self._status.events
        first = grew and not self._status.events
        self._status = status
        self._stale |= grew
        self._show_source()
        if first:
            self._refresh_stale()

    def _refresh_stale(self) -> None:
        if self._stale and not self._paused and not self._pending:
            self._ask()
            if self.filter_prompt.display:
                self._check_filter()

    def _take_rows(self, snapshot: TableSnapshot | LinesSnapshot) -> None:
        request = snapshot.request
        awaited = request is self._pending
        if not self.place.answers(request) or (self._paused and not awaited):
            return
        if awaited:
            self._pending = None
            if self._impatience:
                self._impatience.stop()
                self._impatience = None
                self._show_source()
        # Whoever moved on, or left the search, is not brought back by an answer that took its time.
        stayed = self.grid.hold == self._asked_at
        self.place.snapshot = snapshot
        self.header.show_filter(snapshot.filter)
        self._show_rows(snapshot, awaited=awaited)
        if awaited and request.search and stayed:
            self.search_prompt.tell(found=snapshot.found is not None)
            if snapshot.found is not None:
                self.grid.move_to(snapshot.found)
            elif not self.search_prompt.display:
                self.notify("Not found", timeout=2, markup=False)

    def _show_rows(self, snapshot: TableSnapshot | LinesSnapshot, *, awaited: bool) -> None:
        if isinstance(snapshot, LinesSnapshot):
            rows = tuple(Row(index, "", (line,)) for index, line in enumerate(snapshot.lines, snapshot.offset))
            page = Page(LINE_COLUMN, rows, snapshot.offset, snapshot.total, headed=False)
            held: int | None = self.grid.position.index
        else:
            page = Page(
                snapshot.columns, snapshot.rows, snapshot.offset, snapshot.total, snapshot.sort, snapshot.descending
            )
            held = snapshot.held if awaited and snapshot.request.hold == self.grid.hold else self._index_of(snapshot)
        self.grid.show(page, held, snapshot.error or self._nothing())

    def _index_of(self, snapshot: TableSnapshot) -> int | None:
        """Where the cursor's row is among the rows that came, None when it is not."""
        key = self.grid.hold
        return next((snapshot.offset + at for at, row in enumerate(snapshot.rows) if row.key == key), None)

    def _nothing(self) -> str:
        """What is said in place of rows."""
        if self._pending or self._status.progress < 1:
            return "Reading…"
        ways = " F4 edits the filter." if self.place.filter else ""
        return f"No rows: no event passes the filter above.{ways}" + (
            " Backspace goes back." if len(self._places) > 1 else ""
        )

    def _show_source(self) -> None:
        waiting = self._impatience is not None and self._pending is not None
        self.header.show_source(self._status, paused=self._paused, busy=waiting)

    def _show_place(self) -> None:
        """Show the present place: at once what was seen there last, then its rows as they are now."""
        place = self.place
        self.grid.restore(place.position)
        self._pending = None
        steps = []
        for here, below in zip(self._places, [*self._places[1:], None], strict=True):
            level = below.levels[-1] if below and len(below.levels) > len(here.levels) else None
            steps.append((here.name, f"{level.field}={level.shown}" if level and level.field else ""))
        self.header.show_crumbs(steps)
        if place.snapshot:
            self.header.show_filter(place.snapshot.filter)
            self._show_rows(place.snapshot, awaited=False)
        else:
            self.header.show_filter(place.filter)
            self.grid.show(Page(headed=place.view is not None), None, "Reading…")
        self._show_source()
        self._ask()
        self.refresh_bindings()

    # going down and back

    def _go(self, place: Place) -> None:
        self.place.position = self.grid.position
        self._places.append(place)
        self._show_place()

    @on(Grid.RowOpened)
    def action_drill(self) -> None:
        """Open the selected row: in the view it leads to, else its events."""
        row, snapshot = self.grid.row(), self.place.snapshot
        if row and isinstance(snapshot, TableSnapshot):
            view = target(self._views, snapshot.request.view, snapshot.key_field)
            self._go(self.place.below(view, snapshot.key_field, row))

    def action_dig(self) -> None:
        """Show the events of the selected row."""
        snapshot = self.place.snapshot
        if isinstance(snapshot, TableSnapshot):
            self._go(self.place.below(None, snapshot.key_field, self.grid.row()))

    def action_back(self) -> None:
        """Go back one step, to exactly what was there."""
        if len(self._places) > 1:
            self.action_back_to(len(self._places) - 2)

    def action_back_to(self, depth: int) -> None:
        """Go back to a step of the crumbs."""
        if depth < len(self._places) - 1:
            del self._places[depth + 1 :]
            self._show_place()

    def action_views(self) -> None:
        """Choose another view of the same."""
        place = self.place

        def chosen(view: View) -> None:
            if view is not place.view:
                self._go(place.below(view))

        choose_view(self.dialog, self._views, place, chosen, containers=self._options.containers)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what makes no sense here, hide what is for other moods."""
        if action in {"cancel", "back", "drill"}:
            typing = self.is_mounted and (self.filter_prompt.display or self.search_prompt.display)
            if typing or action == "cancel":
                return typing and action == "cancel"
        if action in {"sort", "sort_on", "shift_sort", "legend", "dig", "drill"} and self.place.view is None:
            return None
        if action == "back" and len(self._places) == 1:
            return None
        return True

    # sorting

    def action_sort(self) -> None:
        """Choose the column to sort on."""
        if self.grid.page.columns:
            choose_sort(self.dialog, self.grid.page, self.action_sort_on)

    def action_sort_on(self, column: int) -> None:
        """Sort on a shown column; the present one again turns the order round."""
        page = self.grid.page
        if column < len(page.columns):
            self.place.sort = column
            self.place.descending = not page.descending if column == page.sort else None
            self._ask()

    def action_shift_sort(self, by: int) -> None:
        """Sort on the column beside the present one."""
        page = self.grid.page
        wanted = 0 if page.sort is None else page.sort + by
        if 0 <= wanted < len(page.columns):
            self.action_sort_on(wanted)

    @on(Grid.HeaderClicked)
    def _header_clicked(self, event: Grid.HeaderClicked) -> None:
        self.action_sort_on(event.column)

    # filter and search

    def action_edit_filter(self) -> None:
        """Open the filter editor."""
        self.search_prompt.close()
        self.filter_prompt.open(self.place.filter)

    @on(FilterPrompt.Typed)
    def _check_filter(self) -> None:
        self._engine.ask("verdict", VerdictRequest(self.filter_prompt.text, self.place.levels))

    @on(FilterPrompt.Applied)
    def _filter_applied(self, event: FilterPrompt.Applied) -> None:
        self._close(self.filter_prompt)
        if event.text != self.place.filter:
            self.place.filter = event.text
            self.place.snapshot = None
            self.place.position = replace(self.grid.position, top=0)
            self._show_place()

    def action_search(self) -> None:
        """Open the search."""
        self.filter_prompt.close()
        self._before_search = self.grid.position.index
        self.search_prompt.open("")

    @on(SearchPrompt.Typed)
    def _search_typed(self) -> None:
        self._searched = self.search_prompt.text
        if self._searched:
            self._ask(self._searched, self._before_search)
        else:
            self.search_prompt.tell(found=True)

    @on(SearchPrompt.Left)
    def _search_left(self) -> None:
        self._close(self.search_prompt)

    def action_search_next(self, backwards: bool) -> None:
        """Go to the next row with the text searched last."""
        if self._searched and self.grid.page.total:
            start = (self.grid.position.index + (-1 if backwards else 1)) % self.grid.page.total
            self._ask(self._searched, start, backwards=backwards)

    def action_cancel(self) -> None:
        """Leave the prompt that is open; a search goes back to where it began."""
        if self.search_prompt.display:
            self._close(self.search_prompt)
            self.grid.move_to(self._before_search)
            self._ask()
        elif self.filter_prompt.display:
            self._close(self.filter_prompt)

    def _close(self, prompt: Prompt) -> None:
        prompt.close()
        self._engine.drop("verdict")

    # the rest

    def action_pause(self) -> None:
        """Hold the picture still, or let it go on."""
        self._paused = not self._paused
        self._show_source()
        self._refresh_stale()

    def action_help(self) -> None:
        """Tell the keys."""
        bindings = sorted(self.active_bindings.values(), key=lambda active: active.node is self.app)
        show_help(self.dialog, [(self.app.get_key_display(active.binding), active) for active in bindings])

    def action_legend(self) -> None:
        """Tell what the view and its columns mean."""
        view, snapshot = self.place.view, self.place.snapshot
        if view:
            key_field = snapshot.key_field if isinstance(snapshot, TableSnapshot) else ""
            show_legend(self.dialog, self._views, view, key_field, containers=self._options.containers)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.grid.move_by(rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screenfuls."""
        self.grid.move_by_page(pages)

    def action_first(self) -> None:
        """Go to the first row."""
        self.grid.move_to(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self.grid.move_to(self.grid.page.total - 1)

    def action_sideways(self, steps: int) -> None:
        """Scroll sideways."""
        self.grid.scroll_sideways(steps * SIDE_STEP)

    @on(Grid.WindowWanted)
    def _window_wanted(self) -> None:
        offset, _ = self.grid.window
        if not self._pending or self._pending.offset != offset:
            self._ask()

    @on(Grid.CursorMoved)
    def _cursor_moved(self) -> None:
        self.key_bar.show_position(self.grid.position.index, self.grid.page.total)

"""The main screen: one place of a drill-down at a time, and the stack of places one came through.

Owns the stack and joins widgets, parts and the engine. What each key does is the business of the parts; sorting,
searching and counting are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget

from engine.filters.implied import asks_of_others
from engine.query.snapshots import Snapshot, Status, TableSnapshot
from engine.query.view import View
from engine.query.work import EVERYTHING
from tui.engine import Engine
from tui.options import Options
from tui.place import PICTURES, SHAPES, Place, Position, Show, target, terms
from tui.screens.actions import Actions
from tui.screens.bookmarks import Bookmarks
from tui.screens.cells import Cells
from tui.screens.columns import Columns, arranged_all
from tui.screens.comparing import Comparing
from tui.screens.detail import Detail
from tui.screens.dialogs import choose_view, show_help, show_legend, show_tiles
from tui.screens.filtering import Filtering
from tui.screens.keys import BINDINGS, keys_of
from tui.screens.lines import Lines
from tui.screens.overview import Overview
from tui.screens.palette import Commands
from tui.screens.part import Part
from tui.screens.peeking import Peeking
from tui.screens.recording import Recording
from tui.screens.rows import Rows
from tui.screens.spectrogram import Spectrograms
from tui.screens.timing import Timing
from tui.widgets.body import Body
from tui.widgets.choices import Choices
from tui.widgets.dialog import Dialog
from tui.widgets.filter_editor import FilterPrompt
from tui.widgets.grid import Grid
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.peek import Peek
from tui.widgets.prompts import LinePrompt, NotePrompt, Prompt, SearchPrompt
from tui.widgets.spectrogram import Spectrogram
from tui.widgets.tiles import Tiles
from tui.widgets.timeline import Timeline

NARROW = 100
"""Cells of a screen under which dialogs take its whole width."""

WHILE_TYPING = frozenset({"help", "move", "page", "search_next"})
"""Actions of the table that keys can do while one types."""


class Explorer(Screen[None]):
    """Shows the present place."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-roomy")]  # noqa: RUF012 - as the framework declares it
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}

    def __init__(self, engine: Engine, views: Mapping[str, View], options: Options) -> None:
        """Begin at the start view."""
        super().__init__()
        self.engine = engine
        self.shipped = views
        """Views as they are declared."""
        self.views = arranged_all(views)
        self.options = options
        view = self.views.get(options.view)
        show = PICTURES.get(options.view, Show.TABLE if view else Show.EVENTS)
        shown = view if show is Show.TABLE else None
        self.places = [Place(shown, filter=options.filter, show=show, containers=options.containers)]
        self.status = Status("", 0, 0, 0, 0.0, (), "", 0)
        self.paused = False
        self.rows = Rows(self)
        self.filtering = Filtering(self)
        self.lines = Lines(self)
        self.timing = Timing(self)
        self.detail = Detail(self)
        self.cells = Cells(self)
        self.actions = Actions(self)
        self.overview = Overview(self)
        self.spectrograms = Spectrograms(self)
        self.recording = Recording(self)
        self.comparing = Comparing(self)
        self.bookmarks = Bookmarks(self)
        self.columns = Columns(self)
        self.peeking = Peeking(self)
        self._parts: tuple[Part, ...] = (
            self.rows, self.filtering, self.lines, self.timing, self.detail, self.cells, self.actions,
            self.overview, self.spectrograms, self.comparing, self.bookmarks, self.columns, self.peeking,
            self.recording,
        )  # fmt: skip
        self._owners: dict[str, Part] = {}
        for part in self._parts:
            for name in dir(part):
                if name.startswith("action_"):
                    setattr(self, name, getattr(part, name))
                    self._owners[name.removeprefix("action_")] = part

    @property
    def place(self) -> Place:
        """Where the user is."""
        return self.places[-1]

    def compose(self) -> ComposeResult:
        """Header, table, prompts, keys, and the dialog over them."""
        yield Header()
        yield Timeline(id="timeline")
        with Horizontal(id="middle"):
            yield Grid(id="rows")
            yield Tiles(id="tiles")
            yield Spectrogram(id="spectrogram")
            yield Peek(id="peek")
        yield FilterPrompt(id="filter-prompt")
        yield SearchPrompt(id="search-prompt")
        yield LinePrompt(id="line-prompt")
        yield NotePrompt(id="note-prompt")
        yield KeyBar(id="keys")
        yield Choices(id="choices")
        yield Dialog(id="dialog")

    def on_mount(self) -> None:
        """Find the widgets once, and ask for the first rows."""
        self.header = self.query_one(Header)
        self.grid = self.query_one("#rows", Grid)
        self.filter_prompt = self.query_one(FilterPrompt)
        self.search_prompt = self.query_one(SearchPrompt)
        self.line_prompt = self.query_one(LinePrompt)
        self.note_prompt = self.query_one(NotePrompt)
        self.prompts = (self.filter_prompt, self.search_prompt, self.line_prompt, self.note_prompt)
        self.key_bar = self.query_one(KeyBar)
        self.dialog = self.query_one(Dialog)
        self._bodies: dict[Show, Body] = {
            Show.OVERVIEW: self.query_one(Tiles),
            Show.SPECTROGRAM: self.query_one(Spectrogram),
            Show.FILE_SPECTROGRAM: self.query_one(Spectrogram),
        }
        for part in self._parts:
            part.mounted()
        self.show_place()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what makes no sense here, hide what is for other moods."""
        if action == "cancel":
            return True
        if self.prompt is not None and action not in WHILE_TYPING:
            return False
        if action == "back" and len(self.places) == 1:
            return None
        if action == "drill":
            return True if self.body is not self.grid or self.place.show is Show.TABLE or self.detail.event else None
        if action == "legend" and self.place.view is None and self.place.show is not Show.OVERVIEW:
            return None
        owner = self._owners.get(action)
        return owner.allows(action, parameters) if owner else True

    # what the engine tells

    @property
    def body(self) -> Body:
        """What shows the present place."""
        return self._bodies.get(self.place.show, self.grid)

    @property
    def prompt(self) -> Prompt | None:
        """The line one types into, None while there is none."""
        return next((prompt for prompt in self.prompts if prompt.display), None) if self.is_mounted else None

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Give the keys to a widget; those that nobody has belong to the line one types into."""
        if widget is None and self.prompt is not None:
            widget = self.prompt.entry
        super().set_focus(widget, scroll_visible, from_app_focus)

    def take(self, snapshot: Snapshot) -> None:
        """Show what the engine answered."""
        if isinstance(snapshot, Status):
            before, self.status = self.status, snapshot
            self.show_source()
            for part in self._parts:
                part.status_changed(before)
        elif not any(part.take(snapshot) for part in self._parts):
            raise TypeError(f"nobody asked for a {type(snapshot).__name__}")

    def show_source(self) -> None:
        """Tell the state of the source."""
        self.header.show_source(self.status, paused=self.paused, busy=self.rows.waiting)

    # the stack of places

    def show_place(self) -> None:
        """Show the present place. What was being typed was about another."""
        if self.prompt is not None:
            self.prompt.close()
        self._show_way()
        self.header.show_coverage(getattr(self.place.snapshot, "coverage", EVERYTHING))
        self.show_filter()
        self.narrow()
        for body in (self.grid, *self._bodies.values()):
            body.display = body is self.body
        for part in self._parts:
            part.place_shown()
        views_lead_on = len(self.places) == 1 and self.place.show in SHAPES
        self.key_bar.labels = {} if views_lead_on else keys_of(self.place)
        self.refresh_bindings()

    def show_filter(self) -> None:
        """Tell what is kept."""
        self.header.show_filter(terms(self.place.filter), self.place.besides, self.place.text)

    @property
    def _is_past(self) -> bool:
        """Whether the present place is of a range that is over."""
        window = self.place.window
        return window is not None and window[1] < self.status.end

    @property
    def grows(self) -> bool:
        """Whether what happens from now on belongs to the present place."""
        live = self.status.live
        return live is not None and not live.ended and not self._is_past

    def narrow(self) -> None:
        """Have only that recorded which the present place keeps; one of the past asks nothing of what comes."""
        if not self._is_past:
            base = self.place.view.filter if self.place.view else ""
            self.engine.narrow("" if asks_of_others(base) else self.place.filter)

    def _show_way(self) -> None:
        """Tell what is open and the way here."""
        steps = zip(self.places, [*self.places[1:], None], strict=True)
        self.header.show_crumbs([(here.name, below.selection(here) if below else "") for here, below in steps])
        self.show_source()

    def go(self, place: Place) -> None:
        """Show another place, one step further."""
        self.place.position = self.body.position
        self.places.append(place)
        self.show_place()

    def change(self, place: Place) -> None:
        """Show the present place with something about it changed."""
        position = replace(self.grid.position, top=0, needed=()) if self.body is self.grid else Position()
        self.places[-1] = replace(place, snapshot=None, position=position)
        self.show_place()

    def below_row(self, view: View | None, show: Show) -> Place:
        """The place one step down from the selected row, or from the place where there are no rows of a view."""
        snapshot = self.place.snapshot
        if isinstance(snapshot, TableSnapshot):
            return self.place.below(view, snapshot.key_field, self.grid.row(), show)
        return self.place.below(view, show=show)

    @on(Tiles.Opened)
    @on(Spectrogram.Opened)
    @on(Grid.RowOpened)
    def action_drill(self) -> None:
        """Open the selected row: in the view it leads to, else its events."""
        row, snapshot = self.grid.row(), self.place.snapshot
        if self.detail.open() or self.overview.open() or self.spectrograms.open():
            return
        if row and isinstance(snapshot, TableSnapshot):
            view = target(self.views, snapshot.request.view, snapshot.key_field)
            self.go(self.place.below(view, snapshot.key_field, row, Show.EVENTS))

    def action_back(self) -> None:
        """Go back one step, to exactly what was there."""
        if len(self.places) > 1:
            self.action_back_to(len(self.places) - 2)

    def action_back_to(self, depth: int) -> None:
        """Go back to a step of the crumbs."""
        if depth < len(self.places) - 1:
            del self.places[depth + 1 :]
            self.show_place()

    def action_views(self) -> None:
        """Choose another view of the same; of lines, how their payload is shown."""
        place = self.place
        if place.show in SHAPES and place is not self.places[0]:
            self.lines.choose_view_as()
            return

        def chosen(view: View) -> None:
            if view is not place.view or place.show is not Show.TABLE:
                self.go(place.below(view))

        if self.spectrograms.here:
            self.spectrograms.choose_view()
        else:
            choose_view(self.dialog, self.views, place, chosen, containers=self.options.containers)

    # the rest

    def action_cancel(self) -> None:
        """Leave whatever is going on; where nothing is, what is no table."""
        if not any(part.cancel() for part in self._parts) and self.place.show is not Show.TABLE:
            self.action_back()

    def action_pause(self) -> None:
        """Hold the picture still, or let it go on."""
        self.paused = not self.paused
        self.engine.hold(self.paused)
        self.show_source()
        self.rows.refresh_stale()

    def action_help(self) -> None:
        """Tell the keys."""
        bindings = sorted(self.active_bindings.values(), key=lambda active: active.node is self.app)
        show_help(self.dialog, [(self.app.get_key_display(active.binding), active) for active in bindings])

    def action_legend(self) -> None:
        """Tell what the view and its columns mean."""
        view, snapshot = self.place.view, self.place.snapshot
        if self.place.show is Show.OVERVIEW:
            show_tiles(self.dialog, self.views)
        elif view:
            key_field = snapshot.key_field if isinstance(snapshot, TableSnapshot) else ""
            show_legend(self.dialog, self.views, view, key_field, containers=self.options.containers)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.body.move_by(rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screenfuls."""
        self.body.move_by_page(pages)

    def action_first(self) -> None:
        """Go to the first row."""
        self.body.move_to_end(False)

    def action_last(self) -> None:
        """Go to the last row."""
        self.body.move_to_end(True)

    def action_sideways(self, steps: int) -> None:
        """Scroll sideways, or move the cursor to the side where it is no whole row."""
        self.body.move_sideways(steps)

    @on(Grid.CellAsked)
    def _cell_asked(self, event: Grid.CellAsked) -> None:
        self.cells.ask(event.column)

    @on(Grid.HeaderClicked)
    def _header_clicked(self, event: Grid.HeaderClicked) -> None:
        self.rows.action_sort_on(event.column)

    @on(Grid.WindowWanted)
    def _window_wanted(self) -> None:
        self.rows.window_wanted()

    @on(Grid.CursorMoved)
    @on(Tiles.CursorMoved)
    @on(Spectrogram.CursorMoved)
    def _cursor_moved(self) -> None:
        told = self.spectrograms.tell() if self.spectrograms.here else ""
        self.key_bar.show_position(*self.body.place_in_all(), told)
        self.peeking.follow()

    @on(Spectrogram.GridChanged)
    def _grid_changed(self) -> None:
        self.spectrograms.ask()

    @on(SearchPrompt.Typed)
    def _search_typed(self) -> None:
        self.rows.search_typed()

    @on(FilterPrompt.Typed)
    def _filter_typed(self) -> None:
        self.filtering.check()

    @on(FilterPrompt.Completing)
    def _completion_wanted(self) -> None:
        self.filtering.complete()

    @on(FilterPrompt.EarlierWanted)
    def _earlier_wanted(self) -> None:
        self.filtering.offer_earlier()

    @on(FilterPrompt.Named)
    def _filter_named(self, event: FilterPrompt.Named) -> None:
        self.filtering.save(event.name, event.text)

    @on(Choices.Chosen)
    def _choice_clicked(self) -> None:
        self.filter_prompt.accept()

    @on(FilterPrompt.Applied)
    def _filter_applied(self, event: FilterPrompt.Applied) -> None:
        self.filtering.apply(event.text)

    def on_key(self, event: events.Key) -> None:
        """Run the harmless action of a key that means nothing else here."""
        active = self.active_bindings.get(event.key)
        if active is None and event.character and self.actions.run_hotkey(event.character):
            event.stop()

    def on_resize(self, event: events.Resize) -> None:
        """Give the timeline the lines there are, and tell in the header what there is room for."""
        self.timing.resized(event.size.height)
        if self.is_mounted:
            self.call_after_refresh(self._show_way)
            self.call_after_refresh(self.peeking.follow)

    @on(Timeline.RangeChosen)
    def _range_chosen(self, event: Timeline.RangeChosen) -> None:
        self.timing.show(event.window)

    @on(Timeline.Turned)
    def _timeline_turned(self, event: Timeline.Turned) -> None:
        self.timing.turned(event)

    @on(Timeline.CellsChanged)
    @on(Tiles.CellsChanged)
    def _cells_changed(self) -> None:
        self.timing.ask()
        self.overview.ask()

    @on(NotePrompt.Entered)
    def _note_entered(self, event: NotePrompt.Entered) -> None:
        self.bookmarks.add(event.text)

    @on(LinePrompt.Entered)
    def _line_entered(self, event: LinePrompt.Entered) -> None:
        self.lines.go_to(event.number)

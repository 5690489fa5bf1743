"""The rows of the present place: asking for those in sight, showing what comes, sorting, searching, moving."""

from __future__ import annotations

import os
from typing import Any

from textual.timer import Timer

from engine.query.snapshots import LinesRequest, LinesSnapshot, Row, ShownColumn, Snapshot, Status, TableSnapshot
from tui.place import FOREVER, RowsRequest, RowsSnapshot, Show, Wanted
from tui.screens.dialogs import choose_sort
from tui.screens.part import Part
from tui.widgets.page import Page

PATIENCE = 0.25
"""Seconds an answer may take before the header says that one is awaited."""
LINE_COLUMN = (ShownColumn("", 0, False, ""),)
"""The one column lines of events have."""


class Rows(Part):
    """What fills the table."""

    pending: RowsRequest | None = None
    stale = False
    _impatience: Timer | None = None
    _searched = ""
    _typed = ""
    """What of the search prompt was looked at."""
    _steps = 0
    """Hits to go on, or back, once the one that is being searched for is found."""
    _before_search = 0
    _asked_at: Any = None

    @property
    def waiting(self) -> bool:
        """True when an answer takes so long that it should be told."""
        return self._impatience is None and self.pending is not None

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Lines are in the order of events."""
        if action in {"sort", "sort_on", "shift_sort"} and self.screen.place.show is not Show.TABLE:
            return False if action != "sort" else None
        return True

    def mounted(self) -> None:
        """Look for news at intervals."""
        self.screen.set_interval(self.screen.options.delay_ms / 1000, self.refresh_stale)

    # asking and showing

    def ask(self, search: str = "", search_from: int = 0, *, backwards: bool = False, event: int = 0) -> None:
        """Ask for the rows around what is visible, or around the lines of an event."""
        grid = self.screen.grid
        if not search:
            self._steps = 0
        if not self.screen.place.has_rows:
            if search:
                self._found(grid.page.find(search, search_from, backwards))
            return
        offset, count = grid.window
        request = self.screen.place.rows(Wanted(offset, count, grid.hold, search, search_from, backwards, event))
        self.pending = request
        self._asked_at = grid.hold
        self.stale = False
        if self._impatience:
            self._impatience.stop()
        self._impatience = self.screen.set_timer(PATIENCE, self._grow_impatient)
        self.screen.engine.ask("table", request)

    def _grow_impatient(self) -> None:
        self._impatience = None
        self.screen.show_source()
        if self.screen.place.has_rows and not self.screen.grid.page.total:
            self.screen.grid.say(self._nothing())

    def status_changed(self, status: Status) -> None:
        """Ask again once there is more; at once for the first events."""
        grew = status.events != self.screen.status.events
        first = grew and not self.screen.status.events
        # An interval without events makes other rows too, and so does the picture of the machine at the start.
        live = self.screen.status.live
        before = status.live
        moved = live is not None and (before is None or (live.window, live.started) != (before.window, before.started))
        self.stale |= grew or moved
        if first or live is not None:
            self.refresh_stale()

    def refresh_stale(self) -> None:
        """Ask again when there is more, unless the picture is to hold still."""
        if self.stale and not self.screen.paused and not self.pending and self.screen.place.has_rows:
            self.ask()

    def place_shown(self) -> None:
        """Show at once what was seen there last, then ask for its rows as they are now."""
        place, grid = self.screen.place, self.screen.grid
        self.pending = None
        if not place.has_rows:
            return
        grid.restore(place.position)
        if isinstance(place.snapshot, TableSnapshot | LinesSnapshot):
            self._show(place.snapshot, awaited=False)
        else:
            # Said at once, it would flash: most answers come sooner than anybody could read it.
            grid.show(Page(headed=place.show is Show.TABLE))
        self.ask()

    def take(self, snapshot: Snapshot) -> bool:
        """Show rows."""
        if not isinstance(snapshot, TableSnapshot | LinesSnapshot):
            return False
        request, screen = snapshot.request, self.screen
        awaited = request is self.pending
        if not screen.place.has_rows or not screen.place.answers(request) or (screen.paused and not awaited):
            return True
        if awaited:
            self.pending = None
            if self._impatience:
                self._impatience.stop()
                self._impatience = None
            screen.show_source()
        # Whoever moved on, or left the search, is not brought back by an answer that took its time.
        stayed = screen.grid.hold == self._asked_at
        screen.place.snapshot = snapshot
        screen.header.show_coverage(snapshot.coverage)
        self._show(snapshot, awaited=awaited)
        if awaited and request.search and stayed:
            self._found(snapshot.found)
            if self._steps and snapshot.found is not None:
                backwards = self._steps < 0
                self._steps += 1 if backwards else -1
                self.action_search_next(backwards)
        elif awaited and isinstance(request, LinesRequest) and request.event and stayed and snapshot.found is not None:
            screen.grid.jump_to(snapshot.found)
        if not snapshot.total:
            # The first ones may have come while this was on its way.
            self.refresh_stale()
        return True

    def _found(self, index: int | None) -> None:
        """Go to the row a search found."""
        self.screen.search_prompt.tell(found=index is not None)
        if index is not None:
            self.screen.grid.jump_to(index, self._searched)
        elif not self.screen.search_prompt.display:
            self.screen.notify("Not found", timeout=2, markup=False)

    def _show(self, snapshot: RowsSnapshot, *, awaited: bool) -> None:
        grid = self.screen.grid
        held: int | None
        if isinstance(snapshot, LinesSnapshot):
            lines = zip(snapshot.numbers, snapshot.lines, strict=True)
            rows = tuple(Row(number, "", (line,)) for number, line in lines)
            page = Page(
                LINE_COLUMN, rows, snapshot.offset, snapshot.total, headed=False, tones=snapshot.tones, arrival=True
            )
            held = grid.position.index if grid.position.index < snapshot.total else None
        else:
            page = Page(
                snapshot.columns, snapshot.rows, snapshot.offset, snapshot.total, snapshot.sort, snapshot.descending,
                arrival=snapshot.sort is None,
            )  # fmt: skip
            held = snapshot.held if awaited and snapshot.request.hold == grid.hold else self._index_of(snapshot)
        grid.show(page, held, snapshot.error or self._nothing())
        if page.arrival and page.total and self.screen.grows and not grid.position.chosen:
            # What comes is at the end, and who is there stays there.
            grid.move_to(page.total - 1)

    def _index_of(self, snapshot: TableSnapshot) -> int | None:
        """Where the cursor's row is among the rows that came, None when it is not."""
        key = self.screen.grid.hold
        return next((snapshot.offset + at for at, row in enumerate(snapshot.rows) if row.key == key), None)

    def _nothing(self) -> str:
        """What is said in place of rows."""
        place = self.screen.place
        if self.pending or self.screen.status.progress < 1:
            return "Reading…"
        cleared = place.window is not None and place.window[1] == FOREVER
        ways = [
            "Nothing came since this was cleared." if cleared else "No rows: no event passes the filter above.",
            "syscope does not record itself." if self._is_of_itself else "",
            "F4 edits the filter." if place.filter else "",
            "w goes back to the whole time." if place.window else "",
            f"Only rows with “{place.text}” are shown: u shows the others." if place.text else "",
            "Backspace goes back." if len(self.screen.places) > 1 else "",
        ]
        return " ".join(way for way in ways if way)

    @property
    def _is_of_itself(self) -> bool:
        """Whether the rows would be of this very process."""
        selected = {level.field: level.value for level in self.screen.place.levels}
        own = os.getpid() in (selected.get("proc.pid"), selected.get("thread.tid"))
        return own and self.screen.status.live is not None

    def window_wanted(self) -> None:
        """Rows came in sight that are not there."""
        offset, _ = self.screen.grid.window
        if not self.pending or self.pending.offset != offset:
            self.ask()

    # sorting

    def action_sort(self) -> None:
        """Choose the column to sort on."""
        if self.screen.grid.page.columns:
            choose_sort(self.screen.dialog, self.screen.grid.page, self.action_sort_on)

    def action_sort_on(self, column: int) -> None:
        """Sort on a shown column; the present one again turns the order round."""
        page, place = self.screen.grid.page, self.screen.place
        if column < len(page.columns):
            place.sort = column
            place.descending = not page.descending if column == page.sort else None
            self.ask()

    def action_shift_sort(self, by: int) -> None:
        """Sort on the column beside the present one."""
        page = self.screen.grid.page
        wanted = 0 if page.sort is None else page.sort + by
        if 0 <= wanted < len(page.columns):
            self.action_sort_on(wanted)

    # searching

    def action_search(self) -> None:
        """Open the search."""
        self.screen.filter_prompt.close()
        self._before_search = self.screen.grid.position.index
        self._typed, self._steps = "", 0
        self.screen.search_prompt.open("")

    def search_typed(self) -> None:
        """Search for what is typed by now."""
        if self.screen.search_prompt.text == self._typed:
            return
        self._searched = self._typed = self.screen.search_prompt.text
        if self._searched:
            self.ask(self._searched, self._before_search)
        else:
            self.screen.search_prompt.tell(found=True)

    def action_search_next(self, backwards: bool) -> None:
        """Go to the next row with the text searched last."""
        grid = self.screen.grid
        if self.pending and self.pending.search:
            self._steps += -1 if backwards else 1
        elif self._searched and grid.page.total:
            start = (grid.position.index + (-1 if backwards else 1)) % grid.page.total
            self.ask(self._searched, start, backwards=backwards)

    def cancel(self) -> bool:
        """Leave the search and go back to where it began."""
        if not self.screen.search_prompt.display:
            return False
        self._typed = self.screen.search_prompt.text
        self.screen.search_prompt.close()
        self.screen.grid.move_to(self._before_search)
        self.ask()
        return True

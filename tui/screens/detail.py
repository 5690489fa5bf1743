"""One event in full, its neighbours, and the conversation it is part of."""

from __future__ import annotations

from dataclasses import replace

from engine.query.detail import LINKS, READ, WRITE, DetailRequest, DetailRow, DetailSnapshot
from engine.query.snapshots import LinesSnapshot, Row, ShownColumn, Snapshot, TableSnapshot
from engine.query.stream import StreamRequest, StreamSnapshot
from tui.place import Place, Show
from tui.screens.part import Part
from tui.widgets.page import Page

COLUMNS = (ShownColumn("", 20, False, ""), ShownColumn("", 24, False, ""), ShownColumn("", 0, False, ""))
"""What it is, its value, and what that means."""
TONES = ("name", "", "note")


class Detail(Part):
    """What Enter on an event shows."""

    _asked: DetailRequest | None = None
    _following: StreamRequest | None = None

    @property
    def row(self) -> DetailRow | None:
        """What is told on the line under the cursor; None where no event is shown in full."""
        snapshot, row = self.screen.place.snapshot, self.screen.grid.row()
        return snapshot.rows[row.key] if isinstance(snapshot, DetailSnapshot) and row is not None else None

    @property
    def event(self) -> int:
        """Number of the event under the cursor or shown in full, 0 where there is none."""
        place, row = self.screen.place, self.screen.grid.row()
        if place.show is Show.DETAIL:
            return place.event
        if row is not None and isinstance(place.snapshot, LinesSnapshot):
            return int(row.key)
        if row is not None and isinstance(place.snapshot, TableSnapshot) and not place.snapshot.key_field:
            return int(row.key)
        return 0

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Neighbours only of an event shown in full."""
        place = self.screen.place
        if action == "link":
            return place.show is Show.DETAIL
        if action == "follow":
            return None if place.show is Show.STREAM else True
        return True

    def place_shown(self) -> None:
        """Ask for the event to be shown."""
        place, grid = self.screen.place, self.screen.grid
        if place.show is not Show.DETAIL:
            return
        grid.restore(place.position)
        if isinstance(place.snapshot, DetailSnapshot):
            self._show(place.snapshot)
            if place.snapshot.complete:
                return
        else:
            grid.show(Page(headed=False), None, "Reading…")
        self._asked = DetailRequest(place.event)
        self.screen.engine.ask("detail", self._asked)

    def take(self, snapshot: Snapshot) -> bool:
        """Show an event, or go to the conversation that was found."""
        if isinstance(snapshot, DetailSnapshot):
            place = self.screen.place
            if snapshot.request is self._asked and place.show is Show.DETAIL:
                place.snapshot = snapshot
                self._show(snapshot)
            return True
        if isinstance(snapshot, StreamSnapshot):
            if snapshot.request is self._following:
                self._following = None
                self._talk(snapshot)
            return True
        return False

    def _show(self, snapshot: DetailSnapshot) -> None:
        rows = tuple(Row(at, row.name, _cells(row)) for at, row in enumerate(snapshot.rows))
        page = Page(COLUMNS, rows, 0, len(rows), headed=False, tones=tuple(row.kind for row in snapshot.rows),
                    column_tones=TONES)  # fmt: skip
        self.screen.grid.show(page, self.screen.grid.position.index, snapshot.error)

    def open(self) -> bool:
        """Do what Enter does on an event or on one of its lines; False where there is no event."""
        place = self.screen.place
        if place.show is Show.DETAIL:
            row = self.row
            if row is not None and row.event:
                self._go_to(row.event)
            elif row is not None and row.term:
                self.screen.cells.action_cell()
            return True
        if not self.event or (place.view is not None and place.view.drill_to):
            return False
        self.screen.go(self._place(self.event))
        return True

    def _place(self, number: int) -> Place:
        here = self.screen.place
        below = here.below(None, show=Show.DETAIL)
        return replace(below, event=number, levels=here.levels)

    def _go_to(self, number: int) -> None:
        """Show another event in this one's place: Back leads to where the first was opened."""
        self.screen.places[-1] = self._place(number)
        self.screen.show_place()

    def action_link(self, kind: str) -> None:
        """Go to a neighbour of the event."""
        snapshot = self.screen.place.snapshot
        if not isinstance(snapshot, DetailSnapshot):
            return
        number = dict(snapshot.links).get(kind)
        if number:
            self._go_to(number)
        else:
            self.screen.notify(f"There is none: {LINKS[kind]}", timeout=2, markup=False)

    def action_follow(self) -> None:
        """Find the conversation the selected row or event is part of."""
        place, snapshot, row = self.screen.place, self.screen.place.snapshot, self.screen.grid.row()
        if self.event:
            request = StreamRequest(self.event)
        elif isinstance(snapshot, TableSnapshot) and row is not None:
            levels = place.below(None, snapshot.key_field, row).levels
            request = StreamRequest(0, levels, place.filter, place.window)
        else:
            return
        self._following = request
        self.screen.engine.ask("stream", request)

    def _talk(self, snapshot: StreamSnapshot) -> None:
        if snapshot.error:
            self.screen.notify(snapshot.error[:1].upper() + snapshot.error[1:], severity="warning", markup=False)
            return
        here = self.screen.place
        view_as = here.view_as
        self.screen.go(Place(None, (), snapshot.filter, None, Show.STREAM, here.containers, view_as=view_as))


def _cells(row: DetailRow) -> tuple[str, str, str]:
    """A line as it is drawn: payload has no name, and takes all its width."""
    return (row.value, "", "") if row.kind in (READ, WRITE) else (row.name, row.value, row.note)

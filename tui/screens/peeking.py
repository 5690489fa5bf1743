"""The pane with the selected row in full."""

from __future__ import annotations

from engine.query.selected import SelectedRequest, SelectedSnapshot
from engine.query.snapshots import Snapshot, TableRequest
from tui.place import Show, Wanted
from tui.screens.part import Part
from tui.widgets.peek import LEAST_WIDTH, Peek


class Peeking(Part):
    """Keeps the pane on the row under the cursor."""

    wanted = False
    _asked: SelectedRequest | None = None
    _newest: SelectedRequest | None = None

    def mounted(self) -> None:
        """Find the pane."""
        self.pane = self.screen.query_one(Peek)

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only where there are rows of a view."""
        return True if self.screen.place.show is Show.TABLE else None

    def action_peek(self) -> None:
        """Show or hide the pane, where there is room for it."""
        if self.screen.size.width < LEAST_WIDTH:
            told = f"There is room for the pane from {LEAST_WIDTH} columns on; m shows the row's cells"
            self.screen.notify(told, timeout=4, markup=False)
            return
        self.wanted = not self.wanted
        self.follow()

    def place_shown(self) -> None:
        """Nothing is known of the new place's row yet."""
        self.follow()

    def follow(self) -> None:
        """Ask for the row under the cursor; while one is awaited only the newest is remembered."""
        place, row = self.screen.place, self.screen.grid.row()
        fits = self.screen.size.width >= LEAST_WIDTH
        self.pane.display = self.wanted and fits and place.show is Show.TABLE
        if not self.pane.display or row is None or place.snapshot is None:
            return
        request = place.rows(Wanted())
        assert isinstance(request, TableRequest)
        self._newest = SelectedRequest(request, row.key)
        if self._asked is None:
            self._ask()

    def _ask(self) -> None:
        self._asked, self._newest = self._newest, None
        if self._asked:
            self.screen.engine.ask("peek", self._asked)

    def take(self, snapshot: Snapshot) -> bool:
        """Show the row."""
        if not isinstance(snapshot, SelectedSnapshot) or snapshot.request is not self._asked:
            return False
        self._asked = None
        if not snapshot.error:
            self.pane.show(snapshot.cells)
        self._ask()
        return True

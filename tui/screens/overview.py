"""The overview: figures of everything, and from each to the view that explains it."""

from __future__ import annotations

from dataclasses import replace

from engine.filters import rewrite
from engine.query.overview import OverviewRequest, OverviewSnapshot
from engine.query.snapshots import Snapshot, Status
from tui.place import Place, Show
from tui.screens.part import Part
from tui.widgets.tiles import Tiles


class Overview(Part):
    """Shows tiles where the place is the overview."""

    _asked: OverviewRequest | None = None
    _stale = False

    def mounted(self) -> None:
        """Look for news at intervals."""
        self.tiles = self.screen.query_one(Tiles)
        self.screen.set_interval(max(1.0, self.screen.options.delay_ms / 1000), self._refresh_stale)

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not from itself."""
        return None if self.screen.place.show is Show.OVERVIEW else True

    def action_overview(self) -> None:
        """Show the figures of what is selected."""
        self.screen.go(self.screen.place.below(None, show=Show.OVERVIEW))

    def place_shown(self) -> None:
        """Show what was there last, and ask how it is now."""
        place = self.screen.place
        if place.show is not Show.OVERVIEW:
            return
        self.tiles.restore(place.position)
        if isinstance(place.snapshot, OverviewSnapshot):
            self.tiles.show(place.snapshot.figures, complete=place.snapshot.complete)
        else:
            self.tiles.show((), "Counting…")
        self._ask()

    def _ask(self) -> None:
        place = self.screen.place
        self._asked, self._stale = OverviewRequest(place.levels, place.filter, place.window), False
        self.screen.engine.ask("overview", self._asked)

    def status_changed(self, status: Status) -> None:
        """Count on once there is more."""
        self._stale |= status.events != self.screen.status.events

    def _refresh_stale(self) -> None:
        if self._stale and self.screen.place.show is Show.OVERVIEW and not self.screen.paused:
            self._ask()

    def take(self, snapshot: Snapshot) -> bool:
        """Show figures."""
        if not isinstance(snapshot, OverviewSnapshot):
            return False
        if snapshot.request is self._asked and self.screen.place.show is Show.OVERVIEW:
            self.screen.place.snapshot = snapshot
            self.tiles.show(snapshot.figures, snapshot.error, complete=snapshot.complete)
        return True

    def open(self) -> bool:
        """Open what explains the chosen tile; False where no tiles are shown."""
        figure = self.tiles.figure
        if self.screen.place.show is not Show.OVERVIEW or figure is None:
            return self.screen.place.show is Show.OVERVIEW
        tile, place = figure.tile, self.screen.place
        text = rewrite.add(place.filter, f"({tile.filter})") if place.filter.strip() else tile.filter
        view = self.screen.views.get(tile.view)
        show = Show.ECHO if tile.view == "echo" else Show.TABLE if view else Show.EVENTS
        below: Place = replace(place.below(view, show=show), filter=text)
        if view and tile.sort:
            titles = [column.title for column in view.columns_for(place.containers)]
            below.sort = titles.index(tile.sort) if tile.sort in titles else None
        self.screen.go(below)
        return True

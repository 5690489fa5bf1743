"""The overview: figures of everything, and from each to the view that explains it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from engine.filters import rewrite
from engine.query.overview import MOST_CELLS, Figure, OverviewRequest, OverviewSnapshot
from engine.query.snapshots import Snapshot, Status
from engine.query.tiles import Counted
from engine.query.view import View
from tui.place import Place, Show
from tui.screens.part import Part
from tui.widgets.tiles import Tiles

PATIENCE = 0.3
"""Seconds that figures hold still for those of another range."""
LONGEST = 5.0
"""Seconds that they hold still for the same counted anew."""


class Overview(Part):
    """Shows tiles where the place is the overview."""

    _counting = False
    _asked: OverviewRequest | None = None
    _asked_at = _shown_at = 0.0
    _stale = False

    def mounted(self) -> None:
        """Look for news at intervals."""
        self.tiles = self.screen.query_one(Tiles)
        self.screen.set_interval(max(1.0, self.screen.options.delay_ms / 1000), self._refresh_stale)

    @property
    def awaited(self) -> bool:
        """True while the figures that are shown are not those that were asked for last."""
        return self._counting and self.screen.place.show is Show.OVERVIEW

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
            self.tiles.show(place.snapshot.figures, share=place.snapshot.share)
        else:
            self.tiles.show((), "Counting…")
        self.ask()

    def ask(self) -> None:
        """Ask for the figures of the place, if it is the overview."""
        place = self.screen.place
        if place.show is not Show.OVERVIEW or not self.tiles.size.width:
            return
        cells = min(self.tiles.cells, MOST_CELLS)
        self._asked, self._stale = OverviewRequest(place.levels, place.filter, place.window, cells), False
        self._counting, self._asked_at = True, time.monotonic()
        self.screen.engine.ask("overview", self._asked)

    def status_changed(self, status: Status) -> None:
        """Count on once there is more."""
        self._stale |= status.events != self.screen.status.events

    def _refresh_stale(self) -> None:
        if self._stale and not self.screen.paused:
            self.ask()

    def take(self, snapshot: Snapshot) -> bool:
        """Show figures."""
        if not isinstance(snapshot, OverviewSnapshot):
            return False
        if snapshot.request is self._asked and self.screen.place.show is Show.OVERVIEW:
            self._counting = not snapshot.complete
            if self._holds(snapshot):
                return True
            self.screen.place.snapshot, self._shown_at = snapshot, time.monotonic()
            self.screen.header.show_coverage(snapshot.coverage)
            self.tiles.show(snapshot.figures, snapshot.error, share=snapshot.share)
        return True

    def _holds(self, snapshot: OverviewSnapshot) -> bool:
        """Whether what is seen holds still until more is counted: figures of another range for a moment, those of the
        same events, which are counted anew, until they are as many."""
        shown = self.screen.place.snapshot
        if snapshot.share == 1 or not isinstance(shown, OverviewSnapshot) or not shown.figures:
            return False
        assert isinstance(shown.request, OverviewRequest) and isinstance(snapshot.request, OverviewRequest)
        if replace(shown.request, cells=snapshot.request.cells) != snapshot.request:
            return time.monotonic() - self._asked_at < PATIENCE
        return snapshot.counted < shown.counted and time.monotonic() - self._shown_at < LONGEST

    def open(self) -> bool:
        """Open what explains the chosen tile; False where no tiles are shown."""
        figure = self.tiles.figure
        if self.screen.place.show is not Show.OVERVIEW:
            return False
        if figure is not None:
            self.screen.go(explained(figure, self.screen.place, self.screen.views))
        return True


def explained(figure: Figure, place: Place, views: Mapping[str, View]) -> Place:
    """Where what a figure counts is seen, one step below the overview."""
    tile, view = figure.tile, views.get(figure.tile.view)
    if tile.counted is Counted.LOST:
        # They are not there: what is there of the time around them tells how many are missing.
        below = place.below(None, show=Show.EVENTS)
        return replace(below, window=figure.span or place.window, tile=tile.title)
    text = rewrite.add(place.filter, f"({tile.filter})") if place.filter.strip() else tile.filter
    show = Show.ECHO if tile.view == "echo" else Show.TABLE if view else Show.EVENTS
    titles = [column.title for column in view.columns_for(place.containers)] if view else []
    sort = titles.index(tile.sort) if tile.sort in titles else None
    return replace(place.below(view, show=show), filter=text, tile=tile.title, sort=sort)

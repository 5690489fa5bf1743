"""The latency spectrogram of what is selected, and from a rectangle of it to events and views."""

from __future__ import annotations

from dataclasses import replace

from engine.filters import rewrite
from engine.query.snapshots import Snapshot, Status
from engine.query.spectrogram import CALLS, FILES, SpectrogramRequest, SpectrogramSnapshot
from engine.query.view import View
from tui.place import Place, Show
from tui.screens.dialogs import choose_view
from tui.screens.part import Part
from tui.widgets.spectrogram import ROOM_FOR_SCALE, Spectrogram, rectangle_text

SHOWS = (Show.SPECTROGRAM, Show.FILE_SPECTROGRAM)


class Spectrograms(Part):
    """Shows latencies where the place is a spectrogram."""

    _counting = False
    _asked: SpectrogramRequest | None = None
    _stale = False

    def mounted(self) -> None:
        """Look for news at intervals."""
        self.picture = self.screen.query_one(Spectrogram)
        self.screen.set_interval(self.screen.options.delay_ms / 1000, self._refresh_stale)

    @property
    def here(self) -> bool:
        """True where a spectrogram is shown."""
        return self.screen.place.show in SHOWS

    @property
    def awaited(self) -> bool:
        """True while the picture that is shown is not the one that was asked for last."""
        return self._counting and self.here

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A corner can be marked only there."""
        return self.here if action == "mark_corner" else True

    def action_spectrogram(self, files: bool) -> None:
        """Show latencies of the selected row: of all calls, or of those on files only."""
        show = Show.FILE_SPECTROGRAM if files else Show.SPECTROGRAM
        place = self.screen.place
        if place.show is show:
            return
        if self.here:
            self.screen.change(replace(place, show=show))
        else:
            self.screen.go(self.screen.below_row(None, show))

    def action_mark_corner(self) -> None:
        """Begin or forget a rectangle."""
        self.picture.mark()

    def place_shown(self) -> None:
        """Show what was there last, and ask how it is now."""
        place = self.screen.place
        if not self.here:
            return
        self.picture.restore(place.position)
        self.picture.show(place.snapshot if isinstance(place.snapshot, SpectrogramSnapshot) else None)
        self.ask()

    def ask(self) -> None:
        """Ask for as many rows and columns as there is room for."""
        place = self.screen.place
        if not self.here or not self.picture.size.height:
            return
        rows, columns = self.picture.grid
        self._asked, self._stale = (
            SpectrogramRequest(
                place.levels, place.filter, place.window, rows, columns, place.show is Show.FILE_SPECTROGRAM
            ),
            False,
        )
        self._counting = True
        self.screen.engine.ask("spectrogram", self._asked)

    def status_changed(self, status: Status) -> None:
        """Count on once there is more."""
        self._stale |= status.events != self.screen.status.events

    def _refresh_stale(self) -> None:
        if self._stale and self.here and not self.screen.paused and not self.picture.drawing:
            self.ask()

    def take(self, snapshot: Snapshot) -> bool:
        """Show counts."""
        if not isinstance(snapshot, SpectrogramSnapshot):
            return False
        if snapshot.request is self._asked and self.here:
            self._counting = not snapshot.complete
            self.screen.place.snapshot = snapshot
            self.screen.header.show_coverage(snapshot.coverage)
            self.picture.show(snapshot)
        return True

    def tell(self) -> str:
        """What is selected."""
        rectangle = self.picture.rectangle
        return rectangle_text(rectangle, brief=self.screen.size.width < ROOM_FOR_SCALE) if rectangle else ""

    def _selected(self, view: View | None, show: Show) -> Place | None:
        """The place that shows the selected rectangle."""
        rectangle, place = self.picture.rectangle, self.screen.place
        if rectangle is None:
            return None
        text = place.filter
        terms = [f"evt.latency>={rectangle.least}"]
        if rectangle.below is not None:
            terms.append(f"evt.latency<{rectangle.below}")
        if place.show is Show.FILE_SPECTROGRAM:
            terms.append(FILES)
        for term in (*terms, *CALLS.split(" and ")):
            text = rewrite.add(text, term)
        window = rectangle.start, rectangle.end
        return replace(place.below(view, show=show), filter=text, window=window, latency=True)

    def open(self) -> bool:
        """Show the events of the rectangle; False where no spectrogram is shown."""
        if not self.here:
            return False
        if below := self._selected(None, Show.EVENTS):
            self.screen.go(below)
        return True

    def choose_view(self) -> None:
        """Choose a view of the rectangle."""

        def chosen(view: View) -> None:
            if below := self._selected(view, Show.TABLE):
                self.screen.go(below)

        choose_view(
            self.screen.dialog, self.screen.views, self.screen.place, chosen, containers=self.screen.place.containers
        )

    def cancel(self) -> bool:
        """Forget the rectangle."""
        return self.here and self.picture.unmark()

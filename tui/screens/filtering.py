"""Filters: the editor for the filter of events, and the text that rows must show."""

from __future__ import annotations

from engine.query.snapshots import Snapshot, Status, VerdictRequest, VerdictSnapshot
from tui.screens.part import Part
from tui.widgets.prompts import FilterPrompt


class Filtering(Part):
    """Edits what the present place keeps."""

    @property
    def prompt(self) -> FilterPrompt:
        """The editor."""
        return self.screen.filter_prompt

    def action_edit_filter(self) -> None:
        """Open the filter editor."""
        self.screen.search_prompt.close()
        self.prompt.open(self.screen.place.filter, self.screen.place.text)

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to filter in one event."""
        return True if self.screen.place.has_rows else None

    def status_changed(self, status: Status) -> None:
        """Count anew."""
        if self.prompt.display and status.events != self.screen.status.events and not self.screen.paused:
            self.check()

    def check(self) -> None:
        """Have the typed filter judged."""
        place = self.screen.place
        self.screen.engine.ask("verdict", VerdictRequest(self.prompt.text, place.levels, place.window))

    def take(self, snapshot: Snapshot) -> bool:
        """Show a verdict."""
        if not isinstance(snapshot, VerdictSnapshot):
            return False
        self.prompt.judge(snapshot)
        return True

    def apply(self, text: str) -> None:
        """Keep what a filter keeps, or with text mode the rows that show a text."""
        place = self.screen.place
        as_text = self.prompt.as_text
        self._close()
        if as_text and text != place.text:
            place.text = text
        elif not as_text and text != place.filter:
            place.filter = text
        else:
            return
        self.screen.change(place)

    def _close(self) -> None:
        self.prompt.close()
        self.screen.engine.drop("verdict")

    def cancel(self) -> bool:
        """Leave the editor, the filter as it was."""
        if not self.prompt.display:
            return False
        self._close()
        return True

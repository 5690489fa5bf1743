"""Filters: the editor, terms removed one by one, filters used before, and the text that rows must show."""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content

from engine.filters import FilterError, rewrite
from engine.filters.saved import SavedFilters
from engine.query.snapshots import (
    CompletionRequest,
    CompletionSnapshot,
    Snapshot,
    Status,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.text import clean
from tui.place import terms
from tui.screens.part import Part
from tui.widgets.filter_editor import FilterPrompt, Typing


class Filtering(Part):
    """Edits what the present place keeps."""

    _text_before = ""
    """The text that rows had to show when the editor was opened."""

    def mounted(self) -> None:
        """Read the filters used before."""
        self.saved = SavedFilters()

    @property
    def prompt(self) -> FilterPrompt:
        """The editor."""
        return self.screen.filter_prompt

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to filter in one event."""
        place = self.screen.place
        if action in {"remove_last", "remove_term", "clear_text"}:
            return True if place.filter.strip() or place.text else None
        return True if self.screen.place.filterable else None

    def action_edit_filter(self) -> None:
        """Open the filter editor."""
        self.screen.search_prompt.close()
        place = self.screen.place
        self._text_before = place.text
        self.prompt.edit(place.filter, place.text, self.saved.recent)

    def action_remove_last(self) -> None:
        """Show all rows again if only those with a text are; else take the last term out of the filter."""
        if self.screen.place.text:
            self.action_clear_text()
        else:
            self.action_remove_term(len(terms(self.screen.place.filter)) - 1)

    def action_clear_text(self) -> None:
        """Show all rows, whatever text they show."""
        self._show_text("")

    def _show_text(self, text: str) -> None:
        """Show only rows with a text; the rows there are stay until those come."""
        if text != self.screen.place.text:
            self.screen.places[-1] = replace(self.screen.place, text=text)
            self.screen.show_filter()
            self.screen.rows.ask()
            self.screen.refresh_bindings()

    def action_remove_term(self, index: int) -> None:
        """Take one of the filter's terms out."""
        place = self.screen.place
        try:
            text = rewrite.remove(place.filter, terms(place.filter)[index])
        except FilterError:
            text = ""
        self.screen.change(replace(place, filter=text))

    def status_changed(self, status: Status) -> None:
        """Count anew."""
        if self.prompt.display and status.events != self.screen.status.events and not self.screen.paused:
            self.check()

    def check(self) -> None:
        """Have the typed filter judged, or show only rows with the typed text."""
        place = self.screen.place
        if self.prompt.typing is Typing.TEXT and self.prompt.display:
            self._show_text(self.prompt.text)
        if self.prompt.typing is not Typing.FILTER:
            return
        self.screen.engine.ask("verdict", VerdictRequest(self.prompt.text, place.levels, place.window))

    def complete(self) -> None:
        """Ask what may be typed next."""
        if self.prompt.display and self.prompt.typing is Typing.FILTER:
            request = CompletionRequest(self.prompt.text, self.prompt.cursor, self.saved.recent)
            self.screen.engine.ask("completion", request)

    def take(self, snapshot: Snapshot) -> bool:
        """Show a verdict, or what may be typed next."""
        if isinstance(snapshot, VerdictSnapshot):
            self.prompt.judge(snapshot)
            return True
        if isinstance(snapshot, CompletionSnapshot):
            if self.prompt.display:
                self.prompt.offer(snapshot)
            return True
        return False

    def apply(self, text: str) -> None:
        """Keep what a filter keeps, or the rows that show a text."""
        place, typing = self.screen.place, self.prompt.typing
        self._close()
        if typing is Typing.TEXT:
            self._show_text(text)
        elif typing is Typing.FILTER and text != place.filter:
            self.saved.use(text)
            self.screen.change(replace(place, filter=text))

    def save(self, name: str, text: str) -> None:
        """Keep a filter under a name."""
        try:
            lasts = self.saved.add(name, text)
        except ValueError as error:
            self.screen.notify(clean(str(error)), severity="error", markup=False)
            return
        self.screen.notify(f"Saved as {clean(name.strip())}" + ("" if lasts else ", until the end"), markup=False)

    def offer_earlier(self) -> None:
        """Offer saved filters, then those used before."""
        entries = [*((name, text) for name, text in self.saved.saved.items()), *(("", t) for t in self.saved.recent)]
        if not entries:
            self.screen.notify("No filter was used or saved yet", timeout=2, markup=False)
            return
        labels = [Content.styled(clean(name), "bold") if name else Content(clean(text)) for name, text in entries]
        self.screen.dialog.choose(
            "Filters", labels, lambda at: [("", entries[at][1])], 0, lambda at: self.prompt.put(entries[at][1]),
            ("ctrl+r",), acts={"delete": lambda at: self._forget(*entries[at])},
            keys=((("delete",), "forget"), (("enter",), "choose"), (("escape",), "cancel")),
        )  # fmt: skip

    def _forget(self, name: str, text: str) -> None:
        """Take a filter off the list."""
        if name:
            self.saved.remove(name)
        else:
            self.saved.forget(text)
        self.screen.dialog.close()
        self.offer_earlier()

    def _close(self) -> None:
        self.prompt.close()
        for slot in ("verdict", "completion"):
            self.screen.engine.drop(slot)

    def cancel(self) -> bool:
        """Leave the list, then the editor, filter and text as they were."""
        if not self.prompt.display:
            return False
        if not self.prompt.leave():
            self._close()
            self._show_text(self._text_before)
        return True

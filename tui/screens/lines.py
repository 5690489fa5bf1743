"""Lines of events: dig and echo, how their payload is shown, going to a line, clearing a list."""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content

from engine.query.payload import ViewAs
from engine.query.view import Kind
from tui.place import FOREVER, SHAPES, Position, Show
from tui.screens.part import Part

MEANINGS = {
    ViewAs.DOTTED: "One line for each payload; every byte that is no printable ASCII character is a dot.",
    ViewAs.PRINTABLE: "Payload as text with its line breaks; control characters are left out.",
    ViewAs.HEX: "Sixteen bytes a line: where they are, their values, and the characters they stand for.",
}


class Lines(Part):
    """What is particular to lines, and to lists of events."""

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only where there are lines, or rows whose events could be shown."""
        show = self.screen.place.show
        if action in {"dig", "echo"}:
            return None if show is (Show.EVENTS if action == "dig" else Show.ECHO) else True
        if action == "clear":
            return True if self._is_list else None
        return True

    @property
    def _is_list(self) -> bool:
        view, show = self.screen.place.view, self.screen.place.show
        return show in SHAPES or (show is Show.TABLE and view is not None and view.kind is Kind.LIST)

    def action_dig(self) -> None:
        """Show the events of the selected row."""
        self._open(Show.EVENTS)

    def action_echo(self) -> None:
        """Show what the selected row read and wrote."""
        self._open(Show.ECHO)

    def _open(self, show: Show) -> None:
        if show is Show.EVENTS and self.screen.spectrograms.open():
            return
        if self.screen.place.show is not show:
            self.screen.go(self.screen.below_row(None, show))

    def choose_view_as(self) -> None:
        """Choose how payload is shown."""
        place, choices = self.screen.place, list(ViewAs)

        def chosen(index: int) -> None:
            row = self.screen.grid.row()
            self.screen.change(replace(place, view_as=choices[index]))
            if row is not None:
                self.screen.rows.ask(event=row.key)

        labels = [
            Content.styled(f"• {each.value}", "bold") if each is place.view_as else Content(f"  {each.value}")
            for each in choices
        ]
        self.screen.dialog.choose(
            "View as", labels, lambda at: [("", MEANINGS[choices[at]])], choices.index(place.view_as), chosen,
            ("f2", "v"),
        )  # fmt: skip

    def action_clear(self) -> None:
        """Show only what comes from now on."""
        place = self.screen.place
        self.screen.grid.restore(Position())
        self.screen.change(replace(place, window=(self.screen.status.end + 1, FOREVER)))

    def action_go_to(self) -> None:
        """Ask for the line to go to."""
        prompt, total = self.screen.line_prompt, self.screen.grid.page.total
        prompt.open("")
        if total:
            prompt.say(Content.styled(f"{' ' * len(prompt.label)}1 to {total:,}", "$foreground-muted"))

    def go_to(self, number: int) -> None:
        """Go to a line, the first is 1."""
        self.screen.grid.jump_to(number - 1)

    def cancel(self) -> bool:
        """Leave the prompt for a line."""
        if not self.screen.line_prompt.display:
            return False
        self.screen.line_prompt.close()
        return True

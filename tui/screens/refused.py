"""The screen in place of a live machine that cannot be watched: why, what to do, and what there is instead."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from engine.text import clean


class Refused(Screen[None]):
    """Says why nothing can be captured, and offers the bundled capture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,enter", "open", "Open the bundled capture", id="open-bundled"),
    ]

    class Instead(Message):
        """The bundled capture is wanted."""

    def __init__(self, reason: str) -> None:
        """``reason``: for people."""
        super().__init__()
        self._reason = reason

    def compose(self) -> ComposeResult:
        """One text in the middle."""
        with Vertical(id="refused"):
            yield Static(Content.styled("This machine cannot be watched", "bold $warning"))
            yield Static(Content(clean(self._reason)))
            yield Static(Content.from_markup("[b]tui doctor[/b] tells what is missing and how to mend it."))
            yield Static(Content.from_markup("Captures need no permission: [b]tui -r FILE[/b]"))
            yield Static(Content.from_markup("[b reverse] o [/] opens the bundled capture    [b reverse] q [/] leaves"))

    def action_open(self) -> None:
        """Open the bundled capture."""
        self.post_message(self.Instead())

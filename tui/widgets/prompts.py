"""The lines one types into, above the keys: what they have in common, the search, and the number of a row."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

from tui.widgets.line import Line


class Entry(Input):
    """The line itself. Of what is pasted nothing is left out without a word: its lines become one."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(filter(None, map(str.strip, event.text.splitlines()))), *self.selection)


class Prompt(Vertical):
    """A label and a line to type into, shown only while it is used."""

    class Left(Message):
        """The user is done, with or without a result."""

    label = ""

    def compose(self) -> ComposeResult:
        """The input on the first line, what is said about it under it."""
        with Horizontal():
            yield Label(self.label, markup=False)
            yield Entry(compact=True, select_on_focus=False)
        yield Line(id="said")

    @property
    def text(self) -> str:
        """What was typed so far."""
        return self.query_one(Input).value

    def open(self, text: str) -> None:
        """Show the prompt with a text to change."""
        self.display = True
        entry = self.query_one(Input)
        with entry.prevent(Input.Changed):
            entry.value = text
        entry.cursor_position = len(text)
        self.say(Content(""))
        # At once: what is typed ahead belongs here, and must not reach the keys of the table.
        self.screen.set_focus(entry)

    def close(self) -> None:
        """Hide the prompt and give the keys back to the table."""
        self.display = False
        self.screen.set_focus(None)

    def say(self, text: Content) -> None:
        """Write under the input."""
        self.query_one("#said", Line).left = text


class SearchPrompt(Prompt):
    """Searches while it is typed."""

    label = "Find "

    class Typed(Message):
        """The text changed; the nearest row is wanted."""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())

    def tell(self, *, found: bool) -> None:
        """Say whether any row holds the text."""
        self.say(Content("") if found or not self.text else Content.styled(" not found", "bold $text-warning"))


class NotePrompt(Prompt):
    """Asks for a note on the present place."""

    label = "Note "

    class Entered(Message):
        """A note was typed."""

        def __init__(self, text: str) -> None:
            """Remember what was typed."""
            super().__init__()
            self.text = text

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self.text))


class LinePrompt(Prompt):
    """Asks for the number of a row."""

    label = "Line "

    class Entered(Message):
        """A number was typed."""

        def __init__(self, text: str) -> None:
            """Remember what was typed."""
            super().__init__()
            self.text = text

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self.text))

"""The lines one types into, above the keys: what they have in common, the search, and the number of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

from tui.widgets.line import Line

MOST_AHEAD = 100
"""Keys kept at most while it is not known whose they are."""
EDITING = {
    key: binding.action for binding in Input.BINDINGS if isinstance(binding, Binding) for key in binding.key.split(",")
}
"""What keys do in a line besides typing."""


class Entry(Input):
    """The line itself. Of what is pasted nothing is left out without a word: its lines become one.

    Keys come faster than messages go round, as over a slow line: Enter and what moves or deletes are heeded before the
    next key is looked at, and a key that comes when the prompt has closed goes on to the table.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Take")]

    class Moved(Message):
        """A key moved the cursor."""

    def __init__(self, entered: Callable[[], None]) -> None:
        """``entered`` is called at Enter."""
        super().__init__(compact=True, select_on_focus=False)
        self._entered = entered
        self._ahead: list[events.Key] | None = None

    def hold(self) -> None:
        """Keep what is typed until it is known whose it is."""
        self._ahead = []

    def release(self) -> None:
        """It is whose the keys are now."""
        ahead, self._ahead = self._ahead or (), None
        for key in ahead:
            self._forward_event(events.Key(key.key, key.character))

    async def on_event(self, event: events.Event) -> None:
        """Let through what was on its way here when the prompt closed."""
        if isinstance(event, events.Key) and self.screen.focused is not self:
            event._bubble_to(self.parent or self.app)
        else:
            await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        if self._ahead is not None and event.key != "escape" and len(self._ahead) < MOST_AHEAD:
            event.prevent_default()
            event.stop()
            self._ahead.append(event)
        elif event.key == "enter":
            event.prevent_default()
            event.stop()
            self._entered()
        elif action := EDITING.get(event.key):
            event.prevent_default()
            event.stop()
            before = self.value
            await self.run_action(action)
            if self.value == before:
                self.post_message(self.Moved())

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(filter(None, map(str.strip, event.text.splitlines()))), *self.selection)


class Prompt(Vertical):
    """A label and a line to type into, shown only while it is used."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "screen.cancel", "Leave")]
    label = ""

    def entered(self) -> None:
        """Do what Enter does."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The input on the first line, what is said about it under it."""
        with Horizontal():
            yield Label(self.label, markup=False)
            self.entry = Entry(self.entered)
            yield self.entry
        self.said = Line(id="said")
        yield self.said

    @property
    def text(self) -> str:
        """What was typed so far."""
        return self.entry.value

    def open(self, text: str) -> None:
        """Show the prompt with a text to change."""
        self.display = True
        entry = self.entry
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
        self.said.left = text


class SearchPrompt(Prompt):
    """Searches while it is typed."""

    label = "Find "

    class Typed(Message):
        """The text changed; the nearest row is wanted."""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed())

    def entered(self) -> None:
        """Leave it where it is. What was typed last may not have been told yet."""
        self.close()
        self.post_message(self.Typed())

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

    def entered(self) -> None:
        """Take the note."""
        self.close()
        self.post_message(self.Entered(self.text))


class LinePrompt(Prompt):
    """Asks for the number of a row."""

    label = "Line "

    class Entered(Message):
        """A number was typed."""

        def __init__(self, number: int) -> None:
            """Remember it."""
            super().__init__()
            self.number = number

    def entered(self) -> None:
        """Take the number; what is none stays to be changed."""
        number = self.text.replace(",", "").strip()
        if number and not (number.isascii() and number.isdigit()):
            self.say(Content.styled(" expected the number of a row", "bold $text-warning"))
            return
        self.close()
        if number:
            self.post_message(self.Entered(int(number)))

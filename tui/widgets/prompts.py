"""The lines one types into, above the keys: the filter editor and the search."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Label

from engine.query.snapshots import VerdictSnapshot
from tui.widgets.line import Line

QUIET_TIME = 0.15
"""Seconds without typing after which a filter is checked."""

ROW_TEXT = "Text "
"""Stands before the text that rows must show."""
SAYS_TEXT = "     rows that show it, in any column · F2 filter of events"


class Prompt(Vertical):
    """A label and a line to type into, shown only while it is used."""

    class Left(Message):
        """The user is done, with or without a result."""

    label = ""

    def compose(self) -> ComposeResult:
        """The input on the first line, what is said about it under it."""
        with Horizontal():
            yield Label(self.label, markup=False)
            yield Input(compact=True, select_on_focus=False)
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


class FilterPrompt(Prompt):
    """Edits the filter, checked while it is typed."""

    label = "Filter "

    class Typed(Message):
        """The text rests; its verdict is wanted."""

    class Applied(Message):
        """Enter was pressed on a filter that is right."""

        def __init__(self, text: str) -> None:
            """Remember the filter."""
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start hidden, nothing being checked."""
        super().__init__(id=id)
        self._rest: Timer | None = None
        self._verdict: VerdictSnapshot | None = None
        self._applying = False
        self._other = ""
        self.as_text = False
        """True while the text that rows must show is typed instead."""

    def open(self, text: str, row_text: str = "") -> None:
        """Show the prompt with a filter to change and have it counted; F2 changes to the text rows must show."""
        super().open(text)
        self.as_text, self._other = False, row_text
        self.query_one(Label).update(self.label)
        self._verdict, self._applying = None, False
        self.post_message(self.Typed())

    def on_key(self, event: events.Key) -> None:
        """Change between the filter of events and the text of rows."""
        if event.key != "f2":
            return
        event.stop()
        text, other = self.text, self._other
        was_text = self.as_text
        super().open(other)
        self.as_text, self._other, self._verdict = not was_text, text, None
        self.query_one(Label).update(ROW_TEXT if self.as_text else self.label)
        self.say(Content.styled(SAYS_TEXT, "$foreground-muted") if self.as_text else Content(""))
        if not self.as_text:
            self.post_message(self.Typed())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._applying = False
        if self.as_text:
            return
        if self._rest:
            self._rest.stop()
        self._rest = self.set_timer(QUIET_TIME, lambda: self.post_message(self.Typed()))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.as_text:
            self.post_message(self.Applied(self.text))
            return
        self._applying = True
        if self._verdict and self._verdict.request.filter == self.text:
            self._apply(self._verdict)
        else:
            self.post_message(self.Typed())

    def judge(self, verdict: VerdictSnapshot) -> None:
        """Take the verdict on what is typed; one on an older text says nothing any more."""
        if self.as_text or verdict.request.filter != self.text:
            return
        self._verdict = verdict
        if verdict.error:
            self.say(self._pointed(verdict))
        else:
            self.say(
                Content.assemble(
                    (f"{' ' * cell_len(self.label)}✓ ", "$text-success"),
                    f"keeps {verdict.kept:,} of {verdict.of:,} events",
                )
            )
        if self._applying:
            self._apply(verdict)

    def _apply(self, verdict: VerdictSnapshot) -> None:
        self._applying = False
        if verdict.error:
            self.app.bell()
        else:
            self.post_message(self.Applied(verdict.request.filter))

    def _pointed(self, verdict: VerdictSnapshot) -> Content:
        """The error with a mark under the character it is at."""
        entry = self.query_one(Input)
        at = cell_len(self.label) + cell_len(self.text[: verdict.position]) - entry.scroll_offset.x
        at = max(0, min(at, self.size.width - 1))
        message = " ".join(verdict.error.split())
        if at + 2 + cell_len(message) <= self.size.width or at < self.size.width // 2:
            return Content.assemble(" " * at, ("^ ", "bold $text-error"), (message, "$text-error"))
        shown = Content.styled(message, "$text-error").truncate(at - 1, ellipsis=True)
        return Content.assemble(" " * (at - 1 - shown.cell_length), shown, (" ^", "bold $text-error"))


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

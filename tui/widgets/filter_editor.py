"""The filter editor: syntax colours, what may come next, how many events are kept, undo, and filters used before.

Owns the line and the keys in it. Filters are judged and completed by the engine, kept by ``filters.saved``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Label

from engine.fields import UnknownField, look_up
from engine.filters.completion import Completion
from engine.filters.syntax import OPERATORS
from engine.query.snapshots import CompletionSnapshot, VerdictSnapshot
from tui.widgets.choices import Choices
from tui.widgets.prompts import Entry, Prompt

QUIET_TIME = 0.15
"""Seconds without typing after which a filter is counted."""
UNDO = 200
"""Changes that can be undone."""


def _key(key: str, action: str, label: str, meaning: str, id: str, *, show: bool = True) -> Binding:  # noqa: A002
    return Binding(key, action, label, show=show, tooltip=meaning, id=id)


KEYS = [
    _key("tab", "complete", "Complete", "Take what is under the cursor of the list, or the likeliest", "complete"),
    _key("down", "choose(1)", "Down", "Down the list; without one, filters used before", "choose-down", show=False),
    _key("up", "choose(-1)", "Up", "Up the list; without one, filters used before", "choose-up", show=False),
    _key("ctrl+z", "undo", "Undo", "Take the last change back", "undo"),
    _key("ctrl+y", "redo", "Redo", "Make the change that was taken back", "redo", show=False),
    _key("ctrl+r", "earlier", "Earlier", "Choose from saved filters and those used before", "earlier-filters"),
    _key("ctrl+s", "keep", "Save", "Save the filter under a name", "save-filter"),
    _key(
        "f2,shift+tab",
        "other",
        "Text",
        "A text that rows must show, in any column; there, back to the filter",
        "row-text",
    ),
]
"""The keys of the editor besides those of every line one types into."""
_PIECES = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?P<word>[A-Za-z_][\w.]*(?:\[[^\]]*\]?)?)|(?P<sign>[=!<>]+)"""
)
_IN_WORD = re.compile(r"[\w./-]")
_WORDS = {"and", "or", "not", *(name for name in OPERATORS if name.isalpha())}


class Typing(Enum):
    """What is typed; the value stands before it."""

    FILTER = "Filter "
    TEXT = "Text "
    NAME = "Name "


MEANINGS = {
    Typing.TEXT: "rows that show it, in any column",
    Typing.NAME: "the filter is saved under it",
}


class FilterColours(Highlighter):
    """Fields, words of the language and texts each in a role's colour."""

    def __init__(self, editor: FilterPrompt) -> None:
        """Take the colours from the theme in force."""
        self._editor = editor

    def highlight(self, text: Text) -> None:
        """Style the pieces."""
        if self._editor.typing is not Typing.FILTER:
            return
        colours = self._editor.app.theme_variables
        for match in _PIECES.finditer(text.plain):
            word = match["word"]
            if match["text"]:
                role = "success"
            elif match["sign"] or word in _WORDS:
                role = "accent"
            elif _is_field(word):
                role = "primary"
            else:
                continue
            text.stylize(Style(color=colours.get(role), bold=role == "accent"), *match.span())


def _is_field(word: str) -> bool:
    try:
        look_up(word)
    except UnknownField:
        return False
    return True


class FilterPrompt(Prompt):
    """Edits the filter, judged and completed while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    class Typed(Message):
        """A filter rests; its verdict is wanted. Or the text of rows changed."""

    class Completing(Message):
        """Text or cursor changed; what may come next is wanted."""

    class EarlierWanted(Message):
        """Filters used before and saved ones are to be offered."""

    class Applied(Message):
        """Enter was pressed on a filter that is right, or on a text."""

        def __init__(self, text: str) -> None:
            """Remember what was typed."""
            super().__init__()
            self.text = text

    class Named(Message):
        """A name for the filter was typed."""

        def __init__(self, name: str, text: str) -> None:
            """Remember the name and the filter."""
            super().__init__()
            self.name = name
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start hidden, nothing being checked."""
        super().__init__(id=id)
        self.typing = Typing.FILTER
        self._rest: Timer | None = None
        self._verdict: VerdictSnapshot | None = None
        self._applying: str | None = None
        """What is applied once it is judged."""
        self._texts = {Typing.FILTER: "", Typing.TEXT: "", Typing.NAME: ""}
        self._undone: list[str] = []
        self._past: list[str] = []
        self._in_word = False
        """Whether the last change was a letter of a word."""
        self._put = ""
        """What was put there last, not typed."""
        self._history: Sequence[str] = ()
        self._history_at = -1
        self._completion: Completion | None = None

    def on_mount(self) -> None:
        """Colour what is typed."""
        self.entry.highlighter = FilterColours(self)
        self.choices = self.screen.query_one(Choices)

    @property
    def cursor(self) -> int:
        """Where the next character goes."""
        return self.entry.cursor_position

    @property
    def is_judged(self) -> bool:
        """True when the verdict on what is typed is there."""
        return self._verdict is not None and self._verdict.request.filter == self.text

    def edit(self, text: str, row_text: str, history: Sequence[str]) -> None:
        """Show the prompt with a filter to change, and the text rows must show behind F2."""
        self._texts = {Typing.FILTER: text, Typing.TEXT: row_text, Typing.NAME: ""}
        self._past, self._undone, self._in_word = [text], [], False
        self._history, self._history_at = history, -1
        self._change_to(Typing.FILTER)

    def _change_to(self, typing: Typing) -> None:
        """Type something else."""
        self.typing = typing
        self._verdict = None
        self._stop_applying()
        self.query_one(Label).update(typing.value)
        self.open(self._texts[typing])
        self.choices.hide()
        self.screen.refresh_bindings()
        if typing is Typing.FILTER:
            self.post_message(self.Typed())
        else:
            self.say(Content.styled(f"{' ' * cell_len(typing.value)}{MEANINGS[typing]}", "$foreground-muted"))

    def put(self, text: str) -> None:
        """Put another filter in place of what is typed; it can be undone."""
        self.screen.set_focus(self.entry)
        self.entry.value = self._put = text
        self.entry.cursor_position = len(text)

    def close(self) -> None:
        """Hide the prompt and what it offers."""
        super().close()
        self.choices.hide()
        self._stop_applying()

    def leave(self) -> bool:
        """What Esc does before it leaves the editor; False when nothing is left to do."""
        if self.typing is Typing.NAME:
            self._change_to(Typing.FILTER)
            return True
        return self.choices.leave()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A text and a name are typed without help."""
        match action:
            case "complete" | "choose" | "undo" | "redo" | "earlier" | "keep":
                return self.typing is Typing.FILTER
            case "other":
                return self.typing is not Typing.NAME
        return True

    def action_other(self) -> None:
        """Type a text that rows must show in place of the filter, or the filter again."""
        self._texts[self.typing] = self.text
        self._change_to(Typing.TEXT if self.typing is Typing.FILTER else Typing.FILTER)

    def action_choose(self, by: int) -> None:
        """Move in the list; without one, through the filters used before."""
        if not self.choices.move(by):
            self._recall(-by)

    def action_complete(self) -> None:
        """Take what is under the cursor of the list, or the likeliest."""
        self.accept()

    def action_undo(self) -> None:
        """Take the last change back."""
        if len(self._past) > 1:
            self._undone.append(self._past.pop())
            self._restore(self._past[-1])

    def action_redo(self) -> None:
        """Make the change that was taken back."""
        if self._undone:
            self._past.append(self._undone.pop())
            self._restore(self._past[-1])

    def action_earlier(self) -> None:
        """Have filters used before offered."""
        self.post_message(self.EarlierWanted())

    def action_keep(self) -> None:
        """Ask for a name to save the filter under."""
        if self.text.strip():
            self._texts[Typing.FILTER] = self.text
            self._change_to(Typing.NAME)

    def _recall(self, by: int) -> None:
        """Go through the filters used before."""
        at = self._history_at + by
        if -1 <= at < len(self._history):
            self._history_at = at
            self.put(self._history[at] if at >= 0 else self._texts[Typing.FILTER])

    def _restore(self, text: str) -> None:
        self._in_word = False
        with self.entry.prevent(Input.Changed):
            self.entry.value = text
        self.entry.cursor_position = len(text)
        self._look_at_text()

    # what is typed

    @on(Entry.Moved)
    def _moved(self) -> None:
        """What may come next changes with the cursor."""
        if self.typing is Typing.FILTER:
            self.post_message(self.Completing())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.typing is Typing.FILTER:
            if self._past[-1:] != [event.value]:
                by_one = event.value != self._put and len(event.value) == len(self._past[-1]) + 1
                letter = by_one and _IN_WORD.fullmatch(event.value[-1:])
                # Letters of a word are taken back together.
                kept = self._past[:-1] if letter and self._in_word else self._past[-UNDO:]
                self._in_word = bool(letter)
                self._past = [*kept, event.value]
                self._undone = []
            self._look_at_text()
        elif self.typing is Typing.TEXT:
            self.post_message(self.Typed())

    def _look_at_text(self) -> None:
        """Have it judged once it rests, and completed at once."""
        if self.text != self._applying:
            self._stop_applying()
        if self._verdict:
            self.say(Content.styled(self.said.left.plain, "$text-disabled"))
        if self._rest:
            self._rest.stop()
        self._rest = self.set_timer(QUIET_TIME, lambda: self.post_message(self.Typed()))
        self.post_message(self.Completing())

    def entered(self) -> None:
        """Take what is under the cursor of the list, or what was typed: a filter once it is judged."""
        match self.typing:
            case Typing.TEXT:
                self._leave_with(self.text)
            case Typing.NAME:
                self.post_message(self.Named(self.text, self._texts[Typing.FILTER]))
                self._change_to(Typing.FILTER)
            case Typing.FILTER if self.choices.item is not None:
                self.accept()
            case Typing.FILTER:
                self._applying = self.text
                if self._verdict and self.is_judged:
                    self._apply(self._verdict)
                else:
                    self.entry.hold()
                    self.post_message(self.Typed())

    def offer(self, snapshot: CompletionSnapshot) -> None:
        """Show what may come next; an answer for another text or cursor says nothing any more."""
        request = snapshot.request
        if self.typing is not Typing.FILTER or (request.filter, request.cursor) != (self.text, self.cursor):
            return
        self._completion = snapshot.completion
        before = self.text[: snapshot.completion.start]
        column = cell_len(self.typing.value) + cell_len(before) - self.entry.scroll_offset.x
        self.choices.show(snapshot.completion.items, column)

    def accept(self) -> None:
        """Type what is under the cursor of the list, else the likeliest."""
        item, completion = self.choices.first, self._completion
        if item is None or completion is None:
            return
        text = self.text[: completion.start] + item.text + self.text[completion.end :]
        self.choices.hide()
        self.entry.value = self._put = text
        self.entry.cursor_position = completion.start + len(item.text)
        self.post_message(self.Completing())

    def judge(self, verdict: VerdictSnapshot) -> None:
        """Take the verdict on what is typed; one on an older text says nothing any more."""
        if self.typing is not Typing.FILTER or verdict.request.filter != self.text:
            return
        self._verdict = verdict
        if verdict.error:
            self.say(self._pointed(verdict, refused=False))
        else:
            self.say(
                Content.assemble(
                    (f"{' ' * cell_len(self.typing.value)}✓ ", "$text-success"),
                    f"keeps {verdict.kept:,} of {verdict.of:,} events",
                )
            )
        if self._applying is not None:
            self._apply(verdict)

    def _apply(self, verdict: VerdictSnapshot) -> None:
        if verdict.error:
            self.app.bell()
            self.say(self._pointed(verdict, refused=True))
            self._stop_applying()
        else:
            self._leave_with(verdict.request.filter)

    def _stop_applying(self) -> None:
        """What was typed meanwhile is whose the keys are now."""
        self._applying = None
        self.entry.release()

    def _leave_with(self, text: str) -> None:
        """At once: what is typed next is the table's."""
        self.close()
        self.post_message(self.Applied(text))

    def _pointed(self, verdict: VerdictSnapshot, *, refused: bool) -> Content:
        """The error with a mark under the character it is at; what is only unfinished is no error until Enter."""
        at = cell_len(self.typing.value) + cell_len(self.text[: verdict.position]) - self.entry.scroll_offset.x
        at = max(0, min(at, self.size.width - 1))
        # The mark says where, so that the words need not.
        message = " ".join(verdict.error.split()).removeprefix(f"at character {verdict.position + 1}: ")
        style = "$text-error"
        if not refused and verdict.position >= len(self.text.rstrip()):
            style = "$foreground-muted"
            if self._completion is not None and self._completion.hint:
                message = self._completion.hint
        if at + 2 + cell_len(message) <= self.size.width or at < self.size.width // 2:
            return Content.assemble(" " * at, ("^ ", f"bold {style}"), (message, style))
        shown = Content.styled(message, style).truncate(at - 1, ellipsis=True)
        return Content.assemble(" " * (at - 1 - shown.cell_length), shown, (" ^", f"bold {style}"))

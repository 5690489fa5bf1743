"""The dialog over the table: a text to read, or entries to choose from with what each means beside them.

Owns drawing, scrolling, its keys and its mouse. It is a widget of the main screen, hidden while it is not used:
a screen of its own would be laid out and styled anew each time it opens, too slow while a file is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from engine.text import clean
from tui.widgets.line import runs

Fact = tuple[str, str]
"""A title and its text. Without a text it is a heading, without a title a paragraph."""
TITLE_WIDTH = 12
"""Cells titles take left of their texts."""
LIST_WIDTH = 28
"""Cells of the entries, the gap to the text included."""
GAP = 2
Key = tuple[tuple[str, ...], str]
"""Keys and what they do, as the frame tells it; without keys it is only told."""
CHOOSING: Sequence[Key] = (
    ((), "A…Z by name"), (("pagedown",), "reads on"), (("enter",), "choose"), (("escape",), "cancel"),
)  # fmt: skip
READING: Sequence[Key] = ((("escape",), "close"),)
LEAST_LINES, MOST_LINES = 16, 38
"""Lines inside the frame, however few or many entries there are."""
BEFORE_NAMES = " •▲▼0123456789"
"""Characters of entries that stand before names: marks, and the keys of columns."""
WHEEL_LINES = 3
EMPTY = Content("")
KEYS = {
    "up": "up", "k": "up", "down": "down", "j": "down", "home": "first", "g": "first", "end": "last", "G": "last",
    "pageup": "page_up", "pagedown": "page_down", "space": "page_down", "enter": "choose", "escape": "close",
}  # fmt: skip
"""What keys do in every dialog. All others do nothing, but for those of the app that always work."""
_LOWER_KEYS = frozenset("jkgq")
"""Letters of which only the capital begins a name: keys, and the app's for leaving."""


class Dialog(Widget, can_focus=True):
    """Shows one text or choice at a time, and keeps the keys and the mouse meanwhile."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"dialog--cursor", "dialog--mark"}
    """
    | class | is |
    | --- | --- |
    | `dialog--cursor` | the entry under the cursor |
    | `dialog--mark` | what says that there is more text |
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start hidden."""
        super().__init__(id=id)
        self._labels: Sequence[Content] = ()
        self._meaning: Callable[[int], Sequence[Fact]] = lambda _: ()
        self._chosen: Callable[[int], None] = lambda _: None
        self._title_width = TITLE_WIDTH
        self._leave: frozenset[str] = frozenset()
        self._hotkeys: Mapping[str, int] = {}
        self._acts: Mapping[str, Callable[[int], None]] = {}
        self._typed = ""
        self._at = 0
        self._top = 0
        self._text_top = 0
        self._text: list[Content] | None = None
        self._looks: dict[str, Style] = {}
        """By component class, "" for the dialog's own; until colours change."""

    def choose(
        self,
        caption: str,
        labels: Sequence[Content],
        meaning: Callable[[int], Sequence[Fact]],
        start: int,
        chosen: Callable[[int], None],
        leave: Sequence[str],
        hotkeys: Mapping[str, int] | None = None,
        acts: Mapping[str, Callable[[int], None]] | None = None,
        keys: Sequence[Key] = CHOOSING,
    ) -> None:
        """Offer entries, ``start`` under the cursor; ``chosen`` is called with the index of one that was chosen.

        ``leave`` are keys that close the dialog besides Esc; ``hotkeys`` are characters that choose an entry;
        ``acts`` are keys that do something with the entry under the cursor, the dialog stays; ``keys`` tells the keys.
        """
        self._acts = acts or {}
        self._labels, self._meaning, self._chosen = labels, meaning, chosen
        self._hotkeys = hotkeys or {}
        self._title_width = TITLE_WIDTH
        self._open(caption, keys, len(labels), start, leave)

    def tell(self, caption: str, facts: Sequence[Fact], leave: Sequence[str], title_width: int = TITLE_WIDTH) -> None:
        """Show facts under a caption."""
        self._labels, self._meaning, self._chosen = (), lambda _: facts, lambda _: None
        self._hotkeys, self._acts = {}, {}
        self._title_width = title_width
        self._open(caption, READING, MOST_LINES, 0, leave)

    def _open(self, caption: str, keys: Sequence[Key], lines: int, start: int, leave: Sequence[str]) -> None:
        self.border_title = Content(clean(caption))
        self.border_subtitle = Content(" · ").join(map(self._told, keys))
        self.styles.max_height = min(MOST_LINES, max(LEAST_LINES, lines)) + self.gutter.height
        self._leave = frozenset(leave)
        self._typed = ""
        self._at, self._top, self._text_top, self._text = start, 0, 0, None
        self.display = True
        self.screen.set_focus(self)
        self.capture_mouse()
        self.refresh()

    def _told(self, key: Key) -> Content:
        """Keys with what they do; a click presses them."""
        names, does = key
        shown = [
            Content.styled(self.app.get_key_display(Binding(name, "")), runs(f"app.simulate_key('{name}')"))
            for name in names
        ]
        label = Content.styled(does, runs(f"app.simulate_key('{names[0]}')") if len(names) == 1 else "")
        return Content(" ").join([*shown, label])

    def close(self) -> None:
        """Hide the dialog and give keys and mouse back."""
        self.display = False
        self.release_mouse()
        self.screen.set_focus(None)

    # what happens to it

    def on_key(self, event: events.Key) -> None:
        """Do what a key says; none gets through to the table."""
        event.stop()
        if event.character and (at := self._hotkeys.get(event.character)) is not None:
            self._choose(at)
            return
        if act := self._acts.get(event.key):
            act(self._at)
            return
        if self._jump(event.character or ""):
            return
        self._typed = ""
        what = "close" if event.key in self._leave else KEYS.get(event.key, "")
        page = max(1, self.size.height - 1)
        match what:
            case "close":
                self.close()
            case "choose":
                self._choose(self._at)
            case "page_up" | "page_down":
                self._scroll_text(page if what == "page_down" else -page)
            case "up" | "down" | "first" | "last":
                by = {"up": -1, "down": 1, "first": -(1 << 20), "last": 1 << 20}[what]
                if self._labels:
                    self._move_to(self._at + by)
                else:
                    self._scroll_text(by)

    async def on_click(self, event: events.Click) -> None:
        """Choose the clicked entry, press the clicked key; a click beside the dialog closes it."""
        event.stop()
        if not self.region.contains_point(event.screen_offset):
            self.close()
        elif action := event.style.meta.get("runs"):
            await self.app.run_action(action)
        elif (at := event.get_content_offset(self)) and at.x < LIST_WIDTH and self._top + at.y < len(self._labels):
            self._choose(self._top + at.y)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll what is under the pointer."""
        self._wheel(event, WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll what is under the pointer."""
        self._wheel(event, -WHEEL_LINES)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        event.stop()
        if self._labels and event.get_content_offset_capture(self).x < LIST_WIDTH:
            self._move_to(self._at + lines)
        else:
            self._scroll_text(lines)

    def _choose(self, index: int) -> None:
        self.close()
        if self._labels:
            self._chosen(index)

    def _jump(self, character: str) -> bool:
        """Move to the entry a letter begins, the same again to the next; what follows narrows it down, to the shortest
        of the names that begin so. Capital letters always do, others where they are no keys.

        False for a character that does not go on with a name: it has its usual meaning.
        """
        names = [label.plain.lstrip(BEFORE_NAMES).lower() for label in self._labels]
        longer = self._typed + character.lower()
        going_on = [at for at, name in enumerate(names) if name.startswith(longer)] if self._typed and character else []
        if going_on:
            self._typed, at = longer, min(going_on, key=lambda at: len(names[at]))
        elif names and character.isalpha() and character not in self._leave and character not in _LOWER_KEYS:
            self._typed = character.lower()
            following = ((self._at + step) % len(names) for step in range(1, len(names) + 1))
            at = next((at for at in following if names[at].startswith(self._typed)), self._at)
        else:
            return False
        self._move_to(at)
        return True

    def _move_to(self, index: int) -> None:
        self._at = max(0, min(index, len(self._labels) - 1))
        self._text_top, self._text = 0, None
        self.refresh()

    def _scroll_text(self, lines: int) -> None:
        self._text_top = max(0, min(self._text_top + lines, len(self._wrapped()) - self.size.height))
        self.refresh()

    def _wrapped(self) -> list[Content]:
        """The text in lines as wide as there is room."""
        if self._text is None:
            width = self.size.width - (LIST_WIDTH if self._labels else 0) - 1
            self._text = laid_out(self._meaning(self._at), width, self._title_width)
        return self._text

    def on_resize(self) -> None:
        """Wrap the text anew."""
        self._text = None

    def notify_style_update(self) -> None:
        """Forget the colours."""
        super().notify_style_update()
        self._looks.clear()

    # drawing

    def render_line(self, y: int) -> Strip:
        """One line inside the frame: an entry, then a line of the text, then whether there is more of it."""
        width, height = self.size
        left = LIST_WIDTH if self._labels else 0
        lines = self._wrapped()
        self._top = min(max(self._top, self._at - height + 1), self._at)
        index, at = self._top + y, self._text_top + y
        segments: list[Segment] = []
        if left:
            label = self._labels[index] if index < len(self._labels) else EMPTY
            segments += self._drawn(label, LIST_WIDTH - GAP, "dialog--cursor" if index == self._at else "")
            segments += self._drawn(EMPTY, GAP)
        segments += self._drawn(lines[at] if at < len(lines) else EMPTY, width - left - 1)
        more = y == 0 < self._text_top, y == height - 1 and at < len(lines) - 1
        segments += self._drawn(Content("▴" if more[0] else "▾" if more[1] else " "), 1, "dialog--mark")
        return Strip(segments, width)

    def _drawn(self, content: Content, width: int, component: str = "") -> list[Segment]:
        """A line as wide as it is to be. Without what is done for any widget's text: wrapping anew, aligning, looking
        for links, for each of many lines."""
        if component not in self._looks:
            self._looks[component] = self.get_visual_style(component) if component else self.visual_style
        look = self._looks[component]
        if content.cell_length > width:
            content = content.truncate(width, ellipsis=True)
        drawn = [Segment(text, style.rich_style) for text, style in content.render(look, "")]
        rest = width - content.cell_length
        return [*drawn, Segment(" " * rest, look.rich_style)] if rest > 0 else drawn


def laid_out(facts: Sequence[Fact], width: int, title_width: int) -> list[Content]:
    """The lines of facts, titles in a column of their own, texts wrapped under themselves."""
    lines: list[Content] = []
    for title, text in facts:
        if not text:
            lines += [Content(""), Content.styled(clean(title), "bold $text-accent")]
            continue
        indent = title_width if title else 0
        wrapped = Content(clean(text)).wrap(max(1, width - indent))
        head = Content.styled(clean(title), "bold")
        if title and head.cell_length >= indent:
            lines.append(head)
        elif title:
            lines.append(Content.assemble(head.pad_right(indent - head.cell_length), wrapped.pop(0)))
        lines += [part.pad_left(indent) for part in wrapped]
    return lines

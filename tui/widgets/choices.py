"""What may be typed next, in a list over the line one types in: what it is, in how many events, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from engine.filters.completion import Item
from engine.text import fit, width
from tui.widgets.page import fitted

MOST = 10
"""Lines of the list."""
WIDEST = 64
"""Cells of the list, where what is offered has a meaning."""
EDGES = 6
"""Cells between an item's parts and around them."""


class Choices(Widget):
    """Shows items; one may be under the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choices--cursor", "choices--note"}
    """
    | class | is |
    | --- | --- |
    | `choices--cursor` | the item under the cursor |
    | `choices--note` | counts and meanings |
    """

    class Chosen(Message):
        """An item was clicked."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start hidden."""
        super().__init__(id=id)
        self._items: Sequence[Item] = ()
        self._at: int | None = None
        self._top = 0
        self._name_width = self._count_width = 0

    @property
    def item(self) -> Item | None:
        """The item under the cursor, None while nobody moved to one."""
        return None if self._at is None else self._items[self._at]

    @property
    def first(self) -> Item | None:
        """The item under the cursor, else the likeliest; None without any."""
        return self.item or (self._items[0] if self._items else None)

    def show(self, items: Sequence[Item], column: int) -> None:
        """Offer items beside a column of the screen; the cursor stays on the same item."""
        before = self.item
        self._items = items
        self._name_width = max((width(item.shown or item.text) for item in items), default=0)
        self._count_width = max((len(f"{item.count:,}") for item in items if item.count is not None), default=0)
        kept = None if before is None else next((at for at, item in enumerate(items) if item.text == before.text), None)
        self._at, self._top = kept, 0
        self.display = bool(items)
        self.styles.height = min(MOST, len(items))
        most = self.screen.size.width
        noted = any(item.note for item in items)
        # Values alone take what they need, all the room there is if need be: of paths the ends differ.
        wide = min(most, WIDEST if noted else self._name_width + self._count_width + EDGES)
        self._name_width = min(self._name_width, wide // 2 if noted else wide - self._count_width - EDGES)
        self.styles.width = wide
        self.styles.offset = (max(0, min(column, most - wide)), 0)
        self._follow()

    def hide(self) -> None:
        """Offer nothing."""
        self.display, self._items, self._at = False, (), None

    def move(self, by: int) -> bool:
        """Move the cursor; up from the first leaves the list. False when there is none."""
        if not self._items:
            return False
        at = (0 if by > 0 else None) if self._at is None else self._at + by
        self._at = None if at is None or at < 0 else min(at, len(self._items) - 1)
        self._follow()
        return True

    def leave(self) -> bool:
        """Take the cursor out of the list; False when it was not in it."""
        was, self._at = self._at is not None, None
        self._follow()
        return was

    def _follow(self) -> None:
        at = self._at or 0
        self._top = max(0, min(self._top, at), at - MOST + 1)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose an item."""
        event.stop()
        if self._top + event.y < len(self._items):
            self._at = self._top + event.y
            self.post_message(self.Chosen())

    def render_line(self, y: int) -> Strip:
        """One item."""
        room, at = self.size.width, self._top + y
        if at >= len(self._items):
            return Strip.blank(room, self.rich_style)
        item = self._items[at]
        cursor = self.get_component_rich_style("choices--cursor")
        note = cursor if at == self._at else self.get_component_rich_style("choices--note")
        count = f"{item.count:>{self._count_width},}  " if item.count is not None else ""
        rest = room - self._name_width - 4
        more = "▾" if y == self.size.height - 1 and at + 1 < len(self._items) else " "
        return Strip(
            [
                Segment(
                    f" {fitted(item.shown or item.text, self._name_width + 1, False)} ",
                    cursor if at == self._at else self.rich_style,
                ),
                Segment(fit(f"{count}{item.note}", rest), note),
                Segment(more, note),
            ]
        )

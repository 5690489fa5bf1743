"""Titles with what is said about them beside, wrapped under itself."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from engine.text import clean

Fact = tuple[str, str]
"""A title and its text. Without a text it is a heading, without a title a paragraph."""


class Facts(Widget):
    """Shows facts, titles in a column of their own."""

    facts: reactive[Sequence[Fact]] = reactive((), layout=True)
    """What is shown, from top to bottom."""

    def __init__(self, facts: Sequence[Fact] = (), *, title_width: int = 12, id: str | None = None) -> None:  # noqa: A002
        """Show facts; ``title_width`` is that of the titles' column, cells."""
        super().__init__(id=id)
        self._title_width = title_width
        self.set_reactive(Facts.facts, facts)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Lines needed at a width."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The facts at the present width."""
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for title, text in self.facts:
            if not text:
                lines += [Content(""), Content.styled(clean(title), "bold $text-accent")]
                continue
            indent = self._title_width if title else 0
            wrapped = Content(clean(text)).wrap(max(1, width - indent - 1))
            head = Content.styled(clean(title), "bold")
            if title and head.cell_length >= indent:
                lines.append(head)
            elif title:
                lines.append(Content.assemble(head.pad_right(indent - head.cell_length), wrapped.pop(0)))
            lines += [part.pad_left(indent) for part in wrapped]
        return lines

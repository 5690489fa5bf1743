"""The selected row in full, beside the table when there is room."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from engine.query.selected import Cell
from engine.text import clean

LEAST_WIDTH = 110
"""Cells of a screen that has room for it."""


class Peek(Widget):
    """Shows titles, values and meanings."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._content = Content("")

    def show(self, cells: Sequence[Cell]) -> None:
        """Show a row's cells, values whole."""
        parts = []
        for cell in cells:
            exact = "" if cell.exact is None or str(cell.exact) == cell.text else f"  = {clean(str(cell.exact))}"
            parts.append(
                Content.assemble(
                    (f"{cell.title} ", "bold $text-accent"), clean(cell.text), (exact, "$foreground-muted"),
                    "\n", (cell.meaning, "$foreground-muted"),
                )
            )  # fmt: skip
        self._content = Content("\n\n").join(parts)
        self.refresh()

    def render(self) -> Content:
        """The text, wrapped where it is too long."""
        return self._content

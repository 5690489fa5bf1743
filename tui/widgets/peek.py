"""The selected row in full, beside the table when there is room."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from engine.query.selected import Cell
from tui.widgets.dialog import TITLE_WIDTH, laid_out

LEAST_WIDTH = 110
"""Cells of a screen that has room for it."""


class Peek(Widget):
    """Shows values whole, and below what they mean."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        """Start empty."""
        super().__init__(id=id)
        self._cells: Sequence[Cell] = ()

    def show(self, cells: Sequence[Cell]) -> None:
        """Show a row's cells."""
        self._cells = cells
        self.refresh()

    def render(self) -> Content:
        """The text, wrapped where it is too long."""
        facts = [(cell.title, _whole(cell)) for cell in self._cells]
        facts += [("Meanings", ""), *((cell.title, cell.meaning) for cell in self._cells if cell.meaning)]
        return Content("\n").join(laid_out(facts, self.size.width, TITLE_WIDTH))


def _whole(cell: Cell) -> str:
    """What a cell shows, and the number it stands for."""
    exact = str(cell.exact)
    # A fact without a text would be a heading.
    return (cell.text or " ") if cell.exact is None or exact == cell.text else f"{cell.text} = {exact}"

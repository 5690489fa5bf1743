"""Rows of a table as one draws them: the page that is held, and cells fitted into their columns."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from engine.query.snapshots import Row, ShownColumn

LEAST_REST = 32
"""Cells the column that takes the rest should have."""
GAP = 2
"""Cells between two texts of a line that are longer than their columns."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a table, or lines when no header is shown."""

    columns: tuple[ShownColumn, ...] = ()
    rows: tuple[Row, ...] = ()
    offset: int = 0
    """Index of the first of ``rows`` among ``total``."""
    total: int = 0
    sort: int | None = None
    descending: bool = False
    headed: bool = True
    """Whether a line with the columns' titles is shown."""
    tones: tuple[str, ...] = ()
    """How each of ``rows`` is drawn: the name of a component class, "" as usual; empty for all as usual."""
    column_tones: tuple[str, ...] = ()
    """The same for each of the columns, in rows that are drawn as usual; empty for all as usual."""
    arrival: bool = False
    """Rows are in order of arrival: who is on the last one stays on the last."""

    def row(self, index: int) -> Row | None:
        """The row with this index among all; None when it is not held."""
        at = index - self.offset
        return self.rows[at] if 0 <= at < len(self.rows) else None

    def find(self, text: str, start: int, backwards: bool) -> int | None:
        """Index of the row held nearest from ``start`` on that shows a text, going round; None for none."""
        wanted, count = text.casefold(), len(self.rows)
        step = -1 if backwards else 1
        for distance in range(count):
            at = (start - self.offset + step * distance) % count
            if any(wanted in cell.casefold() for cell in self.rows[at].cells):
                return at + self.offset
        return None

    def needed(self, before: tuple[int, ...]) -> tuple[int, ...]:
        """Cells each column needs to show what is held whole; never fewer than before, so that columns hold still
        while one moves through the rows."""
        known = before if len(before) == len(self.columns) else (0,) * len(self.columns)
        needed = [
            max(known[at], cell_len(column.title) + 2, *(cell_len(row.cells[at]) + 1 for row in self.rows))
            for at, column in enumerate(self.columns)
        ]
        if not self.headed and len(needed) > 1:
            widths = [column.width for column in self.columns[:-1]]
            longest = max((sum(map(cell_len, self.texts(row, (*widths, 0)))) for row in self.rows), default=0)
            needed[-1] = max(known[-1], longest - sum(widths))
        return tuple(needed)

    def widths(self, needed: tuple[int, ...], room: int) -> tuple[int, ...]:
        """Cells of each column. The one without a width takes the rest; where that is little, the others take no more
        than they need."""
        widths = [column.width for column in self.columns]
        if 0 in widths and room - sum(widths) < LEAST_REST:
            widths = [
                column.width if column.fixed else min(column.width, least)
                for column, least in zip(self.columns, needed, strict=True)
            ]
        rest = room - sum(widths)
        return tuple(width or max(least, rest) for width, least in zip(widths, needed, strict=True))

    def texts(self, row: Row, widths: tuple[int, ...]) -> list[str]:
        """A row's cells as they are drawn. Without titles nothing is cut: what is too long moves the rest."""
        if self.headed:
            return [
                fitted(cell, width, column.right)
                for column, width, cell in zip(self.columns, widths, row.cells, strict=True)
            ]
        last = len(widths) - 1
        return [
            cell + " " * max(GAP if at < last else 0, width - cell_len(cell))
            for at, (width, cell) in enumerate(zip(widths, row.cells, strict=True))
        ]


def cut(text: str, width: int) -> str:
    """A text that fits, with a mark where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)) + "…"[: max(0, width)]


def marked(title: str, mark: str, right: bool) -> str:
    """A fitted title with a mark beside it: in its own blank, or else in the gap."""
    if right and title.startswith(" "):
        text = title.lstrip()
        return title[: len(title) - len(text) - 1] + mark + text
    text = title.rstrip()
    return text + mark + title[len(text) + 1 :]


def fitted(cell: str, width: int, right: bool) -> str:
    """A cell as wide as its column, one cell of gap at its end."""
    text = cut(cell, width - 1)
    blank = " " * (width - cell_len(text) - 1)
    return blank + text + " " if right else text + blank + " "


def cells_of(hit: str, text: str) -> tuple[int, int] | None:
    """Where a folded text begins and ends in another, cells; None where it is not."""
    at = text.casefold().find(hit)
    return (cell_len(text[:at]), cell_len(text[: at + len(hit)])) if at >= 0 else None

"""Rows of a table as one draws them: the page that is held, and cells fitted into their columns."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from engine.query.snapshots import Row, ShownColumn


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
    arrival: bool = False
    """Rows are in order of arrival: who is on the last one stays on the last."""


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

"""Runs declared views the way tests want to see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.query.compose import compose
from engine.query.snapshots import Level
from engine.query.table import Table, TableRun
from engine.store.store import Store
from views import load

VIEWS = load().views
Row = dict[str, Any]
"""A row by column titles, as plain values."""
Stores = Callable[[Path], Store]
"""Reads a capture, the same one only once."""

Find = Callable[[str], Store]
"""Reads a shared capture by name, or one of ``made`` as made/NAME."""


def run(store: Store, view: str, levels: tuple[Level, ...] = (), containers: bool = False) -> Table:
    """The rows of a view at the end of a drill-down."""
    made = TableRun(store, VIEWS[view], compose("", levels, VIEWS[view]), containers=containers)
    made.update()
    return made.table()


def as_rows(table: Table) -> list[Row]:
    """All rows of a table, in its order."""
    titles = [column.title for column in table.columns]
    return [dict(zip(titles, values, strict=True)) for values in table.values()]

"""One row of a table, looked at closely: its cells in full, the filter each stands for, and values of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.fields import look_up
from engine.fields.field import Value
from engine.query.answers import table_of
from engine.query.cells import Plain
from engine.query.compose import selection
from engine.query.detail import term_of
from engine.query.snapshots import TableRequest
from engine.query.view import Aggregation
from engine.query.work import PanelRequest, PanelSnapshot, Work


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; texts are safe."""

    title: str
    text: str
    exact: Plain
    """The value without rounding, or its text."""
    meaning: str
    """Of its column."""
    term: str
    """Filter that keeps events with the same value; "" for what is added up."""


@dataclass(frozen=True)
class SelectedSnapshot(PanelSnapshot):
    """A row looked at closely."""

    cells: tuple[Cell, ...] = ()
    values: tuple[Value, ...] = ()
    """Of the fields asked for, as captured; None where unknown."""


@dataclass(frozen=True, slots=True)
class SelectedRequest(PanelRequest):
    """Which row of which table, and which fields of it besides its cells."""

    table: TableRequest
    key: Any
    fields: tuple[str, ...] = ()

    def answer(self, work: Work) -> SelectedSnapshot:
        """Find the row and read it."""
        table = table_of(self.table, work)
        place = table.index_of(self.key)
        if place is None:
            return self.failed("the row is gone")
        columns = table.declared
        # What the row shows counts: its events may differ in it.
        shown = {column.field: value for column, (_, value) in zip(columns, table.exact(place), strict=True)}
        shown[table.key_field] = self.key
        values = tuple(
            shown[name] if name in shown else look_up(name)[0].of(table.event(place), look_up(name)[1])
            for name in self.fields
        )
        cells = []
        for at, (column, text, (plain, value)) in enumerate(
            zip(columns, table.texts(place), table.exact(place), strict=True)
        ):
            field = look_up(column.field)[0]
            one = column.aggregation in (Aggregation.FIRST, Aggregation.LAST) and column.merge is None
            term = term_of(field, value).replace(field.name, column.field, 1) if one and value is not None else ""
            if column.field == table.key_field and value is not None:
                term = selection(table.key_field, self.key)
            cells.append(Cell(table.columns[at].title, text, plain, column.description, term))
        return SelectedSnapshot(self, "", True, tuple(cells), values)

    def failed(self, message: str) -> SelectedSnapshot:
        """There is no such row."""
        return SelectedSnapshot(self, message)

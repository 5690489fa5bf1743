"""Two tables of one view, over two ranges of time, as one: a measure in each, and how it changed, row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.decode.event import Event
from engine.fields.field import Value
from engine.query.cells import Cells
from engine.query.grouped import Rows, plain
from engine.query.single import Check, Single
from engine.query.sums import Numbers
from engine.query.table import Table
from engine.query.view import Column

A, B, CHANGE = range(3)
"""The first columns of the table; those of single values follow."""


class NotComparable(ValueError):  # noqa: N818 - the name says it all
    """A view that adds nothing up; the text is for people."""


def measures(columns: tuple[Column, ...], table: Table) -> list[int]:
    """Columns of a table that can be compared: those of numbers that are added up."""
    return [at for at in range(len(columns)) if table.rows.numbers(at) is not None]


def compared(before: Table, after: Table, measure: str, sort: int | None, descending: bool | None) -> Table:
    """A table with the measure of that title (else the first there is) before, after, and its change, sorted by
    change unless told otherwise. Raises NotComparable."""
    columns = after.declared
    usable = measures(columns, after)
    if not usable:
        raise NotComparable("this view adds nothing up that could be compared")
    chosen = next((at for at in usable if columns[at].title == measure), None)
    if chosen is None:
        chosen = after.sort if after.sort in usable else usable[0]
    told = [at for at in range(len(columns)) if after.rows.numbers(at) is None]
    measured = replace(columns[chosen], width=max(columns[chosen].width, 10))
    title = measured.title
    shown = (
        replace(measured, title=f"{title} A", description=f"{measured.description} In range A."),
        replace(measured, title=f"{title} B", description=f"{measured.description} In range B, the one shown."),
        replace(
            measured,
            title="CHANGE",
            description=f"B less A of {title}; sorted by how much; what is not there counts as nothing.",
        ),
        *(columns[at] for at in told),
    )
    rows = Compared(before.rows, after.rows, chosen, told)
    order = CHANGE if sort is None else sort
    return Table(after.key_field, rows, Cells(shown), order, descending if descending is not None else order <= CHANGE)


class Comparison:
    """The comparison that was asked for last, for whoever pages through it."""

    fields = frozenset[str]()
    """It holds as long as its tables are the ones there are."""

    def __init__(self) -> None:
        """Begin without one."""
        self._made: tuple[tuple[object, ...], Table] | None = None

    def forget(self) -> bool:
        """It is of tables that are gone."""
        return False

    def table(
        self, before: Table, after: Table, measure: str, sort: int | None, descending: bool | None, text: str,
        check: Check,
    ) -> Table:  # fmt: skip
        """As ``compared``, only rows that show a text. The same table again for the same question."""
        asked = (before, after, measure, sort, descending, text)
        if self._made is None or self._made[0] != asked:
            table = compared(before, after, measure, sort, descending)
            if text:
                table.keep(text, check)
            self._made = asked, table
        return self._made[1]


class Compared:
    """Rows of either table, those of the second first."""

    tree = None

    def __init__(self, before: Rows, after: Rows, measure: int, told: list[int]) -> None:
        """Join rows by key."""
        self._sides = (before, after)
        self._told = told
        self._keys = [after.key(row) for row in range(len(after))]
        self._places = {key: row for row, key in enumerate(self._keys)}
        places = np.empty(len(before), np.intp)
        for row in range(len(before)):
            places[row] = self._places.setdefault(before.key(row), len(self._places))
        self._keys = list(self._places)
        self._rows = np.full((2, len(self._keys)), -1, np.intp)
        """Of each side, its row, -1 where it has none."""
        self._rows[0, places] = np.arange(len(before))
        self._rows[1, : len(after)] = np.arange(len(after))
        values = np.zeros((2, len(self._keys)))
        known = np.zeros((2, len(self._keys)), np.bool_)
        for side, table in enumerate(self._sides):
            numbers = table.numbers(measure)
            assert numbers is not None
            there = np.flatnonzero(self._rows[side] >= 0)
            rows = self._rows[side, there]
            known[side, there] = numbers[1][rows]
            values[side, there] = np.where(numbers[1][rows], numbers[0][rows], 0)
        self._numbers: tuple[Numbers, ...] = (
            (values[0], known[0]),
            (values[1], known[1]),
            (values[1] - values[0], known[0] | known[1]),
        )

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, row: int) -> Value:
        """The key both tables have."""
        return self._keys[row]

    def row_of(self, key: Value) -> int | None:
        """The row with a key."""
        return self._places.get(key)

    def numbers(self, column: int) -> Numbers | None:
        """The measure before, after, and its change."""
        return self._numbers[column] if column <= CHANGE else None

    def weights(self, column: int) -> Numbers | None:
        """What has become less is as different as what has become more."""
        if column != CHANGE:
            return self.numbers(column)
        values, known = self._numbers[CHANGE]
        return np.abs(values), known

    def single(self, column: int) -> Single | None:
        """A column of single values: of each row what the table says that shows it."""
        if column <= CHANGE:
            return None
        before, after = (table.single(self._told[column - CHANGE - 1]) for table in self._sides)
        if before is None or after is None:
            return None
        pieces = list(after.pieces)
        gone = np.flatnonzero(self._rows[1] < 0)
        row_of = np.full(len(self._sides[0]), -1, np.intp)
        row_of[self._rows[0, gone]] = gone
        for segment, events, rows in before.pieces:
            mine = row_of[rows]
            pieces.append((segment, events[mine >= 0], mine[mine >= 0]))
        return Single(after.store, after.name, pieces, len(self))

    def _place(self, row: int) -> tuple[Rows, int]:
        """The table that shows the row, the later one if both have it, and where."""
        side = int(self._rows[1, row] >= 0)
        return self._sides[side], int(self._rows[side, row])

    def event(self, row: int) -> Event:
        """The row's newest event."""
        table, place = self._place(row)
        return table.event(place)

    def value(self, column: int, row: int) -> Value:
        """A cell; None when unknown."""
        if column <= CHANGE:
            values, known = self._numbers[column]
            return plain(values[row]) if known[row] else None
        table, place = self._place(row)
        return table.value(self._told[column - CHANGE - 1], place)

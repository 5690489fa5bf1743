"""A view run over a store: rows computed segment by segment, then ordered, searched and shown.

Owns order, pages and search. What the rows are is the business of ``grouped`` and ``listed``, how a value
looks that of ``cells``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.event import Event
from engine.fields import look_up
from engine.fields.field import Value
from engine.query.answered import Answered
from engine.query.assembly import shown
from engine.query.cells import UNKNOWN, Cells, Plain
from engine.query.grouped import Grouping, Rows, plain
from engine.query.listed import Listing
from engine.query.matches import Cancelled
from engine.query.snapshots import Row, ShownColumn
from engine.query.view import AND, Kind, View
from engine.store.segment import Window
from engine.store.store import Store

_SERVICES = {f"fd.{end}port": f"fd.{end}proto" for end in "cslr"}
"""Fields of ports, and those of their services' names."""


class TableRun:
    """A view over the segments of a store sealed so far; ``update`` takes in those sealed since."""

    def __init__(
        self,
        store: Store,
        view: View,
        filter_text: str,
        *,
        containers: bool = False,
        window: Window | None = None,
    ) -> None:
        """Prepare a view under a complete filter (``compose``), with container columns or without, over a
        window (first and last ns) or everything. Raises FilterError."""
        if store.port_names:
            view = _with_services(view)
        self._store = store
        self._view = view
        self._containers = containers
        self.filter = filters.compile(filter_text)
        self._cells = Cells(view.columns_for(containers))
        self._window = window
        self._rows = self._none()
        fields = {*self.filter.fields()}
        for column in view.columns_for(containers):
            fields |= {column.field, *filters.compile(column.where).fields()}
        self._answered = Answered(store, fields)
        self._taken = 0
        self._made: tuple[tuple[object, ...], Table] | None = None

    def _none(self) -> Grouping | Listing:
        columns = self._view.columns_for(self._containers)
        if self._view.kind is Kind.LIST:
            return Listing(self._store, columns, self._window)
        return Grouping(self._store, self._view, self.filter, self._containers, self._window)

    def update(self, cancelled: Cancelled = lambda: False) -> bool:
        """Take in segments sealed since; False when given up halfway (what was taken in stays)."""
        if self._answered.anew():
            self._rows, self._taken, self._made = self._none(), 0, None
        for segment in self._store.since(self._taken, self._window):
            if cancelled():
                return False
            self._rows.add(segment, self.filter.mask(self._store, segment))
            self._taken = segment.first + len(segment)
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten; False when they cannot be, added up as they are."""
        self._made = None
        return self._rows.forget()

    def table(self, sort: int | None = None, descending: bool | None = None, text: str = "") -> Table:
        """The rows by now, sorted on a shown column (None: the view's own order) in a direction (None: numbers
        descending, texts ascending), only those that show a text. The same table again while nothing changed."""
        asked = (self._taken, sort, descending, text)
        if self._made is None or self._made[0] != asked:
            table = self._make(sort, descending)
            if text:
                table.keep(text)
            self._made = (asked, table)
        return self._made[1]

    def _make(self, sort: int | None, descending: bool | None) -> Table:
        rows = self._rows.rows()
        columns = self._cells.columns
        if sort is None:
            sort = next((at for at, column in enumerate(columns) if column.title == self._view.sort), None)
        if descending is None:
            descending = sort is not None and self._cells.is_number(sort)
        tree = next((at for at, column in enumerate(columns) if column.title == self._view.tree), None)
        return Table(self._view.drill_field(self._containers), rows, self._cells, sort, descending, tree)


def _with_services(view: View) -> View:
    """The view with ports shown by name; its key stays the number."""
    columns = (replace(column, field=_SERVICES.get(column.field, column.field)) for column in view.columns)
    return replace(view, columns=tuple(columns))


class Table:
    """Rows of a view in an order. Cells are read and rendered only when asked for."""

    def __init__(
        self, key_field: str, rows: Rows, cells: Cells, sort: int | None, descending: bool, tree: int | None = None
    ) -> None:
        """Order rows; a column of unknown number (None) leaves them in order of arrival. ``tree`` is the column that
        shows whose child a row is, when rows are a tree."""
        self.key_field = key_field
        """Field a drill-down from a row filters on; "" in lists."""
        self.sort = sort
        self.descending = descending
        self.columns: tuple[ShownColumn, ...] = cells.shown
        self.total = len(rows)
        self.declared = cells.columns
        """The columns as the view declares them."""
        self.rows = rows
        """In order of arrival, before sorting."""
        self._cells = cells
        self._order: Sequence[int] = range(self.total) if sort is None else _ordered(rows, sort, descending)
        self._places: NDArray[np.int32] | None = None
        """Where each row is in the order, -1 for one that is left out; made when it is asked for."""
        self._tree = tree
        self._guides: dict[int, str] = {}
        if rows.tree is not None:
            self._order, self._guides = rows.tree.order(self._order)

    def keep(self, text: str) -> None:
        """Leave only rows that show a text in some cell, upper and lower case the same. O(rows)."""
        shows = self._showing(text)
        self._order = [row for row in self._order if shows(row)]
        self.total, self._places = len(self._order), None

    def _showing(self, text: str) -> Callable[[int], bool]:
        """Tells whether a row shows a text, in upper or lower case; values that come again are rendered once."""
        wanted, value_of, render = text.casefold(), self.rows.value, self._cells.render
        in_numbers = np.zeros(len(self.rows), np.bool_)
        others: list[tuple[int, dict[Value, bool]]] = []
        for at in range(len(self.columns)):
            numbers = self.rows.numbers(at)
            if numbers is None:
                others.append((at, {}))
                continue
            different, which = np.unique(numbers[0], return_inverse=True)
            shown = [wanted in render(at, plain(number)).casefold() for number in different]
            in_numbers |= np.where(numbers[1], np.array(shown, np.bool_)[which], wanted in UNKNOWN)

        def shows(row: int) -> bool:
            if in_numbers[row]:
                return True
            for at, known in others:
                value = value_of(at, row)
                found = known.get(value)
                if found is None:
                    found = known[value] = wanted in render(at, value).casefold()
                if found:
                    return True
            return False

        return shows

    def page(self, offset: int, count: int) -> tuple[Row, ...]:
        """Rows from an offset on, rendered; fewer at the end."""
        return tuple(self._row(place) for place in range(max(offset, 0), min(offset + count, self.total)))

    def _row(self, place: int) -> Row:
        row = self._order[place]
        key = self.rows.key(row)
        return Row(key, self._shown_key(key), self._texts(row))

    def _shown_key(self, key: Value) -> str:
        """A key as text; of several fields one after the other."""
        if not self.key_field:
            return ""
        fields = [look_up(name)[0] for name in self.key_field.split(AND)]
        values = key if isinstance(key, tuple) and len(fields) > 1 else (key,)
        return ", ".join(map(shown, fields, values))

    def _texts(self, row: int) -> tuple[str, ...]:
        texts = [self._cells.render(at, self.rows.value(at, row)) for at in range(len(self.columns))]
        if self._tree is not None:
            texts[self._tree] = self._guides.get(row, "") + texts[self._tree]
        return tuple(texts)

    def texts(self, place: int) -> tuple[str, ...]:
        """The cells of a row, rendered."""
        return self._texts(self._order[place])

    def exact(self, place: int) -> Iterator[tuple[Plain, Value]]:
        """The cells of a row, each as a plain value and as its field has it."""
        for at in range(len(self.columns)):
            value = self.rows.value(at, self._order[place])
            yield self._cells.plain(at, value), value

    def event(self, place: int) -> Event:
        """The newest event of a row."""
        return self.rows.event(self._order[place])

    def values(self) -> Iterator[tuple[Plain, ...]]:
        """All rows in order as plain values: numbers as they are, safe text, None for the unknown."""
        for row in self._order:
            yield tuple(self._cells.plain(at, self.rows.value(at, row)) for at in range(len(self.columns)))

    def index_of(self, key: Value) -> int | None:
        """Where the row with a key is, None when there is none. O(log rows), but for the first question."""
        row = self.rows.row_of(key)
        if row is None or isinstance(self._order, range):
            return row
        if self._places is None:
            self._places = np.full(len(self.rows), -1, np.int32)
            self._places[self._order] = np.arange(self.total, dtype=np.int32)
        place = int(self._places[row])
        return place if place >= 0 else None

    def find(self, text: str, start: int, backwards: bool = False) -> int | None:
        """The row nearest from ``start`` on, that one included, whose cells hold a text; goes round at the end.

        Upper and lower case are the same. None when no row does. O(rows).
        """
        shows = self._showing(text)
        step = -1 if backwards else 1
        for distance in range(self.total):
            place = (start + step * distance) % self.total
            if shows(self._order[place]):
                return place
        return None


def _ordered(rows: Rows, column: int, descending: bool) -> list[int]:
    """Row numbers sorted on a column, equal ones in order of arrival, unknown ones last."""
    numbers = rows.weights(column)
    if numbers is not None:
        values, known = numbers
        order = np.argsort(-values if descending else values, kind="stable")
        return [*order[known[order]].tolist(), *np.flatnonzero(~known).tolist()]
    found = [rows.value(column, row) for row in range(len(rows))]
    known_rows = [row for row, value in enumerate(found) if value is not None]
    unknown_rows = [row for row, value in enumerate(found) if value is None]
    return sorted(known_rows, key=lambda row: found[row], reverse=descending) + unknown_rows  # type: ignore[arg-type, return-value]

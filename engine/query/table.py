"""A view run over a store: rows computed segment by segment, then ordered, searched and shown.

Owns order, pages and search. What the rows are is the business of ``grouped`` and ``listed``, how a value
looks that of ``cells``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.event import Event
from engine.fields import look_up
from engine.fields.field import Value
from engine.query.assembly import shown
from engine.query.cells import UNKNOWN, Cells, Plain
from engine.query.grouped import Grouping, Rows, plain
from engine.query.listed import Listing
from engine.query.masks import Masks
from engine.query.matches import Cancelled
from engine.query.single import AT_ONCE, Check, Coded, Single, holding, numbered
from engine.query.snapshots import Row, ShownColumn
from engine.query.view import AND, Kind, View
from engine.store.segment import Window
from engine.store.store import Store
from engine.text import IN_NUMBERS

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
        self._own = filters.compile(view.filter)
        self._cells = Cells(view.columns_for(containers))
        columns = view.columns_for(containers)
        self.fields = self.filter.fields().union(
            *({column.field, *filters.compile(column.where).fields()} for column in columns)
        )
        self._made: tuple[tuple[object, ...], Table] | None = None
        self._frozen: tuple[tuple[int, int], Rows] | None = None
        """The rows, and after how many events and at which revision of the store."""
        self._begin(window)

    def _begin(self, window: Window | None) -> None:
        self._window = window
        self._rows: Grouping | Listing = (
            Listing(self._store, self._view.columns_for(self._containers), window)
            if self._view.kind is Kind.LIST
            else Grouping(self._store, self._view, self.filter, self._containers, window)
        )
        self._taken = 0
        self._made = self._frozen = None

    def over(self, window: Window | None) -> None:
        """Go on to this window, the one at hand or another: what was made of that one is dropped."""
        if window != self._window:
            self._begin(window)

    def update(self, cancelled: Cancelled = lambda: False, besides: Masks | None = None) -> bool:
        """Take in segments sealed since; False when given up halfway (what was taken in stays). ``besides`` tells,
        where that is known already, what the filter keeps but for the view's own."""
        for segment in self._store.since(self._taken, self._window):
            if cancelled():
                return False
            known = None if besides is None else besides.known(segment)
            kept = self.filter if known is None else self._own
            self._rows.add(segment, kept.mask(self._store, segment, known))
            self._taken = segment.first + len(segment)
        return True

    def forget(self) -> bool:
        """Take out segments the store has forgotten; False when they cannot be, added up as they are."""
        self._made = self._frozen = None
        return self._rows.forget()

    def table(
        self, sort: int | None = None, descending: bool | None = None, text: str = "", check: Check = lambda: None
    ) -> Table:
        """The rows by now, sorted on a shown column (None: the view's own order) in a direction (None: numbers
        descending, texts ascending), only those that show a text. The same table again while nothing changed.
        ``check`` is called now and then and may raise."""
        now = self._taken, self._store.revision
        asked = (now, sort, descending, text)
        if self._made is None or self._made[0] != asked:
            if self._frozen is None or self._frozen[0] != now:
                self._frozen = now, self._rows.rows()
            table = self._make(self._frozen[1], sort, descending, check)
            if text:
                table.keep(text, check)
            self._made = (asked, table)
        return self._made[1]

    def _make(self, rows: Rows, sort: int | None, descending: bool | None, check: Check) -> Table:
        columns = self._cells.columns
        if sort is None:
            sort = next((at for at, column in enumerate(columns) if column.title == self._view.sort), None)
        if descending is None:
            descending = sort is not None and self._cells.is_number(sort)
        tree = next((at for at, column in enumerate(columns) if column.title == self._view.tree), None)
        return Table(self._view.drill_field(self._containers), rows, self._cells, sort, descending, tree, check)


def _with_services(view: View) -> View:
    """The view with ports shown by name; its key stays the number."""
    columns = (replace(column, field=_SERVICES.get(column.field, column.field)) for column in view.columns)
    return replace(view, columns=tuple(columns))


class Table:
    """Rows of a view in an order. Cells are read and rendered only when asked for."""

    def __init__(
        self,
        key_field: str,
        rows: Rows,
        cells: Cells,
        sort: int | None,
        descending: bool,
        tree: int | None = None,
        check: Check = lambda: None,
    ) -> None:
        """Order rows; a column of unknown number (None) leaves them in order of arrival. ``tree`` is the column that
        shows whose child a row is, when rows are a tree; ``check`` is called now and then and may raise."""
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
        self._order: NDArray[np.intp] | None = None if sort is None else self._ordered(sort, descending, check)
        """The row at each place; None when they are as they arrived."""
        self._places: NDArray[np.int32] | None = None
        """Where each row is in the order, -1 for one that is left out; made when it is asked for."""
        self._tree = tree
        self._guides: dict[int, str] = {}
        if rows.tree is not None:
            order, self._guides = rows.tree.order(self._in_order().tolist())
            self._order = np.array(order, np.intp)
        self._shown: tuple[str, NDArray[np.bool_]] | None = None
        """Which rows show the text that was asked for last."""

    def _in_order(self) -> NDArray[np.intp]:
        return np.arange(self.total) if self._order is None else self._order

    def _at(self, place: int) -> int:
        return place if self._order is None else int(self._order[place])

    def keep(self, text: str, check: Check = lambda: None) -> None:
        """Leave only rows that show a text in some cell, upper and lower case the same. O(rows)."""
        order = self._in_order()
        self._order = order[self._showing(text, check)[order]]
        self.total, self._places = len(self._order), None

    def _showing(self, text: str, check: Check) -> NDArray[np.bool_]:
        """Which rows show a text, in upper or lower case; values that come again are looked at once."""
        if self._shown is not None and self._shown[0] == text:
            return self._shown[1]
        wanted = text.casefold()
        found = np.full(len(self.rows), False)
        written: list[Single] = []
        for at in range(len(self.columns)):
            numbers, single = self.rows.numbers(at), self.rows.single(at)
            if numbers is not None:
                values, known = numbers
                if wanted in UNKNOWN:
                    found |= ~known
                if IN_NUMBERS.issuperset(wanted):
                    different, which = np.unique(values[known], return_inverse=True)
                    found[known] |= self._hold(at, [plain(number) for number in different], wanted, check)[which]
            elif single is not None and single.written:
                written.append(single)
            else:
                coded = self._coded(at, check)
                found |= np.append(self._hold(at, coded.values, wanted, check), wanted in UNKNOWN)[coded.which]
        # What costs most is asked only of rows that are not found by then.
        for single in written:
            for rows, lines in single.lines(UNKNOWN, ~found):
                found[rows] = holding(lines.decode(), wanted, len(rows))
                check()
        self._shown = text, found
        return found

    def _hold(self, column: int, values: Sequence[Value], wanted: str, check: Check) -> NDArray[np.bool_]:
        """Which values of a column show a text."""
        found = np.zeros(len(values), np.bool_)
        for start in range(0, len(values), AT_ONCE):
            check()
            part = values[start : start + AT_ONCE]
            found[start : start + AT_ONCE] = holding(self._cells.lines(column, part), wanted, len(part))
        return found

    def _coded(self, column: int, check: Check) -> Coded:
        single = self.rows.single(column)
        if single is not None:
            return single.coded(check)
        values, which = numbered([self.rows.value(column, row) for row in range(len(self.rows))])
        return Coded(values, which.astype(np.int32))

    def _ordered(self, column: int, descending: bool, check: Check) -> NDArray[np.intp]:
        """Row numbers sorted on a column, equal ones in order of arrival, unknown ones last."""
        values, known = self.rows.weights(column) or self._coded(column, check).ranked()
        order = np.argsort(-values if descending else values, kind="stable")
        return np.concatenate([order[known[order]], np.flatnonzero(~known)])

    def page(self, offset: int, count: int) -> tuple[Row, ...]:
        """Rows from an offset on, rendered; fewer at the end."""
        return tuple(self._row(place) for place in range(max(offset, 0), min(offset + count, self.total)))

    def _row(self, place: int) -> Row:
        row = self._at(place)
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
        return self._texts(self._at(place))

    def exact(self, place: int) -> Iterator[tuple[Plain, Value]]:
        """The cells of a row, each as a plain value and as its field has it."""
        for at in range(len(self.columns)):
            value = self.rows.value(at, self._at(place))
            yield self._cells.plain(at, value), value

    def event(self, place: int) -> Event:
        """The newest event of a row."""
        return self.rows.event(self._at(place))

    def values(self) -> Iterator[tuple[Plain, ...]]:
        """All rows in order as plain values: numbers as they are, safe text, None for the unknown."""
        for row in self._in_order().tolist():
            yield tuple(self._cells.plain(at, self.rows.value(at, row)) for at in range(len(self.columns)))

    def index_of(self, key: Value) -> int | None:
        """Where the row with a key is, None when there is none. O(log rows), but for the first question."""
        row = self.rows.row_of(key)
        if row is None or self._order is None:
            return row
        if self._places is None:
            self._places = np.full(len(self.rows), -1, np.int32)
            self._places[self._order] = np.arange(self.total, dtype=np.int32)
        place = int(self._places[row])
        return place if place >= 0 else None

    def find(self, text: str, start: int, backwards: bool = False, check: Check = lambda: None) -> int | None:
        """The row nearest from ``start`` on, that one included, whose cells hold a text; goes round at the end.

        Upper and lower case are the same. None when no row does. O(rows) for the first question about a text.
        """
        places = np.flatnonzero(self._showing(text, check)[self._in_order()])
        if not len(places):
            return None
        start %= self.total
        if backwards:
            return int(places[np.searchsorted(places, start, "right") - 1])
        return int(places[np.searchsorted(places, start) % len(places)])

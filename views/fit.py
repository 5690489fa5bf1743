"""What must fit together in a view."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import zip_longest

from engine import filters
from engine.fields import look_up
from engine.fields.field import FieldType, Place
from engine.query.grouped import of_threads
from engine.query.keys import IN_CONTAINER, groupable, is_late
from engine.query.lives import PER_THREAD
from engine.query.sums import is_number, is_summed
from engine.query.view import AND, SPREADS, Aggregation, Column, Kind, View
from views.reader import Reader, ViewError


def misfits(view: View, ids: Container[str], top: Reader, columns: Sequence[Reader]) -> Iterator[ViewError]:
    """All mistakes in how the parts of a view go together; ``ids`` are those of all views, ``columns`` where the
    columns stand."""
    if view.drill_to is not None and view.drill_to not in ids:
        yield top.mistake("drill_to", f"expected the id of a view, there is no {view.drill_to}")
    try:
        filters.compile(view.filter)
    except filters.FilterError as error:
        yield top.mistake("filter", str(error))
    yield from _of_keys(view, top)
    yield from _of_titles(view, top, columns)
    for column, reader in zip_longest(view.columns, columns):
        yield from _of_column(view, column, reader)


def _of_keys(view: View, top: Reader) -> Iterator[ViewError]:
    if view.kind is Kind.LIST:
        for name, value in (
            ("key", view.keys),
            ("group", view.group),
            ("sort", view.sort),
            ("drill_to", view.drill_to),
        ):
            if value:
                yield top.mistake(name, "a list shows every event, it has none")
        return
    if not view.keys:
        yield top.mistake(None, "expected the key key: a field, or a table of two: default and containers")
    for key in view.keys:
        for part in key.field.split(AND):
            field = look_up(part)[0]
            if not groupable(field):
                yield top.mistake("key", f"rows cannot be made of {part}: it has many values")
            elif is_late(field) and not view.filter.strip():
                yield top.mistake(
                    "key", f"expected a filter in the view: {part} is read from each event's record, one by one"
                )
    if view.idle_fds and not all(
        any(part in IN_CONTAINER or look_up(part)[0].place is Place.FD for part in key.field.split(AND))
        for key in view.keys
    ):
        yield top.mistake("idle_fds", "expected a key with a field of descriptors")
    if view.tree and any(view.drill_field(containers) != "proc.pid" for containers in (False, True)):
        yield top.mistake("tree", "expected rows of processes: a key or group proc.pid")


def _of_titles(view: View, top: Reader, columns: Sequence[Reader]) -> Iterator[ViewError]:
    told = set()
    for containers in (False, True):
        shown = view.columns_for(containers)
        titles = [column.title for column in shown]
        for index, column in enumerate(shown):
            if column.title in titles[:index] and column not in told:
                told.add(column)
                place = max(at for at, each in enumerate(view.columns) if each == column)
                yield columns[place].mistake("title", f"two columns are called {column.title}")
        for key, title in (("sort", view.sort), ("tree", view.tree)):
            if title is not None and title not in titles:
                yield top.mistake(key, f"expected the title of a column, one of {', '.join(titles)}")
                return


def _per_thread(view: View) -> bool:
    """True when rows are made of fields of threads alone, so that they have what threads as such have."""
    groups = [view.group] if view.group else []
    return bool(view.keys) and all(of_threads(name) for name in (*(key.field for key in view.keys), *groups))


def _of_column(view: View, column: Column, reader: Reader) -> Iterator[ViewError]:
    field = look_up(column.field)[0]
    summed = is_summed(column)
    if column.aggregation is Aggregation.COUNT:
        yield reader.mistake("aggregation", "count is for merge only")
    if view.kind is Kind.LIST and (summed or column.merge is not None):
        yield reader.mistake("aggregation", "a list shows every event, nothing is added up")
        return
    if column.field in PER_THREAD:
        # On-CPU time is also told by switches, whatever the key.
        if not (_per_thread(view) or (column.field == "thread.cpu" and view.kind is Kind.TABLE)):
            yield reader.mistake("field", f"{column.field} is known of threads, the view's key is none of theirs")
        if column.where:
            yield reader.mistake("where", f"{column.field} is known of threads, not of events")
    elif summed and not is_number(field):
        yield reader.mistake("aggregation", f"{column.field} is nothing to add up; use first or last")
    elif summed and not field.measures and field.place is Place.LATE and not (view.filter.strip() or column.where):
        yield reader.mistake("field", f"expected a filter: {column.field} is read from each event's record, one by one")
    if column.aggregation in SPREADS and field.type is FieldType.FLOAT:
        yield reader.mistake("aggregation", "percentiles and histograms are of whole numbers")
    if column.where:
        if not summed:
            yield reader.mistake("where", "expected an aggregation: where says what is added up")
        try:
            filters.compile(column.where)
        except filters.FilterError as error:
            yield reader.mistake("where", str(error))
    if column.subtree and not (view.tree and column.aggregation in (Aggregation.SUM, Aggregation.RATE)):
        yield reader.mistake("subtree", "expected a tree and a column with aggregation sum or rate")
    if view.group is None and column.merge is not None:
        yield reader.mistake("merge", "expected a group in the view: merge says how its rows come together")
    if view.group is not None and summed and column.merge is None:
        yield reader.mistake(None, f"expected the key merge: how {column.title} of the rows of a group comes together")

"""What a view file may say: every key, what it takes, and what must fit together."""

from __future__ import annotations

from collections.abc import Container
from enum import Enum
from typing import Any

from engine import filters
from engine.fields import look_up
from engine.fields.field import Field, Place
from engine.query.keys import IN_CONTAINER, groupable
from engine.query.lives import PER_THREAD
from engine.query.view import Action, Aggregation, Column, Key, Kind, View
from engine.toml import TablePlace, parse
from views.reader import Reader

_WIDEST = 1000
"""Cells of the widest column."""
_TEXTS = "a list of texts"
_KEY = "a field, or a table of two: default and containers"


def read(view_id: str, text: str, ids: Container[str]) -> View:
    """The view a file declares; its id is the file's name, ``ids`` are those of all views. Raises TomlError."""
    top = Reader(parse(text), TablePlace(text))
    columns = top.make("columns", _tables, "at least one [[columns]] table")
    actions: tuple[Any, ...] = top.make("actions", _tables, "[[actions]] tables", ())
    view = View(
        id=view_id,
        name=top.take("name", str, "a text"),
        description=top.take("description", str, "a text"),
        tips=top.make("tips", _texts, _TEXTS, ()),
        kind=top.make("kind", Kind, "table or list", Kind.TABLE),
        keys=top.make("key", _keys, _KEY, ()),
        group=_field_name(top, "group", "a field") if top.has("group") else None,
        filter=top.make("filter", _filter, "a filter", ""),
        sort=top.take("sort", str, "the title of a column") if top.has("sort") else None,
        applies_to=top.make("applies_to", _applicable, 'a list of fields, "" for the whole machine', ("",)),
        drill_to=top.take("drill_to", str, "the id of a view") if top.has("drill_to") else None,
        propagate_filter=top.take("propagate_filter", bool, "true or false", True),
        root=top.take("root", bool, "true or false", False),
        columns=tuple(_column(Reader(column, TablePlace(text, "columns", i))) for i, column in enumerate(columns)),
        actions=tuple(_action(Reader(action, TablePlace(text, "actions", i))) for i, action in enumerate(actions)),
    )
    top.finish()
    if view.drill_to is not None and view.drill_to not in ids:
        raise top.mistake("drill_to", f"expected the id of a view, there is no {view.drill_to}")
    _check(view, top, text)
    return view


def _tables(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError
    return tuple(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.isprintable() for item in value):
        raise TypeError
    return tuple(value)


def _filter(value: Any) -> str:
    """A filter may be of several lines, other than texts."""
    if not isinstance(value, str):
        raise TypeError
    return value


def _applicable(value: Any) -> tuple[str, ...]:
    fields = _texts(value)
    for name in filter(None, fields):
        look_up(name)
    return fields


def _keys(value: Any) -> tuple[Key, ...]:
    if isinstance(value, str):
        return (_key(value, None),)
    if set(value) != {"default", "containers"}:
        raise ValueError
    return _key(value["default"], False), _key(value["containers"], True)


def _key(name: str, containers: bool | None) -> Key:
    look_up(name)
    return Key(name, containers)


def _field_name(reader: Reader, key: str, expected: str) -> str:
    def known(value: Any) -> str:
        look_up(value)
        return str(value)

    return reader.make(key, known, expected)


def _column(reader: Reader) -> Column:
    column = Column(
        title=reader.take("title", str, "a text"),
        field=_field_name(reader, "field", "a field"),
        description=reader.take("description", str, "a text"),
        width=reader.take("width", int, "cells, 0 for the rest of the line"),
        aggregation=reader.make("aggregation", Aggregation, _one_of(Aggregation), Aggregation.FIRST),
        merge=reader.make("merge", Aggregation, _one_of(Aggregation)) if reader.has("merge") else None,
        containers=reader.take("containers", bool, "true or false") if reader.has("containers") else None,
    )
    reader.finish()
    if not 0 <= column.width <= _WIDEST:
        raise reader.mistake("width", f"expected cells, at most {_WIDEST}, 0 for the rest of the line")
    if column.aggregation is Aggregation.COUNT:
        raise reader.mistake("aggregation", "count is for merge only")
    return column


def _one_of(kinds: type[Enum]) -> str:
    return "one of " + ", ".join(kind.value for kind in kinds)


def _action(reader: Reader) -> Action:
    action = Action(
        key=reader.take("key", str, "one character"),
        label=reader.take("label", str, "a text"),
        command=reader.make("command", _command, "a list of arguments, an argument %field is replaced whole"),
        confirm=reader.take("confirm", bool, "true or false", False),
        wait=reader.take("wait", bool, "true or false", True),
    )
    reader.finish()
    if len(action.key) != 1:
        raise reader.mistake("key", f"expected one character, not {action.key!r}")
    return action


def _command(value: Any) -> tuple[str, ...]:
    command = _texts(value)
    if not command:
        raise ValueError
    for argument in command:
        if argument.startswith("%"):
            look_up(argument[1:])
    return command


def _check(view: View, top: Reader, text: str) -> None:
    """What must fit together in a view."""
    try:
        filters.compile(view.filter)
    except filters.FilterError as error:
        raise top.mistake("filter", str(error)) from None
    if view.kind is Kind.LIST:
        for name, value in (
            ("key", view.keys),
            ("group", view.group),
            ("sort", view.sort),
            ("drill_to", view.drill_to),
        ):
            if value:
                raise top.mistake(name, "a list shows every event, it has none")
    elif not view.keys:
        raise top.mistake(None, f"expected the key key: {_KEY}")
    for key in view.keys:
        if not groupable(look_up(key.field)[0]):
            raise top.mistake(
                "key", f"rows cannot be made of {key.field}: it is read from each event's record, or has many values"
            )
    of_threads = all(_of_thread(key.field) for key in view.keys)
    if view.group and not (of_threads and _of_thread(view.group)):
        raise top.mistake("group", "key and group must both be fields of threads")
    for containers in (False, True):
        columns = view.columns_for(containers)
        titles = [column.title for column in columns]
        for index, column in enumerate(columns):
            if column.title in titles[:index]:
                place = TablePlace(text, "columns", view.columns.index(column))
                raise Reader({}, place).mistake("title", f"two columns are called {column.title}")
        if view.sort is not None and view.sort not in titles:
            raise top.mistake("sort", f"expected the title of a column, one of {', '.join(titles)}")
    for index, column in enumerate(view.columns):
        _check_column(view, column, of_threads, Reader({}, TablePlace(text, "columns", index)))


def _of_thread(name: str) -> bool:
    field = look_up(name)[0]
    return field.place is Place.THREAD and field.name not in IN_CONTAINER


def _check_column(view: View, column: Column, of_threads: bool, reader: Reader) -> None:
    single = column.aggregation in (Aggregation.FIRST, Aggregation.LAST)
    field = look_up(column.field)[0]
    if view.kind is Kind.LIST and (column.aggregation is not Aggregation.FIRST or column.merge is not None):
        raise reader.mistake("aggregation", "a list shows every event, nothing is added up")
    if column.field in PER_THREAD and not (of_threads and view.keys):
        raise reader.mistake("field", f"{column.field} is known of threads, the view's key is none of theirs")
    if not single and not _can_add_up(field):
        raise reader.mistake("aggregation", f"{column.field} is nothing to add up; use first or last")
    if view.group is None and column.merge is not None:
        raise reader.mistake("merge", "expected a group in the view: merge says how its rows come together")
    if view.group is not None and not single and column.merge is None:
        raise reader.mistake(None, f"expected the key merge: how {column.title} of the rows of a group comes together")


def _can_add_up(field: Field) -> bool:
    return bool(field.measures) or field.name in PER_THREAD

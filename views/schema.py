"""From the text of a view file to a view: its keys read, the view it extends laid under it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from engine.query.view import Action, Column, View
from engine.toml import TablePlace, TomlError, parse
from views.declared import ACTION, BEFORE, COLUMN, EXTENDING, TOP
from views.fit import misfits
from views.reader import Reader, ViewError

_TABLES = ("columns", "actions")


class Read(NamedTuple):
    """What became of a file: a view, or the mistakes in it."""

    view: View | None
    mistakes: tuple[TomlError, ...]


class _Table(NamedTuple):
    """A table of columns or actions, and where it stands in the file."""

    values: Any
    place: TablePlace


def read(view_id: str, text: str, ids: Container[str], shipped: Mapping[str, str]) -> Read:
    """The view a file declares; its id is the file's name, ``ids`` are those of all views, ``shipped`` the texts of
    those that may be extended."""
    mistakes: list[TomlError] = []
    try:
        whole = parse(text)
        top = Reader(whole, TablePlace(text))
        tables = {name: _tables(whole, name, text, top) for name in _TABLES}
        extends = whole.get("extends")
        if extends is not None:
            if extends not in shipped:
                raise top.mistake("extends", f"expected the id of a shipped view, there is no {extends}")
            whole, tables = _extended(parse(shipped[extends]), whole, tables, top, text)
    except TomlError as error:
        return Read(None, (error,))
    if not tables["columns"]:
        mistakes.append(top.mistake(None, "expected the key columns: at least one [[columns]] table"))
    top = Reader(whole, TablePlace(text))
    values = top.read((*TOP, *EXTENDING), _TABLES, mistakes)
    made: dict[str, list[Any]] = {name: [] for name in _TABLES}
    for name, items, kind in (("columns", COLUMN, Column), ("actions", ACTION, Action)):
        for table in tables[name]:
            try:
                found = Reader(table.values, table.place).read(items, (), mistakes)
            except ViewError as error:
                mistakes.append(error)
            else:
                made[name].append(None if found is None else kind(**found))
    if values is None or mistakes:
        return Read(None, tuple(sorted(mistakes, key=lambda mistake: mistake.line)))
    for item in EXTENDING:
        del values[item.name]
    view = View(
        id=view_id, keys=values.pop("key"), columns=tuple(made["columns"]), actions=tuple(made["actions"]), **values
    )
    mistakes.extend(misfits(view, ids, top, [Reader(table.values, table.place) for table in tables["columns"]]))
    return Read(None if mistakes else view, tuple(mistakes))


def _tables(whole: dict[str, Any], name: str, text: str, top: Reader) -> list[_Table]:
    tables = whole.get(name, [])
    if not isinstance(tables, list) or (name in whole and not tables):
        raise top.mistake(name, f"expected [[{name}]] tables")
    return [_Table(values, TablePlace(text, name, number)) for number, values in enumerate(tables)]


def _extended(
    base: dict[str, Any], whole: dict[str, Any], tables: dict[str, list[_Table]], top: Reader, text: str
) -> tuple[dict[str, Any], dict[str, list[_Table]]]:
    """A file laid over the view it extends: a key given takes the place of that view's, a column of a known title or
    an action of a known key changes that one, others are added."""
    # Mistakes in what was taken over are told at the line that took it.
    inherited = TablePlace(text, "", 0)
    result: dict[str, list[_Table]] = {}
    for name, identity in (("columns", "title"), ("actions", "key")):
        found = [_Table(values, inherited) for values in base.get(name, [])]
        for table in tables[name]:
            _lay(table, found, identity, Reader(table.values, table.place))
        result[name] = found
    for title in whole.get("without", ()):
        place = _position(result["columns"], "title", title)
        if place is None:
            raise top.mistake("without", f"there is no column {title}")
        del result["columns"][place]
    return {**base, **whole}, result


def _lay(table: _Table, found: list[_Table], identity: str, reader: Reader) -> None:
    values = dict(table.values)
    before = values.pop(BEFORE.name, None)
    known = _position(found, identity, values.get(identity))
    if known is not None:
        values = {**found.pop(known).values, **values}
    place = known
    if before is not None:
        place = _position(found, identity, before)
        if place is None:
            raise reader.mistake(BEFORE.name, f"there is no column {before}")
    elif known is None:
        # A last column that takes the rest of the line stays the last.
        place = len(found) - (1 if found and found[-1].values.get("width") == 0 else 0)
    found.insert(place or 0, _Table(values, table.place))


def _position(tables: list[_Table], identity: str, value: object) -> int | None:
    return next((place for place, table in enumerate(tables) if table.values.get(identity) == value), None)

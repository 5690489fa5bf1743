"""Every key a view file may have: what it takes, what it means.

One declaration serves reading, the texts of mistakes and the JSON schema.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from engine.fields import look_up
from engine.query.view import AND, Aggregation, Key, Kind

WIDEST = 1000
"""Cells of the widest column."""
REQUIRED = object()
"""Default of a key that must be there."""


class Item(NamedTuple):
    """One key of a table."""

    name: str
    make: Callable[[Any], Any]
    """What the value becomes; its TypeError, ValueError or KeyError is a mistake."""
    expected: str
    """What it takes, for messages."""
    meaning: str
    schema: dict[str, Any]
    default: Any = REQUIRED


def _typed(kind: type) -> Callable[[Any], Any]:
    def make(value: Any) -> Any:
        # A bool is an int to Python, but not in a view file.
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            raise TypeError
        return value

    return make


def _text(value: Any) -> str:
    """A text that is plainly visible."""
    if not isinstance(value, str):
        raise TypeError
    if not value.isprintable():
        raise ValueError
    return value


def _filter(value: Any) -> str:
    """A filter may be of several lines, other than texts; it is shown as one."""
    if not isinstance(value, str):
        raise TypeError
    return " ".join(line.strip() for line in value.splitlines()).strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


def _field(value: Any) -> str:
    look_up(_text(value))
    return str(value)


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
    for part in _text(name).split(AND):
        look_up(part)
    return Key(name, containers)


def _width(value: Any) -> int:
    cells: int = _typed(int)(value)
    if not 0 <= cells <= WIDEST:
        raise ValueError
    return cells


def _character(value: Any) -> str:
    if len(_text(value)) != 1:
        raise ValueError
    return str(value)


def _command(value: Any) -> tuple[str, ...]:
    command = _texts(value)
    if not command:
        raise ValueError
    for argument in command:
        if argument.startswith("%"):
            look_up(argument[1:])
    return command


def _one_of(kinds: type[Enum]) -> str:
    return "one of " + ", ".join(kind.value for kind in kinds)


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_BOOL = {"type": "boolean"}
_WHOLE = {"type": "integer", "minimum": 0, "maximum": WIDEST}
_KEY = {
    "oneOf": [
        _TEXT,
        {
            "type": "object",
            "properties": {"default": _TEXT, "containers": _TEXT},
            "required": ["default", "containers"],
            "additionalProperties": False,
        },
    ]
}


def _enum(kinds: type[Enum], without: frozenset[Enum] = frozenset()) -> dict[str, Any]:
    return {"enum": [kind.value for kind in kinds if kind not in without]}


_boolean = _typed(bool)
EXTENDING = (
    Item("extends", _text, "the id of a shipped view", "shipped view this one begins with", _TEXT, None),
    Item("without", _texts, "a list of titles of columns", "columns of that view to leave out", _TEXTS, ()),
)
"""Keys of a file that changes a shipped view, on top of ``TOP``: all others are those of that view unless given."""
TOP = (
    Item("name", _text, "a text", "what the view is called", _TEXT),
    Item("description", _text, "a text", "what it shows", _TEXT),
    Item("tips", _texts, "a list of texts", "more to know about it", _TEXTS, ()),
    Item("kind", Kind, _one_of(Kind), "table: a row for each key; list: a row for each event", _enum(Kind), Kind.TABLE),
    Item(
        "key",
        _keys,
        "a field, or a table of two: default and containers",
        f"field a row is made of, or several joined with {AND}; containers is the one with -pc",
        _KEY,
        (),
    ),
    Item("group", _field, "a field", "rows of the key with the same value of this become one", _TEXT, None),
    Item("filter", _filter, "a filter", "which events count", _TEXT, ""),
    Item("sort", _text, "the title of a column", "column sorted on at first", _TEXT, None),
    Item(
        "applies_to",
        _applicable,
        'a list of fields, "" for the whole machine',
        'fields of a selection the view can follow, "" for the whole machine',
        _TEXTS,
        ("",),
    ),
    Item("drill_to", _text, "the id of a view", "view that Enter opens", _TEXT, None),
    Item("propagate_filter", _boolean, "true or false", "the filter stays in force below", _BOOL, True),
    Item("root", _boolean, "true or false", "the view may be the first one", _BOOL, False),
    Item("idle_fds", _boolean, "true or false", "rows too for descriptors open without any event", _BOOL, False),
    Item(
        "tree",
        _text,
        "the title of a column",
        "column that shows rows as a tree, each process below its parent; the key or group is proc.pid",
        _TEXT,
        None,
    ),
)
COLUMN = (
    Item("title", _text, "a text", "heading", _TEXT),
    Item("field", _field, "a field", "what is shown or added up", _TEXT),
    Item("description", _text, "a text", "what the column means", _TEXT),
    Item(
        "width",
        _width,
        f"cells, at most {WIDEST}, 0 for the rest of the line",
        "cells, the gap included; 0 takes the rest of the line",
        _WHOLE,
    ),
    Item(
        "aggregation",
        Aggregation,
        _one_of(Aggregation),
        "how the events of a row combine",
        _enum(Aggregation, frozenset({Aggregation.COUNT})),
        Aggregation.FIRST,
    ),
    Item("merge", Aggregation, _one_of(Aggregation), "how rows of a group combine", _enum(Aggregation), None),
    Item("containers", _boolean, "true or false", "true: only with -pc; false: only without", _BOOL, None),
    Item("where", _filter, "a filter", "which of the row's events count in this column", _TEXT, ""),
    Item("subtree", _boolean, "true or false", "in a tree: with all below", _BOOL, False),
)
BEFORE = Item("before", _text, "the title of a column", "column of the extended view to stand in front of", _TEXT, None)
"""One more key of a column, in a file that extends a view."""
ACTION = (
    Item("key", _character, "one character", "key that runs it", {"type": "string", "minLength": 1, "maxLength": 1}),
    Item("label", _text, "a text", "what it does", _TEXT),
    Item(
        "command",
        _command,
        "a list of arguments, an argument %field is replaced whole",
        "program and arguments; an argument %field is replaced by the row's value, no shell is involved",
        {**_TEXTS, "minItems": 1},
    ),
    Item("confirm", _boolean, "true or false", "ask first", _BOOL, False),
    Item("wait", _boolean, "true or false", "wait for a key at the end", _BOOL, True),
)


def json_schema() -> dict[str, Any]:
    """A JSON schema of view files, to be used by editors."""
    whole = _table((*TOP, *EXTENDING))
    whole["properties"]["columns"] = {"type": "array", "minItems": 1, "items": _table((*COLUMN, BEFORE), ("title",))}
    whole["properties"]["actions"] = {"type": "array", "items": _table(ACTION, ("key",))}
    complete = {
        "columns": {"items": {"required": _required(COLUMN)}},
        "actions": {"items": {"required": _required(ACTION)}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A view of syscope",
        **whole,
        "required": [],
        "anyOf": [
            {"required": ["extends"]},
            {"required": [*_required(TOP), "columns"], "properties": complete},
        ],
    }


def _required(items: tuple[Item, ...]) -> list[str]:
    return [item.name for item in items if item.default is REQUIRED]


def _table(items: tuple[Item, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {item.name: {"description": item.meaning, **item.schema} for item in items},
        "required": list(required),
        "additionalProperties": False,
    }

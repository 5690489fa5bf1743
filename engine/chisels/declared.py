"""Chisels that are declared in TOML files: a table of totals, or lines in a format. docs/chisels.md is about them.

An argument's value stands where its name is in braces, ``{key}``; in filters it becomes one value, whatever is in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from engine import filters
from engine.chisels.chisel import Argument, Chisel, ChiselError, Mask, Settings
from engine.chisels.top import Amount, KeyColumn, Layout, Totalled
from engine.fields import UnknownField, look_up
from engine.filters.syntax import quote
from engine.query.lines import FormatError, LineFormat
from engine.store.segment import Segment
from engine.store.store import Store
from engine.toml import TablePlace, TomlError, parse

_NAMED = re.compile(r"\{(\w+)\}")
_TYPES = ("text", "number", "address", "port", "field", "filter")
_UNITS = ("none", "bytes", "time", "percent")
_KEYS = {
    "category", "summary", "description", "filter", "arguments", "keys", "containers", "amount", "title", "units",
    "most", "format",
}  # fmt: skip


def filled(template: str, declared: tuple[Argument, ...], given: dict[str, str], *, as_filter: bool) -> str:
    """A text with arguments in place of their names."""
    types = {argument.name: argument.type for argument in declared}

    def value(found: re.Match[str]) -> str:
        told = given.get(found[1], "")
        if types.get(found[1]) == "filter":
            return f"({told})" if told else ""
        return quote(told) if as_filter and types.get(found[1]) == "text" else told

    return _NAMED.sub(value, template)


class DeclaredTable(Totalled):
    """A declared table of totals."""

    told: dict[str, Any]

    def start(self) -> None:
        """Put the arguments in."""
        super().start()
        told, given = self.told, self.settings.arguments
        self.filter = filled(told.get("filter", ""), self.arguments, given, as_filter=True)
        keys = told.get("containers", told["keys"]) if self.settings.containers else told["keys"]
        self.amount = Amount(told.get("amount", "events"))
        columns = tuple(
            KeyColumn(*(filled(part, self.arguments, given, as_filter=False) for part in key)) for key in keys
        )
        for column in columns:
            try:
                look_up(column.field)
            except UnknownField as error:
                raise ChiselError(str(error)) from None
        self.layout = Layout(columns, told.get("title", ""), told.get("units", "none"), told.get("most", 10))


class DeclaredLines(Chisel):
    """Declared lines."""

    told: dict[str, Any]

    def __init__(self, settings: Settings) -> None:
        """Parse the format. Raises FormatError."""
        super().__init__(settings)
        layout = self.told["format"]
        if settings.containers and isinstance(self.told.get("containers"), str):
            layout = self.told["containers"]
        self._layout = LineFormat(layout, payload=settings.payload, whole=settings.whole)

    def start(self) -> None:
        """Put the arguments in."""
        self.filter = filled(self.told.get("filter", ""), self.arguments, self.settings.arguments, as_filter=True)

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Print the lines of a segment."""
        rows = np.flatnonzero(self._kept.mask(store, segment) & mask)
        made, _ = self._layout.lines(store, segment, rows, as_json=self.settings.json)
        self.settings.write(made.decode())


def read(text: str, file: str = "") -> type[Chisel]:
    """The chisel a file declares, called after it. Raises TomlError."""
    top = TablePlace(text)
    told = parse(text)
    for key in told:
        if key not in _KEYS:
            raise TomlError(top.line(key), f"unknown key {key}")
    for key in ("category", "summary", "description", "filter", "title", "format"):
        if key in told and not (isinstance(told[key], str) and told[key].replace("\n", "").isprintable()):
            raise TomlError(top.line(key), f"{key}: expected a text")
    if ("keys" in told) == ("format" in told):
        raise TomlError(1, "expected either the key keys, for a table, or the key format, for lines")
    arguments = _arguments(told.get("arguments", []), text)
    if "format" in told:
        _check_format(told["format"], top)
    else:
        _check_table(told, top)
    members = {
        "name": Path(file).stem,
        "category": told.get("category", "Others"),
        "summary": told.get("summary", ""),
        "description": told.get("description", ""),
        "arguments": arguments,
        "told": told,
    }
    samples = {argument.name: _SAMPLES[argument.type] for argument in arguments}
    try:
        filters.compile(filled(told.get("filter", ""), arguments, samples, as_filter=True))
    except filters.FilterError as error:
        raise TomlError(top.line("filter"), f"filter: {error}") from None
    return type(members["name"] or "Declared", (DeclaredLines if "format" in told else DeclaredTable,), members)


_SAMPLES = {"text": "x", "number": "1", "address": "127.0.0.1", "port": "1", "field": "proc.name", "filter": ""}


def _check_format(layout: str, top: TablePlace) -> None:
    try:
        LineFormat(layout)
    except FormatError as error:
        raise TomlError(top.line("format"), str(error)) from None


def _check_table(told: dict[str, Any], top: TablePlace) -> None:
    for name in ("keys", "containers"):
        keys = told.get(name, [["proc.name", ""]])
        pairs = isinstance(keys, list) and keys and all(isinstance(key, list) and len(key) == 2 for key in keys)
        if not pairs or not all(isinstance(part, str) and part.isprintable() for key in keys for part in key):
            raise TomlError(
                top.line(name), f'{name}: expected pairs of field and title, as in [["proc.name", "Process"]]'
            )
        for field, _ in keys:
            if not _NAMED.fullmatch(field):
                try:
                    look_up(field)
                except UnknownField as error:
                    raise TomlError(top.line(name), f"{name}: {error}") from None
    if told.get("amount", "events") not in [amount.value for amount in Amount]:
        raise TomlError(top.line("amount"), "amount: expected bytes, time, events or cpu")
    if told.get("units", "none") not in _UNITS:
        raise TomlError(top.line("units"), f"units: expected one of {', '.join(_UNITS)}")
    most = told.get("most", 10)
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise TomlError(top.line("most"), "most: expected a whole number, 0 for all")


def _arguments(told: Any, text: str) -> tuple[Argument, ...]:
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise TomlError(TablePlace(text).line("arguments"), "arguments: expected [[arguments]] tables")
    made = []
    for number, each in enumerate(told):
        place = TablePlace(text, "arguments", number)
        name, meaning, kind = each.get("name"), each.get("meaning", ""), each.get("type", "text")
        optional = each.get("optional", False)
        if not isinstance(name, str) or not name.isidentifier():
            raise TomlError(place.line("name"), "name: expected a word")
        if not isinstance(meaning, str) or not meaning.isprintable():
            raise TomlError(place.line("meaning"), "meaning: expected a text")
        if kind not in _TYPES:
            raise TomlError(place.line("type"), f"type: expected one of {', '.join(_TYPES)}")
        if not isinstance(optional, bool):
            raise TomlError(place.line("optional"), "optional: expected true or false")
        made.append(Argument(name, meaning, kind, optional))
    return tuple(made)

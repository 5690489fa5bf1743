"""Reads tables of a TOML file by their declared keys, so that every mistake is told with its line."""

from __future__ import annotations

import difflib
from collections.abc import Container
from typing import Any

from engine.fields import UnknownField
from engine.toml import TablePlace, TomlError
from views.declared import REQUIRED, Item


class ViewError(TomlError):
    """Something wrong in a view file; the text says what was expected."""


class Reader:
    """A table and where it stands."""

    def __init__(self, table: Any, place: TablePlace) -> None:
        self._place = place
        if not isinstance(table, dict):
            raise ViewError(place.line(), f"{place.header}: expected [[{place.header}]] tables")
        self._table = table

    def mistake(self, key: str | None, message: str) -> ViewError:
        """A mistake at a key, or at the table where there is none."""
        return ViewError(self._place.line(key), message if key is None else f"{key}: {message}")

    def read(self, items: tuple[Item, ...], others: Container[str], mistakes: list[TomlError]) -> dict[str, Any] | None:
        """The values by key, defaults where there is none; no keys may be there but these and ``others``. None when
        there are mistakes, which are added to the list."""
        values: dict[str, Any] = {}
        before = len(mistakes)
        for item in items:
            try:
                values[item.name] = self._value(item)
            except ViewError as error:
                mistakes.append(error)
        known = [item.name for item in items]
        for key in self._table:
            if key not in known and key not in others:
                near = difflib.get_close_matches(key, known, 1)
                mistakes.append(self.mistake(key, "unknown key" + (f", did you mean {near[0]}?" if near else "")))
        return values if len(mistakes) == before else None

    def _value(self, item: Item) -> Any:
        if item.name not in self._table:
            if item.default is REQUIRED:
                raise self.mistake(None, f"expected the key {item.name}: {item.expected}")
            return item.default
        value = self._table[item.name]
        try:
            return item.make(value)
        except UnknownField as error:
            raise self.mistake(item.name, str(error)) from None
        except (TypeError, ValueError, KeyError):
            raise self.mistake(item.name, f"expected {item.expected}, not {value!r}") from None

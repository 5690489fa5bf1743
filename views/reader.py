"""Reads tables of a TOML file key by key, so that every mistake is told with its line."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

from engine.fields import UnknownField
from engine.toml import TablePlace, TomlError

T = TypeVar("T")


class ViewError(TomlError):
    """Something wrong in a view file; the text says what was expected."""


class Reader:
    """Takes keys out of a table one by one; what is left at the end is unknown."""

    def __init__(self, table: Any, place: TablePlace) -> None:
        self._place = place
        if not isinstance(table, dict):
            raise ViewError(place.line(), f"{place.header}: expected [[{place.header}]] tables")
        self._table = dict(table)
        self._known: list[str] = []

    def mistake(self, key: str | None, message: str) -> ViewError:
        """A mistake at a key, or at the table where there is none."""
        return ViewError(self._place.line(key), message if key is None else f"{key}: {message}")

    def take(self, key: str, kind: type[T], expected: str, default: T | None = None) -> T:
        """The value of a key, which must be of a type; of texts, one that is plainly visible."""

        def checked(value: Any) -> T:
            # A bool is an int to Python, but not in a view file.
            if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
                raise TypeError
            if isinstance(value, str) and not value.isprintable():
                raise ValueError
            return value

        return self.make(key, checked, expected, default)

    def make(self, key: str, make: Callable[[Any], T], expected: str, default: T | None = None) -> T:
        """What ``make`` makes of the value of a key; its TypeError, ValueError or KeyError is a mistake.

        A key without a default must be there.
        """
        self._known.append(key)
        if key not in self._table:
            if default is None:
                raise self.mistake(None, f"expected the key {key}: {expected}")
            return default
        value = self._table.pop(key)
        try:
            return make(value)
        except UnknownField as error:
            raise self.mistake(key, str(error)) from None
        except (TypeError, ValueError, KeyError):
            raise self.mistake(key, f"expected {expected}, not {value!r}") from None

    def has(self, key: str) -> bool:
        """True while a key is there and not taken."""
        return key in self._table

    def finish(self) -> None:
        """Every key must have been taken."""
        for key in self._table:
            near = difflib.get_close_matches(key, self._known, 1)
            raise self.mistake(key, "unknown key" + (f", did you mean {near[0]}?" if near else ""))

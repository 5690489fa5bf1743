"""TOML texts whose mistakes are told with their line.

``tomllib`` keeps no line numbers: the line of a key is found again in the text.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

_HEADER = re.compile(r"\s*\[{1,2}\s*[\"']?([\w.-]+)[\"']?\s*\]{1,2}\s*(?:#.*)?$")


class TomlError(ValueError):
    """Something wrong in a line of a file; the text says what was expected."""

    def __init__(self, line: int, message: str) -> None:
        """A mistake in a line, counted from 1."""
        super().__init__(message)
        self.line = line


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises TomlError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        what = str(error).partition(" (at ")[0]
        raise TomlError(int(at[1]) if at else max(len(text.splitlines()), 1), f"not TOML: {what}") from None
    except RecursionError:
        raise TomlError(1, "not TOML: nested too deeply") from None


class TablePlace(NamedTuple):
    """A table of the file: its header (``columns``; "" for the top) and the how many-th of that name, from 0."""

    text: str
    header: str = ""
    number: int = 0

    def line(self, key: str | None = None) -> int:
        """The line of a key in this table, or of the table's header, from 1."""
        header, seen, start = "", {"": 0}, 1
        for line_number, line in enumerate(self.text.splitlines(), 1):
            found = _HEADER.match(line)
            if found:
                header = found[1]
                seen[header] = seen.get(header, -1) + 1
            if header != self.header or seen[header] != self.number:
                continue
            if found:
                start = line_number
            if key is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return line_number
        return start

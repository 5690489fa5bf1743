"""How a view's values look: as cells of a table, and as plain values for JSON and CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from engine import text
from engine.fields import look_up
from engine.fields.field import FieldType, Value
from engine.query.assembly import shown
from engine.query.snapshots import ShownColumn
from engine.query.view import Aggregation, Column

Plain = int | float | str | bool | list[int] | None
"""A value as JSON has it; text is safe. A histogram is a list of counts."""

_FORMULA = re.compile(r"[=+@-].*[(|!]")
"""Text that a spreadsheet would take for a formula that acts: calls a function, asks a program, reads another sheet."""
UNKNOWN = "-"
"""Cell of a value that is not known."""
_BARS = " ▁▂▃▄▅▆▇█"
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.ID, FieldType.PORT, FieldType.FLOAT, FieldType.DURATION})


def csv_row(row: Iterable[Plain]) -> list[Plain]:
    """Plain values as CSV has them: a list's numbers with blanks between them; text that would act when a spreadsheet
    opens the file has an apostrophe in front, which spreadsheets take for the sign of text."""
    return [_csv_cell(value) for value in row]


def _csv_cell(value: Plain) -> Plain:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


class Cells:
    """The looks of some columns."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        """Look up what the columns show."""
        self.columns = columns
        self._types = [_type(column) for column in columns]
        self._renders = [_renderer(column, kind) for column, kind in zip(columns, self._types, strict=True)]
        self.shown = tuple(
            ShownColumn(
                column.title,
                column.width,
                kind in _NUMBERS and column.aggregation is not Aggregation.HISTOGRAM,
                column.description,
                column.fixed,
            )
            for column, kind in zip(columns, self._types, strict=True)
        )

    def is_number(self, column: int) -> bool:
        """True for columns of numbers, which sort descending at first."""
        return self.shown[column].right

    def render(self, column: int, value: Value) -> str:
        """A value as safe text for a cell."""
        return UNKNOWN if value is None else self._renders[column](value)

    def lines(self, column: int, values: Sequence[Value]) -> str:
        """Cells of many values of a column, one a line."""
        if self._types[column] is FieldType.TEXT and all(type(value) is bytes for value in values):
            return text.safe_lines(cast(Sequence[bytes], values))
        return "\n".join([self.render(column, value) for value in values])

    def plain(self, column: int, value: Value) -> Plain:
        """A value as JSON has it."""
        if self.columns[column].aggregation is Aggregation.HISTOGRAM:
            assert isinstance(value, tuple)
            return list(value)  # type: ignore[arg-type]  # a histogram's counts are numbers
        if isinstance(value, bytes | tuple):
            return self.render(column, value)
        return value


def _type(column: Column) -> FieldType:
    """What a column shows: its field's type, but counting makes a number of anything."""
    return FieldType.INTEGER if column.merge is Aggregation.COUNT else look_up(column.field)[0].type


def _renderer(column: Column, kind: FieldType) -> Callable[[Value], str]:
    if column.aggregation is Aggregation.HISTOGRAM:
        return _bars
    decimals = 2 if column.aggregation in (Aggregation.RATE, Aggregation.AVG) else 0
    match kind:
        case FieldType.INTEGER:
            return lambda value: text.scaled(_number(value), decimals)
        case FieldType.DURATION:
            return lambda value: text.duration(_number(value))
        case FieldType.FLOAT:
            return lambda value: text.percent(_number(value))
        case _:
            field = look_up(column.field)[0]
            return lambda value: shown(field, value)


def _bars(value: Value) -> str:
    """A histogram as bars, the highest one full; what there is some of is never blank."""
    assert isinstance(value, tuple)
    counts = [int(count) for count in value]
    most = max(counts) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value

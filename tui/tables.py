"""Rows of a view on standard output: an aligned table, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import islice
from typing import Any

from engine.fields import look_up
from engine.fields.field import FieldType
from engine.query.cells import csv_row
from engine.query.spread import DIGITS
from engine.query.table import Table
from engine.query.view import Aggregation, Column, View
from engine.store.segment import Window
from tui.moments import range_text

_GAP = "  "
_TEXTS = frozenset({FieldType.TEXT, FieldType.BYTES, FieldType.ADDRESS, FieldType.NETWORK})


class Form(Enum):
    """How rows are written."""

    ALIGNED = "aligned"
    JSON = "json"
    CSV = "csv"


def write(table: Table, titles: Sequence[str], count: int | None, form: Form) -> None:
    """Write a table's first rows, all of them when ``count`` is None."""
    if form is Form.JSON:
        write_json(dict(zip(titles, row, strict=True)) for row in islice(table.values(), count))
    elif form is Form.CSV:
        csv.writer(sys.stdout).writerows([titles, *map(csv_row, islice(table.values(), count))])
    else:
        right = [column.right for column in table.columns]
        aligned(titles, right, [row.cells for row in table.page(0, table.total if count is None else count)])


def write_next(
    table: Table, titles: Sequence[str], count: int | None, form: Form, span: Window, lost: int, first: bool
) -> None:
    """Write the table of one interval of a stream: JSON has an object a line, CSV a column more, in front.

    ``lost``: how many events of the interval could not be captured; CSV has no place for it.
    """
    start, end = span
    if form is Form.JSON:
        rows = [dict(zip(titles, row, strict=True)) for row in islice(table.values(), count)]
        sys.stdout.write(json.dumps({"from": start, "to": end, "lost": lost, "rows": rows}, ensure_ascii=False) + "\n")
    elif form is Form.CSV:
        head = [["from", *titles]] if first else []
        body = ([start, *csv_row(row)] for row in islice(table.values(), count))
        csv.writer(sys.stdout).writerows([*head, *body])
    else:
        missing = f" ✗ {lost:,} events lost" if lost else ""
        sys.stdout.write(("" if first else "\n") + range_text(span) + missing + "\n")
        write(table, titles, count, form)
    sys.stdout.flush()


def write_json(rows: Iterable[dict[str, Any]]) -> None:
    """A JSON array, one row a line."""
    separator = "[\n"
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("\n]\n" if separator == ",\n" else "[]\n")


def aligned(titles: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]) -> None:
    """A table with every column as wide as its widest cell, the last one as it is."""
    from engine.text import fit, width

    widths = [max(map(width, column)) for column in zip(titles, *rows, strict=True)]
    widths[-1] = 0 if not right[-1] else widths[-1]
    for cells in [tuple(titles), *rows]:
        fitted = [
            fit(cell, size, right=side) if size else cell for cell, size, side in zip(cells, widths, right, strict=True)
        ]
        sys.stdout.write(_GAP.join(fitted).rstrip() + "\n")


def row_schema(view: View, containers: bool) -> dict[str, Any]:
    """A JSON schema of the rows of a view, with the unit of every number."""
    columns = view.columns_for(containers)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": view.name,
        "description": view.description,
        "type": "array",
        "items": {
            "type": "object",
            "properties": {column.title: _schema(column) for column in columns},
            "required": [column.title for column in columns],
            "additionalProperties": False,
        },
    }


def _schema(column: Column) -> dict[str, Any]:
    field = look_up(column.field)[0]
    unit = field.counts or {FieldType.FLOAT: "percent"}.get(field.type, "")
    if column.aggregation is Aggregation.HISTOGRAM:
        counts = {"type": "array", "items": {"type": "integer"}, "minItems": DIGITS, "maxItems": DIGITS}
        return {"description": f"{column.description} Samples by the digits of the number, in {unit}.", **counts}
    if column.merge is Aggregation.COUNT:
        return {"description": column.description, "type": "integer"}
    kind = "string" if field.type in _TEXTS else "boolean" if field.type is FieldType.BOOL else "number"
    # A field of several values, or one whose numbers stand for words, is text.
    if field.multiple or field.is_list or field.words is not None:
        kind = "string"
    made: dict[str, Any] = {"description": column.description, "type": [kind, "null"]}
    if kind == "number" and (unit or column.aggregation is Aggregation.RATE):
        made["unit"] = f"{unit or '1'}/s" if column.aggregation is Aggregation.RATE else unit
    return made

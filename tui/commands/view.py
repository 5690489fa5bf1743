"""`tui view`: the rows of a view as an aligned table, JSON or CSV, and the list of views."""

from __future__ import annotations

import argparse
import csv
import difflib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from engine.text import clean
from tui.arguments import at_least
from tui.exit_codes import Exit

_GAP = "  "


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command's options."""
    parser = subparsers.add_parser(
        "view",
        usage="tui view VIEW -r FILE [--json | --csv] [-pc] [--sort COLUMN] [--top N] [FILTER ...]\n"
        "       tui view --list [--json]",
        description="Print the rows of a view over a whole capture.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("view", metavar="VIEW", nargs="?", help="id of a view, see --list")
    add("filter", metavar="FILTER", nargs="*", help="what the view is restricted to, e.g. proc.name=nginx")
    add("-r", "--readfile", metavar="FILE", type=Path, help="capture to read (.scap, plain or gzip)")
    add("-p", "--print", metavar="c", choices=("c", "container"), help="-pc: container columns and keys")
    add("--sort", metavar="COLUMN", help="title of the column to sort on")
    add("--top", metavar="N", type=at_least(1), help="print the first N rows only")
    add("--list", action="store_true", help="list the views there are")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON array of objects, numbers unscaled, unknown as null")
    form.add_argument("--csv", action="store_true", help="CSV with a header line, numbers unscaled, unknown as nothing")


def run(asked: argparse.Namespace) -> int:
    """Print what was asked for; the return value is the exit status."""
    from engine.filters import FilterError
    from engine.query.compose import compose
    from engine.query.table import TableRun
    from tui.reading import Reading
    from views import load

    library = load()
    for problem in library.problems:
        print(f"tui: {clean(problem)}", file=sys.stderr)
    if asked.list:
        return _list(library.views, asked.json)
    view = library.views.get(asked.view)
    if view is None:
        return _wrong("expected the id of a view" if asked.view is None else _no_view(asked.view, list(library.views)))
    if asked.readfile is None:
        return _wrong("expected a capture: -r FILE")
    containers = asked.print is not None
    titles = [column.title for column in view.columns_for(containers)]
    sort = _position(asked.sort, titles)
    if asked.sort is not None and sort is None:
        return _wrong(f"--sort: expected the title of a column, one of {', '.join(titles)}")
    with Reading(asked.readfile) as reading:
        try:
            made = TableRun(reading.store, view, compose(" ".join(asked.filter), (), view), containers=containers)
        except FilterError as error:
            return _wrong(str(error))
        for _ in reading:
            made.update()
        table = made.table(sort)
        count = table.total if asked.top is None else asked.top
        if asked.json:
            _json(dict(zip(titles, row, strict=True)) for row in islice(table.values(), count))
        elif asked.csv:
            csv.writer(sys.stdout).writerows([titles, *islice(table.values(), count)])
        else:
            right = [column.right for column in table.columns]
            _aligned(titles, right, [row.cells for row in table.page(0, count)])
        for damage in reading.store.damage:
            print(f"tui: {clean(str(damage))}", file=sys.stderr)
        return Exit.FAILED if reading.store.damage else Exit.OK


def _wrong(message: str) -> int:
    print(f"tui view: {clean(message)}\nTry `tui view --help`.", file=sys.stderr)
    return Exit.USAGE


def _no_view(name: str, ids: list[str]) -> str:
    near = difflib.get_close_matches(name, ids, 1)
    return f"there is no view {name}" + (f", did you mean {near[0]}?" if near else "; see `tui view --list`")


def _position(title: str | None, titles: list[str]) -> int | None:
    """Where a column is, upper and lower case the same."""
    wanted = None if title is None else title.casefold()
    return next((at for at, candidate in enumerate(titles) if candidate.casefold() == wanted), None)


def _list(views: dict[str, Any], as_json: bool) -> int:
    if as_json:
        _json(asdict(view, dict_factory=_declared) for view in views.values())
    else:
        _aligned(
            ["ID", "NAME", "SHOWS"],
            [False] * 3,
            [(view.id, view.name, view.description) for view in views.values()],
        )
    return Exit.OK


def _declared(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """A declaration as JSON has it."""
    return {name: getattr(value, "value", value) for name, value in items}


def _json(rows: Iterator[dict[str, Any]]) -> None:
    """A JSON array, one row a line."""
    separator = "[\n"
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("\n]\n" if separator == ",\n" else "[]\n")


def _aligned(titles: list[str], right: list[bool], rows: list[tuple[str, ...]]) -> None:
    """A table with every column as wide as its widest cell, the last one as it is."""
    from engine.text import fit, width

    widths = [max(map(width, column)) for column in zip(titles, *rows, strict=True)]
    widths[-1] = 0 if not right[-1] else widths[-1]
    for cells in [tuple(titles), *rows]:
        fitted = [
            fit(cell, size, right=side) if size else cell for cell, size, side in zip(cells, widths, right, strict=True)
        ]
        sys.stdout.write(_GAP.join(fitted).rstrip() + "\n")

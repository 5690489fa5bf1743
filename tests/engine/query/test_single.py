"""Sorting, searching and the text filter look at columns whole; they are to find what one sees row by row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import views
from engine.fields import look_up
from engine.fields.field import Place
from engine.query.answers import table_of
from engine.query.snapshots import LinesRequest, LinesSnapshot, TableRequest, TableSnapshot
from engine.query.sums import is_summed
from engine.query.table import Table
from engine.query.view import Column, Kind
from engine.query.work import Kept, SupersededError, Work
from engine.store.store import Store
from engine.text import safe
from tests.engine.query.asking import ask, read

VIEWS = {name: view for name, view in views.load().views.items() if view.kind is not Kind.SPECTROGRAM}
CAPTURES = ("services", "shells", "containers")


@pytest.fixture(scope="module", params=CAPTURES)
def store(request: pytest.FixtureRequest) -> Store:
    return read(Path(__file__).parents[2] / "captures" / f"{request.param}.scap.gz")


def seen(table: Table) -> list[list[str]]:
    """The cells of every row, folded, without the lines of a tree."""
    lines = "├└│─ " if table.rows.tree is not None else "\0"
    return [[cell.casefold().lstrip(lines) for cell in row.cells] for row in table.page(0, table.total)]


def asked_for(rows: list[list[str]], chance: Random) -> list[str]:
    """Texts to look for: parts of cells, and what stands for the unknown."""
    cells = [chance.choice(chance.choice(rows)) for _ in range(12)] if rows else []
    parts = [
        cell[start : start + chance.randint(1, 12)] for cell in cells for start in [chance.randrange(len(cell) + 1)]
    ]
    return sorted({"-", "na", "nowhere", "K", *filter(None, parts)})


def tables(store: Store, view: str) -> list[TableRequest]:
    """A view of everything, of the later half, and beside the earlier one."""
    start, end = store.time_span
    middle = (start + end) // 2
    whole = TableRequest(VIEWS[view])
    later = TableRequest(VIEWS[view], window=(middle, end), containers=True)
    compared = TableRequest(VIEWS[view], window=(middle, end), against=(start, middle - 1))
    comparable = any(map(is_summed, VIEWS[view].columns))
    return [whole, later, compared] if comparable else [whole, later]


def made(store: Store, request: TableRequest, kept: Kept | None = None) -> Table:
    return table_of(request, Work(store, kept or Kept(store), lambda: False))


@pytest.mark.parametrize("view", VIEWS)
def test_the_text_filter_and_the_search_find_what_is_read_in_cells(store: Store, view: str) -> None:
    chance = Random(view)
    for request in tables(store, view):
        kept = Kept(store)
        table = made(store, request, kept)
        rows, cells = table.page(0, table.total), seen(table)
        for text in asked_for(cells, chance):
            wanted = [at for at, each in enumerate(cells) if any(text.casefold() in cell for cell in each)]
            found = made(store, replace(request, text=text), kept)
            assert list(found.page(0, found.total)) == [rows[at] for at in wanted], text
            start = chance.randrange(table.total or 1)
            after = [at for at in wanted if at >= start] + wanted
            before = [at for at in wanted[::-1] if at <= start] + wanted[::-1]
            assert table.find(text, start) == (after[0] if after else None)
            assert table.find(text, start, backwards=True) == (before[0] if before else None)


@pytest.mark.parametrize("view", VIEWS)
def test_rows_are_sorted_as_their_values_are(store: Store, view: str) -> None:
    for request in tables(store, view):
        kept = Kept(store)
        table = made(store, request, kept)
        if table.rows.tree is not None:
            continue
        for at, column in enumerate(table.declared):
            values = {row: table.rows.value(at, row) for row in range(table.total)}
            known = {row: as_sorted(column, value) for row, value in values.items() if value is not None}
            unknown = [row for row in values if row not in known]
            for descending in (False, True):
                order = sorted(known, key=known.__getitem__, reverse=descending) + unknown
                found = made(store, replace(request, sort=at, descending=descending), kept)
                assert [row.key for row in found.page(0, found.total)] == [table.rows.key(row) for row in order]


def as_sorted(column: Column, value: Any) -> Any:
    """What has become less is as different as what has become more; text in records is sorted as it is shown."""
    if column.title == "CHANGE":
        return abs(value)
    return safe(value) if isinstance(value, bytes) and look_up(column.field)[0].place is Place.LATE else value


@pytest.mark.parametrize("request_", [TableRequest(VIEWS["files"]), TableRequest(VIEWS["file_opens"]), LinesRequest()])
def test_a_page_past_the_end_is_the_last_one(store: Store, request_: TableRequest | LinesRequest) -> None:
    """Rows became fewer than where one was: what is shown is full all the same."""
    total = ask(store, request_).total  # type: ignore[union-attr]
    for offset, first in ((total + 50, total - 9), (total, total - 9), (total - 2, total - 2)):
        page = ask(store, replace(request_, offset=offset, count=9))
        assert isinstance(page, TableSnapshot | LinesSnapshot)
        assert page.offset == first
        assert len(page.rows if isinstance(page, TableSnapshot) else page.lines) == total - first


@pytest.mark.parametrize("view", ["files", "file_opens"])
def test_a_request_that_was_replaced_is_given_up_halfway(store: Store, view: str) -> None:
    table = made(store, TableRequest(VIEWS[view]))

    def replaced() -> None:
        raise SupersededError

    with pytest.raises(SupersededError):
        table.find("nowhere", 0, check=replaced)
    with pytest.raises(SupersededError):
        table.keep("nowhere", replaced)

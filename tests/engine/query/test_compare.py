"""Two ranges as one table: each row as in both, and the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

import views
from engine.query.snapshots import TableRequest, TableSnapshot
from engine.store.store import Store
from tests.engine.query.asking import ask, read

VIEWS = views.load().views


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return read(captures / "502Error.scap")


def table(store: Store, request: TableRequest) -> TableSnapshot:
    snapshot = ask(store, request)
    assert isinstance(snapshot, TableSnapshot)
    return snapshot


def test_each_row_tells_both_ranges_and_the_change(store: Store) -> None:
    start, end = store.time_span
    middle = (start + end) // 2
    a, b = (start, middle), (middle + 1, end)
    request = TableRequest(VIEWS["syscalls"], window=b, count=1000)
    compared = table(store, TableRequest(VIEWS["syscalls"], window=b, against=a, measure="COUNT", count=1000))
    titles = [column.title for column in compared.columns]
    measure = titles[0].removesuffix(" A")
    assert titles[:3] == [f"{measure} A", f"{measure} B", "CHANGE"]
    from engine.query.answers import table_of
    from engine.query.work import Kept, Work

    work = Work(store, Kept(store), lambda: False)
    sides = []
    for window in (a, b):
        made = table_of(TableRequest(VIEWS["syscalls"], window=window), work)
        at = [column.title for column in made.columns].index(measure)
        sides.append(
            {made.page(n, 1)[0].key: next(iter(list(made.exact(n))[at : at + 1]))[0] for n in range(made.total)}
        )
    whole = table_of(TableRequest(VIEWS["syscalls"], window=b, against=a, measure=measure), work)
    assert whole.total == len(sides[0].keys() | sides[1].keys())
    changes = []
    for n in range(whole.total):
        key = whole.page(n, 1)[0].key
        before, after, change = (value for value, _ in list(whole.exact(n))[:3])
        assert before == sides[0].get(key)
        assert after == sides[1].get(key)
        assert change == pytest.approx((after or 0) - (before or 0))  # type: ignore[operator]
        changes.append(abs(change))  # type: ignore[arg-type]
    assert changes == sorted(changes, reverse=True)
    assert table(store, request).total == len(sides[1])


def test_the_same_range_twice_changes_nothing(store: Store) -> None:
    span = store.time_span
    compared = table(store, TableRequest(VIEWS["files"], window=span, against=span, count=1000))
    assert compared.total
    assert {row.cells[2] for row in compared.rows} <= {"0", "0.00"}


def test_a_list_is_not_comparable(store: Store) -> None:
    compared = table(store, TableRequest(VIEWS["incoming_connections"], against=store.time_span))
    assert "adds nothing up" in compared.error

"""Rows as a tree: each below its parent, totals of subtrees, circles opened."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.query.compose import compose
from engine.query.table import TableRun
from engine.query.tree import Tree
from tests.engine.query.handmade import Row, store
from tests.engine.query.test_table import READ, SECOND, VIEWS, calls, process, records, table

#      0
#     / \
#    2   1     4 alone
#    |
#    3
FAMILY = [-1, 0, 0, 2, -1]


def test_a_row_stands_below_its_parent_siblings_in_order() -> None:
    order, guides = Tree(FAMILY).order([4, 3, 2, 1, 0])
    assert order == [4, 0, 2, 3, 1]
    assert [guides[row] for row in order] == ["", "", "├─ ", "│  └─ ", "└─ "]


def test_totals_are_those_of_a_row_and_all_below() -> None:
    assert Tree(FAMILY).totals(np.array([1.0, 10, 100, 1000, 7])).tolist() == [1111, 10, 1100, 1000, 7]


@given(st.integers(1, 30).flatmap(lambda n: st.lists(st.integers(-1, n - 1), min_size=n, max_size=n)))
def test_whatever_the_parents_every_row_is_shown_once_and_counted_once(parents: list[int]) -> None:
    tree = Tree(parents)
    order, guides = tree.order(range(len(parents)))
    assert sorted(order) == list(range(len(parents)))
    tops = [row for row in order if not guides[row]]
    assert tree.totals(np.ones(len(parents)))[tops].sum() == len(parents)


def test_processes_stand_below_their_parents_with_the_totals_of_all_below() -> None:
    made = store(
        process(10, b"init", life=0),
        process(20, b"sh", life=1, parent=0, ptid=10),
        process(30, b"cat", life=2, parent=1, ptid=20),
        process(40, b"cron", life=3, parent=0, ptid=10),
        files=(b"/a",),
    )
    calls(
        made,
        Row(READ, 2, 0, 100, time=0),
        Row(READ, 2, 0, -5, time=0),
        Row(READ, 1, 0, 7, time=0),
        Row(READ, 3, 0, 3, time=SECOND),
    )
    shown = table(made, "process_tree")
    assert [(row.key, row.cells[-1]) for row in shown.page(0, 9)] == [
        (10, "init"),
        (20, "├─ sh"),
        (30, "│  └─ cat"),
        (40, "└─ cron"),
    ]
    rows = records(shown)
    assert [(row["FILE"], row["CALLS/S"], row["ERRORS"]) for row in rows] == [
        (110, 4, 1),
        (107, 3, 1),
        (100, 2, 1),
        (3, 1, 0),
    ]
    assert [row["Command"] for row in rows] == ["init", "sh", "cat", "cron"]


def test_children_are_ordered_by_the_sorted_column() -> None:
    made = store(process(10, life=0), process(20, life=1, parent=0), process(30, life=2, parent=0), files=(b"/a",))
    calls(made, Row(READ, 2, 0, 5, time=0), Row(READ, 1, 0, 9, time=SECOND))
    run = TableRun(made, VIEWS["process_tree"], compose("", (), VIEWS["process_tree"]))
    run.update()
    (column,) = (at for at, each in enumerate(run.table().columns) if each.title == "FILE")
    assert [row.key for row in run.table(column, True).page(0, 9)] == [10, 20, 30]
    assert [row.key for row in run.table(column, False).page(0, 9)] == [10, 30, 20]


def test_a_process_whose_parent_is_filtered_out_stands_below_the_next_ancestor() -> None:
    made = store(
        process(10, life=0), process(20, b"x", life=1, parent=0), process(30, life=2, parent=1), files=(b"/a",)
    )
    calls(made, Row(READ, 0, time=0), Row(READ, 2, time=SECOND))
    shown = table(made, "process_tree", "proc.name!=x")
    assert [row.cells[-1] for row in shown.page(0, 9)] == ["sh", "└─ sh"]

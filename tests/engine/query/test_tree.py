"""Rows as a tree: each below its parent, totals of subtrees, circles opened."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.query.tree import Tree

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

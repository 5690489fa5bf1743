"""Rows of processes as a tree: whose child each is, what a subtree has together, the order it is shown in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Tree:
    """A forest over rows."""

    def __init__(self, parents: Sequence[int]) -> None:
        """``parents`` has the row of each row's parent, -1 without one. Where a damaged capture has a circle, one of
        its rows stands as if it had none."""
        self._parents = list(parents)
        self._children: list[list[int]] = [[] for _ in parents]
        settled = bytearray(len(parents))
        for row in range(len(parents)):
            path = []
            while row >= 0 and not settled[row]:
                settled[row] = 1
                path.append(row)
                row = self._parents[row]
            if path and row in path:
                self._parents[path[-1]] = -1
        for row, parent in enumerate(self._parents):
            if parent >= 0:
                self._children[parent].append(row)

    def totals(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each row has together with all below it."""
        sums = values.copy()
        for row in reversed(self._down(range(len(values)))):
            if self._parents[row] >= 0:
                sums[self._parents[row]] += sums[row]
        return sums

    def _down(self, ranked: Sequence[int]) -> list[int]:
        """Every row before those below it, siblings in the order given."""
        rank = {row: place for place, row in enumerate(ranked)}
        waiting = sorted((row for row, parent in enumerate(self._parents) if parent < 0), key=rank.__getitem__)[::-1]
        found = []
        while waiting:
            row = waiting.pop()
            found.append(row)
            waiting.extend(sorted(self._children[row], key=rank.__getitem__, reverse=True))
        return found

    def order(self, ranked: Sequence[int]) -> tuple[list[int], dict[int, str]]:
        """The rows from the top down, siblings in the order given; and the lines that lead to each row."""
        found = self._down(ranked)
        last_child = dict[int, int]()
        for row in found:
            last_child[self._parents[row]] = row
        guides: dict[int, str] = {}
        below: dict[int, str] = {}
        for row in found:
            parent = self._parents[row]
            if parent < 0:
                guides[row] = below[row] = ""
            else:
                is_last = last_child[parent] == row
                guides[row] = below[parent] + ("└─ " if is_last else "├─ ")
                below[row] = below[parent] + ("   " if is_last else "│  ")
        return found, guides

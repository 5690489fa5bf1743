"""The thread table: a version a row, and what queries ask of every row as columns.

Owns which version was in force when. Facts of a version are ``model.facts``'s, what makes one the model's. One
thread appends, any thread reads what was there when it looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.model.facts import Thread

THREAD = np.dtype(
    [
        ("first", "<i8"),  # number of the first event the version is in force for
        ("last", "<i8"),  # number of the event it ended with, the first of the next version or its exit; IN_FORCE
        ("next", "<i4"),  # row of the next version of the same life, -1 without one
        ("origin", "<i4"),  # row of the first version of the same life that is in the table
        ("born", "<i8"),  # number of the first event of the life
        ("pid", "<i8"),
        ("main", "?"),
        ("told", "<i8"),  # number of the event that told the memory below
        ("vm_size", "<i8"),  # KiB at that event, UNTOLD where unknown, as the following
        ("vm_rss", "<i8"),
    ]
)
IN_FORCE = 2**62
UNTOLD = -1
_MOST = 2**63 - 1
"""Captures may tell more memory than there is."""
_OBJECT = 700
"""Bytes of a Thread, its row and its small texts; arguments come on top."""


class ThreadRows(list[Thread]):
    """All thread versions, by row."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._columns: NDArray[Any] = np.zeros(256, THREAD)
        self._in_force: dict[int, int] = {}
        """By life, the row in force."""
        self.nbytes = 0
        """Estimate of the memory held, bytes."""

    @property
    def columns(self) -> NDArray[Any]:
        """dtype THREAD, a row a version; a view that later rows do not change."""
        return self._columns[: len(self)]

    def append(self, thread: Thread) -> None:
        """Add the version that is in force from now on."""
        row = len(self)
        if row == len(self._columns):
            grown = np.zeros(2 * row, THREAD)
            grown[:row] = self._columns
            self._columns = grown
        before = self._in_force.get(thread.life, -1) if thread.life >= 0 else -1
        memory = tuple(UNTOLD if value is None else min(value, _MOST) for value in (thread.vm_size, thread.vm_rss))
        origin, born, told = row, thread.first, thread.first
        if before >= 0:
            old = self._columns[before]
            old["last"], old["next"] = thread.first, row
            origin, born = int(old["origin"]), int(old["born"])
            if (self[before].vm_size, self[before].vm_rss) == (thread.vm_size, thread.vm_rss):
                # It repeats what the version before it said, which may have been told otherwise since.
                told, memory = int(old["told"]), (old["vm_size"], old["vm_rss"])
        ended = IN_FORCE if thread.ended < 0 else thread.ended
        self._columns[row] = (
            thread.first, ended, -1, origin, born, thread.pid, thread.is_main, told, *memory,
        )  # fmt: skip
        self._in_force[thread.life] = row
        self.nbytes += _OBJECT + sum(map(len, thread.args)) + 8 * len(thread.env)
        super().append(thread)

    def extend(self, threads: Iterable[Thread]) -> None:
        """Add versions one by one."""
        for thread in threads:
            self.append(thread)

    def end(self, row: int, number: int) -> None:
        """The life whose version in force this is ended with an event."""
        self[row].ended = number
        self._columns["last"][row] = number
        self._in_force.pop(self[row].life, None)

    def end_all(self, number: int) -> None:
        """Every life ended with an event."""
        for row in list(self._in_force.values()):
            self.end(row, number)

    def remember(self, told: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """What samples that are about to be forgotten told of memory: by column, events' numbers ascending, thread
        rows, KiB. Later versions of the same lives take over the last of each."""
        columns = self.columns
        told_at = columns["told"].copy()
        for name, (numbers, rows, values) in told.items():
            origins = columns["origin"][rows]
            number = np.full(len(columns), -1, np.int64)
            value = np.empty(len(columns), np.int64)
            # The last of several for one life stays.
            number[origins], value[origins] = numbers, values
            number, value = number[columns["origin"]], value[columns["origin"]]
            newer = columns["main"] & (number > columns["told"])
            columns[name][newer] = value[newer]
            told_at[newer] = np.maximum(told_at[newer], number[newer])
        columns["told"] = told_at

    def compact(self, oldest: int) -> NDArray[np.int32]:
        """Forget versions that ended before an event and that no later one points at.

        Returns the new row of each old one, -1 of those forgotten, and -1 once more for row -1. O(rows).
        """
        columns = self.columns
        kept = columns["last"] >= oldest
        pending = np.flatnonzero(kept).tolist()
        while pending:
            thread = self[pending.pop()]
            for row in (thread.parent, thread.leader):
                if row >= 0 and not kept[row]:
                    kept[row] = True
                    pending.append(row)
        rows = np.flatnonzero(kept)
        moved = np.full(len(columns) + 1, -1, np.int32)
        moved[rows] = np.arange(len(rows))
        threads = [self[row] for row in rows.tolist()]
        new = columns[rows]
        new["next"] = moved[new["next"]]
        # The first version kept stands for the life; versions of a life are in order.
        _, first, life = np.unique(new["origin"], return_index=True, return_inverse=True)
        new["origin"] = first[life]
        self[:] = []
        self._columns = np.zeros(max(256, 2 * len(new)), THREAD)
        self._columns[: len(new)] = new
        places = moved.tolist()
        for thread in threads:
            thread.parent, thread.leader = places[thread.parent], places[thread.leader]
        super().extend(threads)
        self._in_force = {life: places[row] for life, row in self._in_force.items()}
        self.nbytes = sum(_OBJECT + sum(map(len, thread.args)) + 8 * len(thread.env) for thread in threads)
        return moved

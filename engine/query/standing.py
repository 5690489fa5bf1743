"""Threads and descriptors that stand still, made into events, so that filters can be asked of them.

A filter holds for a thread when it holds for an event of the thread about nothing, or about one of its descriptors.
"""

from __future__ import annotations

import numpy as np

from engine.store.segment import NO_FD, NO_RESULT, NO_ROW, OTHER, SAMPLE, Segment
from engine.store.store import Store

Opened = list[tuple[int, int, int]]
"""Open descriptors: id of the main thread, number, fd row."""
Standing = list[tuple[int, int, int]]
"""Thread row, fd number (or NO_FD), fd row (or NO_ROW)."""


def in_force(store: Store, number: int) -> dict[int, int]:
    """The rows of the threads there are at an event, by thread id, ascending."""
    columns = store.threads.columns
    rows = np.flatnonzero((columns["first"] <= number) & (columns["last"] >= number)).tolist()
    return dict(sorted((store.threads[row].tid, row) for row in rows if store.threads[row].pid >= 0))


def alone(threads: dict[int, int]) -> Standing:
    """Each thread without a descriptor."""
    return [(row, NO_FD, NO_ROW) for row in threads.values()]


def with_descriptors(store: Store, threads: dict[int, int], opened: Opened) -> Standing:
    """Each descriptor of each thread; threads of a process share theirs."""
    of_process: dict[int, list[tuple[int, int]]] = {}
    for pid, number, row in sorted(opened):
        of_process.setdefault(pid, []).append((number, row))
    return [
        (thread, number, row)
        for thread in threads.values()
        for number, row in of_process.get(store.threads[thread].pid, ())
    ]


def stand_ins(standing: Standing) -> Segment:
    """An event without a record for each."""
    count = len(standing)
    threads, numbers, rows = np.array(standing, np.int64).reshape(count, 3).T
    return Segment(
        first=0,
        time=np.zeros(count, np.int64),
        cpu=np.zeros(count, np.uint16),
        type=np.zeros(count, np.uint16),
        flags=np.zeros(count, np.uint8),
        thread=threads.astype(np.int32),
        fd=numbers.astype(np.int32),
        fd_row=rows.astype(np.int32),
        result=np.full(count, NO_RESULT, np.int64),
        latency=np.zeros(count, np.int64),
        offset=np.full(count, -1, np.int64),
        end=0,
        samples=np.empty(0, SAMPLE),
        others=np.empty(0, OTHER),
    )

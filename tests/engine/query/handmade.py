"""Stores and segments made by hand: one tuple an event, for statements about queries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.events import FdKind
from engine.model.facts import Thread
from engine.store.segment import HIDDEN, NO_FD, NO_RESULT, SAMPLE, Segment
from engine.store.store import Store


class Row(NamedTuple):
    """One event; what is not said is absent."""

    type: int
    thread: int = -1
    fd_row: int = -1
    result: int = NO_RESULT
    latency: int = 0
    time: int = 0
    hidden: bool = False


def segment(rows: list[Row], *, first: int = 0, samples: list[tuple[int, int, int, int]] | None = None) -> Segment:
    """A sealed segment of these events."""
    return Segment(
        first=first,
        time=np.array([row.time for row in rows], np.int64),
        cpu=np.zeros(len(rows), np.uint16),
        type=np.array([row.type for row in rows], np.uint16),
        flags=np.array([HIDDEN if row.hidden else 0 for row in rows], np.uint8),
        thread=np.array([row.thread for row in rows], np.int32),
        fd=np.full(len(rows), NO_FD, np.int32),
        fd_row=np.array([row.fd_row for row in rows], np.int32),
        result=np.array([row.result for row in rows], np.int64),
        latency=np.array([row.latency for row in rows], np.int64),
        offset=np.full(len(rows), -1, np.int64),
        end=0,
        samples=np.array(samples or [], SAMPLE),
    )


class NoRecords:
    """Raw bytes of a store whose events have no records."""

    nbytes = 0

    def read(self, start: int, end: int) -> memoryview:
        """Nothing."""
        return memoryview(b"")


def store(*threads: Thread, files: tuple[bytes, ...] = ()) -> Store:
    """A store of these thread rows, and a regular file for each fd row."""
    made = Store(NoRecords())
    made.threads.extend(threads)
    for path in files:
        made.fds.add(FdKind.FILE, made.fds.identity(FdKind.FILE, path))
    made.fds.publish()
    return made

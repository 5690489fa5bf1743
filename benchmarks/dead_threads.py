"""What a live interval costs when most threads the store knows have ended.

    python -m benchmarks.dead_threads

Makes a store of 300 living threads and a million that ended (less with a number after the command), then answers each
interval's table as the screen does, with and without a filter, on segments of the living ones alone. Prints CPU time
an interval, and its ratio to that of a store without any dead.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import views
from engine.events import codes_by_name
from engine.model.facts import Thread
from engine.query.answers import answer
from engine.query.snapshots import TableRequest
from engine.query.work import Kept, Work
from engine.sources.raw import KeptBytes
from engine.store.segment import NO_FD, SAMPLE, Segment
from engine.store.store import Store

DEAD, LIVING = 1_000_000, 300
EVENTS, SECOND = 60_000, 1_000_000_000
INTERVALS = 5
ASKED = (("procs", ""), ("procs", "proc.name contains 1"), ("threads", ""), ("syscalls", "proc.pid!=7"))
_READ = next(code for code in codes_by_name()["read"] if code % 2)


def thread(tid: int) -> Thread:
    """A process of one thread."""
    return Thread(tid, tid, ptid=1, life=tid, process=tid, first=1, comm=b"made%d" % tid, exe=b"/bin/made", cwd=b"/")


def made(dead: int) -> Store:
    """A store of the living and some dead."""
    store = Store(KeptBytes(0))
    # The dead are as old as the living, so that every segment spans their rows.
    for tid in range(2, dead + LIVING + 2):
        store.threads.append(thread(tid))
    first = LIVING // 2
    for row in range(first, first + dead):
        store.threads.end(row, 1)
    return store


def interval(store: Store, number: int) -> tuple[int, int]:
    """Events of the living over one more interval; the window they are in."""
    living = np.flatnonzero(store.threads.columns["last"] > 1).astype(np.int32)
    start = number * 2 * SECOND
    segment = Segment(
        first=max(store.events, 1000),
        time=np.linspace(start, start + 2 * SECOND - 1, EVENTS).astype(np.int64),
        cpu=np.zeros(EVENTS, np.uint16),
        type=np.full(EVENTS, _READ, np.uint16),
        flags=np.zeros(EVENTS, np.uint8),
        thread=np.resize(living, EVENTS),
        fd=np.full(EVENTS, NO_FD, np.int32),
        fd_row=np.full(EVENTS, -1, np.int32),
        result=np.full(EVENTS, 64, np.int64),
        latency=np.full(EVENTS, 900, np.int64),
        offset=np.zeros(EVENTS, np.int64),
        end=0,
        samples=np.empty(0, SAMPLE),
    )
    store.segments.append(segment)
    return start, start + 2 * SECOND - 1


def costs(store: Store, view: str, text: str) -> float:
    """CPU seconds of an interval's table, once the first was answered."""
    declared, kept, took = views.load().views[view], Kept(store), 0.0
    for number in range(1, INTERVALS + 2):
        window = interval(store, store.events // EVENTS + 1)
        began = time.process_time()
        snapshot = answer(TableRequest(declared, filter=text), Work(store, kept, lambda: False, window))
        if number > 1:
            took += time.process_time() - began
        assert not getattr(snapshot, "error", "") and getattr(snapshot, "rows", None)
    return took / INTERVALS


def main() -> None:
    """Print a line for each table."""
    dead = int(sys.argv[1]) if len(sys.argv) > 1 else DEAD
    few, many = made(0), made(dead)
    for view, text in ASKED:
        without, with_dead = costs(few, view, text), costs(many, view, text)
        print(
            f"{view:10} {text:22} {without * 1e3:8.1f} ms without dead threads,"
            f" {with_dead * 1e3:8.1f} ms with {dead:,}: {with_dead / without:6.1f} times"
        )


if __name__ == "__main__":
    main()

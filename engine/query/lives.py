"""The threads of a window: which lived in it, what CPU they used, what memory they had.

Owns numbers by thread row, made of thread versions, process exits and sampled facts. They say something of
the thread in the window, whatever a filter keeps of its events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.events import codes_by_name
from engine.query.growing import Growing
from engine.store.segment import HIDDEN, NO_FD, NO_RESULT, Sample, Segment, Window
from engine.store.store import Store

_KIB = 1024
_UNSEEN = -1
_FOREVER = 2**62
_STAND_IN = codes_by_name()["scapevent"][0]

Floats = NDArray[np.float64]


class Lives:
    """Threads and their samples, taken in segment by segment."""

    def __init__(self, store: Store, window: Window | None) -> None:
        """Prepare for a window of time, None for everything."""
        self._store = store
        self._window = window
        self._first = Growing(np.int64)
        """Number of the first event a row is in force for."""
        self._life = Growing(np.int32)
        self._pid = Growing(np.int64)
        self._memory = {Sample.VM_SIZE: Growing(np.int64), Sample.VM_RSS: Growing(np.int64)}
        """KiB at the row's beginning, _UNSEEN where unknown or the thread is no main thread."""
        self._peak = {Sample.VM_SIZE: Growing(np.int64), Sample.VM_RSS: Growing(np.int64)}
        self._switched = Growing(np.float64)
        self._ticked = Growing(np.float64)
        self._main = Growing(np.bool_)
        self._events = [_FOREVER, 0]
        """Numbers of the first and last visible event in the window."""
        self._span = [_FOREVER, 0]
        """Smallest and largest time of the window's visible events."""
        self.has_switches = self.has_ticks = False

    @property
    def seconds(self) -> float:
        """Length of the window, of the span of its events when there is none; 0 when unknown."""
        start, end = self._span if self._window is None else self._window
        return max(end - start, 0) / 1e9

    def add(self, segment: Segment) -> None:
        """Take in the next sealed segment that overlaps the window."""
        visible = (segment.flags & HIDDEN) == 0
        inside = segment.inside(self._window)
        rows = np.flatnonzero(visible if inside is None else visible & inside)
        if not len(rows):
            return
        # Hidden events are no part of the span: some have no time.
        times = segment.time[rows]
        self._span = [min(self._span[0], int(times.min())), max(self._span[1], int(times.max()))]
        self._events = [min(self._events[0], segment.first + int(rows[0]) + 1), segment.first + int(rows[-1]) + 1]
        samples = segment.samples
        if inside is not None:
            samples = samples[inside[samples["event"]]]
        self.add_rows()
        self._add_samples(samples)

    def add_rows(self) -> None:
        """Take in the thread rows there are by now."""
        new = self._store.threads[len(self._first) :]
        if not new:
            return
        self._first.extend([thread.first for thread in new])
        self._life.extend([thread.life for thread in new])
        self._pid.extend([thread.pid for thread in new])
        self._main.extend([thread.is_main for thread in new])
        for kind, values in (
            (Sample.VM_SIZE, [thread.vm_size for thread in new]),
            (Sample.VM_RSS, [thread.vm_rss for thread in new]),
        ):
            known = [
                _UNSEEN if value is None or not thread.is_main else value
                for thread, value in zip(new, values, strict=True)
            ]
            self._memory[kind].extend(known)
            self._peak[kind].extend([_UNSEEN] * len(new))
        self._switched.extend(np.zeros(len(new)))
        self._ticked.extend(np.zeros(len(new)))

    def _add_samples(self, samples: NDArray[np.void]) -> None:
        samples = samples[samples["thread"] >= 0]
        for kind, used in (
            (Sample.CPU, self._switched),
            (Sample.CPU_USER, self._ticked),
            (Sample.CPU_SYSTEM, self._ticked),
        ):
            mine = samples[samples["kind"] == kind]
            if len(mine):
                self.has_switches |= kind == Sample.CPU
                self.has_ticks |= kind != Sample.CPU
                np.add.at(used.values, mine["thread"], mine["value"])
        for kind, peak in self._peak.items():
            mine = samples[samples["kind"] == kind]
            mine = mine[self._main.values[mine["thread"]]]
            np.maximum.at(peak.values, mine["thread"], mine["value"])

    def _died(self) -> NDArray[np.int64]:
        """Number of the event each thread row's life ended with, _FOREVER where it was not seen to."""
        life = self._life.values
        ended = np.array([thread.ended for thread in self._store.threads[: len(life)]], np.int64)
        died = np.full(int(life.max(initial=0)) + 1, _FOREVER, np.int64)
        died[life[ended >= 0]] = ended[ended >= 0]
        of_rows: NDArray[np.int64] = died[life]
        return of_rows

    def _ends(self) -> NDArray[np.int64]:
        """Number of the event each thread row ended with: the next version's first, or the exit."""
        life = self._life.values
        ends = self._died()
        order = np.argsort(life, kind="stable")
        same = life[order[:-1]] == life[order[1:]]
        earlier, later = order[:-1][same], order[1:][same]
        ends[earlier] = np.minimum(ends[earlier], self._first.values[later])
        return ends

    def alive(self) -> NDArray[np.bool_]:
        """Which thread rows were in force in the window."""
        if self._window is None:
            return np.ones(len(self._first), np.bool_)
        first, last = self._reach()
        return (self._first.values <= last) & (self._ends() >= first)

    def _reach(self) -> tuple[int, int]:
        """Numbers of the first and last event in the window; without any, of those beside it, the later one first."""
        if self._window is None or self._events[1]:
            return self._events[0], self._events[1]
        number = 0
        for segment in self._store.since(0, (0, self._window[0])):
            before = np.flatnonzero((segment.time < self._window[0]) & ((segment.flags & HIDDEN) == 0))
            if len(before):
                number = segment.first + int(before[-1]) + 1
        return number + 1, number

    def newest(self) -> NDArray[np.int64]:
        """The newest row in force of each life, ascending."""
        rows = np.flatnonzero(self.alive())
        if not len(rows):
            return rows
        _, newest = np.unique(self._life.values[rows][::-1], return_index=True)
        return np.sort(rows[::-1][newest])

    def numbers(self, field: str) -> tuple[Floats, NDArray[np.bool_]]:
        """A field of ``PER_THREAD`` by thread row, and where it is known.

        CPU is on-CPU time as percent of the window: add it over a group's rows. The others are largest
        values: memory in bytes of main threads, threads of the process; combine them by maximum.
        """
        if field == "thread.cpu":
            return self._cpu()
        if field == "proc.nthreads":
            return self._threads()
        kind = PER_THREAD[field]
        assert kind is not None
        largest = np.maximum(np.where(self.alive(), self._at_start(kind), _UNSEEN), self._peak[kind].values)
        return largest * float(_KIB), largest != _UNSEEN

    def _at_start(self, kind: int) -> NDArray[np.int64]:
        """Memory of each row when it came into the window, KiB: what was told last before, of that life."""
        told: NDArray[np.int64] = self._memory[kind].values
        if self._window is None:
            return told
        start, _ = self._reach()
        life, main, born = self._life.values, self._main.values, self._first.values
        numbers, rows, values = [born], [np.arange(len(born))], [np.where(self._is_told(told), told, _UNSEEN)]
        for segment in self._store.since(0, (0, self._window[0])):
            samples = segment.samples[segment.samples["kind"] == kind]
            samples = samples[(samples["thread"] >= 0) & (samples["thread"] < len(born))]
            numbers.append(segment.first + samples["event"].astype(np.int64) + 1)
            rows.append(samples["thread"].astype(np.int64))
            values.append(samples["value"])
        number, row, value = np.concatenate(numbers), np.concatenate(rows), np.concatenate(values)
        usable = np.flatnonzero((number < start) & (value != _UNSEEN) & main[row])
        usable = usable[np.argsort(number[usable], kind="stable")]
        last = np.full(int(life.max(initial=0)) + 1, _UNSEEN, np.int64)
        # The last of several values for one life stays.
        last[life[row[usable]]] = value[usable]
        return np.where((born < start) & (last[life] != _UNSEEN), last[life], told)

    def _is_told(self, memory: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows began with news of their memory: a version made for another fact repeats the one before."""
        life = self._life.values
        order = np.argsort(life, kind="stable")
        repeats = (life[order[1:]] == life[order[:-1]]) & (memory[order[1:]] == memory[order[:-1]])
        told = np.ones(len(memory), np.bool_)
        told[order[1:][repeats]] = False
        return told

    def _cpu(self) -> tuple[Floats, NDArray[np.bool_]]:
        used = self._ticked.values if self.has_ticks else self._switched.values
        known = (self.has_ticks or self.has_switches) and self.seconds > 0
        return used / 1e9 / (self.seconds or 1) * 100, np.full(len(used), known)

    def _threads(self) -> tuple[Floats, NDArray[np.bool_]]:
        """The most threads each row's process had at one time."""
        rows = self.newest()
        of = self._pid.values
        if not len(rows):
            return np.zeros(len(of)), np.zeros(len(of), np.bool_)
        began = np.full(int(self._life.values.max()) + 1, _FOREVER, np.int64)
        np.minimum.at(began, self._life.values, self._first.values)
        # Every birth and death as one step up or down, by process and then in order; a death counts at once after it.
        pids = np.tile(of[rows], 2)
        numbers = np.concatenate([began[self._life.values[rows]], self._died()[rows] + 1])
        steps = np.repeat([1, -1], len(rows))
        order = np.lexsort((steps, numbers, pids))
        pids, alive = pids[order], np.cumsum(steps[order])
        known, firsts = np.unique(pids, return_index=True)
        most = np.maximum.reduceat(alive, firsts)
        places = np.minimum(np.searchsorted(known, of), len(known) - 1)
        return most[places].astype(np.float64), (known[places] == of) & (of >= 0)

    def stand_ins(self) -> Segment:
        """One event for each newest row, so that threads without events pass through a filter too.

        It is of no call, has no fd, no result and no record (offset -1).
        """
        self.add_rows()
        rows = self.newest()
        count = len(rows)
        return Segment(
            first=max(self._reach()[1], 0),
            time=np.full(count, self._span[1] or (self._window or (0, 0))[1], np.int64),
            cpu=np.zeros(count, np.uint16),
            type=np.full(count, _STAND_IN, np.uint16),
            flags=np.zeros(count, np.uint8),
            thread=rows.astype(np.int32),
            fd=np.full(count, NO_FD, np.int32),
            fd_row=np.full(count, -1, np.int32),
            result=np.full(count, NO_RESULT, np.int64),
            latency=np.zeros(count, np.int64),
            offset=np.full(count, -1, np.int64),
            end=0,
            samples=self._store.segments[0].samples[:0] if self._store.segments else np.zeros(0),
        )


PER_THREAD: dict[str, int | None] = {
    "thread.cpu": None,
    "proc.nthreads": None,
    "thread.vmsize.b": Sample.VM_SIZE,
    "thread.vmrss.b": Sample.VM_RSS,
}
"""Fields that columns take from threads and samples instead of events; the kind of sample of memory."""

"""The threads of a window: which lived in it, what CPU they used, what memory they had.

Owns numbers by thread row, made of thread versions and sampled facts. They say something of the thread in the
window, whatever a filter keeps of its events.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from engine.events import codes_by_name
from engine.fields.columns import integers
from engine.query.growing import Growing
from engine.store.segment import NO_FD, NO_RESULT, SAMPLE, Sample, Segment, Window
from engine.store.store import Store
from engine.store.threads import UNTOLD

_KIB = 1024
_NOBODY = 2**62
_STAND_IN = codes_by_name()["scapevent"][0]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Lives:
    """Threads and their samples, taken in segment by segment."""

    def __init__(self, store: Store, window: Window | None) -> None:
        """Prepare for a window of time, None for everything."""
        self._store = store
        self._window = window
        self._samples: list[NDArray[Any]] = []
        """Samples in the window, dtype SAMPLE, segment by segment."""
        self._events = [_NOBODY, 0]
        """Numbers of the first and last visible event in the window."""
        self._span = [_NOBODY, 0]
        """Smallest and largest time of the window's visible events."""
        self._alive: tuple[tuple[int, int, int], Integers] = (-1, 0, 0), np.empty(0, np.int64)
        """What ``alive`` said, and of how many rows and which events."""

    @property
    def seconds(self) -> float:
        """Length of the window, of the span of its events when there is none; 0 when unknown."""
        start, end = self._span if self._window is None else self._window
        return max(end - start, 0) / 1e9

    def add(self, segment: Segment) -> None:
        """Take in the next sealed segment that overlaps the window."""
        inside = segment.inside(self._window)
        # Hidden events are no part of the span: some have no time.
        first, last = segment.visible_rows
        start, end = segment.time_span
        samples = segment.usage
        if inside is not None:
            rows = np.flatnonzero(inside & segment.visible)
            first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)
            times = segment.time[rows]
            start, end = int(times.min(initial=end)), int(times.max(initial=start))
            samples = samples[inside[samples["event"]]]
        if last < first:
            return
        self._span = [min(self._span[0], start), max(self._span[1], end)]
        self._events = [min(self._events[0], segment.first + first + 1), segment.first + last + 1]
        samples = samples[samples["thread"] >= 0]
        if len(samples):
            self._samples.append(samples)

    def _sampled(self, *kinds: int) -> NDArray[Any]:
        """The window's samples of these kinds."""
        if len(self._samples) > 1:
            self._samples = [np.concatenate(self._samples)]
        samples: NDArray[Any] = self._samples[0] if self._samples else np.empty(0, SAMPLE)
        wanted = np.zeros(256, np.bool_)
        wanted[list(kinds)] = True
        found: NDArray[Any] = samples[wanted[samples["kind"]]]
        return found

    def _reach(self) -> tuple[int, int]:
        """Numbers of the first and last event in the window; without any, of those beside it, the later one first."""
        if self._window is None or self._events[1]:
            return self._events[0], self._events[1]
        number = 0
        for segment in self._store.since(0, (0, self._window[0])):
            before = np.flatnonzero((segment.time < self._window[0]) & segment.visible)
            if len(before):
                number = segment.first + int(before[-1]) + 1
        # Before the first event there were those who were there when capture began.
        return number + 1, max(number, 1)

    def alive(self) -> Integers:
        """The thread rows in force in the window, ascending."""
        columns = self._store.threads.columns
        if self._window is None:
            return np.arange(len(columns))
        first, last = self._reach()
        state = len(columns), first, last
        if state != self._alive[0]:
            rows = np.flatnonzero((columns["first"] <= last) & (columns["last"] >= first))
            self._alive = state, rows
        return self._alive[1]

    def newest(self) -> Integers:
        """The newest row in force of each life, ascending."""
        rows = self.alive()
        newest: Integers = rows[~np.isin(self._store.threads.columns["next"][rows], rows)]
        return newest

    def numbers(self, field: str) -> tuple[Integers, Floats]:
        """A field of ``PER_THREAD``: thread rows of which it is known, each once, and its values.

        CPU is on-CPU time as percent of the window: add it over a group's rows. The others are largest
        values: memory in bytes of main threads, page faults, threads of the process; combine them by maximum.
        """
        if field in CPU_TIMES:
            return self._cpu(field)
        if field == "proc.nthreads":
            return self._threads()
        return self._faults(field) if field in _FAULTS else self._memory(field)

    def _cpu(self, field: str) -> tuple[Integers, Floats]:
        """By the kernel's accounting where a capture has it, else by the times between switches, which do not tell
        user from system time."""
        samples, seconds = self._ticks()
        if len(samples) or self._store.sampled:
            samples = samples[np.isin(samples["kind"], CPU_TIMES[field])]
            known = True
        else:
            samples = self._sampled(Sample.CPU)
            known = len(samples) > 0 and field == "thread.cpu"
        used = np.zeros(len(self._store.threads.columns))
        samples = samples[samples["thread"] < len(used)]
        np.add.at(used, samples["thread"], samples["value"])
        # Who has ended may have used the CPU since the sample before the window.
        rows = self._with(self.alive(), samples) if known and seconds > 0 else np.empty(0, np.int64)
        return rows, used[rows] / 1e9 / (seconds or 1) * 100

    def _ticks(self) -> tuple[NDArray[Any], float]:
        """Samples of CPU time that tell of the window, and the seconds they tell of.

        Where all threads are sampled at once, those are the samples in the window, or the last ones before its end.
        """
        sampled = self._store.sampled
        if not sampled or self._window is None:
            return self._sampled(*_TICKS), self.seconds
        last = bisect_right(sampled, self._window[1]) - 1
        before = min(bisect_left(sampled, self._window[0]), last) - 1
        if before < 0:
            return self._samples_at(0, -1), 0
        return self._samples_at(sampled[before] + 1, sampled[last]), (sampled[last] - sampled[before]) / 1e9

    def _samples_at(self, start: int, end: int) -> NDArray[Any]:
        """Samples of CPU time between two times, whether in the window or not."""
        found = [np.empty(0, SAMPLE)]
        for segment in self._store.since(0, (start, end)):
            times = segment.time[segment.usage["event"]]
            mine = np.isin(segment.usage["kind"], _TICKS)
            found.append(segment.usage[mine & (times >= start) & (times <= end) & (segment.usage["thread"] >= 0)])
        return np.concatenate(found)

    def _faults(self, field: str) -> tuple[Integers, Floats]:
        """Page faults of a thread since it started, as told last by the end of the window."""
        name, kind = _FAULTS[field]
        rows, largest = self.alive(), self._untold()
        largest[rows] = integers((getattr(self._store.threads[row], name) for row in rows.tolist()), UNTOLD)
        earlier = []
        if self._window is not None:
            start, _ = self._reach()
            segments = self._store.since(0, (0, self._window[0]))
            earlier = [each.usage[each.first + each.usage["event"] + 1 < start] for each in segments]
        for samples in (*earlier, self._sampled(kind)):
            mine = samples[(samples["kind"] == kind) & (samples["thread"] >= 0) & (samples["thread"] < len(largest))]
            np.maximum.at(largest, mine["thread"], mine["value"])
        rows = rows[largest[rows] != UNTOLD]
        return rows, largest[rows].astype(np.float64)

    def _memory(self, field: str) -> tuple[Integers, Floats]:
        name, kind = _MEMORY[field]
        columns, rows, largest = self._store.threads.columns, self.alive(), self._untold()
        largest[rows] = columns[name][rows]
        if self._window is not None:
            start, _ = self._reach()
            earlier = rows[columns["first"][rows] < start]
            largest[earlier] = _before(self._store, kind, start).up_to(start, columns, earlier)
        samples = self._sampled(kind)
        samples = samples[samples["thread"] < len(largest)]
        np.maximum.at(largest, samples["thread"], samples["value"])
        rows = self._with(rows, samples)
        rows = rows[columns["main"][rows] & (largest[rows] != UNTOLD)]
        return rows, largest[rows] * float(_KIB)

    def _with(self, rows: Integers, samples: NDArray[Any]) -> Integers:
        """Thread rows and those of samples, ascending."""
        there = np.zeros(len(self._store.threads.columns), np.bool_)
        there[rows] = there[samples["thread"]] = True
        return np.flatnonzero(there)

    def _untold(self) -> Integers:
        return np.full(len(self._store.threads.columns), UNTOLD, np.int64)

    def _threads(self) -> tuple[Integers, Floats]:
        """The most threads each row's process had at one time."""
        columns, alive = self._store.threads.columns, self.alive()
        rows = columns[self.newest()]
        if not len(rows):
            return np.empty(0, np.int64), np.empty(0)
        # Every birth and death as one step up or down, by process and then in order; a death counts at once after it.
        # A life that has a newer version lasted beyond the window.
        died = np.where(rows["next"] < 0, rows["last"], _NOBODY)
        pids = np.tile(rows["pid"], 2)
        numbers = np.concatenate([rows["born"], died + 1])
        steps = np.repeat([1, -1], len(rows))
        order = np.lexsort((steps, numbers, pids))
        pids, living = pids[order], np.cumsum(steps[order])
        known, firsts = np.unique(pids, return_index=True)
        most = np.maximum.reduceat(living, firsts)
        of = columns["pid"][alive]
        places = np.minimum(np.searchsorted(known, of), len(known) - 1)
        there = (known[places] == of) & (of >= 0)
        return alive[there], most[places[there]].astype(np.float64)

    def stand_ins(self) -> Segment:
        """One event for each newest row, so that threads without events pass through a filter too.

        It is of no call, has no fd, no result and no record (offset -1).
        """
        rows = self.newest()
        return self._stand_ins(rows.astype(np.int32), np.full(len(rows), -1, np.int32))

    def open_fds(self) -> Segment:
        """One such event for each fd row that was open in the window, of the thread that made it."""
        fds = self._store.fds.rows
        first, last = self._reach()
        is_open = (fds["last"] < 0) | (fds["last"] >= first)
        rows = np.flatnonzero(is_open if self._window is None else is_open & (fds["first"] <= last))
        return self._stand_ins(fds["thread"][rows].astype(np.int32), rows.astype(np.int32))

    def _stand_ins(self, threads: NDArray[np.int32], fd_rows: NDArray[np.int32]) -> Segment:
        count = len(threads)
        return Segment(
            first=max(self._reach()[1], 0),
            time=np.full(count, self._span[1] or (self._window or (0, 0))[1], np.int64),
            cpu=np.zeros(count, np.uint16),
            type=np.full(count, _STAND_IN, np.uint16),
            flags=np.zeros(count, np.uint8),
            thread=threads,
            fd=np.full(count, NO_FD, np.int32),
            fd_row=fd_rows,
            result=np.full(count, NO_RESULT, np.int64),
            latency=np.zeros(count, np.int64),
            offset=np.full(count, -1, np.int64),
            end=0,
            samples=np.empty(0, SAMPLE),
        )


class _Before:
    """What samples before an event told of memory, of one kind, by life; cheap to ask again a little later."""

    def __init__(self, store: Store, kind: int) -> None:
        self._kind = kind
        self._forgotten = store.forgotten
        self._store = store
        self._taken = 0
        """Number of the last event looked at."""
        self._number = Growing(np.int64)
        """Number of the event with the last sample, by row of the life's first version; -1 without one."""
        self._value = Growing(np.int64)

    def serves(self, number: int) -> bool:
        """Whether it can tell what was so before an event."""
        return self._taken < number and self._forgotten == self._store.forgotten

    def up_to(self, number: int, columns: NDArray[Any], wanted: Integers) -> Integers:
        """Memory of some thread rows as told last before an event, KiB."""
        self._take(number, columns)
        rows = columns[wanted]
        sampled, value = (known.values[rows["origin"]] for known in (self._number, self._value))
        newer: NDArray[np.bool_] = rows["main"] & (sampled > rows["told"])
        told: Integers = np.where(newer, value, rows["vm_size" if self._kind == Sample.VM_SIZE else "vm_rss"])
        return told

    def _take(self, number: int, rows: NDArray[Any]) -> None:
        new = len(rows) - len(self._number)
        if new > 0:
            self._number.extend(np.full(new, -1))
            self._value.extend(np.zeros(new))
        for segment in self._store.since(self._taken):
            if segment.first + 1 >= number:
                break
            samples = segment.usage[segment.usage["kind"] == self._kind]
            numbers = segment.first + samples["event"].astype(np.int64) + 1
            wanted = (numbers > self._taken) & (numbers < number) & (samples["thread"] >= 0)
            wanted &= samples["thread"] < len(rows)
            wanted[wanted] = rows["main"][samples["thread"][wanted]]
            origins = rows["origin"][samples["thread"][wanted]]
            # The last of several for one life stays.
            self._number.values[origins] = numbers[wanted]
            self._value.values[origins] = samples["value"][wanted]
        self._taken = number - 1


_known: WeakKeyDictionary[Store, dict[int, _Before]] = WeakKeyDictionary()


def _before(store: Store, kind: int, number: int) -> _Before:
    known = _known.setdefault(store, {})
    if kind not in known or not known[kind].serves(number):
        known[kind] = _Before(store, kind)
    return known[kind]


_MEMORY = {"thread.vmsize.b": ("vm_size", Sample.VM_SIZE), "thread.vmrss.b": ("vm_rss", Sample.VM_RSS)}
_FAULTS = {"thread.pfmajor": ("pf_major", Sample.PF_MAJOR), "thread.pfminor": ("pf_minor", Sample.PF_MINOR)}
_TICKS = (Sample.CPU_USER, Sample.CPU_SYSTEM)
CPU_TIMES: dict[str, tuple[int, ...]] = {
    "thread.cpu": _TICKS,
    "thread.cpu.user": (Sample.CPU_USER,),
    "thread.cpu.system": (Sample.CPU_SYSTEM,),
}
"""Fields of on-CPU time, and the kinds of samples by the kernel's accounting that add up to each."""
PER_THREAD = frozenset({"proc.nthreads", *CPU_TIMES, *_MEMORY, *_FAULTS})
"""Fields that columns take from threads and samples instead of events."""


class CpuTimes:
    """On-CPU time by the switches that tell it, for keys that are none of threads (the CPU it was spent on).

    The kernel's accounting does not say where a thread ran.
    """

    def __init__(self) -> None:
        """Begin without samples."""
        self._used = Growing(np.float64)
        self._known = False

    def add(
        self, segment: Segment, mask: NDArray[np.bool_], index: NDArray[np.int32], table: NDArray[np.int32], count: int
    ) -> None:
        """Take in the samples of the events that ``mask`` keeps; the code of event i is ``table[index[i]]``, and
        ``count`` codes there are by now."""
        self._used.extend(np.zeros(max(count - len(self._used), 0)))
        samples = segment.usage[segment.usage["kind"] == Sample.CPU]
        samples = samples[mask[samples["event"]]]
        places = index[samples["event"]]
        samples, codes = samples[places >= 0], table[places[places >= 0]]
        if len(samples):
            self._known = True
            np.add.at(self._used.values, codes[codes >= 0], samples["value"][codes >= 0])

    def percent(self, count: int, seconds: float) -> tuple[Floats, NDArray[np.bool_]]:
        """On-CPU time of each of ``count`` codes as percent of the window."""
        used = np.zeros(count)
        used[: len(self._used)] = self._used.values[:count]
        return used / 1e9 / (seconds or 1) * 100, np.full(count, self._known and seconds > 0)

"""A slice of consecutive events as columns.

Owns the columns' meaning and dtypes. Sealed segments are immutable: any thread may read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_RESULT = -(2**63)
"""Result of an event that has none."""
UNKNOWN_LATENCY = -1
"""Latency of an exit whose enter was not seen. Enters have 0."""
NO_FD = -(2**31)
"""Fd number of an event that has none (negative numbers such as AT_FDCWD are values)."""
NO_ROW = -1
"""Thread row or fd row of an event without one. Tables indexed by row keep one entry more, so that -1
falls on the last, the entry of absence."""

Window = tuple[int, int]
"""A range of time: first and last ns since epoch, both within it."""

HIDDEN = 1
"""Flag: kept for its effect on state, never shown or counted (state-only events, and the container
and user events in front of the first real one)."""

SAMPLE = np.dtype([("event", "<i4"), ("thread", "<i4"), ("kind", "u1"), ("value", "<i8")])
"""A sampled fact of a thread: row in the segment, thread row, ``Sample`` kind, value."""

OTHER = np.dtype([("event", "<i4"), ("place", "<u2"), ("row", "<i4")])
"""What an fd parameter stood for that is not the event's own fd: row in the segment, place, fd row. The place
is the parameter's index, or ``LISTED`` and the index of an entry of an fd list."""
LISTED = 256


OVERHEAD = 2048
"""Memory of a segment besides what is in its columns, bytes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Kinds of sampled facts (design §4)."""

    CPU = 0
    """On-CPU time between two switches, ns."""
    CPU_USER = 1
    """User-mode CPU time since the last procinfo sample of the thread, ns."""
    CPU_SYSTEM = 2
    """Kernel-mode CPU time since the last procinfo sample of the thread, ns."""
    VM_SIZE = 3
    """KiB, as the following two."""
    VM_RSS = 4
    VM_SWAP = 5
    PF_MAJOR = 6
    """Page faults since the thread started."""
    PF_MINOR = 7
    THREADS = 8
    """Threads of a process from this event on; the thread is its main thread, as of the following."""
    FDS = 9
    """Descriptors a process has open."""
    FD_KINDS = 10
    """Kinds of descriptors it has open, a bit for each ``FdKind``."""
    STDIN = 11
    """Row of its descriptor 0, -1 without one."""
    STDOUT = 12
    STDERR = 13


@dataclass(frozen=True, eq=False)
class Segment:
    """Columns of ``len(self)`` consecutive events, one array each."""

    first: int
    """Number of events before this segment: row i is event number ``first + i + 1``."""
    time: NDArray[np.int64]
    """ns since epoch; file order, which is not always ascending."""
    cpu: NDArray[np.uint16]
    type: NDArray[np.uint16]
    """Type code, index into ``events.CATALOGUE``."""
    flags: NDArray[np.uint8]
    thread: NDArray[np.int32]
    fd: NDArray[np.int32]
    """fd number the event is about, NO_FD when none."""
    fd_row: NDArray[np.int32]
    result: NDArray[np.int64]
    """First parameter of exits of calls; NO_RESULT when none."""
    latency: NDArray[np.int64]
    """ns from enter to exit; 0 of enters, UNKNOWN_LATENCY where the enter is missing."""
    offset: NDArray[np.int64]
    """Where the event's block starts in the uncompressed stream (RawBytes)."""
    end: int
    """Where the last event's block ends in the stream."""
    samples: NDArray[Any]
    """Sampled facts of this segment, dtype SAMPLE, ascending by event."""
    others: NDArray[Any] = field(default_factory=lambda: np.empty(0, OTHER))
    """Known fds that events mention besides their own, dtype OTHER, ascending by event."""

    def __len__(self) -> int:
        return len(self.time)

    @cached_property
    def time_span(self) -> tuple[int, int]:
        """Smallest and largest time stamp of visible events (hidden ones may have none), ns; (0, 0) without any."""
        times = self.time if self.all_visible else self.time[self.visible]
        return (int(times.min()), int(times.max())) if len(times) else (0, 0)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Which events are visible; made anew each time."""
        visible: NDArray[np.bool_] = (self.flags & HIDDEN) == 0
        return visible

    @cached_property
    def all_visible(self) -> bool:
        """Whether no event is hidden."""
        return not self.flags.any()

    @cached_property
    def visible_rows(self) -> tuple[int, int]:
        """The first and last row of a visible event; (0, -1) without any."""
        if self.all_visible:
            return 0, len(self) - 1
        rows = np.flatnonzero(self.visible)
        return (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)

    @cached_property
    def usage(self) -> NDArray[Any]:
        """The samples of CPU time, memory and page faults: few where every event tells how many fds are open."""
        mine = self.samples["kind"] < Sample.THREADS
        return self.samples if mine.all() else self.samples[mine]

    def overlaps(self, window: Window | None) -> bool:
        """Whether visible events may lie in a window; by the summary alone."""
        start, end = self.time_span
        return window is None or (bool(end) and start <= window[1] and end >= window[0])

    def inside(self, window: Window | None) -> NDArray[np.bool_] | None:
        """Which events lie in a window; None for all visible ones."""
        if window is None:
            return None
        start, end = self.time_span
        if window[0] <= start and end <= window[1]:
            return None
        return (self.time >= window[0]) & (self.time <= window[1])

    @cached_property
    def types_present(self) -> NDArray[np.int64]:
        """The type codes that occur, ascending."""
        return np.flatnonzero(np.bincount(self.type))

    @cached_property
    def thread_span(self) -> tuple[int, int, bool]:
        """First and last thread row that occurs, and whether some events have none; (0, -1) without any."""
        return _span(self.thread)

    @cached_property
    def fd_span(self) -> tuple[int, int, bool]:
        """As ``thread_span``, of fd rows."""
        return _span(self.fd_row)

    def renumbered(self, threads: NDArray[np.int32], fds: NDArray[np.int32]) -> Segment:
        """The same events after rows of tables moved: the new row of each old one, and -1 at the end for row -1."""
        samples, others = self.samples.copy(), self.others.copy()
        samples["thread"] = threads[samples["thread"]]
        about_fds = (samples["kind"] >= Sample.STDIN) & (samples["kind"] <= Sample.STDERR)
        samples["value"][about_fds] = fds[samples["value"][about_fds]]
        others["row"] = fds[others["row"]]
        moved = replace(self, thread=threads[self.thread], fd_row=fds[self.fd_row], samples=samples, others=others)
        moved.thread.flags.writeable = moved.fd_row.flags.writeable = False
        return moved

    @property
    def nbytes(self) -> int:
        """Memory of the columns, bytes."""
        return OVERHEAD + sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


def _span(rows: NDArray[np.int32]) -> tuple[int, int, bool]:
    # Read as unsigned, absence is larger than any row.
    first = int(rows.view(np.uint32).min()) if len(rows) else 0
    last = int(rows.max()) if len(rows) else -1
    return (first if last >= 0 else 0), last, bool(len(rows)) and bool(rows.min() < 0)

"""The store: segments in file order, and the tables their columns point at.

Owns what is kept and for how long. One thread appends, any thread reads what was there when it
looked: lists and columns only grow, rows already there do not change (but see facts learned late,
``model.facts``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import get_ident
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.model.cluster import Cluster
from engine.model.facts import Container, Group, Inside, Interface, Machine, User
from engine.model.fds import Fds
from engine.store.segment import Sample, Segment, Window
from engine.store.threads import ThreadRows

KEPT = 32
"""Things made of the tables that are kept for further questions."""
Made = TypeVar("Made")


class RawBytes(Protocol):
    """The uncompressed byte stream events were decoded from, read again for late arguments."""

    def read(self, start: int, end: int) -> memoryview:
        """Bytes ``start`` to ``end`` of the stream; shorter when the file was cut since."""

    @property
    def nbytes(self) -> int:
        """Memory held, bytes (0 when the file itself is read again)."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something wrong in a capture; everything before ``offset`` was kept."""

    path: str
    offset: int
    """Position in the uncompressed stream, bytes."""
    expected: str
    """What should have been there, and what was."""
    ends: bool
    """True when nothing after it could be read."""

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.expected}"


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that happened in a window and could not be captured."""

    window: Window
    count: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory held by a store, bytes."""

    columns: int
    tables: int
    """Estimate of threads, fds and names."""
    raw: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.columns + self.tables + self.raw


@dataclass(frozen=True, slots=True)
class _Sums:
    """What is known of the first ``segments`` segments."""

    segments: int = 0
    start: int = 0
    end: int = 0
    columns: int = 0


class Store:
    """Everything captured so far."""

    def __init__(self, raw: RawBytes, *, port_names: bool = False, user_names: bool = True) -> None:
        """``port_names`` shows services for ports; without ``user_names`` users and groups stay numbers."""
        self.raw = raw
        self.port_names = port_names
        self.user_names = user_names
        self.segments: list[Segment] = []
        self.threads = ThreadRows()
        self.fds = Fds()
        self.containers: dict[str, Container] = {}
        self.cluster = Cluster()
        self.users: dict[tuple[str, int], User] = {}
        """By container id ("" for the host) and uid."""
        self.groups: dict[tuple[str, int], Group] = {}
        self.interfaces: list[Interface] = []
        self.machine: Machine | None = None
        self.damage: list[Damage] = []
        self.revision = 0
        """Raised after every change of a fact that is already readable: whatever was computed from tables is stale."""
        self.forgotten = 0
        """Events that are not kept any more, the oldest ones. When it grows, answers made of them no longer hold."""
        self.compactions = 0
        """How often rows of tables have moved."""
        self.inside: dict[int, Inside] = {}
        """By life, the calls threads are inside of at the end of what is captured."""
        self.inside_at = 0
        """When that was, ns since epoch."""
        self.sampled: list[int] = []
        """Times at which the CPU time of every thread was sampled, ns since epoch; each sample holds what was used
        since the one before. Empty where samples come thread by thread."""
        self.losses: list[Loss] = []
        """Events that could not be captured, in order of time; none of windows that were forgotten."""
        self._kept: tuple[int, OrderedDict[Hashable, Any]] = 0, OrderedDict()
        self._begins: int | None = None
        self._summed = _Sums()
        self._compacted = 0
        """Bytes of tables after they were compacted last."""

    def keep(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What was made of the tables under a name, made when there is none; it is kept until a fact changes.

        Each thread has its own. ``KEPT`` are kept, the least recently asked dropped first.
        """
        now = self.revision
        revision, kept = self._kept
        if revision != now:
            kept = OrderedDict()
            self._kept = now, kept
        key = get_ident(), name
        made: Made | None = kept.pop(key, None)
        kept[key] = made = make() if made is None else made
        while len(kept) > KEPT:
            kept.popitem(last=False)
        return made

    def lost(self, window: Window | None = None) -> int:
        """Events that could not be captured in a window; those of an interval it touches all count."""
        return sum(loss.count for loss in self.losses_in(window))

    def losses_in(self, window: Window | None = None) -> list[Loss]:
        """Losses in intervals that a window touches."""
        first, last = window or (0, 2**63)
        return [loss for loss in self.losses if loss.window[0] <= last and loss.window[1] >= first]

    def forget(self, count: int, growth: int) -> bool:
        """Forget the oldest ``count`` segments; numbers of events stay what they are, raw bytes are their owner's.

        True when tables should be compacted: they take ``growth`` bytes more than after the last time. Nobody may be
        reading meanwhile.
        """
        self._begins = self.begins
        gone, self.segments[:count] = self.segments[:count], []
        if gone:
            self.forgotten = gone[-1].first + len(gone[-1])
            self._remember_usage(gone)
            start = self.segments[0].time_span[0] if self.segments else 2**63
            self.sampled = self.sampled[max(bisect_left(self.sampled, start) - 1, 0) :]
            self.losses = [loss for loss in self.losses if loss.window[1] >= start]
            self._summed = _Sums()
        return self.memory.tables > self._compacted + growth

    def _remember_usage(self, segments: list[Segment]) -> None:
        samples = np.concatenate([segment.usage for segment in segments])
        number = np.concatenate([segment.first + segment.usage["event"].astype(np.int64) + 1 for segment in segments])
        told = {}
        for name, kind in (("vm_size", Sample.VM_SIZE), ("vm_rss", Sample.VM_RSS)):
            mine = (samples["kind"] == kind) & (samples["thread"] >= 0)
            told[name] = (number[mine], samples["thread"][mine], samples["value"][mine])
        self.threads.remember(told)
        for name, kind in (("pf_major", Sample.PF_MAJOR), ("pf_minor", Sample.PF_MINOR)):
            for _, row, _, count in samples[(samples["kind"] == kind) & (samples["thread"] >= 0)].tolist():
                thread = self.threads[row]
                setattr(thread, name, max(getattr(thread, name) or 0, count))

    def compact(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Take rows out of the tables that nothing kept points at; nobody may be reading meanwhile.

        Returns the new row of each old one in the threads' and in the fds' table (``ThreadRows.compact``).
        """
        inhabited = {thread.container for thread in self.threads}
        threads = self.threads.compact(self.forgotten + 1)
        # Containers without any process left; those that nothing ran in yet stay.
        for container in inhabited - {thread.container for thread in self.threads}:
            self.containers.pop(container, None)
        used = np.zeros(len(self.fds) + 1, np.bool_)
        for segment in self.segments:
            used[segment.fd_row] = True
            used[segment.others["row"]] = True
            kinds = segment.samples["kind"]
            used[segment.samples["value"][(kinds >= Sample.STDIN) & (kinds <= Sample.STDERR)]] = True
        fds = self.fds.compact(used[:-1], threads)
        self.segments[:] = [segment.renumbered(threads, fds) for segment in self.segments]
        self._compacted = self.memory.tables
        self.revision += 1
        self.compactions += 1
        return threads, fds

    @property
    def begins(self) -> int | None:
        """Time of the first visible event there ever was, ns since epoch; None before it."""
        if self._begins is None:
            for segment in self.segments:
                first, last = segment.visible_rows
                if first <= last:
                    self._begins = int(segment.time[first])
                    break
        return self._begins

    @property
    def events(self) -> int:
        """Events sealed so far, hidden ones and those forgotten included."""
        if not self.segments:
            return self.forgotten
        last = self.segments[-1]
        return last.first + len(last)

    def since(self, number: int, window: Window | None = None) -> list[Segment]:
        """The segments after the first ``number`` events that overlap a window, None for all of them."""
        segments = self.segments
        first = max(bisect_right(segments, number, key=lambda segment: segment.first) - 1, 0)
        if first < len(segments) and segments[first].first + len(segments[first]) <= number:
            first += 1
        return [segment for segment in segments[first:] if segment.overlaps(window)]

    @property
    def time_span(self) -> tuple[int, int]:
        """Smallest and largest time stamp of visible events, ns since epoch; (0, 0) before the first."""
        summed = self._sums()
        return summed.start, summed.end

    @property
    def memory(self) -> Memory:
        """What is held, computed cheaply enough to be asked often."""
        tables = self.threads.nbytes + self.fds.nbytes
        return Memory(self._sums().columns, tables, self.raw.nbytes)

    def _sums(self) -> _Sums:
        """Sums over all segments; only those new since the last time are looked at."""
        summed = self._summed
        for segment in self.segments[summed.segments :]:
            start, end = segment.time_span
            if not end:
                start, end = summed.start, summed.end
            elif summed.end:
                start, end = min(start, summed.start), max(end, summed.end)
            summed = _Sums(summed.segments + 1, start, end, summed.columns + segment.nbytes)
        self._summed = summed
        return summed

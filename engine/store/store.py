"""The store: segments in file order, and the tables their columns point at.

Owns what is kept and for how long. One thread appends, any thread reads what was there when it
looked: lists and columns only grow, rows already there do not change (but see facts learned late,
``model.facts``).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

from engine.model.facts import Container, Group, Interface, Machine, Thread, User
from engine.model.fds import Fds
from engine.store.segment import Segment, Window


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
class Memory:
    """Memory held by a store, bytes."""

    columns: int
    tables: int
    """Estimate of threads, fds and names."""
    raw: int


_THREAD_BYTES = 1024
"""Estimate of a thread version with its strings."""


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
        self.threads: list[Thread] = []
        self.fds = Fds()
        self.containers: dict[str, Container] = {}
        self.users: dict[tuple[str, int], User] = {}
        """By container id ("" for the host) and uid."""
        self.groups: dict[tuple[str, int], Group] = {}
        self.interfaces: list[Interface] = []
        self.machine: Machine | None = None
        self.damage: list[Damage] = []
        self.revision = 0
        """Raised after every change of a fact that is already readable: whatever was computed from tables is stale."""
        self._summed = _Sums()

    @property
    def events(self) -> int:
        """Events in sealed segments, hidden ones included."""
        if not self.segments:
            return 0
        last = self.segments[-1]
        return last.first + len(last)

    def since(self, number: int, window: Window | None = None) -> list[Segment]:
        """The segments after the first ``number`` events that overlap a window, None for all of them."""
        first = bisect_left(self.segments, number, key=lambda segment: segment.first)
        return [segment for segment in self.segments[first:] if segment.overlaps(window)]

    @property
    def time_span(self) -> tuple[int, int]:
        """Smallest and largest time stamp of visible events, ns since epoch; (0, 0) before the first."""
        summed = self._sums()
        return summed.start, summed.end

    @property
    def memory(self) -> Memory:
        """What is held, computed cheaply enough to be asked often."""
        tables = _THREAD_BYTES * len(self.threads) + self.fds.nbytes
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

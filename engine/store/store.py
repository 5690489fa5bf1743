"""The store: segments in file order, and the tables their columns point at.

Owns what is kept and for how long. One thread appends, any thread reads what was there when it
looked: lists and columns only grow, rows already there do not change (but see facts learned late,
``model.facts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.model.facts import Container, Group, Interface, Machine, Thread, User
from engine.model.fds import Fds
from engine.store.segment import Segment


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


class Store:
    """Everything captured so far."""

    def __init__(self, raw: RawBytes) -> None:
        self.raw = raw
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

    @property
    def events(self) -> int:
        """Events in sealed segments, hidden ones included."""
        if not self.segments:
            return 0
        last = self.segments[-1]
        return last.first + len(last)

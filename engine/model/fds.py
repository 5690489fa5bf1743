"""The fd table: one row per version of an open file, socket or other descriptor.

Owns the columns and the interned identities they point at. Which call makes which row is the decoder's
business. One writer appends; readers take a view of what was there when they asked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.events import FdKind
from engine.model.facts import Socket

FD = np.dtype(
    [
        ("kind", "u1"),  # events.FdKind
        ("identity", "<i4"),  # index in Fds.identities
        ("flags", "<u4"),  # open flags of the scap format
        ("dev", "<u4"),
        ("ino", "<u8"),
        ("thread", "<i4"),  # row of the thread that made it, -1 unknown
        ("first", "<i8"),  # number of the first event it is in force for
        ("last", "<i8"),  # number of the event that ended it, -1 while open
    ]
)


class Identity(NamedTuple):
    """What an fd row shares with every other opening of the same thing."""

    kind: FdKind
    name: bytes
    """A path, a unix path, or the text of a socket's ends."""
    socket: Socket | None
    """The ends of an IPv4 or IPv6 socket."""


class Fds:
    """Rows of dtype FD, growing, and the identities they point at, interned."""

    def __init__(self) -> None:
        self.identities: list[Identity] = []
        self._ids: dict[Identity, int] = {}
        self._rows: NDArray[Any] = np.zeros(1024, FD)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[Any]:
        """The rows there are now, without copying."""
        return self._rows[: self._count]

    def identity(self, kind: FdKind, name: bytes, socket: Socket | None = None) -> int:
        """The index of an identity, given on first sight. O(1)."""
        wanted = Identity(kind, name, socket)
        known = self._ids.get(wanted)
        if known is None:
            known = self._ids[wanted] = len(self.identities)
            self.identities.append(wanted)
        return known

"""One event, looked at closely: its columns, who and what it is about, and its parameters.

Owns finding an event's raw record and cutting it into parameters (scap-format §9). Meaning and rendering
of parameters belong to ``engine.fields``.
"""

from __future__ import annotations

import struct
from functools import cached_property

from engine.events import CATALOGUE, SCAP_TYPES, EventType, Trait
from engine.model.facts import Thread
from engine.model.fds import Identity
from engine.store.segment import NO_FD, NO_RESULT, UNKNOWN_LATENCY, Segment
from engine.store.store import Store

_FLAGGED = frozenset({0x208, 0x217, 0x222})
"""Event blocks that have dump flags before the event's header."""
_V1 = frozenset({0x204, 0x208, 0x8010ABCD})
"""Event blocks whose events do not tell how many parameters they have."""
_V1_HEADER, _V2_HEADER = 22, 26
_WIDE = frozenset(kind.code for kind in CATALOGUE if kind.traits & Trait.LARGE_PAYLOAD)
"""Types whose parameter lengths take four bytes."""
_OVERCOUNTED = {280: 3, 286: 3}
"""Bytes that old writers counted too much in the length of some types."""


def _v1_lengths(event: memoryview, code: int) -> tuple[int, ...]:
    """Parameter lengths of an event that does not tell their number: the largest number that adds up."""
    (told,) = struct.unpack_from("<I", event, 16)
    told -= _OVERCOUNTED.get(code, 0)
    for count in sorted(CATALOGUE[code].counts, reverse=True):
        if _V1_HEADER + 2 * count <= len(event):
            lengths = struct.unpack_from(f"<{count}H", event, _V1_HEADER)
            if _V1_HEADER + 2 * count + sum(lengths) == told:
                return lengths
    return ()


def _cut(block: memoryview) -> tuple[bytes | None, ...]:
    """The parameters in an event block; those there are when it is not whole."""
    (kind,) = struct.unpack_from("<I", block)
    event = block[14 if kind in _FLAGGED else 10 :]
    (code,) = struct.unpack_from("<H", event, 20)
    if code >= SCAP_TYPES:
        return ()
    if kind in _V1:
        at, size = _V1_HEADER, 2
        lengths = _v1_lengths(event, code)
    else:
        at, size = _V2_HEADER, 4 if code in _WIDE else 2
        (count,) = struct.unpack_from("<I", event, 22)
        if at + size * count > len(event):
            return ()
        lengths = struct.unpack_from(f"<{count}{'I' if size == 4 else 'H'}", event, at)
    at += size * len(lengths)
    params: list[bytes | None] = []
    for length in lengths[: len(CATALOGUE[code].params)]:
        params.append(bytes(event[at : at + length]) if length else None)
        at += length
    return tuple(params)


class Event:
    """The event in one row of a segment."""

    def __init__(self, store: Store, segment: Segment, row: int) -> None:
        self.store = store
        self.segment = segment
        self.row = row
        self.number = segment.first + row + 1
        self.time = int(segment.time[row])
        self.cpu = int(segment.cpu[row])
        self.type: EventType = CATALOGUE[segment.type[row]]

    @property
    def thread(self) -> Thread | None:
        """The thread version in force, None for events without a thread."""
        row = int(self.segment.thread[self.row])
        return self.store.threads[row] if row >= 0 else None

    @property
    def fd_number(self) -> int | None:
        """The fd the event is about."""
        number = int(self.segment.fd[self.row])
        return None if number == NO_FD else number

    @property
    def fd(self) -> Identity | None:
        """What that fd was, when known."""
        row = int(self.segment.fd_row[self.row])
        return self.store.fds.identities[self.store.fds.rows["identity"][row]] if row >= 0 else None

    @property
    def result(self) -> int | None:
        """Result of an exit."""
        value = int(self.segment.result[self.row])
        return None if value == NO_RESULT else value

    @property
    def latency(self) -> int | None:
        """ns from enter to exit, None when the enter is unknown, 0 of enters."""
        value = int(self.segment.latency[self.row])
        return None if value == UNKNOWN_LATENCY else value

    @cached_property
    def params(self) -> tuple[bytes | None, ...]:
        """Raw parameters in table order; None where the record has none or an empty one."""
        start = int(self.segment.offset[self.row])
        if start < 0:
            return ()
        following = self.row + 1
        end = int(self.segment.offset[following]) if following < len(self.segment) else self.segment.end
        try:
            return _cut(self.store.raw.read(start, end))
        except struct.error:
            # The file was cut since it was decoded.
            return ()

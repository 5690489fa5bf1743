"""One event, looked at closely: its columns, who and what it is about, and its parameters.

Owns finding an event's raw record and cutting it into parameters (scap-format §9). Meaning and rendering
of parameters belong to ``engine.fields``.
"""

from __future__ import annotations

from functools import cached_property

from engine.events import CATALOGUE, EventType
from engine.model.facts import Thread
from engine.model.fds import Identity
from engine.store.segment import NO_FD, NO_RESULT, UNKNOWN_LATENCY, Segment
from engine.store.store import Store


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
        raise NotImplementedError

"""Who and what the numbers in an event's parameters stood for when it happened.

Threads by tid and descriptors by number change hands; these look-ups go by the event's place in the stream.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from engine.decode.event import Event
from engine.fields.index import Index
from engine.model.facts import Thread
from engine.model.fds import Identity
from engine.store.store import Store


class _Versions:
    """Rows of the thread table by tid, kept up with the table's growth."""

    def __init__(self) -> None:
        self._indexed = 0
        self._rows: dict[int, list[int]] = {}

    def at(self, store: Store, tid: int, number: int) -> Thread | None:
        rows = len(store.threads)
        for row in range(self._indexed, rows):
            self._rows.setdefault(store.threads[row].tid, []).append(row)
        self._indexed = rows
        candidates = self._rows.get(tid, ())
        place = bisect_right(candidates, number, key=lambda row: store.threads[row].first)
        if not place:
            return None
        found = store.threads[candidates[place - 1]]
        return found if found.ended < 0 or number <= found.ended else None


_versions = Index(_Versions)


def version_at(store: Store, tid: int, number: int) -> Thread | None:
    """The version of a thread in force at the event of a number; None when there was no such thread."""
    return _versions.of(store).at(store, tid, number)


def thread_at(event: Event, tid: int) -> Thread | None:
    """The version of a thread in force at an event; None when there was no such thread."""
    return version_at(event.store, tid, event.number)


def fd_at(event: Event, number: int, place: int) -> Identity | None:
    """What descriptor ``number``, found in parameter ``place`` of an event, stood for; None when unknown."""
    if number == event.fd_number:
        return event.fd
    others = event.segment.others
    start, end = np.searchsorted(others["event"], (event.row, event.row + 1))
    for other in others[start:end]:
        if other["place"] == place:
            fds = event.store.fds
            return fds.identities[int(fds.rows["identity"][other["row"]])]
    return None


def enter_of(event: Event) -> Event | None:
    """The enter an exit was matched with, where it is not far back; None of events that have none."""
    latency = event.latency
    if not event.type.is_exit or latency is None:
        return None
    code, moment = event.type.code - 1, event.time - latency
    at = bisect_right(event.store.segments, event.segment.first, key=lambda one: one.first) - 1
    for segment in reversed(event.store.segments[max(at - _BACK, 0) : at + 1]):
        before = event.row if segment is event.segment else len(segment)
        found = np.flatnonzero((segment.time[:before] == moment) & (segment.type[:before] == code))
        if len(found):
            return Event(event.store, segment, int(found[-1]))
    return None


_BACK = 2
"""Segments before an exit's own that may have its enter."""


def event_of(store: Store, number: int) -> Event | None:
    """The event of a number; None where it is not kept any more."""
    at = bisect_right(store.segments, number - 1, key=lambda one: one.first) - 1
    if at < 0 or number > store.segments[at].first + len(store.segments[at]):
        return None
    return Event(store, store.segments[at], number - 1 - store.segments[at].first)

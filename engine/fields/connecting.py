"""How long connections took to be established: of the event that completed one.

A connect that waits completes it itself. One that does not (EINPROGRESS) is followed by the first call that moves data,
or by a second connect that succeeds. States of connections are kept from segment to segment.
"""

from __future__ import annotations

import errno
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np
from sortedcontainers import SortedDict

from engine.events import Category, FdKind
from engine.fields.columns import by_type, of_fd_rows
from engine.fields.field import Field, FieldType, Numbers, Place
from engine.store.segment import Segment
from engine.store.store import Store

_CONNECTS = by_type(lambda kind: kind.is_exit and kind.name == "connect")
_MOVES = by_type(lambda kind: kind.is_exit and kind.category in (Category.IO_READ, Category.IO_WRITE))
_KINDS = [int(kind) for kind in (FdKind.IPV4, FdKind.IPV6)]
_MOST = 1 << 16
"""Connections that are waited for, and times that are kept, the newest ones."""


class _Connects:
    """What was found of a store so far."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken = store.forgotten
        self._compactions = store.compactions
        self._waiting: dict[int, int] = {}
        """When the connect began that an fd row waits for, ns since epoch."""
        self._times = SortedDict()
        """How long a connect took, ns, by the number of the event that ends it."""
        self._lock = RLock()

    def of(self, segment: Segment) -> Numbers:
        with self._lock:
            if self._compactions != self._store.compactions:
                self._compactions = self._store.compactions
                self._waiting.clear()
            for each in self._store.since(self._taken):
                self._take(each)
                self._taken = each.first + len(each)
            numbers = list(self._times.irange(segment.first + 1, segment.first + len(segment)))
            values = np.zeros(len(segment), np.int64)
            present = np.zeros(len(segment), np.bool_)
            rows = np.array(numbers, np.int64) - segment.first - 1
            values[rows], present[rows] = [self._times[number] for number in numbers], True
        return Numbers(values, present)

    def _take(self, segment: Segment) -> None:
        connects = _CONNECTS[segment.type] & (segment.fd_row >= 0)
        begun = segment.fd_row[connects & (segment.result == -errno.EINPROGRESS)]
        if not connects.any() and not self._waiting:
            return
        awaited = np.append(begun, np.fromiter(self._waiting, np.int64))
        moves = _MOVES[segment.type] & (segment.result > 0)
        moves[moves] = np.isin(segment.fd_row[moves], awaited)
        kinds, _ = of_fd_rows(segment, self._store, "kind")
        for row in np.flatnonzero((connects | moves) & np.isin(kinds, _KINDS)).tolist():
            self._step(segment, row, bool(connects[row]))
        while len(self._times) > _MOST:
            self._times.popitem(0)

    def _step(self, segment: Segment, row: int, is_connect: bool) -> None:
        fd_row, time = int(segment.fd_row[row]), int(segment.time[row])
        result, latency = int(segment.result[row]), int(segment.latency[row])
        since = self._waiting.get(fd_row)
        if is_connect and result == -errno.EINPROGRESS:
            if len(self._waiting) < _MOST:
                self._waiting[fd_row] = time - max(latency, 0)
            return
        if is_connect and result < 0:
            if result != -errno.EALREADY:
                self._waiting.pop(fd_row, None)
            return
        took = time - since if since is not None else latency if is_connect else -1
        self._waiting.pop(fd_row, None)
        if took >= 0:
            self._times[segment.first + row + 1] = took


_kept: WeakKeyDictionary[Store, _Connects] = WeakKeyDictionary()


def _value(segment: Segment, store: Store, _: str | None) -> Numbers:
    found = _kept.get(store)
    if found is None:
        found = _kept[store] = _Connects(store)
    return found.of(segment)


FIELDS = (
    Field(
        "evt.connecttime",
        FieldType.DURATION,
        "time a connection took to be established, of the event that completed it",
        _value,
        Place.EVENT,
        "event",
        own=True,
        example="evt.connecttime > 100ms",
    ),
)

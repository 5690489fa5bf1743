"""Spans that programs tell by writing to /dev/null: ``>:id:tag.tag:argument=value:`` begins one, with ``<`` it ends.

A span is told by the event that ends it. The id may be a number, or t, p or pp for the thread, process or parent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np
from sortedcontainers import SortedKeyList

from engine.events import FdKind
from engine.model.fds import Identity
from engine.protocols.message import shortened
from engine.protocols.payloads import MOVES, WRITES, located, payload_of
from engine.store.by_row import ByFdRow
from engine.store.segment import Segment
from engine.store.store import Store

MOST = 1 << 18
"""Spans kept of a store; beyond, the older half is forgotten."""
_MOST_OPEN = 1 << 16
_MOST_TAGS = 32
_PATH = b"/dev/null"
_BEGINS, _ENDS = ord(">"), ord("<")


def _are_null(identities: Sequence[Identity]) -> list[bool]:
    """Which are the null device."""
    return [each.kind in (FdKind.FILE, FdKind.FILE_V2) and each.name == _PATH for each in identities]


@dataclass(frozen=True, slots=True)
class Span:
    """A span that ended."""

    number: int
    """Number of the event that ended it."""
    id: int
    tags: tuple[bytes, ...]
    arguments: bytes
    """As they were when it began."""
    took: int
    """ns."""


class Spans:
    """The spans of a store found so far."""

    def __init__(self, store: Store) -> None:
        """Begin with nothing looked at."""
        self._store = store
        self._taken = store.forgotten
        self._open: OrderedDict[tuple[int, tuple[bytes, ...]], tuple[int, bytes]] = OrderedDict()
        """Time and arguments by id and tags."""
        self._found = SortedKeyList(key=lambda span: span.number)
        self._compactions = store.compactions
        self._null = ByFdRow(np.bool_, False)
        """Whether fd rows are the null device."""
        self._lock = RLock()

    def of(self, segment: Segment) -> list[Span]:
        """The spans that end in a segment, ascending."""
        with self._lock:
            for each in self._store.since(self._taken):
                self._take(each)
                self._taken = each.first + len(each)
            if len(self._found) > MOST:
                del self._found[: MOST // 2]
            return list(self._found.irange_key(segment.first + 1, segment.first + len(segment)))

    def _take(self, segment: Segment) -> None:
        store = self._store
        if self._compactions != store.compactions:
            self._compactions, self._null = store.compactions, ByFdRow(np.bool_, False)
        there = self._null.of_fds(store.fds, segment.fd_row, segment.fd_span, _are_null)
        writes = np.flatnonzero(
            MOVES[segment.type] & WRITES[segment.type] & there[segment.fd_row] & (segment.offset >= 0)
        )
        if not len(writes):
            return
        data, starts, lengths = located(store, segment, writes)
        if not len(data):
            return
        heads = np.frombuffer(data, np.uint8)[starts]
        told = (lengths == -2) | ((lengths > 0) & ((heads == _BEGINS) | (heads == _ENDS)))
        for row in writes[told].tolist():
            self._tracer(segment, row, payload_of(store, segment, row) or b"")

    def _tracer(self, segment: Segment, row: int, payload: bytes) -> None:
        parts = payload.split(b":", 4)
        if len(parts) < 4 or parts[0] not in (b">", b"<"):
            return
        number = self._id(segment, row, parts[1])
        tags = tuple(map(shortened, parts[2].split(b".", _MOST_TAGS)[:_MOST_TAGS]))
        if number is None or not tags[0]:
            return
        time = int(segment.time[row])
        if parts[0] == b">":
            self._open[number, tags] = time, shortened(parts[3])
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
            return
        begun = self._open.pop((number, tags), None)
        if begun is not None:
            self._found.add(Span(segment.first + row + 1, number, tags, begun[1], max(time - begun[0], 0)))

    def _id(self, segment: Segment, row: int, text: bytes) -> int | None:
        if text.isdigit():
            return int(text[:18])
        place = int(segment.thread[row])
        if place < 0:
            return None
        thread = self._store.threads[place]
        return {b"t": thread.tid, b"p": thread.pid, b"pp": thread.ptid}.get(text)


_kept: WeakKeyDictionary[Store, Spans] = WeakKeyDictionary()


def spans_of(store: Store) -> Spans:
    """The spans of a store; the same object again."""
    found = _kept.get(store)
    if found is None:
        found = _kept[store] = Spans(store)
    return found

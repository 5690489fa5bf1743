"""What several fields make of a segment's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from engine.events import CATALOGUE, EventType
from engine.fields.field import Numbers
from engine.store.segment import NO_RESULT, Segment
from engine.store.store import Store

Types = Callable[[EventType], bool]
"""Which event types are meant."""

OPENS = frozenset({"open", "openat", "openat2", "creat", "open_by_handle_at"})
"""Calls that open files."""
TALKS = frozenset({"send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg"})
"""Calls that may tell the ends of a socket."""


def is_call_exit(kind: EventType) -> bool:
    """True for the exits of system calls: what counts a call once."""
    return kind.is_syscall and kind.is_exit


def by_type(types: Types) -> NDArray[np.bool_]:
    """Whether each type code is meant."""
    return np.fromiter(map(types, CATALOGUE), np.bool_, len(CATALOGUE))


def truth(held: NDArray[np.bool_], present: NDArray[np.bool_] | None = None) -> Numbers:
    """A field of type BOOL."""
    return Numbers(held.view(np.uint8), present)


def failed(segment: Segment) -> NDArray[np.bool_]:
    """Which events are exits of calls that returned an error."""
    # Read without a sign, NO_RESULT is the least of the negative numbers.
    errors: NDArray[np.bool_] = segment.result.view(np.uint64) > np.uint64(NO_RESULT % 2**64)
    return errors


def integers(values: Iterable[int | None], absent: int = 0) -> NDArray[np.int64]:
    """Numbers as captures tell them, of up to 64 bits without a sign; what is larger than int64 becomes its most."""
    return np.array([absent if one is None else min(one, _MOST) for one in values], np.int64)


_MOST = 2**63 - 1


def of_fd_rows(segment: Segment, store: Store, column: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A column of the fd table for each event, and where the event has a row; -1 elsewhere."""
    values = np.full(len(segment), -1, np.int64)
    known: NDArray[np.bool_] = segment.fd_row >= 0
    values[known] = store.fds.rows[column][segment.fd_row[known]].astype(np.int64)
    return values, known


def thread_and_fd(segment: Segment, *_: object) -> NDArray[np.int64]:
    """One number for each pair of thread row and fd row."""
    keys: NDArray[np.int64] = (segment.thread.astype(np.int64) << 32) | (segment.fd_row.astype(np.int64) & 0xFFFFFFFF)
    return keys

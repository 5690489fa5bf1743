"""Terms about one parameter of the record: found for many rows at once, each distinct content decided once.

What the field says of an event is asked as of any late field; here is only decided for which rows it need not be.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.parameters import WIDE
from engine.decode.records import locate, recall, search
from engine.events import CATALOGUE, EventType
from engine.fields.field import Place
from engine.filters.plan import Mask, Plan, Rows, Test
from engine.store.segment import Segment
from engine.store.store import Store

Parameters = Callable[[EventType], int | None]
"""The index of the parameter a field is read from, None where the field is absent."""

_MEMO = 1 << 16
"""Contents remembered; past that all are forgotten."""
_FDS = 1 << 20
"""Larger numbers of fds do not fit a key."""
_OF_PLACE = frozenset({"FD", "FD32", "PID", "PID32", "UID", "GID", "FSPATH", "FSRELPATH", "FDLIST", "DYN"})
"""Types whose text depends on more than their bytes."""


class ParameterTerm(Plan):
    """Decided by a test of an event, whose answer is that of one of its parameters."""

    place = Place.LATE

    def __init__(self, parameters: Parameters, test: Test, *, raw: bool, needle: bytes | None) -> None:
        """``raw`` when the bytes alone decide; ``needle`` when they decide by containing it."""
        self._test = test
        self._needle = needle
        indexes = [parameters(kind) for kind in CATALOGUE]
        self._places = np.array([-1 if index is None else index for index in indexes], np.int32)
        self._fixed = np.array(
            [
                index is not None and (raw or kind.params[index].type not in _OF_PLACE)
                for kind, index in zip(CATALOGUE, indexes, strict=True)
            ]
        )
        self._own = np.array(
            [index is not None and index == kind.fd_param for kind, index in zip(CATALOGUE, indexes, strict=True)]
        )
        self._memo: dict[tuple[int, bytes], bool] = {}
        self._made_of: tuple[Store, int] | None = None

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when no type in the segment has such a parameter."""
        return bool((self._places[segment.types_present] >= 0).any())

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """As of every plan."""
        types = segment.type if rows is None else segment.type[rows]
        held = np.zeros(len(types), np.bool_)
        chosen = np.flatnonzero(self._places[types] >= 0)
        asked = chosen if rows is None else rows[chosen]
        fixed = self._fixed[segment.type[asked]] | self._own_fds(segment, asked)
        held[chosen[~fixed]] = self._each(store, segment, asked[~fixed])
        held[chosen[fixed]] = self._together(store, segment, asked[fixed])
        return held

    def _own_fds(self, segment: Segment, rows: NDArray[np.intp]) -> Mask:
        """Rows whose parameter is the event's own fd and that mention no other."""
        numbers = segment.fd[rows]
        own: Mask = self._own[segment.type[rows]] & (numbers >= 0) & (numbers < _FDS)
        mentioning = np.zeros(len(segment), np.bool_)
        mentioning[segment.others["event"]] = True
        return own & ~mentioning[rows]

    def _each(self, store: Store, segment: Segment, rows: NDArray[np.intp]) -> Mask:
        answers = (self._test(Event(store, segment, row), store) for row in rows.tolist())
        return np.fromiter(answers, np.bool_, len(rows))

    def _together(self, store: Store, segment: Segment, rows: NDArray[np.intp]) -> Mask:
        """The answers for rows that the content of the parameter alone decides."""
        held = np.zeros(len(rows), np.bool_)
        if not len(rows):
            return held
        following = np.append(segment.offset[1:], segment.end)
        begins, ends = segment.offset[rows], following[rows]
        # Rows made up for processes without events have no record, and none of its parameters.
        base = int(begins.min())
        if base < 0:
            return self._each(store, segment, rows)
        data = store.raw.read(base, int(ends.max()))
        starts, lengths = np.empty(len(rows), np.int64), np.empty(len(rows), np.int32)
        if not len(data):
            # The file was cut since.
            return self._each(store, segment, rows)
        locate(data, begins - base, ends - base, self._places[segment.type[rows]], WIDE, starts, lengths)
        if self._needle is not None:
            search(data, starts, lengths, self._needle, held.view(np.uint8))
            unknown = np.flatnonzero(lengths == -2)
        else:
            unknown = self._recalled(store, segment, rows, data, starts, lengths, held)
        if len(unknown):
            held[unknown] = self._each(store, segment, rows[unknown])
        return held

    def _recalled(
        self,
        store: Store,
        segment: Segment,
        rows: NDArray[np.intp],
        data: memoryview,
        starts: NDArray[np.int64],
        lengths: NDArray[np.int32],
        held: Mask,
    ) -> NDArray[np.intp]:
        """Set what is remembered or found out once for each content; the rows to look at one by one."""
        made_of = (store, store.revision)
        codes = segment.type[rows]
        if made_of != self._made_of or len(self._memo) > _MEMO:
            self._made_of, self._memo = made_of, {}
        keys = codes.astype(np.int64)
        own = ~self._fixed[codes]
        keys[own] |= (segment.fd_row[rows[own]].astype(np.int64) + 1) << 11
        keys[own] |= segment.fd[rows[own]].astype(np.int64) << 43
        found = recall(data, starts, lengths, keys, self._memo, held.view(np.uint8))
        odd: list[int] = []
        for index in found:
            length = int(lengths[index])
            if length < 0:
                odd.append(index)
                continue
            start = int(starts[index])
            key = (int(keys[index]), bytes(data[start : start + length]))
            answer = self._memo.get(key)
            if answer is None:
                answer = self._memo[key] = self._test(Event(store, segment, int(rows[index])), store)
            held[index] = answer
        return np.array(odd, np.intp)

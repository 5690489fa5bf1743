"""Terms about one parameter of the record: found in the raw bytes of many rows at once, without an event each.

What the field says of an event is ``engine.fields``'. Here is decided on what a parameter's answer depends besides its
bytes (the descriptor or the directory they mean), so that texts and numbers are made of the bytes at once, and
everything else is asked once for each content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.parameters import WIDE, whole_numbers
from engine.decode.records import contents, locate, numbers, recall, search
from engine.events import CATALOGUE, EventType
from engine.fields.family import process_of
from engine.fields.field import FieldType, Place, Value
from engine.fields.render import text_maker, value_of
from engine.fields.values import CURRENT_DIRECTORY, directory_of_fd, numbered, tagged
from engine.filters.kernels import placed_texts, search_placed, spread
from engine.filters.plan import EventTest, Mask, Plan, Rows
from engine.filters.sides import Side
from engine.store.by_row import ByRow
from engine.store.segment import Segment
from engine.store.store import Store

_MEMO = 1 << 16
"""Contents remembered; past that all are forgotten."""
_FAR = 1 << 16
"""Bytes between two records past which what lies between is not read."""
_UNSIGNED_DIRECTORY = CURRENT_DIRECTORY + (1 << 32)
"""The working directory's number, read from four bytes without sign."""
_SIGNED = frozenset({"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "FD32", "PID", "PID32"})
_NUMERIC = _SIGNED | {"UINT8", "UINT16", "UINT32", "UINT64", "UID", "GID", "RELTIME", "ABSTIME", "PORT", "SYSCALLID"}


class _How(IntEnum):
    """What the answer about a parameter takes."""

    ABSENT = -1
    """The type has no such parameter."""
    BYTES = 0
    """The value is made of the bytes."""
    FEW = 1
    """The same, of flags and numbers that come again and again."""
    FD = 2
    """The number and what the descriptor stood for."""
    PATH = 3
    """The bytes and the working directory."""
    RELATIVE = 4
    """The bytes and the directory another parameter tells."""
    NUMBER = 5
    """Numbers answered many at a time."""
    EACH = 6
    """Each event by itself: threads and users by number, lists of descriptors, parameters of many types."""


_EACH = frozenset({"PID", "PID32", "UID", "GID", "FDLIST", "DYN"})
_MANY = frozenset({"CHARBUF", "BYTEBUF", "SOCKADDR", "SOCKTUPLE"})
"""Types whose contents are mostly new."""


def _how(kind: EventType, place: int | None, raw: bool, arrays: bool) -> _How:
    if place is None:
        return _How.ABSENT
    told = kind.params[place].type
    if raw:
        return _How.NUMBER if arrays and told in _NUMERIC else _How.BYTES
    if told == "FSRELPATH" and kind.params[place].dirfd_param is not None:
        return _How.RELATIVE
    if told in ("FSPATH", "FSRELPATH"):
        return _How.PATH if told == "FSPATH" else _How.EACH
    if told in ("FD", "FD32"):
        return _How.FD
    return _How.EACH if told in _EACH else _How.BYTES if told in _MANY else _How.FEW


class ParameterTerm(Plan):
    """Decided by the value of one parameter."""

    place = Place.LATE

    def __init__(
        self, side: Side, answer: Callable[[Any], Any], test: EventTest, text: str, needle: bytes | None, arrays: bool
    ) -> None:
        """``answer`` decides about a present value, ``test`` about an event; ``needle`` when the answer is whether the
        bytes contain it; ``arrays`` when numbers may be asked many at a time."""
        super().__init__()
        assert side.field and side.field.parameter
        self.text = text
        self._answer = answer
        self._test = test
        self._needle = needle or None
        self._is_bytes = side.type is FieldType.BYTES
        self._native = int if side.type is FieldType.INTEGER else bytes
        self._raw = raw = side.name != "evt.arg"
        indexes = [side.field.parameter(kind, side.argument) for kind in CATALOGUE]
        self._places = np.array([-1 if index is None else index for index in indexes], np.int32)
        how = [_how(kind, index, raw, arrays) for kind, index in zip(CATALOGUE, indexes, strict=True)]
        self._how = np.array(how, np.int8)
        self._having = (self._how >= 0).view(np.uint8)
        self._directories = np.array(
            [
                kind.params[place].dirfd_param if way is _How.RELATIVE else -1
                for kind, place, way in zip(CATALOGUE, self._places.tolist(), how, strict=True)
            ],
            np.int32,
        )
        self._signed = np.array(
            [
                place >= 0 and kind.params[place].type in _SIGNED
                for kind, place in zip(CATALOGUE, self._places, strict=True)
            ]
        )
        self._memo: dict[tuple[int, bytes], bool] = {}
        self._of_identity = ByRow(np.bool_, False)
        self._made_of: tuple[Store, int] | None = None

    @property
    def way(self) -> str:
        """As of every plan."""
        return "search in raw bytes" if self._needle is not None and self._is_bytes else "raw bytes"

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when no type in the segment has such a parameter."""
        return bool((self._places[segment.types_present] >= 0).any())

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        if rows is None:
            having = np.empty(len(segment), np.bool_)
            spread(self._having, segment.type, having.view(np.uint8))
        else:
            having = self._how[segment.type[rows]] >= 0
        held = np.zeros(len(having), np.bool_)
        chosen = np.flatnonzero(having)
        if len(chosen):
            asked = chosen if rows is None else rows[chosen]
            held[chosen] = self._answers(store, segment, asked, self._how[segment.type[asked]])
        return held

    def _answers(self, store: Store, segment: Segment, rows: NDArray[np.intp], how: NDArray[np.int8]) -> Mask:
        """The answers for rows that have the parameter; records far from each other are read one by one."""
        ends = np.flatnonzero(np.diff(segment.offset[rows]) > _FAR) + 1
        if not len(ends):
            return self._near_answers(store, segment, rows, how)
        pieces = zip(np.split(rows, ends), np.split(how, ends), strict=True)
        return np.concatenate([self._near_answers(store, segment, *piece) for piece in pieces])

    def _near_answers(self, store: Store, segment: Segment, rows: NDArray[np.intp], how: NDArray[np.int8]) -> Mask:
        held = np.zeros(len(rows), np.bool_)
        starts, lengths = np.empty(len(rows), np.int64), np.full(len(rows), -2, np.int32)
        begins, following = segment.offset[rows], np.minimum(rows + 1, len(segment) - 1)
        ends = np.where(rows + 1 < len(segment), segment.offset[following], segment.end)
        base = int(begins.min())
        # Rows made up for processes without events have no record; and the file may have been cut since.
        data = store.raw.read(base, int(ends.max())) if base >= 0 else b""
        if len(data):
            locate(data, begins - base, ends - base, self._places[segment.type[rows]], WIDE, starts, lengths)
        each = (lengths == -2) | (how == _How.EACH)
        located = ~each & (lengths >= 0)
        for way in np.unique(how[located]).tolist():
            these = np.flatnonzero(located & (how == way))
            found = _Found(store, segment, rows[these], data, starts[these], lengths[these])
            held[these] = self._of[_How(way)](self, found)
        left = np.flatnonzero(each)
        held[left] = self._each(store, segment, rows[left])
        return held

    def _each(self, store: Store, segment: Segment, rows: NDArray[np.intp]) -> Mask:
        answers = (self._test(Event(store, segment, row), store) for row in rows.tolist())
        return np.fromiter(answers, np.bool_, len(rows))

    def _of_bytes(self, found: _Found) -> Mask:
        held = np.zeros(len(found.rows), np.bool_)
        if self._needle is not None and self._is_bytes:
            search(found.data, found.starts, found.lengths, self._needle, held.view(np.uint8))
            return held
        codes = found.segment.type[found.rows]
        made = {code: self._maker(CATALOGUE[code]) for code in np.unique(codes).tolist()}
        values = (made[code](raw or b"") for code, raw in zip(codes.tolist(), found.contents(), strict=True))
        return self._decided(values, len(held))

    def _maker(self, kind: EventType) -> Callable[[bytes], Value]:
        """What makes the value of the parameter's bytes, empty ones when there are none."""
        place = int(self._places[kind.code])
        if not self._raw:
            return text_maker(kind.code, place)
        told = kind.params[place].type
        return lambda raw: value_of(told, raw) if raw else None

    def _decide(self, value: Value) -> bool:
        return isinstance(value, self._native) and bool(self._answer(value))

    def _decided(self, values: Iterable[Value], count: int) -> Mask:
        return np.fromiter(map(self._decide, values), np.bool_, count)

    def _of_numbers(self, found: _Found) -> Mask:
        signed = self._signed[found.segment.type[found.rows]]
        values = found.numbers()
        held = np.zeros(len(values), np.bool_)
        held[signed] = self._answer(values[signed])
        unused = np.uint64(64) - found.lengths[~signed].clip(1, 8).astype(np.uint64) * np.uint64(8)
        held[~signed] = self._answer(values[~signed].view(np.uint64) << unused >> unused)
        return held & (found.lengths > 0)

    def _of_few(self, found: _Found) -> Mask:
        if len(self._memo) > _MEMO:
            self._memo = {}
        held = np.zeros(len(found.rows), np.bool_)
        codes = found.segment.type[found.rows].astype(np.int64)
        made = {code: self._maker(CATALOGUE[code]) for code in np.unique(codes).tolist()}
        for index in recall(found.data, found.starts, found.lengths, codes, self._memo, held.view(np.uint8)):
            start, code = int(found.starts[index]), int(codes[index])
            raw = bytes(found.data[start : start + int(found.lengths[index])])
            held[index] = answer = self._decide(made[code](raw))
            self._memo[code, raw] = answer
        return held

    def _of_fds(self, found: _Found) -> Mask:
        told = found.numbers()
        places = self._places[found.segment.type[found.rows]]
        identities = np.where(told >= 0, found.identities(told, places), -1)
        # The text of a known descriptor is that of what it stood for, of another one that of its number.
        made_of = (found.store, found.store.revision)
        if made_of != self._made_of:
            self._of_identity, self._made_of = ByRow(np.bool_, False), made_of
        held = self._of_identity.at(
            found.store.fds.identities,
            identities[identities >= 0],
            lambda identities: [self._decide(tagged(identity)) for identity in identities],
        )[identities]
        unknown = identities < 0
        numbers, at = np.unique(told[unknown], return_inverse=True)
        texts = (meaning or number for number, meaning in (numbered(one, None) for one in numbers.tolist()))
        held[unknown] = self._decided(texts, len(numbers))[at]
        return held & (found.lengths > 0)

    def _of_paths(self, found: _Found) -> Mask:
        return self._placed(found, *found.working_directories(np.ones(len(found.rows), np.bool_)))

    def _of_relative_paths(self, found: _Found) -> Mask:
        places = self._directories[found.segment.type[found.rows]]
        told = whole_numbers(found.store, found.segment, found.rows, places)
        told[told == _UNSIGNED_DIRECTORY] = CURRENT_DIRECTORY
        here = told == CURRENT_DIRECTORY
        bases, which = found.working_directories(here)
        identities = found.identities(told, places)
        distinct, at = np.unique(identities[~here], return_inverse=True)
        which[~here] = at + len(bases)
        known = found.store.fds.identities
        bases += (directory_of_fd(known[number] if number >= 0 else None) for number in distinct.tolist())
        held = self._placed(found, bases, which)
        # No number, or one that could be none.
        odd = np.flatnonzero(told == -1)
        held[odd] = self._each(found.store, found.segment, found.rows[odd])
        return held

    def _placed(self, found: _Found, bases: list[bytes], which: NDArray[np.int64]) -> Mask:
        if self._needle:
            held = np.zeros(len(which), np.bool_)
            search_placed(found.data, found.starts, found.lengths, bases, which, self._needle, held.view(np.uint8))
            return held
        return self._decided(placed_texts(found.data, found.starts, found.lengths, bases, which), len(which))

    _of: dict[_How, Callable[[ParameterTerm, _Found], Mask]] = {  # noqa: RUF012
        _How.BYTES: _of_bytes,
        _How.FEW: _of_few,
        _How.FD: _of_fds,
        _How.PATH: _of_paths,
        _How.RELATIVE: _of_relative_paths,
        _How.NUMBER: _of_numbers,
    }


class _Found:
    """Rows of a segment whose parameter was located in raw bytes."""

    def __init__(
        self,
        store: Store,
        segment: Segment,
        rows: NDArray[np.intp],
        data: memoryview | bytes,
        starts: NDArray[np.int64],
        lengths: NDArray[np.int32],
    ) -> None:
        self.store = store
        self.segment = segment
        self.rows = rows
        self.data = data
        self.starts = starts
        self.lengths = lengths

    def contents(self) -> list[bytes | None]:
        """The parameter's bytes of each row."""
        return contents(self.data, self.starts, self.lengths)

    def identities(self, told: NDArray[np.int64], places: NDArray[np.int32]) -> NDArray[np.int64]:
        """What the descriptor of a number, found in parameter ``places[i]`` of each row, stood for, as
        ``resolve.fd_at`` tells it; -1 where unknown."""
        others = self.segment.others
        fd_rows = np.full(len(self.rows), -1, np.int64)
        if len(others):
            codes = others["event"].astype(np.int64) << 16 | others["place"]
            order = np.argsort(codes, kind="stable")
            wanted = self.rows.astype(np.int64) << 16 | places
            at = np.minimum(np.searchsorted(codes[order], wanted), len(codes) - 1)
            mentioned = codes[order][at] == wanted
            fd_rows[mentioned] = others["row"][order[at[mentioned]]]
        own = self.segment.fd[self.rows] == told
        fd_rows[own] = self.segment.fd_row[self.rows[own]]
        identities = np.full(len(self.rows), -1, np.int64)
        known = fd_rows >= 0
        identities[known] = self.store.fds.rows["identity"][fd_rows[known]]
        return identities

    def numbers(self) -> NDArray[np.int64]:
        """The parameters as signed numbers of their size."""
        values = np.zeros(len(self.rows), np.int64)
        numbers(self.data, self.starts, self.lengths, values)
        unused = 64 - 8 * self.lengths.clip(1, 8).astype(np.int64)
        signed: NDArray[np.int64] = values << unused >> unused
        return signed

    def working_directories(self, wanted: Mask) -> tuple[list[bytes], NDArray[np.int64]]:
        """Working directories, and which of them is that of each row's process; -1 without a thread or where it is not
        wanted."""
        threads = self.segment.thread[self.rows]
        which = np.full(len(self.rows), -1, np.int64)
        told = wanted & (threads >= 0)
        distinct, which[told] = np.unique(threads[told], return_inverse=True)
        known, store = self.store.threads, self.store
        return [process_of(known[row], store).cwd for row in distinct.tolist()], which

"""Opening a native capture: tables are filled, segments stay in the file until they are asked for.

Owns the order of frames and what is done about damage: everything before it is kept.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np

from engine.decode.decoder import SEGMENT
from engine.sources.native.frames import (
    ENTRY,
    MAGIC,
    MOST_EVENTS,
    VERSION,
    Frame,
    FrameError,
    Kind,
    index,
    read_block,
    read_frame,
    scanned,
)  # fmt: skip
from engine.sources.native.schema import TableError
from engine.sources.native.segments import COLUMNS, NativeFile, NativeSegment, Piece
from engine.sources.native.taken import Taken
from engine.sources.scap import CaptureError
from engine.sources.sink import Sink
from engine.store.segment import Segment
from engine.store.store import Damage, Store

__all__ = ["MAGIC", "NativeSource"]

_AT_ONCE = 256
"""Frames a step takes in."""


class NativeSource:
    """A native capture being opened."""

    def __init__(self, path: str, file: int) -> None:
        """Take over an open descriptor and read the header. Raises CaptureError, OSError."""
        self._path = path
        self._file = file
        self._size = os.fstat(file).st_size
        try:
            header = read_frame(file, 0, self._size)
        except FrameError as error:
            raise CaptureError(f"{path}: at byte {error.offset}: {error}") from None
        version, schema = header.body.get("version"), header.body.get("thread")
        if header.kind != Kind.HEADER or version != VERSION or not isinstance(schema, list):
            raise CaptureError(f"{path}: at byte 0: expected a header of version {VERSION}, found {version}")
        self.single = header.body.get("calls") == "single"
        """Each call is one exit event, its latency in the column alone."""
        self._schema = schema
        entries = index(file, header.end, self._size)
        self._finished = entries is not None
        self._told = 0
        self._count = max(1, len(entries) if entries is not None else 1)
        self._entries = iter(entries.tolist() if entries is not None else scanned(file, header.end, self._size))
        self._taken: Taken | None = None
        self._store: Store | None = None
        self._first = -1
        self._events = 0
        self._ended = False
        self.raw = NativeFile(file, self._size, self._report)

    @property
    def progress(self) -> float:
        """How much was taken in, 0 to 1."""
        return 1.0 if self._ended else min(self._told / self._count, 1.0) if self._finished else 0.0

    def interrupt(self) -> None:
        """A file does not keep anybody waiting."""

    def close(self) -> None:
        """Close the file. Columns and ``raw`` cannot be read any more."""
        os.close(self._file)

    def step(self, sink: Sink) -> bool:
        """Take in the next frames; False when everything was. Damage is added to ``sink.store.damage``."""
        if self._ended:
            return False
        store = self._store = sink.store
        if self._taken is None:
            self._taken = Taken(store)
        small: list[Piece] = []
        more = False
        at = self._size
        try:
            for told in islice(self._entries, _AT_ONCE):
                more = True
                self._told += 1
                entry = np.array(told, ENTRY)
                at = int(entry["offset"])
                if entry["kind"] == Kind.TABLES:
                    self._tables(read_frame(self._file, at, self._size))
                elif entry["kind"] == Kind.SEGMENT:
                    piece = self._piece(entry, store)
                    if sum(one.count for one in small) + piece.count > SEGMENT:
                        self._append(small, sink)
                        small = []
                    small.append(piece)
        except FrameError as error:
            self._report(error, ends=True)
        except TableError as error:
            self._report(FrameError(at, str(error)), ends=True)
        except OSError as error:
            self._report(FrameError(at, f"could not be read: {error.strerror}"), ends=True)
        self._append(small, sink)
        self._ended |= not more
        if self._ended:
            with suppress(TableError):
                self._taken.link()
        return not self._ended

    def _tables(self, of: Frame) -> None:
        assert self._taken is not None
        self._taken.take(of.body, self._schema, lambda told: read_block(self._file, of, told))

    def _piece(self, entry: Any, store: Store) -> Piece:
        assert self._taken is not None
        self._taken.link()
        piece = Piece(self.raw, entry, len(store.threads), len(store.fds))
        if piece.count > MOST_EVENTS:
            raise FrameError(piece.at, f"expected up to {MOST_EVENTS} events, found {piece.count}")
        sound = piece.count > 0 and 0 <= piece.first < 2**62 and 0 <= piece.begin <= piece.end
        if not sound or (self._first >= 0 and (piece.first != self._first or piece.begin != self.raw.length)):
            raise FrameError(piece.at, f"expected events after {max(self._first, 0)}, found {piece.count} of others")
        if self._first < 0:
            store.forgotten = piece.first
        self._first = piece.first + piece.count
        self.raw.add(piece)
        return piece

    def _append(self, pieces: list[Piece], sink: Sink) -> None:
        """Add a segment, up to the number of events that is the limit."""
        if not pieces or self._store is None:
            return
        segment: Segment = NativeSegment(pieces)
        left = len(segment) if sink.limit is None else sink.limit - self._events
        if left < len(segment):
            self._ended = True
            if left <= 0:
                return
            columns = {name: getattr(segment, name) for name in COLUMNS}
            for name in columns:
                rows = columns[name]
                columns[name] = rows[rows["event"] < left] if rows.dtype.names else rows[:left]
            segment = Segment(first=segment.first, end=int(segment.offset[left]), **columns)
        self._events += len(segment)
        self._store.segments.append(segment)

    def _report(self, error: FrameError, *, ends: bool = False) -> None:
        """Record damage."""
        if self._store is not None:
            self._store.damage.append(Damage(self._path, error.offset, str(error), ends))
            self._store.revision += 1
        self._ended |= ends

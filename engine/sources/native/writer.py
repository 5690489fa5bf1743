"""Following a store into a native capture: its new rows and segments, one after another.

Owns the order of frames: rows of tables before the segments that point at them, an index at the end.
"""

from __future__ import annotations

import contextlib
import errno
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.sources.native.frames import ENTRY, VERSION, Data, Kind, frame, trailer
from engine.sources.native.schema import THREAD
from engine.sources.native.segments import COLUMNS, PAGE, about_fds
from engine.sources.native.told import Told
from engine.store.segment import Segment
from engine.store.store import Store


class NativeWriter:
    """A file that takes after a store. What was followed is in the file: a kill loses nothing of it."""

    def __init__(
        self,
        path: Path,
        store: Store,
        *,
        single: bool = False,
        compress: bool = False,
        front: bytes | None = None,
    ) -> None:
        """Create the file. Raises OSError.

        ``single``: each call is one exit event, with a latency that only its column tells. ``front`` are the blocks of
        a .scap file in front of its first event; None takes those of the store's own stream.
        """
        self._store = store
        self._compress = compress
        self._front = front
        self._tables_told = Told(store)
        self._entries = array("q")
        """Rows of the index, ENTRY's values one after another."""
        self._failed = False
        self._next = -1
        self._from = 0 if front is None else -1
        """Where in the store's stream the next segment's bytes begin; -1 at its first event."""
        self._raw = 0
        self.size = 0
        """Bytes written."""
        header = {
            "format": "syscope",
            "version": VERSION,
            "machine": list(store.machine) if store.machine is not None else None,
            "clock": {"unit": "ns", "epoch": "1970-01-01T00:00:00Z", "written": time.time_ns()},
            "calls": "single" if single else "paired",
            "thread": list(THREAD),
        }
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115
        self._write(Kind.HEADER, header)

    def _write(self, kind: Kind, body: dict[str, Any], data: Data | None = None, after: bytes = b"") -> None:
        made = frame(kind, body, data) + after
        rest = memoryview(made)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            # A full disk, most of all: what is there ends with a whole frame, and nothing but an index can follow, for
            # rows that were to be told are not.
            self._failed = True
            with contextlib.suppress(OSError):
                self._file.truncate(self._file.seek(self.size))
            raise
        self.size += len(made)

    def follow(self, most: int = 2**62) -> int:
        """Write the store's segments that are new, at most so many, and what they point at; the number of the last
        event in the file. Raises OSError."""
        segments = self._store.segments
        new = len(segments)
        while new and segments[new - 1].first >= self._next:
            new -= 1
        for segment in segments[new : new + most]:
            self._tables()
            self._segment(segment)
        return max(self._next, self._store.forgotten)

    def close(self) -> None:
        """Write what is left, unless that failed before, and the index. Raises OSError."""
        try:
            if not self._failed:
                self.follow()
                self._tables(every=True)
            data = Data(self._compress)
            told = data.add(self._index().view(np.uint8).data)
            self._write(Kind.INDEX, {"frames": told}, data, trailer(self.size))
        finally:
            self._file.close()

    def _index(self) -> NDArray[Any]:
        values = np.frombuffer(self._entries, np.int64).reshape(-1, len(ENTRY.names or ()))
        rows = np.empty(len(values), ENTRY)
        for at, name in enumerate(ENTRY.names or ()):
            rows[name] = values[:, at]
        return rows

    def _tables(self, *, every: bool = False) -> None:
        for body, data in self._tables_told.changes(self._compress, every=every):
            at = self.size
            self._write(Kind.TABLES, body, data)
            self._entries.extend((at, Kind.TABLES, 0, 0, 0, 0, 0, 0))

    def _segment(self, segment: Segment) -> None:
        source = int(segment.offset[0]) if self._from < 0 else self._from
        front = self._front or b""
        begin, shift = self._raw, self._raw + len(front) - source
        self._front = None
        self._from, self._raw = segment.end, segment.end + shift
        start, last = segment.time_span
        data = Data(self._compress)
        columns = {}
        for name, dtype in COLUMNS.items():
            values = self._moved(name, getattr(segment, name), shift)
            columns[name] = data.add(np.ascontiguousarray(values, dtype).view(np.uint8).data)
        pages = [data.add(page) for page in self._pages(front, source, segment.end)]
        body = {
            "count": len(segment),
            "first": segment.first,
            "start": start,
            "last": last,
            "begin": begin,
            "end": self._raw,
            "types": segment.types_present.tolist(),
            "columns": columns,
            "pages": pages,
        }
        told = (len(segment), segment.first, start, last, begin, self._raw)
        at = self.size
        self._write(Kind.SEGMENT, body, data)
        self._entries.extend((at, Kind.SEGMENT, *told))
        self._next = segment.first + len(segment)

    def _moved(self, name: str, values: NDArray[Any], shift: int) -> NDArray[Any]:
        """A column with the offsets and rows of the file."""
        threads, fds = self._tables_told.threads, self._tables_told.fds
        if name == "offset":
            return values + shift
        if name == "thread" and threads:
            return np.where(values >= 0, values + threads, values)
        if name == "fd_row" and fds:
            return np.where(values >= 0, values + fds, values)
        if name == "samples" and (threads or fds):
            values = values.copy()
            values["thread"][values["thread"] >= 0] += threads
            values["value"][about_fds(values) & (values["value"] >= 0)] += fds
        if name == "others" and fds:
            values = values.copy()
            values["row"][values["row"] >= 0] += fds
        return values

    def _pages(self, front: bytes, start: int, end: int) -> Iterator[memoryview]:
        """``front`` and the bytes of the store's stream from ``start`` to ``end``, in pages."""
        waiting = front
        while waiting or start < end:
            wanted = min(max(PAGE - len(waiting), 0), end - start)
            piece = self._store.raw.read(start, start + wanted)
            if len(piece) < wanted:
                raise OSError(errno.ENODATA, "the bytes of events are gone")
            start += wanted
            page = waiting + bytes(piece) if waiting else piece
            waiting = bytes(page[PAGE:])
            yield memoryview(page)[:PAGE]

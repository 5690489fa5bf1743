"""Columns and raw bytes of a native capture, read when somebody asks for them.

Owns what is held in memory of an open file, and the checks that let no kernel meet a row or offset out of bounds.
Files are read by ``pread``, not mapped: one cut short while it is mapped would kill the process. What cannot be read,
or does not hold, is reported as damage and shows as hidden events, so that the rest keeps its numbers.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from engine.events import TYPES, UNKNOWN_TYPE
from engine.sources.native.frames import Frame, FrameError, Kind, read_block, read_frame
from engine.store.segment import HIDDEN, NO_FD, NO_RESULT, NO_ROW, OTHER, SAMPLE, UNKNOWN_LATENCY, Sample, Segment

BUDGET = 1 << 30
"""Bytes of columns held at once; those read first are read again when they are asked for once more."""
PAGE = 1 << 20
"""Raw bytes are in blocks of this size."""
_PAGES = 32
"""Pages of raw bytes held."""


def _columns() -> dict[str, np.dtype[Any]]:
    """The columns of a segment and their dtypes, as the class declares them."""
    hints = get_type_hints(Segment)
    found: dict[str, np.dtype[Any]] = {"samples": SAMPLE, "others": OTHER}
    for one in fields(Segment):
        if one.name not in found and get_args(hints[one.name]):
            (scalar,) = get_args(get_args(hints[one.name])[1])
            found[one.name] = np.dtype(scalar)
    return found


COLUMNS = _columns()
_ABSENT = {
    "flags": HIDDEN,
    "type": UNKNOWN_TYPE,
    "thread": NO_ROW,
    "fd": NO_FD,
    "fd_row": NO_ROW,
    "result": NO_RESULT,
    "latency": UNKNOWN_LATENCY,
}
"""Values of columns that cannot be read; 0 of the others."""


def about_fds(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Which samples have rows of fds for values."""
    found: NDArray[np.bool_] = (samples["kind"] >= Sample.STDIN) & (samples["kind"] <= Sample.STDERR)
    return found


class Piece:
    """One segment frame of a file."""

    def __init__(self, file: NativeFile, entry: Any, threads: int, fds: int) -> None:
        """``entry`` is its row of the index; its columns may point at so many rows of threads and fds."""
        self.file = file
        self.at = int(entry["offset"])
        self.count = int(entry["count"])
        self.first = int(entry["first"])
        self.span = (int(entry["start"]), int(entry["last"]))
        self.begin, self.end = int(entry["begin"]), int(entry["end"])
        self._rows = threads, fds
        self._frame: Frame | None = None

    @property
    def frame(self) -> Frame:
        """Its frame. Raises FrameError, OSError."""
        if self._frame is None:
            found = read_frame(self.file.descriptor, self.at, self.file.size)
            told = [found.body.get(name) for name in ("count", "first", "begin", "end")]
            if found.kind != Kind.SEGMENT or told != [self.count, self.first, self.begin, self.end]:
                raise FrameError(self.at, f"expected the {self.count} events after {self.first}, found others")
            self._frame = found
        return self._frame

    def types(self) -> list[int]:
        """The type codes that occur. Raises FrameError, OSError."""
        told = self.frame.body.get("types")
        if not (isinstance(told, list) and all(type(one) is int and 0 <= one < TYPES for one in told)):
            raise FrameError(self.at, "expected the types of events that occur")
        return told

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns, each checked. Raises FrameError, OSError."""
        told = self.frame.body.get("columns")
        if not isinstance(told, dict):
            raise FrameError(self.at, "expected columns")
        found: dict[str, NDArray[Any]] = {}
        for name, dtype in COLUMNS.items():
            block = read_block(self.file.descriptor, self.frame, told.get(name))
            single = dtype.names is None
            if len(block) % dtype.itemsize or (single and len(block) != self.count * dtype.itemsize):
                raise FrameError(self.at, f"expected {self.count} values of {name}, found {len(block)} bytes")
            found[name] = np.frombuffer(block, dtype)
        if wrong := self._wrong(found):
            raise FrameError(self.at, f"expected {wrong}")
        for array in found.values():
            array.flags.writeable = False
        return found

    def _wrong(self, columns: dict[str, NDArray[Any]]) -> str:
        """Which bound a column breaks, empty when they all hold."""
        threads, fds = self._rows
        offset, samples, others = columns["offset"], columns["samples"], columns["others"]
        for rows, least, end, what in (
            (columns["type"], 0, TYPES, "types"),
            (columns["thread"], NO_ROW, threads, "rows of threads"),
            (columns["fd_row"], NO_ROW, fds, "rows of fds"),
            (samples["thread"], NO_ROW, threads, "rows of threads of samples"),
            (samples["event"], 0, self.count, "events of samples"),
            (others["event"], 0, self.count, "events of fds"),
            (others["row"], NO_ROW, fds, "rows of other fds"),
            (samples["value"][about_fds(samples)], NO_ROW, fds, "rows of fds of samples"),
            (offset, self.begin, self.end, "offsets of events"),
        ):
            if len(rows) and not (rows.min() >= least and rows.max() < end):
                return f"{what} from {least} to {end - 1}, found {rows.min()} to {rows.max()}"
        if (np.diff(offset) <= 0).any():
            return "ascending offsets of events"
        if (columns["latency"] < UNKNOWN_LATENCY).any():
            return "latencies of 0 and more"
        return ""

    def absent(self) -> dict[str, NDArray[Any]]:
        """Columns of hidden events about which nothing is known; what lies before them ends where their bytes begin."""
        absent = {**_ABSENT, "offset": self.begin}
        return {
            name: np.empty(0, dtype) if dtype.names else np.full(self.count, absent.get(name, 0), dtype)
            for name, dtype in COLUMNS.items()
        }

    def page(self, index: int) -> memoryview:
        """A page of its raw bytes. Raises FrameError, OSError."""
        told = self.frame.body.get("pages")
        size = min(PAGE, self.end - self.begin - index * PAGE)
        if not isinstance(told, list) or index >= len(told):
            raise FrameError(self.at, "expected pages of raw bytes")
        page = read_block(self.file.descriptor, self.frame, told[index])
        if len(page) != size:
            raise FrameError(self.at, f"expected a page of {size} raw bytes, found {len(page)}")
        return page


class NativeSegment(Segment):
    """Events of one piece, or of several small ones, whose columns are read when first asked for."""

    def __init__(self, pieces: list[Piece]) -> None:
        """``pieces`` follow each other."""
        spans = [piece.span for piece in pieces if piece.span[1]]
        self.__dict__.update(
            pieces=pieces,
            count=sum(piece.count for piece in pieces),
            first=pieces[0].first,
            end=pieces[-1].end,
            time_span=(min(start for start, _ in spans), max(last for _, last in spans)) if spans else (0, 0),
        )

    def __len__(self) -> int:
        return int(self.__dict__["count"])

    @property
    def nbytes(self) -> int:
        """Memory of the columns is the file's."""
        return 0

    def __getattr__(self, name: str) -> Any:
        pieces: list[Piece] = self.__dict__["pieces"]
        if name not in COLUMNS:
            raise AttributeError(name)
        return pieces[0].file.columns(self, pieces)[name]

    @property
    def types_present(self) -> NDArray[np.int64]:
        """The type codes that occur, ascending, by the summaries alone."""
        found: set[int] = set()
        for piece in self.__dict__["pieces"]:
            found.update(piece.file.tried(piece, piece.types, lambda: [UNKNOWN_TYPE]))
        return np.array(sorted(found), np.int64)


class NativeFile:
    """An open file: its raw stream (``store.RawBytes``), and the columns held."""

    def __init__(self, descriptor: int, size: int, report: Callable[[FrameError], None]) -> None:
        """``report`` is told once of every piece that cannot be read."""
        self.descriptor = descriptor
        self.size = size
        self._report = report
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[NativeSegment, int]] = OrderedDict()
        self._columns = 0
        self._pages: OrderedDict[tuple[int, int], memoryview] = OrderedDict()
        self._pieces: list[Piece] = []
        self._damaged: set[int] = set()

    @property
    def nbytes(self) -> int:
        """Memory held, bytes."""
        return self._columns + len(self._pages) * PAGE

    @property
    def length(self) -> int:
        """Bytes of the raw stream."""
        return self._pieces[-1].end if self._pieces else 0

    def add(self, piece: Piece) -> None:
        """The next piece."""
        self._pieces.append(piece)

    def tried(self, piece: Piece, read: Callable[[], Any], instead: Callable[[], Any]) -> Any:
        """What ``read`` gives, ``instead`` where it fails; a piece with one failure is damaged in all."""
        if piece.at not in self._damaged:
            try:
                return read()
            except FrameError as error:
                failure = error
            except OSError as error:
                failure = FrameError(piece.at, f"could not be read: {error.strerror}")
            self._damaged.add(piece.at)
            self._report(failure)
        return instead()

    def columns(self, segment: NativeSegment, pieces: list[Piece]) -> dict[str, NDArray[Any]]:
        """Read a segment's columns and hold them."""
        each = [self.tried(piece, piece.columns, piece.absent) for piece in pieces]
        columns: dict[str, NDArray[Any]] = each[0] if len(each) == 1 else {}
        for name, dtype in COLUMNS.items() if len(each) > 1 else ():
            columns[name] = np.concatenate([one[name] for one in each])
            if dtype.names:
                before = np.cumsum([0] + [piece.count for piece in pieces[:-1]])
                columns[name]["event"] += np.repeat(before, [len(one[name]) for one in each]).astype("<i4")
            columns[name].flags.writeable = False
        with self._lock:
            if id(segment) not in self._held:
                size = sum(array.nbytes for array in columns.values())
                self._held[id(segment)] = segment, size
                self._columns += size
                segment.__dict__.update(columns)
            while self._columns > BUDGET and len(self._held) > 1:
                _, (oldest, size) = self._held.popitem(last=False)
                self._columns -= size
                for name in COLUMNS:
                    oldest.__dict__.pop(name, None)
        return columns

    def read(self, start: int, end: int) -> memoryview:
        """Bytes ``start`` to ``end`` of the raw stream; fewer where they are damaged."""
        found: list[memoryview] = []
        while start < end:
            at = bisect_right(self._pieces, start, key=lambda piece: piece.end)
            if at == len(self._pieces) or start < self._pieces[at].begin:
                break
            piece = self._pieces[at]
            index, inside = divmod(start - piece.begin, PAGE)
            part = self._page(piece, index)[inside : inside + end - start]
            if not part:
                break
            found.append(part)
            start += len(part)
        return found[0] if len(found) == 1 else memoryview(b"".join(found))

    def _page(self, piece: Piece, index: int) -> memoryview:
        key = piece.at, index
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
        page: memoryview = self.tried(piece, lambda: piece.page(index), lambda: memoryview(b""))
        with self._lock:
            self._pages[key] = page
            while len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        return page

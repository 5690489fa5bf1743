"""`tui dig -w` of captures: their wanted events written to one file, or to several one after the other.

Owns where a file ends and what it is called, as sysdig's ``-C -e -G -W`` say. What is written of a capture is the
business of ``engine.recording.export``; live recording is that of ``engine.recording.recorder``.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.chisels.chisel import SECOND, moment
from engine.recording.export import Choice, export
from engine.sources.live.writer import GZIP_LEVEL
from engine.store.segment import Segment
from engine.store.store import Store
from tui.digging import Mask

_PIECE = 1 << 16
"""Bytes of events compressed at once to see how large a file becomes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which files."""

    path: Path
    compress: bool = False
    megabytes: float | None = None
    """A new file after as many million bytes of events, compressed ones if ``compress``."""
    events: int | None = None
    """A new file after as many events."""
    seconds: float | None = None
    """A new file after as many seconds of events; ``%`` in the path then makes it a pattern of the time."""
    private: bool = False
    """Only processes that the filter keeps go along."""
    files: int | None = None
    """Keep the last so many files; with ``seconds`` alone end after so many."""

    @property
    def rotates(self) -> bool:
        """There may be more than one file."""
        return self.megabytes is not None or self.events is not None or self.seconds is not None

    def name(self, number: int, time: int) -> Path:
        """The file of a number, counted from 0, whose first event is at a time, ns."""
        text = str(self.path)
        if self.seconds is not None and "%" in text:
            return Path(moment(time, text))
        if not self.rotates:
            return self.path
        if self.files is None:
            return Path(f"{text}{number}")
        return Path(f"{text}{number % self.files:0{len(str(self.files))}}")


class Writer:
    """Notes which events of a capture go into which file, and writes the files at the end."""

    def __init__(self, capture: Path, filter_text: str, plan: Plan) -> None:
        """Write what a filter keeps of a capture."""
        self._capture = capture
        self._filter = filter_text
        self._plan = plan
        self._stretches: deque[tuple[int, Path, int, int]] = deque(maxlen=plan.files)
        """Of each file that stays: its number, its name, the numbers of its first event and of its last."""
        self._files = 0
        self._began = self._counted = self._bytes = 0
        self._compressor = zlib.compressobj(GZIP_LEVEL)

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Note the events of a segment."""
        rows = np.flatnonzero(mask)
        if not len(rows):
            return
        sizes = np.diff(np.append(segment.offset, segment.end))[rows]
        plan, start = self._plan, 0
        if plan.compress and plan.megabytes is not None:
            sizes = self._compressed(store, segment.offset[rows], sizes)
        while start < len(rows):
            if not self._stretches or self._full(int(segment.time[rows[start]])):
                if plan.files == self._files and plan.seconds is not None and plan.megabytes is None:
                    return
                self._begin(segment.first + int(rows[start]) + 1, int(segment.time[rows[start]]))
            end = start + self._room(segment.time[rows[start:]], sizes[start:])
            number, path, first, _last = self._stretches.pop()
            self._stretches.append((number, path, first, segment.first + int(rows[end - 1]) + 1))
            self._counted += end - start
            self._bytes += int(sizes[start:end].sum())
            start = end

    def _compressed(self, store: Store, offsets: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how much a gzip file grows with each event: of some at once with the last of them."""
        grown = np.zeros(len(sizes), np.int64)
        cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _PIECE)) + 1
        for start, end in pairwise([0, *cuts.tolist(), len(sizes)]):
            there, long = offsets[start:end], sizes[start:end]
            data = np.frombuffer(store.raw.read(int(there[0]), int(there[-1] + long[-1])), np.uint8)
            before = np.cumsum(long) - long
            at = np.repeat(there - there[0] - before, long) + np.arange(int(long.sum()))
            grown[end - 1] = len(self._compressor.compress(data[at[at < len(data)]].data))
        return grown

    def _begin(self, number: int, time: int) -> None:
        self._stretches.append((self._files, self._plan.name(self._files, time), number, number))
        self._files += 1
        self._began, self._counted, self._bytes = time, 0, 0

    def _full(self, time: int) -> bool:
        plan = self._plan
        return (
            (plan.events is not None and self._counted >= plan.events)
            or (plan.megabytes is not None and self._bytes > plan.megabytes * 1e6)
            or (plan.seconds is not None and time - self._began >= plan.seconds * SECOND)
        )

    def _room(self, times: NDArray[np.int64], sizes: NDArray[np.int64]) -> int:
        """How many of the next events go into the file at hand, one at least."""
        plan, room = self._plan, len(times)
        if plan.events is not None:
            room = min(room, plan.events - self._counted)
        if plan.megabytes is not None:
            over = np.flatnonzero(self._bytes + np.cumsum(sizes) > plan.megabytes * 1e6)
            room = min(room, int(over[0]) + 1) if len(over) else room
        if plan.seconds is not None:
            late = np.flatnonzero(times - self._began >= plan.seconds * SECOND)
            room = min(room, int(late[0])) if len(late) else room
        return max(room, 1)

    def end(self) -> None:
        """Write the files. Raises CaptureError, and OSError that names the file."""
        for _, path, first, last in self._stretches:
            choice = Choice(
                self._filter, compress=self._plan.compress, numbers=(first, last), private=self._plan.private
            )
            try:
                export(self._capture, path, choice)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error

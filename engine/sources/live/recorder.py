"""Records the live machine to .scap files: what is chosen, until told to stop, in as many files as asked for.

Owns when files begin and end, and that each can be read alone. Blocks are ``writer``'s business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.decoder import Decoder
from engine.decode.stop import Stop
from engine.events import CATALOGUE, Trait
from engine.sources.live import picture
from engine.sources.live.source import LiveSource
from engine.sources.live.writer import Facts, ScapFile
from engine.store.segment import HIDDEN, Segment
from engine.store.store import Store

FLUSH = 0.5
"""Seconds after which what was recorded is surely in the file."""
_STATE = np.array([bool(kind.traits & Trait.MODIFIES_STATE) or kind.name == "procexit" for kind in CATALOGUE])
"""Types that a reader needs to know who and what later events are about."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record, and into which files."""

    path: Path
    filter: str = ""
    compress: bool = False
    old: bool = False
    """Also for sysdig 0.29.3."""
    events: int | None = None
    """Stop after as many; a call counts once."""
    megabytes: float | None = None
    """A new file after as many million bytes of blocks."""
    seconds: float | None = None
    """A new file after as long. A path with ``%`` in it is then a pattern of the time (strftime)."""
    files: int | None = None
    """Keep only as many files, over and over."""

    def name(self, number: int) -> Path:
        """The path of the file of a number, counted from 0."""
        text = str(self.path)
        if self.seconds is not None and "%" in text:
            return Path(time.strftime(text))
        if self.megabytes is None and self.seconds is None:
            return self.path
        if self.files is None:
            return Path(f"{text}{number}")
        return Path(f"{text}{number % self.files:0{len(str(self.files))}}")


class Recorder:
    """A recording that runs as long as it is stepped."""

    def __init__(self, source: LiveSource, plan: Plan) -> None:
        """Take the picture and begin the first file. Raises FilterError, OSError."""
        self._source = source
        self._plan = plan
        self._number = 0
        self._filter = filters.compile(plan.filter) if plan.filter else None
        # Without either, blocks go to the file as they are.
        self._decodes = bool(plan.filter) or plan.megabytes is not None or plan.seconds is not None
        self._store = Store(source.raw)
        self._decoder = Decoder(self._store, str(plan.path))
        self.events = 0
        """Events recorded, a call counted once."""
        facts = Facts()
        source.begin(facts)
        if self._decodes:
            facts.repeat(self._decoder)
        self._begin(facts)

    def _begin(self, facts: Facts) -> None:
        path = self._plan.name(self._number)
        self._file = ScapFile(path, facts, compress=self._plan.compress, old=self._plan.old)
        self._bytes = 0
        self._began = self._flushed = time.monotonic()

    @property
    def full(self) -> bool:
        """As many events as asked for were recorded."""
        return self._plan.events is not None and self.events >= self._plan.events

    def run(self, until: Callable[[], bool]) -> None:
        """Record until told to stop or ``full``, then what is still in the ring. Raises OSError.

        A file that cannot be written to any more is closed as it is.
        """
        try:
            while not until() and not self.full:
                self._step()
            self._source.stop()
            while self._step():
                pass
        finally:
            self._file.close()

    def _step(self) -> bool:
        more = self._source.drain(self._decoder if self._decodes else self)
        now = time.monotonic()
        if self._decodes and (not more or now - self._flushed > FLUSH or self._store.segments):
            self._decoder.seal()
            for segment in self._store.segments:
                self._chosen(segment)
                self._source.raw.drop(segment.end)
            self._store.segments.clear()
            # Readers refuse a file without events: one is begun when there are more.
            if more and self._source.waiting and self._is_over(now):
                self._next_file()
        if now - self._flushed > FLUSH:
            self._file.flush()
            self._flushed = now
        return more

    def _is_over(self, now: float) -> bool:
        """Whether the file is as large, or as old, as one may be."""
        plan = self._plan
        large = plan.megabytes is not None and self._bytes > plan.megabytes * 1e6
        return large or (plan.seconds is not None and now - self._began > plan.seconds)

    def _next_file(self) -> None:
        """Close the file and begin another, with the threads there were at this place in the stream.

        Their fds are those they have now, so of a process that ended meanwhile there are none.
        """
        self._file.close()
        self._number += 1
        facts = Facts()
        picture.take(facts)
        facts.threads = list({thread.tid: thread for thread in self._store.threads if thread.ended < 0}.values())
        self._begin(facts)

    def _room(self, events: int) -> int:
        return events if self._plan.events is None else min(events, self._plan.events - self.events)

    def feed(self, buffer: memoryview, base: int, start: int, latencies: NDArray[np.int64]) -> tuple[int, Stop, str]:
        """Take everything: the sink of a recording without a filter."""
        latencies = latencies[: self._room(len(latencies))]
        self._bytes += self._file.events(buffer[start:], latencies)
        self.events += len(latencies)
        self._source.raw.drop(base)
        return len(buffer), Stop.MORE, ""

    def seal(self) -> None:
        """Nothing is held back."""

    def _chosen(self, segment: Segment) -> None:
        """Write what the filter keeps, and hidden what it does not but changes what later events are about."""
        kept = self._filter.mask(self._store, segment) if self._filter else segment.flags & HIDDEN == 0
        visible = np.flatnonzero(kept)
        room = self._room(len(visible))
        end = len(segment) if room == len(visible) else int(visible[room])
        rows = np.flatnonzero((kept | _STATE[segment.type])[:end])
        self.events += room
        if len(rows):
            first = int(segment.offset[rows[0]])
            view = self._source.raw.read(first, segment.end)
            hidden = (~kept[rows]).astype(np.uint8)
            self._bytes += self._file.events(view, segment.latency[rows], segment.offset[rows] - first, hidden)

"""Records the live machine to files: what is chosen, until told to stop, in as many files as asked for.

Owns when files begin and end, and that each can be read alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import filters
from engine.decode.decoder import Decoder
from engine.ingest import look_inside
from engine.pushdown import Pushdown
from engine.recording import outputs
from engine.recording.chosen import container_blocks, narrow, write
from engine.sources.live.source import EVERYTHING, LiveSource
from engine.sources.live.writer import Facts
from engine.sources.native.writer import NativeWriter
from engine.store.segment import Segment
from engine.store.store import Store

FLUSH = 0.5
"""Seconds after which what was recorded is surely in the file."""
_USUAL = 256
"""Bytes an event takes in a file, about."""
_FEW = 64
"""Events it is worth to write at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record, and into which files."""

    path: Path
    """Files of a name that ends in ``.syscope`` are native captures, others .scap."""
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
    """Keep only as many files: numbers come again, of a pattern's the oldest are removed."""
    each: int | None = None
    """A new file after as many events."""
    private: bool = False
    """Of the threads there were before, only those of which the filter holds are told."""

    @property
    def rotates(self) -> bool:
        """Whether there may be more than one file."""
        return self.megabytes is not None or self.seconds is not None or self.each is not None

    def name(self, number: int) -> Path:
        """The path of the file of a number, counted from 0; what makes it native stays at its end."""
        text = str(self.path)
        if self.seconds is not None and "%" in text:
            return Path(time.strftime(text))
        if not self.rotates:
            return self.path
        stem = text.removesuffix(outputs.NATIVE)
        rest = text[len(stem) :]
        if self.files is None:
            return Path(f"{stem}{number}{rest}")
        return Path(f"{stem}{number % self.files:0{len(str(self.files))}}{rest}")


class Recorder:
    """A recording that runs as long as it is stepped."""

    def __init__(self, source: LiveSource, plan: Plan) -> None:
        """Take the picture and begin the first file. Raises FilterError, OSError."""
        self._source = source
        self._plan = plan
        self._number = 0
        self._paths: list[Path] = []
        """Files there are, the oldest first, where only some are kept."""
        self._filter = filters.compile(plan.filter) if plan.filter else None
        self._store = Store(source.raw)
        self._decoder = Decoder(self._store, str(plan.path))
        self.events = 0
        """Events recorded, a call counted once."""
        self._pushdown = Pushdown(self._store)
        self._pushdown.ask(plan.filter)
        self._pushdown.update(source)
        facts = Facts()
        source.begin(facts)
        facts.repeat(self._decoder)
        self._writer: NativeWriter | None = None
        self._output: outputs.Output | None = None
        if outputs.is_native(plan.path) and not (self._filter or plan.rotates or plan.events):
            # Everything goes into one file: it takes after the store itself.
            self._writer = NativeWriter(
                plan.path, self._store, single=True, compress=plan.compress, front=facts.blocks(False)
            )
        else:
            self._begin(facts)
        self._flushed = time.monotonic()

    def _begin(self, facts: Facts) -> None:
        plan = self._plan
        if plan.private and self._filter is not None:
            narrow(facts, self._filter)
        path = plan.name(self._number)
        if plan.files is not None and plan.rotates:
            # A pattern may give the same name again.
            self._paths = [*(other for other in self._paths if other != path), path]
            if len(self._paths) > plan.files:
                self._paths.pop(0).unlink(missing_ok=True)
        self._output = outputs.begin(path, facts, single=True, compress=plan.compress, old=plan.old)
        self._began = time.monotonic()
        self._before = self.events

    @property
    def full(self) -> bool:
        """As many events as asked for were recorded."""
        return self._plan.events is not None and self.events >= self._plan.events

    def run(self, until: Callable[[], bool]) -> None:
        """Record until told to stop or ``full``, then what is still in the ring. Raises OSError.

        A file that cannot be written to any more is closed as it is; whatever else fails, what was decoded is in it.
        """
        try:
            while not until() and not self.full:
                self._step()
            self._source.stop()
            while self._step():
                pass
            look_inside(self._store, self._decoder, self._source.inside(), self._source.now())
        finally:
            self._close()

    def _close(self) -> None:
        try:
            self._decoder.seal()
            if self._store.segments:
                self._write()
        finally:
            for file in (self._writer, self._output):
                if file is not None:
                    file.close()

    def _step(self) -> bool:
        self._pushdown.update(self._source)
        # Readers refuse a file without events: one is begun when there are more.
        if self._is_over(time.monotonic()) and self._source.waiting and not self.full:
            self._next_file()
        more = self._source.drain(self._decoder, self._room())
        now = time.monotonic()
        due = now - self._flushed > FLUSH
        if due or not more or self._plan.rotates:
            # A file ends where the decoder is, or the next would begin with what is not yet true.
            self._decoder.seal()
        if self._store.segments:
            self._write()
        if due:
            if self._output is not None:
                self._output.flush()
            self._flushed = now
        return more

    def _write(self) -> None:
        """Write the segments there are, and let go of them."""
        segments = self._store.segments
        if self._writer is not None:
            self._writer.follow()
            self.events += sum(map(len, segments))
        else:
            for segment in segments:
                self._chosen(segment)
        self._source.raw.drop(segments[-1].end)
        self._decoder.forget(len(segments))

    def _room(self) -> int:
        """How many events may come before it is seen whether the file is over; 1 at least, lest one waits for ever.

        Rather a file that is too large than events that are lost.
        """
        plan, room = self._plan, EVERYTHING
        if self._source.crowded:
            return room
        if plan.each is not None:
            room = plan.each - (self.events - self._before)
        if plan.megabytes is not None and self._output is not None:
            left = int(plan.megabytes * 1e6) - self._output.size
            room = min(room, max(left // _USUAL, _FEW))
        return max(room, 1)

    def _is_over(self, now: float) -> bool:
        """Whether the file is as large, or as old, as one may be."""
        plan = self._plan
        large = plan.megabytes is not None and self._output is not None and self._output.size > plan.megabytes * 1e6
        many = plan.each is not None and self.events - self._before >= plan.each
        return large or many or (plan.seconds is not None and now - self._began > plan.seconds)

    def _next_file(self) -> None:
        """Close the file and begin another, with what is known at this place of the stream."""
        if self._output is not None:
            self._output.close()
        self._number += 1
        facts = Facts()
        self._decoder.tell(facts)
        self._begin(facts)
        blocks = container_blocks(self._store.containers.values(), time.time_ns())
        if blocks and self._output is not None:
            self._output.events(memoryview(b"".join(blocks)), np.zeros(len(blocks), np.int64))

    def _chosen(self, segment: Segment) -> None:
        """Write what the filter keeps, and hidden what it does not but changes what later events are about."""
        assert self._output is not None
        kept = self._filter.mask(self._store, segment) if self._filter else segment.visible
        visible = np.flatnonzero(kept)
        left = len(visible) if self._plan.events is None else self._plan.events - self.events
        end = len(segment) if left >= len(visible) else int(visible[left])
        self.events += min(left, len(visible))
        write(self._output, self._store, segment, kept, 0, end)

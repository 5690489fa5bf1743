"""The two kinds of files events are written to: .scap and native."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.decode.decoder import Decoder
from engine.decode.pairs import Pairs
from engine.events import SYSCALLS
from engine.ingest import look_inside
from engine.sources.live.writer import Facts, ScapFile
from engine.sources.native.writer import NativeWriter
from engine.sources.raw import KeptBytes
from engine.store.store import Store

NATIVE = ".syscope"
"""What names of native captures end with."""


class Output(Protocol):
    """A file being written."""

    @property
    def size(self) -> int:
        """Bytes written so far, as far as rotation is concerned: of a compressed file compressed ones."""

    def events(
        self,
        view: memoryview,
        latencies: NDArray[np.int64],
        starts: NDArray[np.int64] | None = None,
        hidden: NDArray[np.uint8] | None = None,
    ) -> None:
        """Write event blocks of ``view`` (``Pairs.blocks``), with what is known of their latency. Raises OSError."""

    def section(self, facts: Facts) -> None:
        """Another section begins: what was told of threads, fds and the machine no longer holds. Raises OSError."""

    def flush(self) -> None:
        """A kill leaves a file that opens up to here. Raises OSError."""

    def close(self) -> None:
        """Finish the file. Raises OSError."""


def is_native(path: Path) -> bool:
    """Whether a file of this name becomes a native capture."""
    return path.name.endswith(NATIVE)


def begin(path: Path, facts: Facts, *, single: bool, compress: bool = False, old: bool = False) -> Output:
    """Create a file that begins with ``facts``; its name tells its kind. Raises OSError.

    ``single``: events are one exit a call; .scap gets an enter in front of each. ``old``: also for sysdig 0.29.3.
    """
    if is_native(path):
        return NativeFile(path, facts, single=single, compress=compress)
    return ScapFile(path, facts, compress=compress, old=old, single=single)


class NativeFile:
    """Events and facts become a store of their own, and a native capture follows it."""

    def __init__(self, path: Path, facts: Facts, *, single: bool, compress: bool) -> None:
        """Create the file. Raises OSError."""
        self._raw = KeptBytes()
        self._followed = self._last = 0
        self._store = Store(self._raw)
        self._decoder = Decoder(self._store, str(path))
        facts.repeat(self._decoder)
        self._pairs = Pairs(len(SYSCALLS))
        front = facts.blocks(False)
        self._writer = NativeWriter(path, self._store, single=single, compress=compress, front=front)

    @property
    def size(self) -> int:
        """Bytes written, and those of blocks that are not yet."""
        return self._writer.size + self._raw.size - self._followed

    def events(
        self,
        view: memoryview,
        latencies: NDArray[np.int64],
        starts: NDArray[np.int64] | None = None,
        hidden: NDArray[np.uint8] | None = None,
    ) -> None:
        """As of every output."""
        blocks = self._pairs.blocks(view, np.full(len(latencies), -1, np.int64), starts, hidden)
        base = self._raw.size
        self._raw.append(blocks)
        self._decoder.feed(blocks, base, 0, np.ascontiguousarray(latencies))
        self._follow()

    def section(self, facts: Facts) -> None:
        """As of every output."""
        self._raw.append(memoryview(facts.blocks(False)))
        self._decoder.section()
        facts.repeat(self._decoder)

    def _follow(self) -> None:
        if self._store.segments:
            self._last = self._store.segments[-1].time_span[1]
            self._writer.follow()
            self._followed = self._store.segments[-1].end
            self._raw.drop(self._followed)
            self._decoder.forget(len(self._store.segments))

    def flush(self) -> None:
        """As of every output."""
        self._decoder.seal()
        self._follow()

    def close(self) -> None:
        """As of every output."""
        try:
            self.flush()
            if calls := self._decoder.inside():
                look_inside(self._store, self._decoder, calls, self._last)
        finally:
            self._writer.close()

"""Where events come from. A source hands raw event bytes and the facts around them to a sink, the decoder.

Owns opening a file and telling what it is. Reading captures is the business of ``scap`` and ``native``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from engine.sources.native.source import MAGIC, NativeSource
from engine.sources.raw import BUDGET
from engine.sources.scap import CaptureError, ScapSource
from engine.sources.sink import Sink
from engine.sources.stream import GZIP, GzipStream, PipeStream, PlainStream, Stream
from engine.store.store import RawBytes

__all__ = ["CaptureError", "Source", "open_capture"]


class Source(Protocol):
    """A capture being read."""

    @property
    def raw(self) -> RawBytes:
        """The uncompressed stream of .scap blocks, for reading again."""

    @property
    def progress(self) -> float:
        """How much was read, 0 to 1."""

    @property
    def single(self) -> bool:
        """Each call is one exit event, with a latency that its bytes do not tell."""

    def step(self, sink: Sink) -> bool:
        """Hand on what comes next; False when everything was, and the sink's events are sealed."""

    def interrupt(self) -> None:
        """Have a step that waits for a pipe end. From any thread."""

    def close(self) -> None:
        """Close the file."""


STANDARD_INPUT = "-"
"""The path that stands for it."""


def called(path: str | Path) -> str:
    """A capture's path as it is told to people."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def open_capture(path: str | Path, *, budget: int = BUDGET) -> Source:
    """Open a capture: .scap, gzip or plain, or native, whatever its name; ``-`` is standard input.

    ``budget`` bounds the inflated bytes kept in memory, the rest is spilled. Raises CaptureError when nothing of it
    can be read.
    """
    try:
        return _open(str(path), budget)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error


def _open(path: str, budget: int) -> Source:
    if path == STANDARD_INPUT:
        path, file = called(path), os.dup(0)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return _piped(path, file, budget)
    else:
        kind = os.stat(path).st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):
            raise CaptureError(f"{path}: expected a file, found a {'directory' if stat.S_ISDIR(kind) else 'device'}")
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if stat.S_ISFIFO(kind):
            return _piped(path, file, budget)
    stream: Stream = PlainStream(file)
    try:
        begin = os.pread(file, len(MAGIC), 0)
        if begin == MAGIC:
            return NativeSource(path, file)
        if begin.startswith(GZIP):
            stream = GzipStream(file, budget)
        return ScapSource(path, stream)
    except BaseException:
        stream.close()
        raise


def _piped(path: str, file: int, budget: int) -> Source:
    """A capture that can be read once."""
    head = b""
    while len(head) < len(MAGIC) and (more := os.read(file, len(MAGIC) - len(head))):
        head += more
    stream = GzipStream(file, budget, head) if head.startswith(GZIP) else PipeStream(file, head, budget)
    try:
        if head == MAGIC:
            raise CaptureError(f"{path}: a native capture must be a file, for it is not read from front to back")
        return ScapSource(path, stream)
    except BaseException:
        stream.close()
        raise

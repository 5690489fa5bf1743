"""Where events come from. A source hands raw event bytes and the facts around them to a sink, the decoder.

Owns opening a file and telling what it is. Reading captures is ``scap``'s business.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engine.sources.raw import BUDGET
from engine.sources.scap import CaptureError, ScapSource
from engine.sources.stream import GZIP, GzipStream, PlainStream, Stream

__all__ = ["CaptureError", "ScapSource", "open_capture"]


def open_capture(path: str | Path, *, budget: int = BUDGET) -> ScapSource:
    """Open a .scap file, gzip or plain; ``budget`` bounds the inflated bytes kept in memory, the rest is spilled.

    Raises CaptureError when nothing of it can be read.
    """
    try:
        return _open(str(path), budget)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error


def _open(path: str, budget: int) -> ScapSource:
    # Without O_NONBLOCK opening a pipe would wait for a writer.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    stream: Stream = PlainStream(file)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise CaptureError(f"{path}: expected a file, found something else")
        if os.pread(file, len(GZIP), 0) == GZIP:
            stream = GzipStream(file, budget)
        return ScapSource(path, stream)
    except BaseException:
        stream.close()
        raise

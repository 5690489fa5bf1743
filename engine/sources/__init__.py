"""Where events come from. A source hands raw event bytes and the facts around them to a sink, the decoder.

Owns opening a file and telling what it is. Reading captures is ``scap``'s business.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engine.sources.raw import BUDGET
from engine.sources.scap import CaptureError, ScapSource
from engine.sources.stream import GZIP, GzipStream, PlainStream

__all__ = ["CaptureError", "ScapSource", "open_capture"]


def open_capture(path: str | Path, *, budget: int = BUDGET) -> ScapSource:
    """Open a .scap file, gzip or plain; ``budget`` bounds the inflated bytes kept in memory, the rest is spilled.

    Raises CaptureError when nothing of it can be read.
    """
    file = -1
    try:
        # Without O_NONBLOCK opening a pipe would wait for a writer.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise CaptureError(f"{path}: expected a file, found something else")
        inflate = os.pread(file, len(GZIP), 0) == GZIP
        return ScapSource(str(path), GzipStream(file, budget) if inflate else PlainStream(file))
    except (OSError, CaptureError) as error:
        if file >= 0:
            os.close(file)
        if isinstance(error, OSError):
            raise CaptureError(f"{path}: {error.strerror}") from error
        raise

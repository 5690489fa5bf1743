"""The byte stream inside a capture file: as it is, or inflated (scap-format §1).

A stream is read once from front to back; what it read stays readable through ``raw``.
"""

from __future__ import annotations

import os
import zlib
from typing import Protocol

from engine.sources.raw import BUDGET, FileBytes, KeptBytes
from engine.store.store import RawBytes

GZIP = b"\x1f\x8b"
_INPUT = 1 << 18


class Stream(Protocol):
    """What a source reads from."""

    @property
    def raw(self) -> RawBytes:
        """The bytes read so far, for reading again."""

    @property
    def progress(self) -> float:
        """How much of the file was read, 0 to 1."""

    @property
    def trouble(self) -> str:
        """Why the stream ended before the file meant it to, empty when it did not."""

    def readinto(self, target: memoryview) -> int:
        """Fill ``target`` as far as the stream goes; 0 at its end. Raises OSError."""

    def close(self) -> None:
        """Close the file."""


class PlainStream:
    """A file whose bytes are the stream."""

    trouble = ""

    def __init__(self, file: int) -> None:
        """Take over an open descriptor of a regular file."""
        self._file = file
        self._size = os.fstat(file).st_size
        self._position = 0
        self.raw = FileBytes(file)

    @property
    def progress(self) -> float:
        """How much of the file was read, 0 to 1."""
        return min(self._position / self._size, 1.0) if self._size else 1.0

    def readinto(self, target: memoryview) -> int:
        """Fill ``target`` as far as the file goes; 0 at its end. Raises OSError."""
        got = os.preadv(self._file, [target], self._position)
        self._position += got
        return got

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class GzipStream:
    """A gzip file, of one member or several; what follows the last one and is none is ignored."""

    def __init__(self, file: int, budget: int = BUDGET) -> None:
        """Take over an open descriptor; ``budget`` bounds the inflated bytes kept in memory."""
        self._file = file
        self._size = os.fstat(file).st_size
        self._inflater = zlib.decompressobj(wbits=31)
        self._input = b""
        self._read = 0
        self._ended = False
        self.trouble = ""
        self.raw = KeptBytes(budget)

    @property
    def progress(self) -> float:
        """How much of the file was read, 0 to 1."""
        return min(self._read / self._size, 1.0)

    def readinto(self, target: memoryview) -> int:
        """Fill ``target`` as far as the stream goes; 0 at its end. Raises OSError."""
        filled = 0
        while filled < len(target) and not self._ended:
            piece = self._inflate(len(target) - filled)
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
        self.raw.append(target[:filled])
        return filled

    def close(self) -> None:
        """Close the file and the bytes kept."""
        os.close(self._file)
        self.raw.close()

    def _more_input(self) -> bytes:
        got = os.pread(self._file, _INPUT, self._read)
        self._read += len(got)
        return got

    def _inflate(self, limit: int) -> bytes:
        """Up to ``limit`` next bytes; none of them does not mean the end, ``_ended`` does."""
        if self._inflater.eof:
            while len(self._input) < len(GZIP) and (more := self._more_input()):
                self._input += more
            if not self._input.startswith(GZIP):
                self._ended = True
                return b""
            self._inflater = zlib.decompressobj(wbits=31)
        data = self._input or self._more_input()
        # A copy, because a call that meets bad data keeps to itself what it had inflated before.
        before = self._inflater.copy()
        try:
            piece = self._inflater.decompress(data, limit)
        except zlib.error as error:
            self._end(str(error))
            return _salvage(before, data)[:limit]
        self._input = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        if not data and not piece and not self._inflater.eof:
            self._end("the compressed data end in the middle")
        return piece

    def _end(self, trouble: str) -> None:
        self._ended = True
        self.trouble = trouble


def _salvage(inflater: zlib._Decompress, data: bytes) -> bytes:
    """What can be inflated before the byte that is wrong."""
    out = bytearray()
    for at in range(len(data)):
        try:
            out += inflater.decompress(data[at : at + 1])
        except zlib.error:
            break
    return bytes(out)

"""The byte stream inside a capture file: as it is, or inflated (scap-format §1).

A stream is read once from front to back; what it read stays readable through ``raw``.
"""

from __future__ import annotations

import os
import select
import stat
import zlib
from threading import Condition, Thread
from typing import Protocol

from engine.sources.raw import BUDGET, PAGE, FileBytes, KeptBytes
from engine.store.store import RawBytes

GZIP = b"\x1f\x8b"
_INPUT = 1 << 18
_LEAST = 1 << 12
"""Bytes of a pipe handed on at once at least, while there are more: what is there is seen while its writer rests."""
_AHEAD = 1 << 24
"""Bytes inflated ahead of the reader."""


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
        """Read up to ``len(target)`` next bytes into ``target``; 0 at the end of the stream. Raises OSError."""

    def interrupt(self) -> None:
        """Have whoever waits for bytes of a pipe, now or later, find that it has ended. From any thread."""

    def close(self) -> None:
        """Close the file."""


class _Waiting:
    """A descriptor that may have nothing to read for as long as it likes, and waiting for it that can be ended."""

    def __init__(self, file: int) -> None:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def is_readable(self) -> bool:
        """Wait until something, or its end, can be read; False when nobody wants it any more."""
        return all(ready != self._wake for ready, _ in self._poll.poll())

    def interrupt(self) -> None:
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        os.close(self._wake)


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
        """Read up to ``len(target)`` next bytes into ``target``; 0 at the file's end. Raises OSError."""
        got = os.preadv(self._file, [target], self._position)
        self._position += got
        return got

    def interrupt(self) -> None:
        """A file does not keep anybody waiting."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class PipeStream:
    """Bytes that can be read once, from a pipe; they are kept for reading again."""

    progress = 0.0
    trouble = ""

    def __init__(self, file: int, head: bytes, budget: int = BUDGET) -> None:
        """Take over an open descriptor, of which ``head`` was read already; ``budget`` bounds the bytes in memory."""
        self._file = file
        self._head = head
        self._waiting = _Waiting(file)
        self.raw = KeptBytes(budget)

    def readinto(self, target: memoryview) -> int:
        """Read up to ``len(target)`` next bytes into ``target``; 0 at the end of the stream. Raises OSError."""
        got = min(len(self._head), len(target))
        target[:got] = self._head[:got]
        self._head = self._head[got:]
        # Little at a time would not even be a header.
        while got < min(len(target), _LEAST) and self._waiting.is_readable():
            if not (more := os.readv(self._file, [target[got:]])):
                break
            got += more
        self.raw.append(target[:got])
        return got

    def interrupt(self) -> None:
        """Have it end, however long its writer takes."""
        self._waiting.interrupt()

    def close(self) -> None:
        """Close the pipe and the bytes kept."""
        os.close(self._file)
        self._waiting.close()
        self.raw.close()


class GzipStream:
    """A gzip file, of one member or several; zeros that pad the last one are ignored.

    A thread inflates a little ahead of the reader: inflating takes longer than decoding.
    """

    def __init__(self, file: int, budget: int = BUDGET, head: bytes = b"") -> None:
        """Take over an open descriptor, of which ``head`` was read already; ``budget`` bounds the bytes in memory."""
        self._file = file
        self._waiting = _Waiting(file)
        about = os.fstat(file)
        self._size = about.st_size
        self._least = _AHEAD if stat.S_ISREG(about.st_mode) else _LEAST
        self._inflater = zlib.decompressobj(wbits=31)
        self._input = head
        self._read = len(head)
        self._position = 0
        self._error: OSError | None = None
        self._exhausted = False  # nothing is left to inflate
        self._ended = False  # nothing more will be kept
        self._closed = False
        self._changed = Condition()
        self.trouble = ""
        self.raw = KeptBytes(budget)
        self._thread = Thread(target=self._read_ahead, name="inflate", daemon=True)
        self._thread.start()

    @property
    def progress(self) -> float:
        """How much of the file was read, 0 to 1."""
        return min(self._read / self._size, 1.0) if self._size else 0.0

    def readinto(self, target: memoryview) -> int:
        """Read up to ``len(target)`` next bytes into ``target``; 0 at the end of the stream. Raises OSError."""
        wanted = min(len(target), self._least)
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.raw.size - self._position >= wanted)
        piece = self.raw.read(self._position, self._position + len(target))
        if not piece and self._error is not None:
            raise self._error
        target[: len(piece)] = piece
        with self._changed:
            self._position += len(piece)
            self._changed.notify()
        return len(piece)

    def interrupt(self) -> None:
        """Have it end, however long the writer of a pipe takes."""
        self._waiting.interrupt()

    def close(self) -> None:
        """Close the file and the bytes kept."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._waiting.interrupt()
        self._thread.join()
        os.close(self._file)
        self._waiting.close()
        self.raw.close()

    def _read_ahead(self) -> None:
        try:
            while not self._closed and not self._exhausted:
                self.raw.append(memoryview(self._inflate(PAGE)))
                with self._changed:
                    self._changed.notify()
                    self._changed.wait_for(lambda: self._closed or self.raw.size - self._position < _AHEAD)
        except OSError as error:
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _more_input(self) -> bytes:
        got = os.read(self._file, _INPUT) if self._waiting.is_readable() else b""
        self._read += len(got)
        return got

    def _inflate(self, limit: int) -> bytes:
        """Up to ``limit`` next bytes; none of them does not mean that they are exhausted."""
        if self._inflater.eof:
            while len(self._input) < len(GZIP) and (more := self._more_input()):
                self._input += more
            if not self._input.startswith(GZIP):
                rest = self._input
                while rest and not rest.strip(b"\0"):
                    rest = self._more_input()
                if rest:
                    self.trouble = "expected another gzip member or the end of the file"
                self._exhausted = True
                return b""
            self._inflater = zlib.decompressobj(wbits=31)
        data = self._input or self._more_input()
        # A copy, because a call that meets bad data keeps to itself what it had inflated before.
        before = self._inflater.copy()
        try:
            piece = self._inflater.decompress(data, limit)
        except zlib.error as error:
            self._exhausted = True
            self.trouble = str(error)
            return _salvage(before, data)
        self._input = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        if not data and not piece and not self._inflater.eof:
            self._exhausted = True
            self.trouble = "the compressed data end in the middle"
        return piece


def _salvage(inflater: zlib._Decompress, data: bytes) -> bytes:
    """What can be inflated before the byte that is wrong."""
    out = bytearray()
    for at in range(len(data)):
        try:
            out += inflater.decompress(data[at : at + 1])
        except zlib.error:
            break
    return bytes(out)

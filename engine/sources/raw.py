"""The uncompressed stream of a capture, read again for late arguments (``store.RawBytes``).

Owns where those bytes are: in the file itself when it is plain, else in memory up to a budget and beyond it in a
spill file without a name. A file is never mapped: one cut short while it is mapped would kill the process.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile

PAGE = 1 << 22
"""Kept bytes are held in pieces of this size."""
BUDGET = 1 << 30
"""Kept bytes in memory before the rest is spilled."""
RESERVE = 1 << 28
"""Bytes of the disk that spilling leaves free: a small file may inflate to more than any disk has."""


def read_at(file: int, offset: int, size: int) -> bytes:
    """``size`` bytes at ``offset``, however many calls that takes; fewer only where the file ends."""
    pieces: list[bytes] = []
    while size > 0:
        piece = os.pread(file, size, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class FileBytes:
    """A plain file's own bytes."""

    nbytes = 0

    def __init__(self, file: int) -> None:
        """``file`` is an open descriptor, which stays its owner's."""
        self._file = file

    def read(self, start: int, end: int) -> memoryview:
        """Bytes ``start`` to ``end``; fewer when the file was cut since."""
        return memoryview(read_at(self._file, start, end - start))


class KeptBytes:
    """Bytes that are nowhere else, appended by one thread and read by any."""

    def __init__(self, budget: int = BUDGET) -> None:
        """``budget`` bytes, rounded down to whole pages, stay in memory."""
        self._held = budget // PAGE
        self._pages: list[mmap.mmap | None] = []
        """Pages of the system's own, which go back to it when dropped; a heap would keep them."""
        self._spill = -1
        self._dropped = 0
        self.size = 0
        """Bytes appended so far."""

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return min(self.size, len(self._pages) * PAGE) - self._dropped * PAGE

    def drop(self, before: int) -> None:
        """Let go of whole pages in memory that lie before an offset; reading there gives nothing any more."""
        while (self._dropped + 1) * PAGE <= min(before, self.size) and self._dropped < len(self._pages):
            self._pages[self._dropped] = None
            self._dropped += 1

    def append(self, data: memoryview) -> None:
        """Add to the end. Raises OSError when the spill file cannot take it."""
        while data:
            page, at = divmod(self.size, PAGE)
            if self._spill >= 0 or (not at and page - self._dropped >= self._held):
                if self._spill < 0:
                    # /tmp is memory on many machines, /var/tmp is for large files.
                    folder = os.environ.get("TMPDIR", "/var/tmp")
                    self._spill, name = tempfile.mkstemp(prefix="syscope-", dir=folder)
                    os.unlink(name)
                disk = os.fstatvfs(self._spill)
                if disk.f_bavail * disk.f_frsize < RESERVE:
                    left = f"less than {RESERVE >> 20} MiB are left where inflated bytes go (TMPDIR, else /var/tmp)"
                    raise OSError(errno.ENOSPC, left)
                taken = os.pwrite(self._spill, data, self.size - len(self._pages) * PAGE)
            else:
                taken = min(len(data), PAGE - at)
                if not at:
                    self._pages.append(mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
                held = self._pages[page]
                assert held is not None, "the last page is never dropped"
                held[at : at + taken] = data[:taken]
            self.size += taken
            data = data[taken:]

    def read(self, start: int, end: int) -> memoryview:
        """Bytes ``start`` to ``end``, without a copy when they lie in one page."""
        pieces: list[memoryview] = []
        end = min(end, self.size)
        while start < end:
            page, at = divmod(start, PAGE)
            if page < len(self._pages):
                piece = memoryview(self._pages[page] or b"")[at : at + end - start]
            else:
                piece = memoryview(read_at(self._spill, start - len(self._pages) * PAGE, end - start))
            if not piece:
                break
            pieces.append(piece)
            start += len(piece)
        return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))

    def close(self) -> None:
        """Give the spill file back."""
        if self._spill >= 0:
            os.close(self._spill)
            self._spill = -1

"""Frames of a native capture: a head, a msgpack body, aligned binary blocks; each with a checksum.

Owns the bytes of frames and every bound on them. What bodies mean is the business of ``told``, ``taken`` and
``segments``.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from engine.sources.raw import read_at

MAGIC = b"\xc1SYF"
"""What a frame begins with: a byte that no msgpack value has, and three letters."""
VERSION = 1
ALIGN = 64
"""Frames, data regions and blocks begin at multiples of so many bytes."""
MOST_BODY = 1 << 24
"""Longest body, bytes."""
MOST_BLOCK = 1 << 30
"""Longest block, bytes, inflated."""
MOST_FRAMES = 1 << 26
MOST_EVENTS = 1 << 20
"""Events of a segment: columns that cannot be read are made up in memory, as many as the file claims."""

_HEAD = struct.Struct("<4sIIIQI")
_SUM = struct.Struct("<I")
HEAD_SIZE = _HEAD.size + _SUM.size
_TRAILER = struct.Struct("<8sQI")
TRAILER_SIZE = _TRAILER.size + _SUM.size
_END = b"SYSCEND\0"

ENTRY = np.dtype(
    [
        ("offset", "<i8"),  # where the frame begins
        ("kind", "<u4"),
        ("count", "<u4"),  # events of a segment, as all that follows
        ("first", "<i8"),
        ("start", "<i8"),  # smallest and largest time of its visible events, ns since epoch, 0 and 0 without any
        ("last", "<i8"),
        ("begin", "<i8"),  # where its raw bytes begin and end in the stream
        ("end", "<i8"),
    ]
)
"""A row of the index: one for each frame but header and index, in the order of the file."""

_SUMMARY = ("count", "first", "start", "last", "begin", "end")


class Kind(IntEnum):
    """What a frame holds."""

    HEADER = 1
    TABLES = 2
    SEGMENT = 3
    INDEX = 4


class FrameError(Exception):
    """Bytes of the file are not what the format says."""

    def __init__(self, offset: int, expected: str) -> None:
        """``offset`` in the file; ``expected`` says what should be there, and what is."""
        super().__init__(expected)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was read, without its data."""

    kind: int
    offset: int
    body: dict[str, Any]
    data: int
    """Where its data region begins in the file."""
    size: int
    """Bytes of the data region."""

    @property
    def end(self) -> int:
        """Where the next frame begins."""
        return self.data + self.size


@dataclass(slots=True)
class Data:
    """The data region of a frame being made."""

    compress: bool = False
    pieces: list[bytes | memoryview] = field(default_factory=list)
    size: int = 0

    def add(self, block: memoryview) -> list[int]:
        """Add a block; what a body says of it: offset in the region, bytes there, their checksum, bytes inflated."""
        stored: bytes | memoryview = block
        if self.compress and len(block):
            deflated = zlib.compress(block, 1)
            stored = deflated if len(deflated) < len(block) else block
        told = [self.size, len(stored), zlib.crc32(stored), len(block)]
        padding = -len(stored) % ALIGN
        self.pieces += [stored, bytes(padding)]
        self.size += len(stored) + padding
        return told


def frame(kind: Kind, body: dict[str, Any], data: Data | None = None) -> bytes:
    """The bytes of a frame. Raises ValueError for a body beyond the bounds."""
    packed = msgpack.packb(body, unicode_errors="surrogatepass")
    if len(packed) > MOST_BODY:
        raise ValueError(f"a body of {len(packed)} bytes is longer than {MOST_BODY}")
    size = data.size if data is not None else 0
    head = _HEAD.pack(MAGIC, kind, len(packed), zlib.crc32(packed), size, 0)
    front = head + _SUM.pack(zlib.crc32(head)) + packed
    return b"".join([front, bytes(-len(front) % ALIGN), *(data.pieces if data is not None else ())])


def trailer(index: int) -> bytes:
    """What a finished file ends with; ``index`` is where the index frame begins."""
    told = _TRAILER.pack(_END, index, 0)
    return told + _SUM.pack(zlib.crc32(told))


def read_frame(file: int, offset: int, size: int) -> Frame:
    """The frame at an offset of a file of ``size`` bytes. Raises FrameError, OSError."""
    head = read_at(file, offset, HEAD_SIZE)
    if len(head) < HEAD_SIZE:
        raise FrameError(offset, f"expected a frame's head of {HEAD_SIZE} bytes, found {len(head)}")
    magic, kind, length, checksum, region, _ = _HEAD.unpack_from(head)
    if magic != MAGIC:
        raise FrameError(offset, f"expected a frame's first bytes {MAGIC.hex()}, found {magic.hex()}")
    if zlib.crc32(head[: _HEAD.size]) != _SUM.unpack_from(head, _HEAD.size)[0]:
        raise FrameError(offset, "expected a frame's head that fits its checksum")
    at = offset + HEAD_SIZE
    data = at + length + -(at + length) % ALIGN
    if length > MOST_BODY or region % ALIGN:
        raise FrameError(
            offset, f"expected a body of up to {MOST_BODY} bytes and aligned data, found {length} and {region}"
        )
    if data + region > size:
        raise FrameError(offset, f"expected a frame of {data + region - offset} bytes, found {size - offset}")
    packed = read_at(file, at, length)
    if len(packed) < length or zlib.crc32(packed) != checksum:
        raise FrameError(at, f"expected a body of {length} bytes that fits its checksum")
    try:
        body = msgpack.unpackb(packed, strict_map_key=False, unicode_errors="surrogatepass")
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise FrameError(at, f"expected a msgpack map: {error}") from None
    if not isinstance(body, dict):
        raise FrameError(at, f"expected a msgpack map, found {type(body).__name__}")
    return Frame(kind, offset, body, data, region)


def read_block(file: int, of: Frame, told: Any) -> memoryview:
    """A block of a frame, inflated. ``told`` is what the body says of it. Raises FrameError, OSError."""
    if not (isinstance(told, list) and len(told) == 4 and all(type(one) is int and one >= 0 for one in told)):
        raise FrameError(of.offset, "expected a block's offset, size, checksum and inflated size")
    offset, stored, checksum, length = told
    at = of.data + offset
    if offset % ALIGN or offset + stored > of.size or length > MOST_BLOCK or stored > length:
        raise FrameError(of.offset, f"expected a block inside the {of.size} bytes of data, found {told}")
    block = memoryview(bytearray(stored))
    got = 0
    while got < stored:
        more = os.preadv(file, [block[got:]], at + got)
        if not more:
            raise FrameError(at, f"expected a block of {stored} bytes, found {got}")
        got += more
    if zlib.crc32(block) != checksum:
        raise FrameError(at, f"expected a block of {stored} bytes that fits its checksum {checksum:08x}")
    if stored == length:
        return block
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(block, length)
    except zlib.error as error:
        raise FrameError(at, f"expected a deflated block: {error}") from None
    if len(inflated) != length:
        raise FrameError(at, f"expected {length} bytes inflated, found {len(inflated)}")
    return memoryview(inflated)


def entry_of(of: Frame) -> tuple[int, ...]:
    """A frame's row of the index. Raises FrameError."""
    if of.kind != Kind.SEGMENT:
        return (of.offset, of.kind, 0, 0, 0, 0, 0, 0)
    numbers: list[Any] = [of.body.get(name) for name in _SUMMARY]
    if not all(type(one) is int and -(2**63) <= one < 2**63 for one in numbers) or not 0 <= numbers[0] < 2**31:
        raise FrameError(of.offset, f"expected whole numbers {', '.join(_SUMMARY)} of a segment, found {numbers}")
    return (of.offset, of.kind, *numbers)


def scanned(file: int, start: int, size: int) -> Iterator[tuple[int, ...]]:
    """The rows an index would have, frame by frame. Raises FrameError at what cannot be read, OSError."""
    while start < size:
        found = read_frame(file, start, size)
        if found.kind == Kind.INDEX:
            return
        yield entry_of(found)
        start = found.end


def index(file: int, start: int, size: int) -> NDArray[Any] | None:
    """The index of a finished file, of dtype ENTRY; None when there is none that holds. Raises OSError."""
    end = read_at(file, size - TRAILER_SIZE, TRAILER_SIZE) if size >= start + TRAILER_SIZE else b""
    if not end.startswith(_END) or zlib.crc32(end[: _TRAILER.size]) != _SUM.unpack_from(end, _TRAILER.size)[0]:
        return None
    _, offset, _ = _TRAILER.unpack_from(end)
    try:
        found = read_frame(file, offset, size)
        block = read_block(file, found, found.body.get("frames"))
    except FrameError:
        return None
    if found.kind != Kind.INDEX or len(block) % ENTRY.itemsize or len(block) > MOST_FRAMES * ENTRY.itemsize:
        return None
    entries = np.frombuffer(block, ENTRY)
    starts = entries["offset"]
    if len(entries) and (starts[0] != start or starts[-1] >= offset or (np.diff(starts) <= 0).any()):
        return None
    return entries

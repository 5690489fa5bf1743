"""Blocks of a capture: their numbers (scap-format §3), and the search for one where framing was lost."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

SECTION = 0x0A0D0D0A
MACHINE = frozenset({0x201, 0x8002ABCD})
PROCESS_LISTS = {
    0x202: 1,
    0x8000ABCD: 1,
    0x207: 2,
    0x8013ABCD: 2,
    0x209: 3,
    0x8014ABCD: 3,
    0x210: 4,
    0x211: 5,
    0x212: 6,
    0x213: 7,
    0x214: 8,
    0x215: 9,
}
"""Version by number, as in the following three."""
FD_LISTS = {0x203: 1, 0x8001ABCD: 1, 0x218: 2}
INTERFACE_LISTS = {0x205: 1, 0x8011ABCD: 1, 0x219: 2}
USER_LISTS = {0x206: 1, 0x8012ABCD: 1, 0x220: 2}
EVENTS = frozenset({0x204, 0x8010ABCD, 0x208, 0x216, 0x217, 0x221, 0x222})

FRAME = struct.Struct("<II")
"""What a block begins with: its number and its length, framing included."""
TRAILER = struct.Struct("<I")
"""What it ends with: its length again."""
SHORTEST = FRAME.size + TRAILER.size
SHORTEST_EVENT = 36
"""Bytes of the shortest event block: of the oldest kind, without parameters."""
LONGEST = 1 << 27
"""A longer block is taken for a wrong length: process lists, the longest, have a few KiB a thread."""

_NUMBERS = np.array(
    sorted({SECTION, *MACHINE, *PROCESS_LISTS, *FD_LISTS, *INTERFACE_LISTS, *USER_LISTS, *EVENTS}), "<u4"
)


def is_known(number: int) -> bool:
    """Whether a block of this number has a meaning."""
    return number in _NUMBERS


def is_length(length: int) -> bool:
    """Whether a block can be this long."""
    return length % 4 == 0 and SHORTEST <= length <= LONGEST


def find(buffer: bytearray, start: int, end: int) -> int | None:
    """The first index in ``buffer[start:end]`` where a sound block lies, at whatever alignment.

    Sound is a block of a known number that is framed rightly and followed by a known number, or by the end.
    """
    size = 1 << 16
    while start < end:
        stop = min(start + size, end)
        found = [at for shift in range(4) if (at := _find_aligned(buffer, start + shift, stop)) is not None]
        if found:
            return min(found)
        if stop == end:
            break
        size *= 8
    return None


def _find_aligned(buffer: bytearray, start: int, end: int) -> int | None:
    words: NDArray[Any] = np.frombuffer(buffer, "<u4", max(end - start, 0) // 4, start)
    if len(words) * 4 < SHORTEST:
        return None
    likely = (words - 0x201 <= 0x21) | (words == SECTION) | (words & 0xFFFF == 0xABCD)
    first = np.flatnonzero(likely[:-2])
    length = words[first + 1]
    plausible = np.isin(words[first], _NUMBERS) & (length % 4 == 0) & (length >= SHORTEST)
    first, size = first[plausible], length[plausible] // 4
    inside = first + size <= len(words)
    first, size = first[inside], size[inside]
    after = first + size
    followed = (after == len(words)) | np.isin(words[np.minimum(after, len(words) - 1)], _NUMBERS)
    sound = first[followed & (words[after - 1] == 4 * size)]
    return start + 4 * int(sound[0]) if len(sound) else None

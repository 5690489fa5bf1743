"""Parameters are found where they lie, and nowhere outside of their block."""

from __future__ import annotations

import struct

import numpy as np

from engine.decode.records import contents, locate
from engine.events import SCAP_TYPES
from tests import scapfile

READ = 7


def found(blocks: list[bytes], place: int) -> tuple[list[int], list[int], list[bytes | None]]:
    """First byte, length and contents of one parameter of each block, all blocks in a row."""
    data = b"".join(blocks)
    ends = np.cumsum([len(block) for block in blocks]).astype(np.int64)
    starts, lengths = np.zeros(len(blocks), np.int64), np.zeros(len(blocks), np.int32)
    begins = np.append(0, ends[:-1])
    locate(data, begins, ends, np.full(len(blocks), place, np.int32), np.zeros(SCAP_TYPES, np.uint8), starts, lengths)
    return starts.tolist(), lengths.tolist(), contents(data, starts, lengths)


def read(data: bytes) -> bytes:
    return scapfile.event(READ, 1, 0, scapfile.pack(READ, res=len(data), data=data, fd=3, size=9))


def test_each_block_gives_its_own() -> None:
    _, lengths, values = found([read(b"ab"), read(b""), read(b"cdef")], 1)
    assert (lengths, values) == ([2, 0, 4], [b"ab", b"", b"cdef"])


def test_a_place_a_record_does_not_have_is_absent() -> None:
    assert found([read(b"ab")], 9)[1:] == ([-1], [None])


def test_a_length_that_leads_out_of_the_block_finds_nothing_anywhere() -> None:
    lying = bytearray(read(b"ab"))
    struct.pack_into("<H", lying, 36 + 2, 0xFFFF)
    for place in (1, 2, 3):
        assert found([bytes(lying), read(b"ok")], place)[0][0] == 0
        assert found([bytes(lying), read(b"ok")], place)[1][0] == -2


def test_a_count_that_leads_out_of_the_block_finds_nothing() -> None:
    for count in (0xFFFF, 0x10000, 0xFFFFFFFF):
        lying = bytearray(read(b"ab"))
        struct.pack_into("<I", lying, 32, count)
        assert found([bytes(lying)], 0)[:2] == ([0], [-2])

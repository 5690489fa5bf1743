"""The consuming end of the kernel's ring: records as they come, made event blocks by ``engine.decode.encoder``."""

import cython
import numpy as np
from cython.cimports.engine.decode.atomics import load_acquire32, load_acquire64, store_release64
from cython.cimports.engine.decode.encoder import Encoder
from cython.cimports.engine.decode.lean import Record
from cython.cimports.libc.stdint import int64_t, uint8_t, uint32_t, uint64_t

from engine.sources.live.encoding import Encoding

if not cython.compiled:
    raise ImportError("engine.decode.ring must be compiled: run `make build`")

ROOM = cython.declare(cython.uint, 1 << 17)
"""Bytes kept free for the block being made: more than the largest record and what is added to it."""

_PAGE = cython.declare(cython.int, 4096)
_BUSY = cython.declare(cython.uint, 1 << 31)
_DISCARDED = cython.declare(cython.uint, 1 << 30)


@cython.cclass
class Ring:
    """The consuming end of a BPF ring buffer. One thread drains."""

    def __init__(self, positions, data, size: int, table: Encoding, clock: int, room: int) -> None:
        view: cython.uchar[::1] = positions
        shared: cython.const[cython.uchar][::1] = data
        if len(shared) < _PAGE + 2 * size:
            raise ValueError(f"a ring of {size} bytes needs {_PAGE + 2 * size} mapped, there are {len(shared)}")
        self._held = [positions, data]
        self._encoder = Encoder(table, clock)
        self._consumer = cython.address(view[0])
        self._producer = cython.address(shared[0])
        self._data = self._producer + _PAGE
        self._mask = size - 1
        self.buffer = np.empty(max(room, 2 * ROOM), np.uint8)
        self._capacity = len(self.buffer)
        self._out = cython.cast(cython.pointer(uint8_t), cython.cast(cython.size_t, self.buffer.ctypes.data))
        # No block is shorter than one of a generic call.
        self._most = self._capacity // 40
        self.latencies = np.empty(self._most, np.int64)
        self._latencies = cython.cast(cython.pointer(int64_t), cython.cast(cython.size_t, self.latencies.ctypes.data))

    @property
    def waiting(self) -> int:
        """Bytes of records not yet drained."""
        return load_acquire64(self._producer) - load_acquire64(self._consumer)

    def drain(self, most: int) -> tuple:
        """Make blocks of at most so many waiting records, as many as fit ``buffer``; returns (bytes, events) made."""
        events: uint64_t = 0
        made: uint64_t
        limit: uint64_t = min(most, self._most)
        with cython.nogil:
            made = self._walk(limit, cython.address(events))
        return made, events

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _walk(self, most: uint64_t, events: cython.pointer(uint64_t)) -> uint64_t:
        used: uint64_t = 0
        count: uint64_t = 0
        position: uint64_t = load_acquire64(self._consumer)
        end: uint64_t = load_acquire64(self._producer)
        while position < end and used + ROOM <= self._capacity and count < most:
            head: cython.pointer(cython.const[uint8_t]) = self._data + (position & self._mask)
            length: uint32_t = load_acquire32(head)
            if length & _BUSY:
                break
            size: uint32_t = length & ~_DISCARDED
            if not length & _DISCARDED:
                made: uint32_t = self._encoder.encode(head + 8, size, self._out + used)
                if made:
                    record = cython.cast(cython.pointer(cython.const[Record]), head + 8)
                    self._latencies[count] = cython.cast(int64_t, record.latency)
                    used += made
                    count += 1
                else:
                    self.malformed += 1
            position += (size + 8 + 7) & ~cython.cast(uint64_t, 7)
        store_release64(self._consumer, position)
        events[0] = count
        return used

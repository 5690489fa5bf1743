"""From one full exit event a call to the pair of events every generation of readers understands.

Owns making the enter event, right before its exit and with its own time (scap-format §13). Its parameters are those
of the exit with the same name. A call whose enter was not seen gets none: its time would be made up.
"""

import cython
import numpy as np
from cython.cimports.engine.decode.block import GENERIC_EXIT, GENERIC_RESULT
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.libc.stdint import int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memcpy, memmove, memset

from engine.events import CATALOGUE, PARAM_SIZES, SCAP_TYPES, Trait
from engine.sources.blocks import SHORTEST_EVENT

if not cython.compiled:
    raise ImportError("engine.decode.pairs must be compiled: run `make build`")

_EV_V2 = cython.declare(uint32_t, 0x216)
_HEADER = cython.declare(cython.int, 36)
_LEAST = cython.declare(cython.int, SHORTEST_EVENT)
_TYPES = cython.declare(cython.int, SCAP_TYPES)
_EXECVEAT = cython.declare(cython.int, 331)

_OLDER = {363: 125, 365: 125, 367: 125, 389: 249, 393: 61}
"""By exit that sysdig 0.29.3 does not know, one that it does whose parameters are the first of its: dup for dup2, dup3
and today's dup, without which standard streams are lost on it; accept4 and pipe without their flags."""
_RENAMED = {"fd": "oldfd"}
"""What the enters of dup, dup2 and dup3 call a parameter of the exit."""


@cython.cclass
class Pairs:
    """Makes pairs. ``most`` is the greatest code of a generic call to write; greater ones become 0, unknown. ``old``
    writes events that sysdig 0.29.3 does not know as older ones, where there are such."""

    def __cinit__(self) -> None:
        self._enters = cython.cast(cython.pointer(Enter), calloc(_TYPES, cython.sizeof(Enter)))
        if not self._enters:
            raise MemoryError

    def __init__(self, most: int, old: bool = False) -> None:
        self._most = most
        self._capacity = 0
        self._reserve(1 << 16)
        code: cython.int
        for code in range(1, _TYPES, 2):
            enter, exit_ = CATALOGUE[code - 1], CATALOGUE[code]
            if not exit_.traits & Trait.SYSCALL or enter.traits & Trait.UNUSED or len(enter.params) > 8:
                continue
            self._enters[code].exists = True
            self._enters[code].params = len(enter.params)
            for place, parameter in enumerate(enter.params):
                index = exit_.index(parameter.name)
                if index is None:
                    index = exit_.index(_RENAMED.get(parameter.name, ""))
                # Flags of execveat's enter are not those of the executable in its exit.
                self._enters[code].source[place] = -1 if index is None or code == _EXECVEAT else index
                width = PARAM_SIZES.get(parameter.type, 0)
                same = index is None or PARAM_SIZES.get(exit_.params[index].type, 0) == width
                self._enters[code].width[place] = 0 if same else width
            if old and code in _OLDER:
                self._enters[code].older = _OLDER[code]
                self._enters[code].kept = len(CATALOGUE[_OLDER[code]].params)

    def __dealloc__(self) -> None:
        free(self._enters)

    @cython.cfunc
    def _reserve(self, size: uint64_t) -> cython.void:
        if size > self._capacity:
            self._buffer = np.empty(size, np.uint8)
            self._capacity = size
            self._out = cython.cast(cython.pointer(uint8_t), cython.cast(cython.size_t, self._buffer.ctypes.data))

    def blocks(self, view, latencies, starts=None, hidden=None):
        """The event blocks of ``view``, exits of known latency (int64, ns; -1 unknown) with their enters.

        ``starts`` (int64) says where blocks lie, else they follow each other; those that are ``hidden`` (uint8) become
        state-only. The result is valid until the next call. Raises ValueError for a start where no block lies.
        """
        data: cython.const[cython.uchar][::1] = view
        known: cython.const[int64_t][::1] = latencies
        at: cython.const[int64_t][::1] = starts
        hides: cython.const[cython.uchar][::1] = hidden
        used: uint64_t = 0
        start: int64_t = 0
        index: cython.Py_ssize_t
        for index in range(len(known)):
            if starts is not None:
                start = at[index]
            left: int64_t = len(data) - start
            length: uint32_t = load32(cython.address(data[start]) + 4) if start >= 0 and left >= _LEAST else 0
            if length < cython.cast(uint32_t, _LEAST) or length > left:
                raise ValueError(f"no event block at {start}")
            if used + 2 * length + 256 > self._capacity:
                before = self._buffer
                self._reserve(2 * (used + 2 * length + 256))
                self._buffer[:used] = before[:used]
            hide: cython.bint = hidden is not None and hides[index]
            with cython.nogil:
                used = self._pair(used, cython.address(data[start]), length, known[index], hide)
            start += length
        return memoryview(self._buffer)[:used]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _pair(
        self,
        to: uint64_t,
        block: cython.pointer(cython.const[uint8_t]),
        length: uint32_t,
        latency: int64_t,
        hide: cython.bint,
    ) -> uint64_t:
        """Write the block, with its enter, at ``to``; returns where that ends."""
        kind: uint16_t = 0
        zero: uint16_t = 0
        begin: uint64_t = to
        plain: cython.bint = load32(block) == _EV_V2 and length >= cython.cast(uint32_t, _HEADER + 4)
        if plain:
            kind = load16(block + 30)
            if kind < _TYPES and self._enters[kind].exists and latency >= 0:
                to += self._enter(to, block, cython.address(self._enters[kind]), latency)
                if hide:
                    to += self._hide(begin)
        begin = to
        memcpy(self._out + to, block, length)
        params: uint32_t = load32(block + 32) if plain else 0
        if kind == GENERIC_EXIT and params == GENERIC_RESULT + 1 and length >= cython.cast(uint32_t, _HEADER + 10):
            params = GENERIC_RESULT
            length = self._cut(to, params)
        elif plain and kind < _TYPES and self._enters[kind].older:
            memcpy(self._out + to + 30, cython.address(self._enters[kind].older), 2)
            if params > self._enters[kind].kept and length >= _HEADER + 4 + 2 * params:
                length = self._cut(to, self._enters[kind].kept)
        if kind == GENERIC_EXIT and 0 < params <= GENERIC_RESULT and length >= 44:
            code: cython.pointer(uint8_t) = self._out + to + _HEADER + 2 * params
            if load16(code) > self._most:
                memcpy(code, cython.address(zero), 2)
        memcpy(self._out + to + length - 4, cython.address(length), 4)
        to += length
        if hide:
            to += self._hide(begin)
        return to

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _cut(self, at: uint64_t, keep: uint32_t) -> uint32_t:
        """Leave an event only its first parameters, of which it has more; returns the block's length then."""
        block: cython.pointer(uint8_t) = self._out + at
        params: uint32_t = load32(block + 32)
        size: uint32_t = 0
        index: uint32_t
        for index in range(keep):
            size += load16(block + _HEADER + 2 * index)
        event: uint32_t = _HEADER - 10 + 2 * keep + size
        length: uint32_t = (10 + event + 3 & ~cython.cast(uint32_t, 3)) + 4
        if length > load32(block + 4) or _HEADER + 2 * params + size > load32(block + 4):
            return load32(block + 4)
        memcpy(block + 26, cython.address(event), 4)
        memcpy(block + 32, cython.address(keep), 4)
        memmove(block + _HEADER + 2 * keep, block + _HEADER + 2 * params, size)
        memset(block + 10 + event, 0, length - 4 - 10 - event)
        memcpy(block + 4, cython.address(length), 4)
        return length

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _hide(self, at: uint64_t) -> uint32_t:
        """Make the block there a state-only one; returns by how much it grew."""
        block: cython.pointer(uint8_t) = self._out + at
        length: uint32_t = load32(block + 4) + 4
        number: uint32_t = load32(block)
        flags: uint32_t = 1
        if number == 0x217 or number == 0x222 or number == 0x208:
            flags |= load32(block + 10)
            memcpy(block + 10, cython.address(flags), 4)
            return 0
        # Each kind of event block has a flagged kind right behind it, but for the two oldest.
        number = number + 1 if number == 0x216 or number == 0x221 else 0x208
        memmove(block + 14, block + 10, length - 18)
        memcpy(block, cython.address(number), 4)
        memcpy(block + 4, cython.address(length), 4)
        memcpy(block + 10, cython.address(flags), 4)
        memcpy(block + length - 4, cython.address(length), 4)
        return 4

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _enter(
        self,
        to: uint64_t,
        block: cython.pointer(cython.const[uint8_t]),
        enter: cython.pointer(cython.const[Enter]),
        latency: int64_t,
    ) -> uint64_t:
        out: cython.pointer(uint8_t) = self._out + to
        lengths: cython.pointer(cython.const[uint8_t]) = block + _HEADER
        count: uint32_t = load32(block + 32)
        room: uint32_t = load32(block + 4) - 4 - _HEADER
        at: cython.pointer(uint8_t) = out + _HEADER + 2 * enter.params
        time: uint64_t = load64(block + 10) - cython.cast(uint64_t, latency)
        kind: uint16_t = (enter.older if enter.older else load16(block + 30)) - 1
        params: uint32_t = enter.params
        memcpy(out, block, 10)
        memcpy(out + 10, cython.address(time), 8)
        memcpy(out + 18, block + 18, 8)
        memcpy(out + 30, cython.address(kind), 2)
        memcpy(out + 32, cython.address(params), 4)
        place: cython.int
        for place in range(enter.params):
            size: uint16_t = 0
            if enter.source[place] >= 0 and cython.cast(uint32_t, enter.source[place]) < count and 2 * count < room:
                offset: uint32_t = 2 * count
                index: cython.int
                for index in range(enter.source[place]):
                    offset += load16(lengths + 2 * index)
                size = load16(lengths + 2 * enter.source[place])
                if offset + size > room:
                    size = 0
                memcpy(at, lengths + offset, size)
                if size and enter.width[place] and enter.width[place] != size:
                    if enter.width[place] > size:
                        memset(at + size, 0, enter.width[place] - size)
                    size = enter.width[place]
            memcpy(out + _HEADER + 2 * place, cython.address(size), 2)
            at += size
        event: uint32_t = cython.cast(uint32_t, at - out) - 10
        memcpy(out + 26, cython.address(event), 4)
        while (at - out) & 3:
            at[0] = 0
            at += 1
        total: uint32_t = cython.cast(uint32_t, at - out) + 4
        memcpy(at, cython.address(total), 4)
        memcpy(out + 4, cython.address(total), 4)
        code: uint16_t = 0
        if kind == 0 and load16(out + _HEADER) == 2 and load16(out + _HEADER + 4) > self._most:
            memcpy(out + _HEADER + 4, cython.address(code), 2)
        return total

"""From the kernel side's records to event blocks: exit events of the scap format (scap-format §9, §10).

Owns the making of a call's parameters, driven by the table of ``engine.sources.live.calls``. The decoder reads what
it makes as it reads a file: there is no second path.
"""

import cython
import numpy as np
from cython.cimports.engine.decode import block as blocks
from cython.cimports.engine.decode.block import GENERIC_EXIT, GENERIC_RESULT, Block
from cython.cimports.engine.decode.endpoints import address, ends, option
from cython.cimports.engine.decode.happenings import happening
from cython.cimports.engine.decode.lean import Condition, Op, Piece, Record
from cython.cimports.engine.decode.processes import argument_strings, cgroups, path
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy

from engine.sources.live.calls import CALLS, FACTS, SOCKET, TABLES, Kind
from engine.sources.live.calls import Op as Operation
from engine.sources.live.encoding import Encoding

if not cython.compiled:
    raise ImportError("engine.decode.encoder must be compiled: run `make build`")

_ABSENT = cython.declare(cython.int, 0xFFFF)
_RECORD = cython.declare(cython.uint, 80)
_PIECES = cython.declare(cython.int, 12)
_RESULT = cython.declare(cython.int, 6)
_FIRST_KIND = cython.declare(cython.int, Kind.EXIT)
_CALLS = cython.declare(cython.int, CALLS)

_NUMBER = cython.declare(cython.int, Operation.NUMBER)
_PIECE = cython.declare(cython.int, Operation.PIECE)
_FIELD = cython.declare(cython.int, Operation.FIELD)
_ADDRESS = cython.declare(cython.int, Operation.ADDRESS)
_TUPLE = cython.declare(cython.int, Operation.TUPLE)
_DEVICE = cython.declare(cython.int, Operation.DEVICE)
_INODE = cython.declare(cython.int, Operation.INODE)
_OPEN_FLAGS = cython.declare(cython.int, Operation.OPEN_FLAGS)
_OPEN_MODE = cython.declare(cython.int, Operation.OPEN_MODE)
_SIZE = cython.declare(cython.int, Operation.SIZE)
_CHECKED = cython.declare(cython.int, Operation.CHECKED)
_DURATION = cython.declare(cython.int, Operation.DURATION)
_POLL = cython.declare(cython.int, Operation.POLL)
_OPTION = cython.declare(cython.int, Operation.OPTION)
_DYNAMIC = cython.declare(cython.int, Operation.DYNAMIC)
_TEXT = cython.declare(cython.int, Operation.TEXT)
_CAPABILITIES = cython.declare(cython.int, Operation.CAPABILITIES)
_QUEUE = cython.declare(cython.int, Operation.QUEUE)
_MOUNT_FLAGS = cython.declare(cython.int, Operation.MOUNT_FLAGS)
_EXE = cython.declare(cython.int, Operation.EXE)
_ARGUMENTS = cython.declare(cython.int, Operation.ARGUMENTS)
_CGROUPS = cython.declare(cython.int, Operation.CGROUPS)
_PATH = cython.declare(cython.int, Operation.PATH)
_CLONE_FLAGS = cython.declare(cython.int, Operation.CLONE_FLAGS)
_LAYER = cython.declare(cython.int, Operation.LAYER)
_ZERO = cython.declare(cython.int, Operation.ZERO)

_SOCKET = cython.declare(cython.int, SOCKET.itemsize)
_IN_NAMESPACE = cython.declare(cython.int, FACTS.fields["in_namespace"][1])
_CREATED = cython.declare(cython.uint, 0x100000)
_O_CREAT_OR_TMPFILE = cython.declare(cython.uint, 0o100 | 0o20000000)
_F_CREATED = cython.declare(cython.uint, 1 << 14)
_F_UPPER = cython.declare(cython.uint, 1 << 15)
_F_LOWER = cython.declare(cython.uint, 1 << 16)
_UPPER = cython.declare(cython.uint, 2)
_LOWER = cython.declare(cython.uint, 8)
_CHILD_IN_PIDNS = cython.declare(cython.uint, 0x20000000)
_VFORK = cython.declare(cython.uint, 0x8000 | 0x8000000)
_UNKNOWN_SIZE = cython.declare(uint32_t, 0xFFFFFFFF)
_MAGIC_MASK = cython.declare(uint32_t, 0xFFFF0000)
_MAGIC = cython.declare(uint32_t, 0xC0ED0000)
_ALL = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.cclass
class Encoder:
    """Makes one block of one record. One thread uses it."""

    def __init__(self, table: Encoding, clock: int) -> None:
        """``clock``: ns from the monotonic clock's zero to the epoch's."""
        self._held = []
        self._clock = clock
        self._types = cython.cast(cython.pointer(cython.const[uint16_t]), self._hold(table.types))
        self._generic = cython.cast(cython.pointer(cython.const[uint16_t]), self._hold(table.generic))
        self._first = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.first))
        self._count = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.count))
        self._ops = cython.cast(cython.pointer(cython.const[Op]), self._hold(table.ops))
        self._conditions = cython.cast(cython.pointer(cython.const[Condition]), self._hold(table.conditions))
        self._flags = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.flags))
        self._flags_first = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.flags_first))
        self._clone_table = 1 + TABLES.index("clone_flags")
        self._poll_table = 1 + TABLES.index("poll_flags")
        self._open_table = 1 + TABLES.index("file_flags")

    @cython.cfunc
    @cython.exceptval(0, check=True)
    def _hold(self, array) -> cython.size_t:
        kept = np.ascontiguousarray(array)
        self._held.append(kept)
        return cython.cast(cython.size_t, kept.ctypes.data)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def encode(
        self, at: cython.pointer(cython.const[uint8_t]), size: uint32_t, to: cython.pointer(uint8_t)
    ) -> uint32_t:
        """One record to one block; its bytes, 0 when it is none of the kernel side's."""
        if size < _RECORD:
            return 0
        block: cython.pointer(Block) = cython.address(self._block)
        record: cython.pointer(cython.const[Record]) = cython.cast(cython.pointer(cython.const[Record]), at)
        kind: cython.int = record.kind
        time: uint64_t = record.time + self._clock
        if kind >= _FIRST_KIND:
            return blocks.end(block) if happening(block, to, record, self._clock) else 0
        if kind >= _CALLS:
            return 0
        if self._types[kind] == 1:
            blocks.begin(block, to, time, record.tid, record.cpu, GENERIC_EXIT, GENERIC_RESULT + 1, False)
            blocks.number(block, self._generic[kind], 2)
            # The number of a 32-bit call would be taken for the 64-bit call of that number.
            blocks.number(block, kind, 2 if kind < _CALLS - 1 else 0)
            blocks.number(block, record.result, 8)
            return blocks.end(block)
        if not self._cut(at + _RECORD + 8, size - _RECORD - 8 if size > _RECORD + 8 else 0):
            return 0
        op: cython.pointer(cython.const[Op]) = self._ops + self._first[kind]
        count: uint32_t = self._count[kind]
        blocks.begin(block, to, time, record.tid, record.cpu, self._types[kind], count, False)
        index: uint32_t
        for index in range(count):
            self._parameter(record, op + index)
        return blocks.end(block)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _cut(self, at: cython.pointer(cython.const[uint8_t]), size: uint32_t) -> cython.bint:
        """Find the pieces of a payload. What is missing at its end is absent."""
        index: cython.int
        length: cython.int
        for index in range(_PIECES):
            self._pieces[index].at = cython.NULL
            self._pieces[index].length = -1
        index = 0
        while size >= 2 and index < _PIECES:
            length = load16(at)
            at += 2
            size -= 2
            if length != _ABSENT:
                if cython.cast(uint32_t, length) > size:
                    return False
                self._pieces[index].at = at
                self._pieces[index].length = length
                at += length
                size -= length
            index += 1
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _is_met(
        self, record: cython.pointer(cython.const[Record]), condition: cython.pointer(cython.const[Condition])
    ) -> cython.bint:
        if condition.argument == _RESULT:
            return record.result > 0
        # Arguments that say what to do are int: what lies above is not looked at by the kernel either.
        value: uint32_t = cython.cast(uint32_t, record.numbers[condition.argument]) >> condition.shift
        value -= condition.base
        listed: cython.bint = value < 64 and condition.values >> value & 1 != 0
        return listed != (condition.test == 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _mapped(self, value: uint32_t, table: uint32_t) -> uint32_t:
        """A value through flag table ``table`` - 1; 0 stands for no table."""
        if not table:
            return value
        out: uint32_t = 0
        index: uint32_t
        for index in range(self._flags_first[table - 1], self._flags_first[table]):
            if value & self._flags[3 * index] == self._flags[3 * index + 1]:
                out |= self._flags[3 * index + 2]
        return out

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _parameter(
        self, record: cython.pointer(cython.const[Record]), op: cython.pointer(cython.const[Op])
    ) -> cython.void:
        what: cython.int = op.op
        value: uint64_t = 0
        block: cython.pointer(Block) = cython.address(self._block)
        piece: cython.pointer(cython.const[Piece])
        if op.when and what != _TEXT and not self._is_met(record, self._conditions + op.when - 1):
            blocks.close(block, 0)
            return
        if what == _NUMBER:
            value = record.numbers[op.a] if op.a < 6 else record.result if op.a == _RESULT else record.tid
            if op.b:
                value = cython.cast(uint64_t, cython.cast(int64_t, cython.cast(int32_t, value)))
            if op.table:
                value = self._mapped(cython.cast(uint32_t, value), op.table)
            blocks.number(block, value, op.width)
            return
        piece = cython.address(self._pieces[op.a if op.a < _PIECES else 0])
        if what == _PIECE:
            blocks.data(block, piece.at, piece.length)
        elif what == _FIELD or what == _SIZE or what == _CHECKED:  # noqa: SIM109
            self._field(op, piece)
        elif what == _OPEN_FLAGS:
            self._open_flags(record, op)
        elif what == _OPEN_MODE:
            creates: cython.bint = record.numbers[op.b] & _O_CREAT_OR_TMPFILE != 0
            blocks.number(block, record.numbers[op.a] if creates else 0, op.width)
        elif what == _INODE:
            blocks.number(block, load64(piece.at) if piece.length >= 24 else 0, op.width)
        elif what == _DEVICE:
            # The kernel keeps major << 20 | minor.
            device: uint32_t = load32(piece.at + 8) if piece.length >= 24 else 0
            minor: uint32_t = device & 0xFFFFF
            value = (minor & 0xFF) | (device >> 20) << 8 | (minor & ~cython.cast(uint32_t, 0xFF)) << 12
            blocks.number(block, value, op.width)
        elif what == _ADDRESS:
            address(block, piece)
        elif what == _TUPLE:
            ends(block, record, piece, cython.address(self._pieces[op.c - 1]) if op.c else cython.NULL, op.b != 0)
        else:
            self._rare(record, op, piece)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_flags(
        self, record: cython.pointer(cython.const[Record]), op: cython.pointer(cython.const[Op])
    ) -> cython.void:
        asked: cython.pointer(cython.const[Piece]) = cython.address(self._pieces[op.c - 1 if op.c else 0])
        inode: cython.pointer(cython.const[Piece]) = cython.address(self._pieces[op.b])
        value: uint64_t = record.numbers[op.a]
        if op.c:
            if asked.length < 8:
                blocks.close(cython.address(self._block), 0)
                return
            value = load64(asked.at)
        value = self._mapped(cython.cast(uint32_t, value), self._open_table)
        if inode.length >= 24:
            if load32(inode.at + 12) & _CREATED:
                value |= _F_CREATED
            if load32(inode.at + 16) == _UPPER:
                value |= _F_UPPER
            elif load32(inode.at + 16) == _LOWER:
                value |= _F_LOWER
        blocks.number(cython.address(self._block), value, op.width)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _field(self, op: cython.pointer(cython.const[Op]), piece: cython.pointer(cython.const[Piece])) -> cython.void:
        value: uint64_t
        if piece.length < op.b + (8 if op.width == 8 and not op.c else 4 if op.width > 2 else op.width):
            blocks.number(cython.address(self._block), _ALL, op.width if op.op == _CHECKED else 0)
            return
        if piece.length >= op.b + 8:
            value = load64(piece.at + op.b)
        elif piece.length >= op.b + 4:
            value = load32(piece.at + op.b)
        elif piece.length >= op.b + 2:
            value = load16(piece.at + op.b)
        else:
            value = piece.at[op.b]
        if op.c:
            value = cython.cast(uint64_t, cython.cast(int64_t, cython.cast(int32_t, value)))
        if op.table:
            # What follows a narrow field is not part of it.
            if op.width <= 2:
                value &= 0xFFFF
            value = self._mapped(cython.cast(uint32_t, value), op.table)
        unknown: cython.bint = op.op == _SIZE and cython.cast(uint32_t, value) == _UNKNOWN_SIZE
        blocks.number(cython.address(self._block), value, 0 if unknown else op.width)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _rare(
        self,
        record: cython.pointer(cython.const[Record]),
        op: cython.pointer(cython.const[Op]),
        piece: cython.pointer(cython.const[Piece]),
    ) -> cython.void:
        what: cython.int = op.op
        value: uint64_t = 0
        block: cython.pointer(Block) = cython.address(self._block)
        if what == _TEXT:
            piece = cython.address(self._pieces[op.b])
            if piece.length > 0 and self._is_met(record, self._conditions + op.when - 1):
                block.at[0] = 1
                memcpy(block.at + 1, piece.at, piece.length)
                blocks.close(block, 1 + piece.length)
                return
        if what == _POLL:
            self._poll(piece)
        elif what == _DURATION:
            if piece.length >= 16:
                value = load64(piece.at) * 1000000000 + load64(piece.at + 8)
            blocks.number(block, value if piece.length >= 16 else _ALL, 8)
        elif what == _DYNAMIC or what == _TEXT:  # noqa: SIM109
            block.at[0] = 0
            memcpy(block.at + 1, cython.address(record.numbers[op.a]), 8)
            blocks.close(block, 9)
        elif what == _OPTION:
            option(block, record, piece)
        elif what == _CAPABILITIES:
            if piece.length >= 24:
                value = load32(piece.at + 4 * op.b) | cython.cast(uint64_t, load32(piece.at + 12 + 4 * op.b)) << 32
            blocks.number(block, value, 8 if piece.length >= 24 else 0)
        elif what == _QUEUE:
            if piece.length < _SOCKET:
                blocks.close(block, 0)
                return
            value = load32(piece.at + 24)
            limit: uint32_t = load32(piece.at + 28)
            if op.b == 0:
                value = value * 100 // limit if limit else 0
            blocks.number(block, limit if op.b == 2 else value, op.width)
        elif what == _MOUNT_FLAGS:
            value = record.numbers[op.a]
            blocks.number(block, value & 0xFFFF if value & _MAGIC_MASK == _MAGIC else value, op.width)
        elif what == _EXE or what == _ARGUMENTS:  # noqa: SIM109
            argument_strings(block, piece, what == _EXE)
        elif what == _CGROUPS:
            cgroups(block, piece, piece + 1)
        elif what == _PATH:
            path(block, piece)
        elif what == _LAYER:
            if piece.length >= 24:
                value = 1 if load32(piece.at + 16) == _UPPER else 2 if load32(piece.at + 16) == _LOWER else 0
            blocks.number(block, value, op.width)
        elif what == _ZERO:
            blocks.number(block, 0, op.width if op.width else 1)
        elif what == _CLONE_FLAGS:
            unknown: cython.bint = op.a == 0 and self._pieces[0].length < 8
            blocks.number(block, self._clone_flags(op.a), 0 if unknown else op.width)
        else:
            blocks.close(block, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _poll(self, piece: cython.pointer(cython.const[Piece])) -> cython.void:
        """The entries that something was returned for (scap-format §10: FDLIST)."""
        count: uint16_t = 0
        block: cython.pointer(Block) = cython.address(self._block)
        at: cython.pointer(uint8_t) = block.at + 2
        index: cython.int
        for index in range((piece.length if piece.length > 0 else 0) // 8):
            returned: uint16_t = load16(piece.at + 8 * index + 6)
            if returned:
                number: int64_t = cython.cast(int32_t, load32(piece.at + 8 * index))
                flags: uint16_t = cython.cast(uint16_t, self._mapped(returned, self._poll_table))
                memcpy(at, cython.address(number), 8)
                memcpy(at + 8, cython.address(flags), 2)
                at += 10
                count += 1
        memcpy(block.at, cython.address(count), 2)
        blocks.close(block, at - block.at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _clone_flags(self, source: cython.int) -> uint64_t:
        """Of a call that made a process: from piece 0, those of fork (1), those of vfork (2)."""
        value: uint64_t = _VFORK if source == 2 else 0
        if source == 0 and self._pieces[0].length >= 8:
            value = self._mapped(cython.cast(uint32_t, load64(self._pieces[0].at)), self._clone_table)
        facts: cython.pointer(cython.const[Piece]) = cython.address(self._pieces[1])
        if facts.length > _IN_NAMESPACE and load32(facts.at + _IN_NAMESPACE):
            value |= _CHILD_IN_PIDNS
        return value

"""From the kernel's ring to event blocks: the live source's encoder.

Owns the walk over the mapped ring buffer and the making of exit events of the scap format (scap-format §9, §10)
from lean records, driven by the table of ``engine.sources.live.calls``. The decoder reads what it makes as it reads
a file: there is no second path.
"""

import cython
import numpy as np
from cython.cimports.engine.decode.atomics import load_acquire32, load_acquire64, store_release64
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.string import memchr, memcpy

from engine.sources.live.calls import SOCKET, TABLES, Encoding, Kind
from engine.sources.live.calls import Op as Operation

if not cython.compiled:
    raise ImportError("engine.decode.ring must be compiled: run `make build`")

ROOM = cython.declare(cython.uint, 1 << 16)
"""Bytes kept free for the block being made: more than the largest record and what is added to it."""

_PAGE = cython.declare(cython.int, 4096)
_BUSY = cython.declare(cython.uint, 1 << 31)
_DISCARDED = cython.declare(cython.uint, 1 << 30)
_EV_V2 = cython.declare(cython.uint, 0x216)
_EVF_V2 = cython.declare(cython.uint, 0x217)
_HIDDEN = cython.declare(cython.uint, 1)
_ABSENT = cython.declare(cython.int, 0xFFFF)
_RECORD = cython.declare(cython.uint, 80)
_PIECES = cython.declare(cython.int, 12)
_RESULT = cython.declare(cython.int, 6)
_TID = cython.declare(cython.int, 7)

_NUMBER = cython.declare(cython.int, Operation.NUMBER)
_PIECE = cython.declare(cython.int, Operation.PIECE)
_FIELD = cython.declare(cython.int, Operation.FIELD)
_ADDRESS = cython.declare(cython.int, Operation.ADDRESS)
_TUPLE = cython.declare(cython.int, Operation.TUPLE)
_DEVICE = cython.declare(cython.int, Operation.DEVICE)
_OPEN_FLAGS = cython.declare(cython.int, Operation.OPEN_FLAGS)
_OPEN_MODE = cython.declare(cython.int, Operation.OPEN_MODE)
_DURATION = cython.declare(cython.int, Operation.DURATION)
_POLL = cython.declare(cython.int, Operation.POLL)
_OPTION = cython.declare(cython.int, Operation.OPTION)
_DYNAMIC = cython.declare(cython.int, Operation.DYNAMIC)
_CAPABILITIES = cython.declare(cython.int, Operation.CAPABILITIES)
_NAME_OPTION = cython.declare(cython.int, Operation.NAME_OPTION)
_WHEN_WRITTEN = cython.declare(cython.int, Operation.WHEN_WRITTEN)
_QUEUE = cython.declare(cython.int, Operation.QUEUE)
_CHECKED = cython.declare(cython.int, Operation.CHECKED)
_MOUNT_FLAGS = cython.declare(cython.int, Operation.MOUNT_FLAGS)
_SIZE = cython.declare(cython.int, Operation.SIZE)
_EXE = cython.declare(cython.int, Operation.EXE)
_ARGUMENTS = cython.declare(cython.int, Operation.ARGUMENTS)
_CGROUPS = cython.declare(cython.int, Operation.CGROUPS)
_PATH = cython.declare(cython.int, Operation.PATH)
_CLONE_FLAGS = cython.declare(cython.int, Operation.CLONE_FLAGS)

_INODE = cython.declare(cython.int, Operation.INODE)
_EMPTY = cython.declare(cython.int, Operation.EMPTY)

_KIND_EXIT = cython.declare(cython.int, Kind.EXIT)
_KIND_SIGNAL = cython.declare(cython.int, Kind.SIGNAL)
_KIND_RENAME = cython.declare(cython.int, Kind.RENAME)
_KIND_SWITCH = cython.declare(cython.int, Kind.SWITCH)
_KIND_FAULT = cython.declare(cython.int, Kind.FAULT)

_SOCKET = cython.declare(cython.int, SOCKET.itemsize)
_FACTS_NAMESPACE = cython.declare(cython.int, 164)
_EINPROGRESS = cython.declare(cython.int, -115)
_CREATED = cython.declare(cython.uint, 0x100000)
_O_CREAT_OR_TMPFILE = cython.declare(cython.uint, 0o100 | 0o20000000)
_F_CREATED = cython.declare(cython.uint, 1 << 14)
_CHILD_IN_PIDNS = cython.declare(cython.uint, 0x20000000)
_VFORK = cython.declare(cython.uint, 0x8000 | 0x8000000)
_UNKNOWN_SIZE = cython.declare(uint32_t, 0xFFFFFFFF)
_MAGIC_MASK = cython.declare(uint32_t, 0xFFFF0000)
_MAGIC = cython.declare(uint32_t, 0xC0ED0000)
_ALL = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.cclass
class Ring:
    """The consuming end of a BPF ring buffer. One thread drains."""

    def __init__(self, positions, data, size: int, table: Encoding, clock: int, room: int) -> None:
        view: cython.uchar[::1] = positions
        shared: cython.const[cython.uchar][::1] = data
        if len(shared) < _PAGE + 2 * size:
            raise ValueError(f"a ring of {size} bytes needs {_PAGE + 2 * size} mapped, there are {len(shared)}")
        self._held = [positions, data]
        self._consumer = cython.address(view[0])
        self._producer = cython.address(shared[0])
        self._data = self._producer + _PAGE
        self._mask = size - 1
        self._offset = clock
        self._types = cython.cast(cython.pointer(cython.const[uint16_t]), self._hold(table.types))
        self._generic = cython.cast(cython.pointer(cython.const[uint16_t]), self._hold(table.generic))
        self._first = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.first))
        self._count = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.count))
        self._ops = cython.cast(cython.pointer(cython.const[Op]), self._hold(table.ops))
        self._flags = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.flags))
        self._flags_first = cython.cast(cython.pointer(cython.const[uint32_t]), self._hold(table.flags_first))
        self._clone_table = 1 + TABLES.index("clone_flags")
        self._poll_table = 1 + TABLES.index("poll_flags")
        self._open_table = 1 + TABLES.index("file_flags")
        self.buffer = np.empty(max(room, 2 * ROOM), np.uint8)
        self._capacity = len(self.buffer)
        self._out = cython.cast(cython.pointer(uint8_t), cython.cast(cython.size_t, self.buffer.ctypes.data))
        # No block is shorter than one of a generic call.
        self._most = self._capacity // 40
        self.latencies = np.empty(self._most, np.int64)
        self._latencies = cython.cast(cython.pointer(int64_t), cython.cast(cython.size_t, self.latencies.ctypes.data))

    @cython.cfunc
    @cython.exceptval(0, check=True)
    def _hold(self, array) -> cython.size_t:
        kept = np.ascontiguousarray(array)
        self._held.append(kept)
        return cython.cast(cython.size_t, kept.ctypes.data)

    @property
    def waiting(self) -> int:
        """Bytes of records not yet drained."""
        return load_acquire64(self._producer) - load_acquire64(self._consumer)

    def drain(self) -> tuple:
        """Make blocks of the waiting records, as many as fit ``buffer``; returns (bytes, events) made."""
        events: uint64_t = 0
        made: uint64_t
        with cython.nogil:
            made = self._walk(cython.address(events))
        return made, events

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _walk(self, events: cython.pointer(uint64_t)) -> uint64_t:
        used: uint64_t = 0
        count: uint64_t = 0
        position: uint64_t = load_acquire64(self._consumer)
        end: uint64_t = load_acquire64(self._producer)
        while position < end and used + ROOM <= self._capacity and count < self._most:
            head: cython.pointer(cython.const[uint8_t]) = self._data + (position & self._mask)
            length: uint32_t = load_acquire32(head)
            if length & _BUSY:
                break
            size: uint32_t = length & ~_DISCARDED
            if not length & _DISCARDED:
                self._block = self._out + used
                if self._encode(head + 8, size):
                    record: cython.pointer(cython.const[Record]) = cython.cast(
                        cython.pointer(cython.const[Record]), head + 8
                    )
                    self._latencies[count] = cython.cast(int64_t, record.latency)
                    used += load32(self._block + 4)
                    count += 1
                else:
                    self.malformed += 1
            position += (size + 8 + 7) & ~cython.cast(uint64_t, 7)
        store_release64(self._consumer, position)
        events[0] = count
        return used

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _encode(self, at: cython.pointer(cython.const[uint8_t]), size: uint32_t) -> cython.bint:
        """One record to one block at ``_block``; False when it is none of the kernel side's."""
        if size < _RECORD:
            return False
        record: cython.pointer(cython.const[Record]) = cython.cast(cython.pointer(cython.const[Record]), at)
        kind: cython.int = record.kind
        if kind >= _KIND_EXIT:
            return self._happening(record)
        if kind >= 512:
            return False
        if self._types[kind] == 1:
            self._begin(record, 1, 2, False)
            self._number(self._generic[kind], 2)
            # The number of a 32-bit call would be taken for the 64-bit call of that number.
            self._number(kind, 2 if kind < 511 else 0)
            self._end()
            return True
        if not self._cut(at + _RECORD + 8, size - _RECORD - 8 if size > _RECORD + 8 else 0):
            return False
        first: uint32_t = self._first[kind]
        count: cython.int = self._count[kind]
        self._begin(record, self._types[kind], count, False)
        index: cython.int
        for index in range(count):
            self._parameter(record, cython.address(self._ops[first + index]))
        self._end()
        return True

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

    # ---- writing a block

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _begin(
        self, record: cython.pointer(cython.const[Record]), number: cython.int, params: cython.int, hidden: cython.bint
    ) -> cython.void:
        at: cython.pointer(uint8_t) = self._block
        block: uint32_t = _EVF_V2 if hidden else _EV_V2
        flags: uint32_t = _HIDDEN
        time: uint64_t = record.time + self._offset
        tid: uint64_t = record.tid
        code: uint16_t = number
        count: uint32_t = params
        memcpy(at, cython.address(block), 4)
        memcpy(at + 8, cython.address(record.cpu), 2)
        at += 10
        if hidden:
            memcpy(at, cython.address(flags), 4)
            at += 4
        memcpy(at, cython.address(time), 8)
        memcpy(at + 8, cython.address(tid), 8)
        memcpy(at + 20, cython.address(code), 2)
        memcpy(at + 22, cython.address(count), 4)
        self._lengths = at + 26
        self._at = at + 26 + 2 * params

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _end(self) -> cython.void:
        event: cython.pointer(uint8_t) = self._block + (14 if load32(self._block) == _EVF_V2 else 10)
        length: uint32_t = cython.cast(uint32_t, self._at - event)
        memcpy(event + 16, cython.address(length), 4)
        while (self._at - self._block) & 3:
            self._at[0] = 0
            self._at += 1
        length = cython.cast(uint32_t, self._at - self._block) + 4
        memcpy(self._at, cython.address(length), 4)
        memcpy(self._block + 4, cython.address(length), 4)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _close(self, length: uint64_t) -> cython.void:
        """The parameter written at ``_at`` is ``length`` bytes long."""
        short: uint16_t = cython.cast(uint16_t, length)
        memcpy(self._lengths, cython.address(short), 2)
        self._lengths += 2
        self._at += length

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _number(self, value: uint64_t, width: cython.int) -> cython.void:
        memcpy(self._at, cython.address(value), 8)
        self._close(width)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _bytes(self, at: cython.pointer(cython.const[uint8_t]), length: cython.int) -> cython.void:
        if length > 0:
            memcpy(self._at, at, length)
        self._close(length if length > 0 else 0)

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

    # ---- parameters

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _parameter(
        self, record: cython.pointer(cython.const[Record]), op: cython.pointer(cython.const[Op])
    ) -> cython.void:
        what: cython.int = op.op
        value: uint64_t = 0
        piece: cython.pointer(cython.const[Piece])
        if what == _NUMBER:
            value = record.numbers[op.a] if op.a < 6 else record.result if op.a == _RESULT else record.tid
            if op.b:
                value = cython.cast(uint64_t, cython.cast(int64_t, cython.cast(int32_t, value)))
            if op.table:
                value = self._mapped(cython.cast(uint32_t, value), op.table)
            self._number(value, op.width)
            return
        piece = cython.address(self._pieces[op.a if op.a < _PIECES else 0])
        if what == _PIECE:
            self._bytes(piece.at, piece.length)
        elif what == _FIELD or what == _SIZE or what == _CHECKED:  # noqa: SIM109
            if piece.length < op.b + (8 if op.width == 8 and not op.c else 4 if op.width > 2 else op.width):
                self._number(_ALL, op.width if what == _CHECKED else 0)
                return
            if piece.length >= op.b + 8:
                value = load64(piece.at + op.b)
            elif piece.length >= op.b + 4:
                value = load32(piece.at + op.b)
            else:
                value = load16(piece.at + op.b)
            if op.c:
                value = cython.cast(uint64_t, cython.cast(int64_t, cython.cast(int32_t, value)))
            if op.table:
                value = self._mapped(cython.cast(uint32_t, value), op.table)
            unknown: cython.bint = what == _SIZE and cython.cast(uint32_t, value) == _UNKNOWN_SIZE
            self._number(value, 0 if unknown else op.width)
        elif what == _OPEN_FLAGS:
            value = self._mapped(cython.cast(uint32_t, record.numbers[op.a]), self._open_table)
            piece = cython.address(self._pieces[op.b])
            if piece.length >= 16 and load32(piece.at + 12) & _CREATED:
                value |= _F_CREATED
            self._number(value, op.width)
        elif what == _OPEN_MODE:
            creates: cython.bint = record.numbers[op.b] & _O_CREAT_OR_TMPFILE != 0
            self._number(record.numbers[op.a] if creates else 0, op.width)
        elif what == _INODE:
            self._number(load64(piece.at) if piece.length >= 16 else 0, op.width)
        elif what == _DEVICE:
            if piece.length < 16:
                self._number(0, op.width)
                return
            # The kernel keeps major << 20 | minor.
            device: uint32_t = load32(piece.at + 8)
            minor: uint32_t = device & 0xFFFFF
            self._number((minor & 0xFF) | (device >> 20) << 8 | (minor & ~cython.cast(uint32_t, 0xFF)) << 12, op.width)
        elif what == _ADDRESS:
            self._address(piece)
        elif what == _TUPLE:
            self._tuple(record, op)
        else:
            self._rare(record, op, piece)

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
        end: cython.pointer(uint8_t)
        found: cython.pointer(cython.const[uint8_t])
        length: cython.int
        if what == _POLL:
            self._poll(piece)
        elif what == _DURATION:
            if piece.length < 16:
                self._number(_ALL, 8)
            else:
                self._number(load64(piece.at) * 1000000000 + load64(piece.at + 8), 8)
        elif what == _DYNAMIC:
            self._at[0] = 0
            memcpy(self._at + 1, cython.address(record.numbers[op.a]), 8)
            self._close(9)
        elif what == _OPTION:
            self._option(record, piece)
        elif what == _CAPABILITIES:
            if piece.length < 24:
                self._number(0, 0)
                return
            value = load32(piece.at + 4 * op.b)
            self._number(value | cython.cast(uint64_t, load32(piece.at + 12 + 4 * op.b)) << 32, 8)
        elif what == _NAME_OPTION:
            # PR_SET_NAME, PR_GET_NAME
            named: cython.bint = record.numbers[0] == 15 or record.numbers[0] == 16
            self._bytes(piece.at, piece.length if named else 0)
        elif what == _WHEN_WRITTEN:
            self._bytes(piece.at, piece.length if record.result > 0 else 0)
        elif what == _QUEUE:
            if piece.length < _SOCKET:
                self._number(0, 0)
                return
            value = load32(piece.at + 24)
            limit: uint32_t = load32(piece.at + 28)
            if op.b == 0:
                value = value * 100 // limit if limit else 0
            self._number(limit if op.b == 2 else value, op.width)
        elif what == _MOUNT_FLAGS:
            value = record.numbers[op.a]
            if value & _MAGIC_MASK == _MAGIC:
                value &= 0xFFFF
            self._number(value, op.width)
        elif what == _EXE or what == _ARGUMENTS:  # noqa: SIM109
            length = piece.length if piece.length > 0 else 0
            found = cython.NULL
            if length:
                found = cython.cast(cython.pointer(cython.const[uint8_t]), memchr(piece.at, 0, length))
            first: cython.int = cython.cast(cython.int, found - piece.at) + 1 if found else length
            if what == _EXE:
                self._bytes(piece.at, first)
                if length and not found:
                    # Cut before its end: strings of a file end in NUL.
                    (self._at - 1)[0] = 0
            else:
                self._bytes(piece.at + first, length - first)
        elif what == _CGROUPS:
            end = self._at
            if piece.length >= 0:
                memcpy(end, cython.cast(cython.p_char, b"memory="), 7)
                end = self._path(end + 7, piece)
            piece = cython.address(self._pieces[op.a + 1])
            if piece.length >= 0:
                memcpy(end, cython.cast(cython.p_char, b"unified="), 8)
                end = self._path(end + 8, piece)
            self._close(end - self._at)
        elif what == _PATH:
            if piece.length <= 0:
                self._number(0, 0)
                return
            end = self._path(self._at, piece)
            self._close(end - self._at)
        elif what == _EMPTY:
            self._number(0, 1)
        elif what == _CLONE_FLAGS:
            if op.a == 2:
                value = _VFORK
            elif op.a == 0:
                if self._pieces[0].length < 8:
                    self._number(0, 0)
                    return
                value = self._mapped(cython.cast(uint32_t, load64(self._pieces[0].at)), self._clone_table)
            piece = cython.address(self._pieces[1])
            if piece.length > _FACTS_NAMESPACE and load32(piece.at + _FACTS_NAMESPACE):
                value |= _CHILD_IN_PIDNS
            self._number(value, op.width)
        else:
            self._number(0, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _unix_path(self, at: cython.pointer(cython.const[uint8_t]), length: cython.int) -> cython.void:
        """Append the path of a sockaddr_un's ``length`` bytes and its NUL; an abstract name loses its leading NUL."""
        found: cython.pointer(cython.const[uint8_t])
        if length > 0 and at[0] == 0:
            at += 1
            length -= 1
        if length > 0:
            found = cython.cast(cython.pointer(cython.const[uint8_t]), memchr(at, 0, length))
            if found:
                length = cython.cast(cython.int, found - at)
            memcpy(self._at, at, length)
        else:
            length = 0
        self._at[length] = 0
        self._at += length + 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _address(self, piece: cython.pointer(cython.const[Piece])) -> cython.void:
        begin: cython.pointer(uint8_t) = self._at
        if piece.length < 2:
            self._close(0)
            return
        family: uint16_t = load16(piece.at)
        size: cython.int = 4 if family == 2 else 16
        place: cython.int = 4 if family == 2 else 8
        begin[0] = cython.cast(uint8_t, family)
        self._at += 1
        if family == 1:
            self._unix_path(piece.at + 2, piece.length - 2)
        elif (family == 2 or family == 10) and piece.length >= place + size:
            memcpy(self._at, piece.at + place, size)
            self._at[size] = piece.at[3]
            self._at[size + 1] = piece.at[2]
            self._at += size + 2
        length: uint64_t = self._at - begin
        self._at = begin
        self._close(length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _tuple(self, record: cython.pointer(cython.const[Record]), op: cython.pointer(cython.const[Op])) -> cython.void:
        piece: cython.pointer(cython.const[Piece]) = cython.address(self._pieces[op.a])
        other: cython.pointer(cython.const[Piece]) = cython.NULL
        begin: cython.pointer(uint8_t) = self._at
        if op.c and self._pieces[op.c - 1].length >= 2:
            other = cython.address(self._pieces[op.c - 1])
        # A socket that did not get connected has forgotten whereto; one that is being connected knows.
        failed: cython.bint = record.result < 0 and record.result != _EINPROGRESS
        if piece.length < _SOCKET or failed:
            self._close(0)
            return
        family: uint16_t = load16(piece.at)
        remote_first: cython.bint = op.b != 0
        begin[0] = cython.cast(uint8_t, family)
        if family == 1:
            memcpy(begin + 1, piece.at + (16 if remote_first else 8), 8)
            memcpy(begin + 9, piece.at + (8 if remote_first else 16), 8)
            self._at += 17
            if other and load16(other.at) == 1:
                self._unix_path(other.at + 2, other.length - 2)
            else:
                self._unix_path(piece.at + _SOCKET + 2, piece.length - _SOCKET - 2)
        elif family == 2 or family == 10:
            size: cython.int = 4 if family == 2 else 16
            step: cython.int = size + 2
            local: cython.pointer(uint8_t) = begin + 1 + (step if remote_first else 0)
            remote: cython.pointer(uint8_t) = begin + 1 + (0 if remote_first else step)
            place: cython.int = 4 if family == 2 else 8
            memcpy(local, piece.at + 32, size)
            memcpy(local + size, piece.at + 4, 2)
            if other and load16(other.at) == family and other.length >= place + size:
                memcpy(remote, other.at + place, size)
                remote[size] = other.at[3]
                remote[size + 1] = other.at[2]
            else:
                memcpy(remote, piece.at + 48, size)
                memcpy(remote + size, piece.at + 6, 2)
            self._at += 1 + 2 * step
        length: uint64_t = self._at - begin
        self._at = begin
        self._close(length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _poll(self, piece: cython.pointer(cython.const[Piece])) -> cython.void:
        """The entries that something was returned for (scap-format §10: FDLIST)."""
        count: uint16_t = 0
        at: cython.pointer(uint8_t) = self._at + 2
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
        memcpy(self._at, cython.address(count), 2)
        self._close(at - self._at)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _option(
        self, record: cython.pointer(cython.const[Record]), piece: cython.pointer(cython.const[Piece])
    ) -> cython.void:
        """A socket option's value as DYN: index, then a value of that index's type."""
        option: uint64_t = record.numbers[2]
        value: uint64_t = 0
        if piece.length < 0:
            self._close(0)
            return
        if record.numbers[1] == 1 and piece.length >= 4:
            value = load32(piece.at)
            if option == 4:  # SO_ERROR
                self._at[0] = 1
                value = cython.cast(uint64_t, -cython.cast(int64_t, value))
                memcpy(self._at + 1, cython.address(value), 8)
                self._close(9)
                return
            if (option == 20 or option == 21 or option == 66 or option == 67) and piece.length >= 16:  # timeouts
                self._at[0] = 4
                value = load64(piece.at) * 1000000000 + load64(piece.at + 8) * 1000
                memcpy(self._at + 1, cython.address(value), 8)
                self._close(9)
                return
            if option == 57 and piece.length >= 8:  # SO_COOKIE
                self._at[0] = 3
                memcpy(self._at + 1, piece.at, 8)
                self._close(9)
                return
            if piece.length == 4:
                self._at[0] = 2
                memcpy(self._at + 1, piece.at, 4)
                self._close(5)
                return
        self._at[0] = 0
        if piece.length:
            memcpy(self._at + 1, piece.at, piece.length)
        self._close(1 + piece.length)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _path(self, to: cython.pointer(uint8_t), piece: cython.pointer(cython.const[Piece])) -> cython.pointer(uint8_t):
        """Write ``/a/b`` and its NUL for the strings ``b`` ``a``; returns where it ends."""
        end: cython.int = piece.length
        if end <= 0:
            to[0] = 0x2F
            to += 1
        while end > 0:
            begin: cython.int = end - 1
            while begin > 0 and piece.at[begin - 1]:
                begin -= 1
            to[0] = 0x2F
            memcpy(to + 1, piece.at + begin, end - 1 - begin)
            to += end - begin
            end = begin
        to[0] = 0
        return to + 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _happening(self, record: cython.pointer(cython.const[Record])) -> cython.bint:
        """What is no call: one-sided events of the catalogue."""
        kind: cython.int = record.kind
        status: uint64_t = record.numbers[0]
        index: cython.int
        if kind == _KIND_EXIT:
            self._begin(record, 186, 5, False)
            self._number(status, 8)
            self._number(status >> 8 & 0xFF, 8)
            self._number(status & 0x7F, 1)
            self._number(status >> 7 & 1, 1)
            self._number(0, 0)
        elif kind == _KIND_SIGNAL:
            self._begin(record, 232, 3, False)
            # Only signals sent by a process, and SIGCHLD, say whose they are.
            sent: cython.bint = cython.cast(int32_t, record.numbers[2]) <= 0 or status == 17
            self._number(record.numbers[1], 8 if sent else 0)
            self._number(record.tid, 8)
            self._number(status, 1)
        elif kind == _KIND_SWITCH:
            self._begin(record, 152, 6, False)
            for index in range(6):
                self._number(record.numbers[index], 8 if index < 3 else 4)
        elif kind == _KIND_FAULT:
            self._begin(record, 290, 3, False)
            for index in range(3):
                self._number(record.numbers[index], 8 if index < 2 else 4)
        elif kind == _KIND_RENAME:
            # Another thread named this one: told as its own prctl, kept for its effect only.
            self._begin(record, 401, 4, True)
            self._number(0, 8)
            self._number(15, 4)
            name: cython.pointer(cython.const[uint8_t]) = cython.cast(
                cython.pointer(cython.const[uint8_t]), cython.address(record.numbers[0])
            )
            index = 0
            while index < 15 and name[index]:
                index += 1
            memcpy(self._at, name, index)
            self._at[index] = 0
            self._close(index + 1)
            self._number(0, 8)
        else:
            return False
        self._end()
        return True

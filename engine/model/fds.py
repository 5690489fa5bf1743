"""The fd table: one row per version of an open file, socket or other descriptor.

Owns the columns and the interned identities they point at. Which call makes which row is the decoder's
business. One writer appends and publishes; readers see what was published. A row is shared by every
descriptor number, of whatever process, that came of one opening by dup and fork, and ends with the last.
"""

import os
from typing import NamedTuple

import cython
import numpy as np
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free, realloc
from cython.cimports.libc.string import memcmp, memcpy, memmove

from engine.events import FdKind
from engine.model.facts import Socket

if not cython.compiled:
    raise ImportError("engine.model.fds must be compiled: run `make build`")

FD = np.dtype(
    [
        ("kind", "u1"),  # events.FdKind
        ("identity", "<i4"),  # index in Fds.identities
        ("flags", "<u4"),  # open flags of the scap format
        ("dev", "<u4"),
        ("ino", "<u8"),
        ("thread", "<i4"),  # row of the thread that made it, -1 unknown
        ("first", "<i8"),  # number of the first event it is in force for
        ("last", "<i8"),  # number of the event that ended it, -1 while open
    ]
)

_KINDS = {int(kind): kind for kind in FdKind}


class Identity(NamedTuple):
    """What an fd row shares with every other opening of the same thing."""

    kind: FdKind
    name: bytes
    """A path, a unix path, or the text of a socket's ends."""
    socket: Socket | None
    """The ends of an IPv4 or IPv6 socket."""


@cython.cclass
class Fds:
    """Rows of dtype FD, growing, and the identities they point at, interned.

    Names are kept a second time as plain memory, so that paths are joined and found without the GIL.
    """

    def __cinit__(self) -> None:
        self.arena = cython.NULL
        self.names = cython.NULL
        self.holders = cython.NULL
        self._index = cython.cast(cython.pointer(int32_t), calloc(1024, cython.sizeof(int32_t)))
        if not self._index:
            raise MemoryError
        self._index_mask = 1023

    def __init__(self) -> None:
        self.identities = []
        self._sockets = {}
        self._seed = int.from_bytes(os.urandom(8), "little")
        self._array = np.empty(0, FD)
        self.reserve(1024)

    def __dealloc__(self) -> None:
        free(self.arena)
        free(self.names)
        free(self.holders)
        free(self._index)

    def __len__(self) -> int:
        return self._published

    @property
    def rows(self):
        """The rows published by now, without copying."""
        return self._array[: self._published]

    @property
    def nbytes(self) -> int:
        """Memory held, bytes; what Python keeps per identity is estimated."""
        return (
            self._array.nbytes
            + 4 * self.capacity
            + self._arena_capacity
            + 32 * self._names_capacity
            + 200 * len(self.identities)
        )

    def identity(self, kind: FdKind, name: bytes, socket: Socket | None = None) -> int:
        """The index of an identity, given on first sight. O(1)."""
        found: cython.int
        if socket is None:
            found = self.intern(kind, name, len(name))
        else:
            wanted = Identity(kind, name, socket)
            known = self._sockets.get(wanted)
            if known is not None:
                return known
            self._publish_names()
            found = self._add_name(kind, name, len(name), 0)
            if found >= 0:
                self.names[found].l4 = socket.l4
                self._sockets[wanted] = found
                self.identities.append(wanted)
        if found < 0:
            raise MemoryError("no room for the name of a file descriptor")
        self._publish_names()
        return found

    def add(self, kind, identity, *, flags=0, dev=0, ino=0, thread=-1, first=0) -> int:
        """Append a row; its number. It is readable once published."""
        self.reserve(1)
        return self.append(kind, identity, flags & 0xFFFFFFFF, dev & 0xFFFFFFFF, ino, thread, first)

    def of(self, row: cython.int):
        """What a row's fd is, published or not."""
        self._publish_names()
        return self.identities[self.table[row].identity]

    def reserve(self, count: cython.int) -> None:
        """Make room for that many rows, so that ``append`` finds it."""
        if self.count + count <= self.capacity:
            return
        wanted: cython.int = 2 * self.capacity + 1024 + count
        array = np.empty(wanted, FD)
        array[: self.count] = self._array[: self.count]
        held = cython.cast(cython.pointer(int32_t), realloc(self.holders, wanted * cython.sizeof(int32_t)))
        if not held:
            raise MemoryError
        self.holders = held
        self._array = array
        self.table = cython.cast(cython.pointer(FdRow), cython.cast(cython.size_t, array.ctypes.data))
        self.capacity = wanted

    def publish(self) -> None:
        """Let readers see every row and identity there is."""
        self._publish_names()
        self._published = self.count

    def compact(self, used, threads):
        """Forget the rows that no descriptor number stands for and ``used`` (bool, one a row) does not name, and
        identities nobody has any more. Thread rows become what ``threads`` says, int32 by row, -1 for row -1 as well.

        Returns the new row of each old one, int32, -1 of those forgotten, and -1 once more for row -1.
        """
        at: cython.int
        row: cython.int
        self._publish_names()
        kept = used.copy()
        for at in range(self.count):
            if self.holders[at] > 0:
                kept[at] = True
        rows = np.flatnonzero(kept)
        moved = np.full(self.count + 1, -1, np.int32)
        moved[rows] = np.arange(len(rows))
        old = self._array[rows]
        names = np.unique(old["identity"])
        renamed = np.full(max(self.names_count, 1), -1, np.int32)
        renamed[names] = np.arange(len(names))
        array = np.empty(len(rows) + len(rows) // 2 + 1024, FD)
        array[: len(rows)] = old
        array["identity"][: len(rows)] = renamed[old["identity"]]
        array["thread"][: len(rows)] = threads[old["thread"]]
        held = cython.cast(cython.pointer(int32_t), calloc(len(array), cython.sizeof(int32_t)))
        if not held:
            raise MemoryError
        for at, row in enumerate(rows.tolist()):
            held[at] = self.holders[row]
        free(self.holders)
        self.holders = held
        self._array = array
        self.table = cython.cast(cython.pointer(FdRow), cython.cast(cython.size_t, array.ctypes.data))
        self.capacity = len(array)
        self.count = self._published = len(rows)
        self._compact_names(names.tolist(), renamed, moved)
        return moved

    @cython.cfunc
    def _compact_names(self, kept: list, renamed, moved):
        """Keep these names in this order; ``renamed`` tells each one's new place, ``moved`` each row's."""
        to: int32_t
        old: cython.int
        name: cython.pointer(Name)
        used: cython.size_t = 0
        slot: cython.size_t
        mask: cython.size_t = 1023
        while 2 * cython.cast(cython.size_t, len(kept)) >= mask:
            mask = 2 * mask + 1
        index = cython.cast(cython.pointer(int32_t), calloc(mask + 1, cython.sizeof(int32_t)))
        if not index:
            raise MemoryError
        for slot in range(self._index_mask + 1):
            if self._index[slot]:
                self.names[self._index[slot] - 1].kind |= 0x80  # those that are found by their text
        for to, old in enumerate(kept):
            # Places only get smaller, so nothing is overwritten that is still to be moved.
            name = cython.address(self.names[to])
            self.names[to] = self.names[old]
            memmove(self.arena + used, self.arena + name.start, name.length)
            name.start = used
            used += name.length
            name.tried = moved[name.tried]
            if name.kind & 0x80:
                name.kind &= 0x7F
                slot = name.hash & mask
                while index[slot]:
                    slot = (slot + 1) & mask
                index[slot] = to + 1
        free(self._index)
        self._index = index
        self._index_mask = mask
        self.names_count = len(kept)
        self._arena_used = used
        self.identities = [self.identities[old] for old in kept]
        self._sockets = {identity: int(renamed[at]) for identity, at in self._sockets.items() if renamed[at] >= 0}

    def extend(self, rows) -> None:
        """Append and publish whole rows of dtype FD, of identities that are there: those of a capture that is read,
        not decoded. Nothing may be interned before or after."""
        count: cython.int = len(rows)
        self.reserve(count)
        self._array[self.count : self.count + count] = rows
        self.count += count
        self._published = self.count

    @cython.cfunc
    def _publish_names(self):
        at: cython.int
        name: cython.pointer(Name)
        for at in range(len(self.identities), self.names_count):
            name = cython.address(self.names[at])
            text = self.arena[name.start : name.start + name.length]
            self.identities.append(Identity(_KINDS[name.kind], text, None))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def append(
        self,
        kind: uint8_t,
        identity: int32_t,
        flags: uint32_t,
        dev: uint32_t,
        ino: uint64_t,
        thread: int32_t,
        first: int64_t,
    ) -> int32_t:
        """Append a row where ``reserve`` made room; its number, -1 without room or identity."""
        row: int32_t = self.count
        if row >= self.capacity or identity < 0:
            return -1
        new: cython.pointer(FdRow) = cython.address(self.table[row])
        new.kind = kind
        new.identity = identity
        new.flags = flags
        new.dev = dev
        new.ino = ino
        new.thread = thread
        new.first = first
        new.last = -1
        self.holders[row] = 0
        self.count = row + 1
        return row

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def hold(self, row: int32_t) -> cython.void:
        """One more descriptor number stands for the row."""
        self.holders[row] += 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def release(self, row: int32_t, number: int64_t) -> cython.void:
        """A descriptor number of the row was closed by that event; the last one ends the row."""
        self.holders[row] -= 1
        if self.holders[row] == 0:
            self.table[row].last = number

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def intern(self, kind: uint8_t, name: cython.pointer(cython.const[cython.uchar]), length: int32_t) -> int32_t:
        """The identity of a name that is no address pair; -1 when memory is short."""
        hashed: uint64_t = self._seed ^ kind
        word: uint64_t
        at: int32_t = 0
        while at + 8 <= length:
            memcpy(cython.address(word), name + at, 8)
            hashed = (hashed ^ word) * MIX
            hashed ^= hashed >> 29
            at += 8
        word = length
        while at < length:
            word = (word << 8) | name[at]
            at += 1
        hashed = (hashed ^ word) * MIX
        hashed ^= hashed >> 32
        slot: cython.size_t = hashed & self._index_mask
        known: cython.pointer(Name)
        while self._index[slot]:
            known = cython.address(self.names[self._index[slot] - 1])
            if (
                known.hash == hashed
                and known.kind == kind
                and known.length == length
                and memcmp(self.arena + known.start, name, length) == 0
            ):
                return self._index[slot] - 1
            slot = (slot + 1) & self._index_mask
        if 2 * cython.cast(cython.size_t, self.names_count) >= self._index_mask:
            if not self._grow_index():
                return -1
            slot = hashed & self._index_mask
            while self._index[slot]:
                slot = (slot + 1) & self._index_mask
        added: int32_t = self._add_name(kind, name, length, hashed)
        if added >= 0:
            self._index[slot] = added + 1
        return added

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _add_name(
        self, kind: uint8_t, name: cython.pointer(cython.const[cython.uchar]), length: int32_t, hashed: uint64_t
    ) -> int32_t:
        wanted: cython.size_t
        if self.names_count == self._names_capacity:
            wanted = 2 * cython.cast(cython.size_t, self._names_capacity) + 1024
            names = cython.cast(cython.pointer(Name), realloc(self.names, wanted * cython.sizeof(Name)))
            if not names:
                return -1
            self.names = names
            self._names_capacity = cython.cast(cython.int, wanted)
        if self._arena_used + length > self._arena_capacity:
            wanted = 2 * self._arena_capacity + length + 65536
            arena = cython.cast(cython.pointer(cython.uchar), realloc(self.arena, wanted))
            if not arena:
                return -1
            self.arena = arena
            self._arena_capacity = wanted
        memcpy(self.arena + self._arena_used, name, length)
        new: cython.pointer(Name) = cython.address(self.names[self.names_count])
        new.hash = hashed
        new.start = self._arena_used
        new.length = length
        new.tried = -1
        new.kind = kind
        new.l4 = 0
        self._arena_used += length
        self.names_count += 1
        return self.names_count - 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _grow_index(self) -> cython.bint:
        mask: cython.size_t = 2 * self._index_mask + 1
        index = cython.cast(cython.pointer(int32_t), calloc(mask + 1, cython.sizeof(int32_t)))
        if not index:
            return False
        old: cython.size_t
        slot: cython.size_t
        for old in range(self._index_mask + 1):
            if self._index[old]:
                slot = self.names[self._index[old] - 1].hash & mask
                while index[slot]:
                    slot = (slot + 1) & mask
                index[slot] = self._index[old]
        free(self._index)
        self._index = index
        self._index_mask = mask
        return True

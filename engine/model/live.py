"""What is alive at the point of the stream decoding has reached: threads, and the descriptors of processes.

Owns two tables made for a look-up an event: thread id to thread state, and per process descriptor number to
fd row. What the facts of a thread are, and which event changes what, is decided elsewhere. The decoder reads and
writes states directly, without the GIL; rules in Python use the methods that take a tid. One thread uses it.
"""

import cython
from cython.cimports.engine.model.fds import Fds
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint32_t
from cython.cimports.libc.stdlib import calloc, free, malloc, realloc
from cython.cimports.libc.string import memcpy

if not cython.compiled:
    raise ImportError("engine.model.live must be compiled: run `make build`")


@cython.cclass
class Live:
    """Threads by tid, descriptors by process and number.

    States live in chunks that are freed only with the table, so that a stale pointer to one finds another tid in it.
    """

    def __cinit__(self) -> None:
        self._index = cython.cast(cython.pointer(cython.pointer(State)), calloc(1024, cython.sizeof(cython.p_void)))
        if not self._index:
            raise MemoryError
        self._mask = 1023

    def __init__(self, fds: Fds) -> None:
        self._fds = fds

    def __dealloc__(self) -> None:
        at: cython.int
        i: cython.int
        for at in range(self._chunk_count):
            for i in range(CHUNK):
                free(self._chunks[at][i].record)
                if self._chunks[at][i].process:
                    self._leave(self._chunks[at][i].process, -1)
            free(self._chunks[at])
        free(self._chunks)
        free(self._index)

    def add(self, tid: int64_t, row: int32_t, *, sharing: int64_t = -1, copying: int64_t = -1) -> bool:
        """A thread appears: its descriptors are those of ``sharing``, or a copy of those of ``copying``, or none.

        A thread already there is replaced. False when there are too many threads.
        """
        state: cython.pointer(State) = self.find(tid)
        source: cython.pointer(State) = self.find(sharing if sharing >= 0 else copying)
        process: cython.pointer(Process)
        if sharing >= 0 and source and source != state:
            process = source.process
            process.threads += 1
            self._change(process, CHANGED_THREADS)
        else:
            process = self._new_process(tid, row)
            if not process:
                raise MemoryError
            if sharing < 0 and source:
                self._copy(source.process, process)
        if state:
            self._leave(state.process, -1)
            record, capacity = state.record, state.record_capacity
        else:
            state = self._new_state()
            if not state:
                self._leave(process, -1)
                return False
            self.count += 1
            record, capacity = state.record, state.record_capacity
            if 2 * cython.cast(cython.size_t, self.count) > self._mask and not self._grow_index():
                raise MemoryError
            at: cython.size_t = _hashed(tid) & self._mask
            while self._index[at]:
                at = (at + 1) & self._mask
            self._index[at] = state
        state.tid = tid
        state.row = row
        state.process = process
        state.entered = NOTHING_ENTERED
        state.kept = NOTHING_ENTERED
        state.entered_at = -1
        state.record = record
        state.record_capacity = capacity
        state.sampled = -1
        state.cpu_user = -1
        state.cpu_system = -1
        return True

    def remove(self, tid: int64_t, event: int64_t) -> None:
        """A thread is gone; the last of a process takes the descriptors along."""
        at: cython.size_t = _hashed(tid) & self._mask
        while self._index[at] and self._index[at].tid != tid:
            at = (at + 1) & self._mask
        state: cython.pointer(State) = self._index[at]
        if not state:
            return
        self._index[at] = cython.NULL
        following: cython.size_t = (at + 1) & self._mask
        home: cython.size_t
        while self._index[following]:
            home = _hashed(self._index[following].tid) & self._mask
            if ((following - home) & self._mask) >= ((following - at) & self._mask):
                self._index[at] = self._index[following]
                self._index[following] = cython.NULL
                at = following
            following = (following + 1) & self._mask
        self._leave(state.process, event)
        state.process = cython.NULL
        state.tid = -2
        state.spare = self._spare
        self._spare = state
        self.count -= 1

    def clear(self, event: int64_t) -> None:
        """Every thread is gone."""
        at: cython.size_t
        tids = []
        for at in range(self._mask + 1):
            if self._index[at]:
                tids.append(self._index[at].tid)
        for tid in tids:
            self.remove(tid, event)

    def row(self, tid: int64_t) -> int:
        """Row of the version in force; -1 of an unknown thread."""
        state: cython.pointer(State) = self.find(tid)
        return state.row if state else -1

    def entered(self, tid: int64_t) -> int:
        """Type code of the call a thread is inside of; NOTHING_ENTERED of none and of unknown threads."""
        state: cython.pointer(State) = self.find(tid)
        return state.entered if state else NOTHING_ENTERED

    def inside(self) -> list:
        """Threads inside of a call: tid, row, type code of the enter (of a generic call its own one), its time, its fd
        number."""
        at: cython.size_t
        found = []
        for at in range(self._mask + 1):
            state: cython.pointer(State) = self._index[at]
            if state and state.entered != NOTHING_ENTERED:
                found.append((state.tid, state.row, state.entered_code, state.entered_at, state.entered_fd))
        return found

    def set_row(self, tid: int64_t, row: int32_t) -> None:
        """Another version is in force."""
        state: cython.pointer(State) = self._known(tid)
        state.row = row
        if state.process.leader == tid:
            state.process.row = row

    def process(self, tid: int64_t) -> int:
        """Serial number of the process a thread belongs to; no two processes ever have the same."""
        return self._known(tid).process.serial

    def set_cwd(self, tid: int64_t, cwd: bytes) -> None:
        """The process works in that directory."""
        process: cython.pointer(Process) = self._known(tid).process
        length: cython.int = len(cwd)
        room = cython.cast(cython.pointer(cython.uchar), realloc(process.cwd, length + 1))
        if not room:
            raise MemoryError
        memcpy(room, cython.cast(cython.pointer(cython.uchar), cwd), length)
        process.cwd = room
        process.cwd_length = length

    def fd_row(self, tid: int64_t, number: int64_t) -> int:
        """The fd row behind a descriptor number; -1 when unknown."""
        state: cython.pointer(State) = self.find(tid)
        found: cython.pointer(Slot) = self.slot(state.process, number) if state else cython.NULL
        return found.value >> 1 if found else -1

    def put_fd(self, tid: int64_t, number: int64_t, row: int32_t, cloexec: cython.bint, event: int64_t) -> bool:
        """A number stands for a row from that event on, whatever it stood for before."""
        return self.put(self._known(tid).process, number, row, cloexec, event)

    def change_fd(self, tid: int64_t, number: int64_t, row: int32_t, event: int64_t) -> None:
        """An open number stands for another row; whether exec closes it stays."""
        process: cython.pointer(Process) = self._known(tid).process
        found: cython.pointer(Slot) = self.slot(process, number)
        self.put(process, number, row, found != cython.NULL and found.value & 1, event)

    def drop_fd(self, tid: int64_t, number: int64_t, event: int64_t) -> None:
        """A number was closed by that event."""
        self.drop(self._known(tid).process, number, event)

    def set_cloexec(self, tid: int64_t, number: int64_t, cloexec: cython.bint) -> None:
        """Whether exec closes a number."""
        found: cython.pointer(Slot) = self.slot(self._known(tid).process, number)
        if found:
            found.value = (found.value & ~cython.cast(uint32_t, 1)) | cloexec

    def fds(self, tid: int64_t) -> list:
        """The known descriptors of a process: (number, fd row, closed by exec)."""
        state: cython.pointer(State) = self.find(tid)
        process: cython.pointer(Process) = state.process if state else cython.NULL
        found = []
        if process:
            at: uint32_t
            for at in range(process.mask + 1 if process.slots else 0):
                slot: cython.pointer(Slot) = cython.address(process.slots[at])
                if slot.key:
                    found.append((slot.key - 1, slot.value >> 1, bool(slot.value & 1)))
        return found

    def tids(self) -> list:
        """Who is alive, ascending."""
        at: cython.size_t
        return sorted(self._index[at].tid for at in range(self._mask + 1) if self._index[at])

    def tell_again(self) -> None:
        """With the next event all is told of every process that is told when it changes."""
        at: cython.size_t
        for at in range(self._mask + 1):
            if self._index[at]:
                self._change(self._index[at].process, CHANGED_STDIN * 8 - 1)

    def renumber(self, threads, fds) -> None:
        """Rows of both tables have moved: ``threads`` and ``fds`` tell the new row of each, int32."""
        at: cython.size_t
        slot: cython.pointer(Slot)
        place: uint32_t
        thread_rows: cython.const[int32_t][::1] = threads
        fd_rows: cython.const[int32_t][::1] = fds
        seen = set()
        for at in range(self._mask + 1):
            state: cython.pointer(State) = self._index[at]
            if not state:
                continue
            state.row = thread_rows[state.row]
            process: cython.pointer(Process) = state.process
            if process.threads > 1:
                # Threads share it.
                if cython.cast(cython.size_t, process) in seen:
                    continue
                seen.add(cython.cast(cython.size_t, process))
            process.row = thread_rows[process.row] if process.row >= 0 else -1
            if process.row < 0:
                process.row = state.row
            if process.slots:
                for place in range(process.mask + 1):
                    slot = cython.address(process.slots[place])
                    if slot.key:
                        row: uint32_t = cython.cast(uint32_t, fd_rows[slot.value >> 1])
                        slot.value = row << 1 | (slot.value & 1)

    @cython.cfunc
    @cython.exceptval(check=True)
    def _known(self, tid: int64_t) -> cython.pointer(State):
        state: cython.pointer(State) = self.find(tid)
        if not state:
            raise KeyError(tid)
        return state

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def find(self, tid: int64_t) -> cython.pointer(State):
        """The state of a thread, NULL when there is none."""
        at: cython.size_t = _hashed(tid) & self._mask
        while self._index[at] and self._index[at].tid != tid:
            at = (at + 1) & self._mask
        return self._index[at]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def slot(self, process: cython.pointer(Process), number: int64_t) -> cython.pointer(Slot):
        """Where a descriptor number is kept, NULL when it is not."""
        if number < 0 or number > 0x7FFFFFFF or not process.slots:
            return cython.NULL
        key: uint32_t = cython.cast(uint32_t, number + 1)
        at: uint32_t = key & process.mask
        while process.slots[at].key != key:
            if process.slots[at].key == 0:
                return cython.NULL
            at = (at + 1) & process.mask
        return cython.address(process.slots[at])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def put(
        self, process: cython.pointer(Process), number: int64_t, row: int32_t, cloexec: cython.bint, event: int64_t
    ) -> cython.bint:
        """Let a number stand for a row; False when there is no room or the number is none."""
        if number < 0 or number > 0x7FFFFFFF or row < 0:
            return False
        found: cython.pointer(Slot) = self.slot(process, number)
        self._fds.hold(row)
        if found:
            self._count(process, number, cython.cast(int32_t, found.value >> 1), -1)
            self._fds.release(cython.cast(int32_t, found.value >> 1), event)
        else:
            if (not process.slots or 2 * process.used > process.mask) and not self._grow(process):
                self._fds.release(row, event)
                return False
            key: uint32_t = cython.cast(uint32_t, number + 1)
            at: uint32_t = key & process.mask
            while process.slots[at].key:
                at = (at + 1) & process.mask
            found = cython.address(process.slots[at])
            found.key = key
            process.used += 1
        found.value = (cython.cast(uint32_t, row) << 1) | cloexec
        self._count(process, number, row, 1)
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def drop(self, process: cython.pointer(Process), number: int64_t, event: int64_t) -> cython.void:
        """A number stands for nothing any more."""
        found: cython.pointer(Slot) = self.slot(process, number)
        if not found:
            return
        self._count(process, number, cython.cast(int32_t, found.value >> 1), -1)
        self._fds.release(cython.cast(int32_t, found.value >> 1), event)
        process.used -= 1
        at: uint32_t = cython.cast(uint32_t, found - process.slots)
        process.slots[at].key = 0
        following: uint32_t = (at + 1) & process.mask
        while process.slots[following].key:
            if ((following - process.slots[following].key) & process.mask) >= ((following - at) & process.mask):
                process.slots[at] = process.slots[following]
                process.slots[following].key = 0
                at = following
            following = (following + 1) & process.mask

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def keep(
        self,
        state: cython.pointer(State),
        record: cython.pointer(cython.const[cython.uchar]),
        length: uint32_t,
        params: uint32_t,
    ) -> cython.bint:
        """Keep a copy of an enter's parameters (length array and data) for its exit."""
        if length > state.record_capacity:
            room = cython.cast(cython.pointer(cython.uchar), realloc(state.record, length + 64))
            if not room:
                return False
            state.record = room
            state.record_capacity = length + 64
        memcpy(state.record, record, length)
        state.record_params = params
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _new_process(self, leader: int64_t, row: int32_t) -> cython.pointer(Process):
        process = cython.cast(cython.pointer(Process), calloc(1, cython.sizeof(Process)))
        if process:
            process.threads = 1
            process.leader = leader
            process.row = row
            process.sampled = -1
            process.serial = self._serials
            self._serials += 1
            self._change(process, CHANGED_THREADS | CHANGED_FDS)
        return process

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _change(self, process: cython.pointer(Process), what: uint32_t) -> cython.void:
        """Note what changed of a process, to be told with the next event that is written."""
        if not process.changed:
            process.next = self.changed
            self.changed = process
        process.changed |= what

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _count(self, process: cython.pointer(Process), number: int64_t, row: int32_t, by: cython.int) -> cython.void:
        """One more or one less descriptor, that of a row."""
        what: uint32_t = CHANGED_FDS
        kind: uint8_t = self._fds.table[row].kind
        if kind < KINDS:
            if process.kinds[kind] == (0 if by > 0 else 1):
                what |= CHANGED_KINDS
            process.kinds[kind] += by
        if number < 3:
            what |= cython.cast(uint32_t, CHANGED_STDIN) << cython.cast(uint32_t, number)
        self._change(process, what)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def settle(self) -> cython.pointer(Process):
        """Take the next process of which something changed off the list; NULL when there is none."""
        process: cython.pointer(Process) = self.changed
        if process:
            self.changed = process.next
        return process

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _leave(self, process: cython.pointer(Process), event: int64_t) -> cython.void:
        """One thread less; the last frees the process."""
        process.threads -= 1
        if process.threads > 0:
            self._change(process, CHANGED_THREADS)
            return
        link: cython.pointer(cython.pointer(Process)) = cython.address(self.changed)
        if process.changed:
            while link[0] != process:
                link = cython.address(link[0].next)
            link[0] = process.next
        at: uint32_t
        if process.slots:
            if event >= 0:
                for at in range(process.mask + 1):
                    if process.slots[at].key:
                        self._fds.release(cython.cast(int32_t, process.slots[at].value >> 1), event)
            self._slots -= process.mask + 1
        free(process.slots)
        free(process.cwd)
        free(process)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _copy(self, source: cython.pointer(Process), target: cython.pointer(Process)) -> cython.void:
        """Give a new process the descriptors of another; none when there are too many."""
        at: uint32_t
        size: cython.size_t = source.mask + 1
        if source.used == 0 or self._slots + size > MOST_SLOTS:
            return
        slots = cython.cast(cython.pointer(Slot), malloc(size * cython.sizeof(Slot)))
        if not slots:
            return
        memcpy(slots, source.slots, size * cython.sizeof(Slot))
        target.slots = slots
        target.mask = source.mask
        target.used = source.used
        self._slots += size
        memcpy(target.kinds, source.kinds, KINDS * cython.sizeof(uint32_t))
        self._change(target, CHANGED_FDS | CHANGED_KINDS | CHANGED_STDIN * 7)
        for at in range(source.mask + 1):
            if slots[at].key:
                self._fds.hold(cython.cast(int32_t, slots[at].value >> 1))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _grow(self, process: cython.pointer(Process)) -> cython.bint:
        """Twice the places for descriptors; False when there are too many."""
        size: uint32_t = 2 * (process.mask + 1) if process.slots else 16
        if self._slots + size > MOST_SLOTS:
            return False
        slots = cython.cast(cython.pointer(Slot), calloc(size, cython.sizeof(Slot)))
        if not slots:
            return False
        at: uint32_t
        old: uint32_t
        if process.slots:
            self._slots -= process.mask + 1
            for old in range(process.mask + 1):
                if process.slots[old].key:
                    at = process.slots[old].key & (size - 1)
                    while slots[at].key:
                        at = (at + 1) & (size - 1)
                    slots[at] = process.slots[old]
            free(process.slots)
        process.slots = slots
        process.mask = size - 1
        self._slots += size
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _new_state(self) -> cython.pointer(State):
        i: cython.int
        if self.count >= MOST_THREADS:
            return cython.NULL
        if not self._spare:
            chunks = cython.cast(
                cython.pointer(cython.pointer(State)),
                realloc(self._chunks, (self._chunk_count + 1) * cython.sizeof(cython.p_void)),
            )
            if not chunks:
                return cython.NULL
            self._chunks = chunks
            chunk = cython.cast(cython.pointer(State), calloc(CHUNK, cython.sizeof(State)))
            if not chunk:
                return cython.NULL
            self._chunks[self._chunk_count] = chunk
            self._chunk_count += 1
            for i in range(CHUNK):
                chunk[i].tid = -2
                chunk[i].spare = self._spare
                self._spare = cython.address(chunk[i])
        state = self._spare
        self._spare = state.spare
        return state

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _grow_index(self) -> cython.bint:
        mask: cython.size_t = 2 * self._mask + 1
        index = cython.cast(cython.pointer(cython.pointer(State)), calloc(mask + 1, cython.sizeof(cython.p_void)))
        if not index:
            return False
        old: cython.size_t
        at: cython.size_t
        for old in range(self._mask + 1):
            if self._index[old]:
                at = _hashed(self._index[old].tid) & mask
                while index[at]:
                    at = (at + 1) & mask
                index[at] = self._index[old]
        free(self._index)
        self._index = index
        self._mask = mask
        return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _hashed(tid: int64_t) -> cython.size_t:
    return cython.cast(cython.size_t, tid) ^ (cython.cast(cython.size_t, tid) >> 16)

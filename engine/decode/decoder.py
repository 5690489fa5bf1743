"""From event blocks to columns: the one pass over every event.

Owns the walk over blocks and records (scap-format §9), pairing of enters with exits, an event's thread, fd,
result and latency (state-tracking §2, §5), and the rules that must cost nothing: open, close, dup, fcntl. Rules of
the rarer calls are the model's; the walk stops for them, as for whatever else needs Python.
"""

import cython
from cython.cimports.engine.decode.columns import NO_NUMBER, Columns
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.engine.model.live import (
    CHANGED_FDS,
    CHANGED_KINDS,
    CHANGED_STDIN,
    CHANGED_THREADS,
    KINDS,
    NOTHING_ENTERED,
    Live,
    Process,
    Slot,
    State,
)
from cython.cimports.engine.model.paths import join
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memchr, memcpy, memset

from engine.decode.layout import layouts
from engine.decode.stop import Stop
from engine.events import NATIVE_X86_64, SYSCALLS
from engine.model.call import Call
from engine.model.model import Model

if not cython.compiled:
    raise ImportError("engine.decode.decoder must be compiled: run `make build`")

GROWTH = 8 << 20
"""Bytes by which tables may grow before they are compacted, unless told otherwise."""
FIRST_SEGMENT = 4096
"""Events of the first segment, so that there is something to show at once."""
SEGMENT = 65536
"""Events of every other segment."""


@cython.cclass
class Decoder:
    """Turns what a source reads into segments and tables of a store."""

    def __cinit__(self) -> None:
        self._kinds = cython.cast(cython.pointer(Kind), calloc(TYPES_KNOWN, cython.sizeof(Kind)))
        self._cpus = cython.cast(cython.pointer(Cpu), calloc(65536, cython.sizeof(Cpu)))
        self._native = cython.cast(cython.pointer(uint16_t), calloc(65536, cython.sizeof(uint16_t)))
        if not self._kinds or not self._cpus or not self._native:
            raise MemoryError

    def __init__(self, store, path: str, *, limit: int | None = None) -> None:
        self.store = store
        self._fds = store.fds
        self._live = Live(store.fds)
        self._model = Model(store, self._live)
        self._limit = -1 if limit is None else limit
        self._calls = len(SYSCALLS)
        self._columns = Columns(0, FIRST_SEGMENT)
        self._prepare()
        self._clear()

    @property
    def limit(self):
        """How many events are taken at most."""
        return None if self._limit < 0 else self._limit

    def __dealloc__(self) -> None:
        free(self._kinds)
        free(self._cpus)
        free(self._native)

    @cython.cfunc
    def _prepare(self):
        """Lay the tables of types out for the walk."""
        code: cython.int
        kind: cython.pointer(Kind)
        for native, call in NATIVE_X86_64.items():
            self._native[cython.cast(uint16_t, native)] = call
        for code, layout in enumerate(layouts(set(self._model.rules))):
            kind = cython.address(self._kinds[code])
            kind.action = layout.action
            kind.thing = layout.thing
            kind.paired = layout.paired
            kind.exit = layout.exit
            kind.wide = layout.wide
            kind.keep = layout.keep
            kind.params = layout.params
            kind.fd = layout.fd
            kind.result = layout.result
            kind.appended = layout.appended
            kind.first = layout.first
            kind.dirfd = layout.dirfd
            kind.flags = layout.flags
            kind.dev = layout.dev
            kind.ino = layout.ino
            kind.over = layout.over
            kind.leads = layout.leads
            kind.mentions = layout.mentions
            kind.listed = layout.listed
            for count in layout.counts:
                kind.counts |= cython.cast(uint64_t, 1) << count

    def section(self) -> None:
        """A section begins: nothing of the last one lives on; events and tables stay."""
        self._live.clear(self._number)
        self._model.section(self._number)
        self._clear()

    @cython.cfunc
    def _clear(self):
        self._leading = True
        self._exits_only = False
        self._refused = -1
        memset(self._cpus, 0, 65536 * cython.sizeof(Cpu))

    def machine(self, machine) -> None:
        """The machine of this section."""
        self._model.machine(machine)

    def thread(self, thread) -> None:
        """A thread that was there when the section began."""
        self._model.thread(thread)

    def fd(self, tid, number, kind, name, socket, flags, dev, ino) -> None:
        """An fd that was open when the section began."""
        self._model.fd(tid, number, kind, name, socket, flags, dev, ino)

    def interface(self, interface) -> None:
        """A network interface of the machine."""
        self._model.interface(interface)

    def user(self, user) -> None:
        """A user of the machine."""
        self._model.user(user)

    def group(self, group) -> None:
        """A group of the machine."""
        self._model.group(group)

    def feed(self, buffer, base: int, start: int, latencies=None) -> tuple:
        """Take the event blocks in ``buffer[start:]``, whose first byte is at stream offset ``base``.

        ``latencies``, int64, one a block, are taken in place of what enters and exits say. Returns the index it
        stopped at, why, and for DAMAGE what was expected there.
        """
        view: cython.const[cython.uchar][::1] = buffer
        self._size = view.shape[0]
        self._buffer = cython.address(view[0]) if self._size else cython.NULL
        self._base = base
        self._at = start
        self._latencies = cython.NULL
        if latencies is not None and len(latencies):
            known: cython.const[int64_t][::1] = latencies
            self._latencies = cython.address(known[0])
            self._first_known = self._number
        self._model.begin(self._number + 1)
        try:
            while True:
                with cython.nogil:
                    pause: cython.int = self._walk()
                if pause == NEEDS_THREAD:
                    if not self._model.placeholder(self._tid, self._number + 1):
                        self._refused = self._tid
                elif pause == NEEDS_RULE:
                    self._ask()
                elif pause == NEEDS_ROOM:
                    self._fds.reserve(65536)
                elif pause == NEEDS_SEGMENT:
                    self.seal()
                else:
                    return self._at, Stop(pause), self._expected() if pause == 2 else ""
        finally:
            self._buffer = self._latencies = cython.NULL

    def seal(self) -> None:
        """Make a segment of the events not yet in one."""
        columns: Columns = self._columns
        if columns.length == 0:
            return
        self._fds.publish()
        self.store.segments.append(columns.seal(self._end))
        self._columns = Columns(self._number, SEGMENT)
        self._segment += 1

    def tell(self, sink) -> None:
        """Tell another sink what is known at this place of the stream, as a capture that begins here would."""
        self._model.begin(self._number + 1)
        self._model.tell(sink)

    def open_fds(self) -> list:
        """What the descriptors of main threads stand for now: tid, number, fd row, whether exec closes it."""
        return self._model.open_fds()

    def forget(self, segments: int, growth: int = GROWTH) -> None:
        """Let the store forget its oldest sealed segments, and rows of tables that only they pointed at once tables
        have grown by so many bytes. Nobody may read the store meanwhile.
        """
        self.seal()
        if self.store.forget(segments, growth):
            self._live.renumber(*self.store.compact())
        # What was told of processes once may be forgotten now.
        self._live.tell_again()

    @cython.cfunc
    def _expected(self):
        """What was wrong with the block at hand."""
        if self._size - self._at < 8:
            return "an event block"
        length: uint32_t = load32(self._buffer + self._at + 4)
        least: uint32_t = self._header + self._fixed + 4
        if length < least or length & 3:
            return f"an event block of at least {least} bytes, a multiple of 4, found {length}"
        return f"the block's length {length} repeated at its end, found {load32(self._buffer + self._at + length - 4)}"

    @cython.cfunc
    def _ask(self):
        """Let the model's rule change what it knows, then write the event."""
        at: cython.int
        state: cython.pointer(State) = self._live.find(self._tid) if self._thing != THING_NONE else cython.NULL
        params = [self._params[at][: self._lengths[at]] if self._lengths[at] else None for at in range(self._count)]
        enter = []
        if state != cython.NULL and state.kept == self._type - 1 and self._kind.exit:
            enter = self._enter(state)
        call = Call(self._number + 1, self._time, self._tid, self._type, self._fd, params, enter)
        self._model.rules[self._type](call)
        # Parameters may claim any number; the column holds those that can be descriptors.
        self._fd = call.fd if NO_NUMBER < call.fd <= 0x7FFFFFFF else NO_NUMBER
        state = self._live.find(self._tid) if self._thing != THING_NONE else cython.NULL
        self._fd_row = self._row_of(state, self._fd) if call.fd_row is None else call.fd_row
        if state != cython.NULL and self._kind.action == ACT_RULE and self._kind.first >= 2:
            # A clone or an exec: memory, and before it faults.
            self._memory(state.process, self._kind.first)
            self._faults(state, self._kind.first - 2)
        self._write(state)
        if call.after is not None:
            call.after()

    @cython.cfunc
    def _enter(self, state: cython.pointer(State)):
        """The parameters of the kept enter."""
        at: uint32_t
        length: uint32_t
        offset: uint32_t = 2 * state.record_params
        params = []
        for at in range(state.record_params):
            length = load16(state.record + 2 * at)
            params.append(state.record[offset : offset + length] if length else None)
            offset += length
        return params

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _walk(self) -> cython.int:
        """Take events until something else has to happen: a Stop, or one of the NEEDS."""
        left: int64_t
        at: cython.pointer(cython.const[cython.uchar])
        number: uint32_t
        length: uint32_t
        pause: cython.int
        while True:
            left = self._size - self._at
            if left < 8:
                return STOP_MORE
            at = self._buffer + self._at
            number = load32(at)
            self._flagged = number == 0x217 or number == 0x222 or number == 0x208
            if number == 0x216 or number == 0x217 or number == 0x221 or number == 0x222:
                self._fixed = 26
            elif number == 0x204 or number == 0x208 or number == LEGACY_EVENT:
                self._fixed = 22
            else:
                return STOP_OTHER
            self._header = 14 if self._flagged else 10
            length = load32(at + 4)
            if length < cython.cast(uint32_t, self._header + self._fixed + 4) or length & 3:
                return STOP_DAMAGE
            if length > left:
                return STOP_MORE
            if load32(at + length - 4) != length:
                return STOP_DAMAGE
            if self._number == self._limit:
                return STOP_LIMIT
            if self._columns.length == self._columns.capacity:
                return NEEDS_SEGMENT
            if self._fds.count + 4 > self._fds.capacity:
                return NEEDS_ROOM
            self._block = length
            pause = self._event(at)
            if pause != TAKEN:
                return pause

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _event(self, block: cython.pointer(cython.const[cython.uchar])) -> cython.int:
        """Take one event; TAKEN, or what it needs first."""
        head: cython.pointer(cython.const[cython.uchar]) = block + self._header
        kind: cython.pointer(Kind)
        state: cython.pointer(State) = cython.NULL
        self._cpu = load16(block + 8)
        self._time = cython.cast(int64_t, load64(head))
        self._tid = cython.cast(int64_t, load64(head + 8))
        self._type = load16(head + 20)
        self._fd = NO_NUMBER
        self._fd_row = -1
        self._result = NO_VALUE
        self._latency = -1
        self._hides = self._flagged and load32(block + 10) & 1
        self._thing = THING_KNOWN
        if self._type >= TYPES_KNOWN or not self._cut(head):
            self._code = UNKNOWN
            self._leading = False
            self._write(self._thread_of())
            return TAKEN
        kind = self._kind
        if not kind.exit:
            self._latency = 0
        self._code = self._type if self._type > 1 else self._generic()
        self._thing = kind.thing
        if self._leading:
            if kind.leads:
                self._hides = True
            else:
                self._leading = False
        if kind.thing != THING_NONE:
            state = self._thread_of()
            if state == cython.NULL and kind.thing == THING_THREAD and self._tid >= 0 and self._tid != self._refused:
                return NEEDS_THREAD
        if state != cython.NULL and kind.paired:
            self._pair(state)
        if kind.result and self._count:
            self._result = self._number_at(0, kind.result == 1)
        return self._act(state)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _thread_of(self) -> cython.pointer(State):
        """State of the thread in the header; the last one of each cpu is at hand."""
        state: cython.pointer(State) = self._cpus[self._cpu].state
        if state != cython.NULL and state.tid == self._tid:
            return state
        if self._tid < 0:
            return cython.NULL
        state = self._live.find(self._tid)
        self._cpus[self._cpu].state = state
        return state

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _cut(self, head: cython.pointer(cython.const[cython.uchar])) -> cython.bint:
        """Find the parameters the catalogue knows of; False when they do not fit their record."""
        self._kind = cython.address(self._kinds[self._type])
        room: int64_t = cython.cast(int64_t, self._block) - self._header - 4
        size: int64_t = load32(head + 16)
        told: int64_t
        width: int64_t = 4 if self._kind.wide else 2
        i: cython.int
        length: int64_t
        # Records that tell how many parameters they have may be written anew, with the right length.
        if self._fixed != 26 or size > room:
            size -= self._kind.over
        if size > room or size < self._fixed:
            return False
        told = load32(head + 22) if self._fixed == 26 else self._counted(head, size)
        if told < 0 or self._fixed + told * width > size:
            return False
        self._count = cython.cast(cython.int, told) if told < self._kind.params else self._kind.params
        lengths: cython.pointer(cython.const[cython.uchar]) = head + self._fixed
        used: int64_t = self._fixed + told * width
        for i in range(self._count):
            length = load32(lengths + 4 * i) if self._kind.wide else load16(lengths + 2 * i)
            if used + length > size:
                return False
            self._params[i] = head + used
            self._lengths[i] = cython.cast(uint32_t, length)
            used += length
        self._record = lengths
        self._record_length = cython.cast(uint32_t, size - self._fixed)
        self._told = cython.cast(uint32_t, told)
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _counted(self, head: cython.pointer(cython.const[cython.uchar]), size: int64_t) -> int64_t:
        """The parameter count of a record that tells none (scap-format §9); -1 when no count fits.

        Counts that existed come first; a count fits when the lengths add up to the record.
        """
        width: int64_t = 4 if self._kind.wide else 2
        existed: cython.int
        count: cython.int
        i: cython.int
        total: int64_t
        for existed in range(1, -1, -1):
            for count in range(self._kind.params, -1, -1):
                if ((self._kind.counts >> count) & 1) != existed or self._fixed + count * width > size:
                    continue
                total = self._fixed + count * width
                for i in range(count):
                    if self._kind.wide:
                        total += load32(head + self._fixed + 4 * i)
                    else:
                        total += load16(head + self._fixed + 2 * i)
                if total == size:
                    return count
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _generic(self) -> uint16_t:
        """Type code of a generic call: by its id, else its native number, else what the enter was."""
        call: uint16_t = 0
        if self._count and self._lengths[0] == 2:
            call = load16(self._params[0])
        if call == 0 and self._count > 1 and self._lengths[1] == 2:
            call = self._native[load16(self._params[1])]
        if call >= self._calls:
            call = 0
        return GENERIC_TYPE + 2 * call + self._type

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _number_at(self, at: cython.int, signed_: cython.bint) -> int64_t:
        """A parameter as a number of the width it has; NO_VALUE when it is absent."""
        if at < 0 or at >= self._count:
            return NO_VALUE
        if self._lengths[at] == 8:
            return cython.cast(int64_t, load64(self._params[at]))
        if self._lengths[at] == 4:
            if signed_:
                return cython.cast(int32_t, load32(self._params[at]))
            return load32(self._params[at])
        if self._lengths[at] == 2:
            return load16(self._params[at])
        return self._params[at][0] if self._lengths[at] == 1 else NO_VALUE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _row_of(self, state: cython.pointer(State), number: int64_t) -> int32_t:
        """The fd row a number stands for."""
        found: cython.pointer(Slot) = self._live.slot(state.process, number) if state else cython.NULL
        return cython.cast(int32_t, found.value >> 1) if found else -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _own_fd(self) -> int32_t:
        """The fd among the event's own parameters."""
        number: int64_t = self._number_at(self._kind.fd, True)
        if number <= NO_NUMBER or number > 0x7FFFFFFF:
            return NO_NUMBER
        return cython.cast(int32_t, number)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _pair(self, state: cython.pointer(State)) -> cython.void:
        """Match an exit with its enter: its fd, its latency."""
        self._fd = self._own_fd()
        if not self._kind.exit:
            state.entered = self._type
            state.entered_fd = self._fd
            state.entered_at = self._time
            state.kept = NOTHING_ENTERED
            if self._kind.keep and self._live.keep(state, self._record, self._record_length, self._told):
                state.kept = self._type
        else:
            self._matched = state.entered == self._type - 1
            if self._kind.appended and self._count > self._kind.fd:
                self._exits_only = True
            if self._type == EXECVE_EXIT and state.entered == EXECVEAT_ENTER:
                self._matched = True
                state.kept = EXECVE_EXIT - 1 if state.kept == EXECVEAT_ENTER else NOTHING_ENTERED
            if self._matched:
                if state.entered_fd != NO_NUMBER:
                    self._fd = state.entered_fd
            else:
                state.kept = NOTHING_ENTERED
            if state.entered_at >= 0 and (self._matched or not self._exits_only):
                self._latency = self._time - state.entered_at
                if self._latency < 0:
                    self._latency = 0
            state.entered = NOTHING_ENTERED
        self._fd_row = self._row_of(state, self._fd)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _mention(self, state: cython.pointer(State)) -> cython.void:
        """Note what the event's other fds stand for."""
        at: cython.int
        number: int64_t
        row: int32_t
        for at in range(self._count):
            if (self._kind.mentions >> at) & 1:
                number = self._number_at(at, True)
                if number >= 0 and number != self._fd:
                    row = self._row_of(state, number)
                    if row >= 0:
                        self._columns.other(at, row)
        if 0 <= self._kind.listed < self._count and self._lengths[self._kind.listed] >= 2:
            entry: cython.pointer(cython.const[cython.uchar]) = self._params[self._kind.listed]
            count: cython.int = (self._lengths[self._kind.listed] - 2) // 10
            for at in range(count if count < LISTED_MOST else LISTED_MOST):
                number = cython.cast(int64_t, load64(entry + 2 + 10 * at))
                row = self._row_of(state, number)
                if number >= 0 and number != self._fd and row >= 0:
                    self._columns.other(LISTED + at, row)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _tell_changes(self) -> cython.void:
        """Note how many threads and descriptors processes have from the event about to be written on, and which."""
        kind: cython.int
        number: cython.int
        value: int64_t
        process: cython.pointer(Process) = self._live.settle()
        while process:
            if process.changed & CHANGED_THREADS:
                self._columns.sample(process.row, THREADS, process.threads)
            if process.changed & CHANGED_FDS:
                self._columns.sample(process.row, FDS, process.used)
            if process.changed & CHANGED_KINDS:
                value = 0
                for kind in range(KINDS):
                    if process.kinds[kind]:
                        value |= cython.cast(int64_t, 1) << kind
                self._columns.sample(process.row, FD_KINDS, value)
            for number in range(3):
                if process.changed & (CHANGED_STDIN << number):
                    slot: cython.pointer(Slot) = self._live.slot(process, number)
                    self._columns.sample(process.row, STDIN + number, slot.value >> 1 if slot else -1)
            process.changed = 0
            process = self._live.settle()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _write(self, state: cython.pointer(State)) -> cython.void:
        """Put the event into its columns and go on behind it."""
        row: cython.int = self._columns.length
        if self._live.changed:
            self._tell_changes()
        if state != cython.NULL and self._code != UNKNOWN and (self._kind.mentions or self._kind.listed >= 0):
            self._mention(state)
        self._columns.time[row] = self._time
        self._columns.cpu[row] = self._cpu
        self._columns.type[row] = self._code
        self._columns.flags[row] = 1 if self._hides else 0
        self._columns.thread[row] = state.row if state else -1
        self._columns.fd[row] = self._fd
        self._columns.fd_row[row] = self._fd_row
        self._columns.result[row] = self._result
        if self._latencies:
            self._latency = self._latencies[self._number - self._first_known]
        self._columns.latency[row] = self._latency
        self._columns.offset[row] = self._base + self._at
        self._columns.length = row + 1
        self._number += 1
        self._at += self._block
        self._end = self._base + self._at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _act(self, state: cython.pointer(State)) -> cython.int:
        """Do what the event type asks for, then write the event."""
        action: cython.int = self._kind.action
        closes: cython.bint = False
        if action == ACT_RULE and (state != cython.NULL or self._kind.thing != THING_THREAD):
            return NEEDS_RULE
        if state != cython.NULL and action != ACT_NOTHING:
            if action == ACT_CLOSE:
                closes = self._result >= 0
            elif action == ACT_OPEN:
                self._open(state)
            elif action == ACT_FCNTL:
                self._fcntl(state)
            elif action == ACT_DUP:
                self._dup(state)
            elif action == ACT_MEMORY:
                self._memory(state.process, self._kind.first)
            elif action == ACT_TALK and self._must_ask(state):
                return NEEDS_RULE
        if action == ACT_SWITCH:
            self._switch(state)
        elif action == ACT_PROCINFO:
            self._procinfo()
        self._write(state)
        if closes:
            self._live.drop(state.process, self._fd, self._number)
        return TAKEN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open(self, state: cython.pointer(State)) -> cython.void:
        """An open, whatever its generation: a new fd, or a path that was tried (state-tracking §4)."""
        enter: cython.pointer(Kind)
        name: cython.pointer(cython.const[cython.uchar]) = cython.NULL
        length: cython.int = 0
        flags: int64_t = self._number_at(self._kind.flags, False)
        dirfd: int64_t = self._number_at(self._kind.dirfd, True)
        dev: int64_t = self._number_at(self._kind.dev, False)
        ino: int64_t = self._number_at(self._kind.ino, True)
        absolute: cython.bint = self._kind.dirfd < 0
        if flags == NO_VALUE:
            flags = 0
        if self._kind.first >= 0 and self._kind.first < self._count:
            name = self._params[self._kind.first]
            length = self._lengths[self._kind.first]
        if state.kept == self._type - 1:
            enter = cython.address(self._kinds[state.kept])
            at: cython.pointer(cython.const[cython.uchar]) = cython.NULL
            found: cython.int = self._kept(state, enter.first, cython.address(at))
            if found > 1:
                name, length = at, found
                absolute = enter.dirfd < 0
                if self._kept(state, enter.flags, cython.address(at)) == 4:
                    flags = load32(at) | (flags & ~0x3FFF)
                if self._kept(state, enter.dirfd, cython.address(at)) == 8:
                    dirfd = cython.cast(int64_t, load64(at))
        end = (
            cython.cast(cython.pointer(cython.const[cython.uchar]), memchr(name, 0, length)) if length else cython.NULL
        )
        if end:
            length = cython.cast(cython.int, end - name)
        kind: uint8_t = DIRECTORY if flags & O_DIRECTORY else FILE
        identity: int32_t = self._resolve(state, dirfd if not absolute else AT_FDCWD, name, length, kind)
        event: int64_t = self._number + 1
        if self._result < 0:
            self._fd_row = self._tried(identity, kind, flags, state.row, event)
            return
        self._fd_row = self._fds.append(
            kind,
            identity,
            cython.cast(uint32_t, flags),
            0 if dev == NO_VALUE else cython.cast(uint32_t, dev),
            0 if ino == NO_VALUE else cython.cast(uint64_t, ino),
            state.row,
            event,
        )
        if self._result <= 0x7FFFFFFF:
            self._fd = cython.cast(int32_t, self._result)
            self._live.put(state.process, self._result, self._fd_row, (flags & O_CLOEXEC) != 0, event)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _tried(self, identity: int32_t, kind: uint8_t, flags: int64_t, thread: int32_t, event: int64_t) -> int32_t:
        """A row, in nobody's table, for a path whose opening failed; one for all failures of an identity."""
        if identity < 0:
            return -1
        row: int32_t = self._fds.names[identity].tried
        if row < 0:
            row = self._fds.append(kind, identity, cython.cast(uint32_t, flags), 0, 0, thread, event)
            if row >= 0:
                self._fds.table[row].last = event
                self._fds.names[identity].tried = row
        return row

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _resolve(
        self,
        state: cython.pointer(State),
        dirfd: int64_t,
        name: cython.pointer(cython.const[cython.uchar]),
        length: cython.int,
        kind: uint8_t,
    ) -> int32_t:
        """The identity of a path as seen from a directory fd or the working directory."""
        out: cython.uchar[4105]
        base: cython.pointer(cython.const[cython.uchar]) = cython.NULL
        base_length: cython.int = 0
        row: int32_t
        unknown: cython.int = 0
        if length > 0 and name[0] != b"/":
            if dirfd == AT_FDCWD:
                base = state.process.cwd
                base_length = state.process.cwd_length
            else:
                row = self._row_of(state, dirfd)
                if row >= 0:
                    entry = cython.address(self._fds.names[self._fds.table[row].identity])
                    base = self._fds.arena + entry.start
                    base_length = entry.length
                else:
                    # As a literal in front, without a slash (state-tracking §4).
                    unknown = 9
                    memcpy(out, UNKNOWN_DIRECTORY, unknown)
        used: cython.int = join(base, base_length, name, length, out + unknown)
        if used < 0:
            return self._fds.intern(kind, PATH_TOO_LONG, 14)
        return self._fds.intern(kind, out, unknown + used)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _kept(
        self,
        state: cython.pointer(State),
        index: cython.int,
        at: cython.pointer(cython.pointer(cython.const[cython.uchar])),
    ) -> cython.int:
        """Length of a parameter of the kept enter and where it is; 0 when it has none of that index."""
        i: cython.int
        offset: uint32_t = 2 * state.record_params
        if index < 0 or cython.cast(uint32_t, index) >= state.record_params:
            return 0
        for i in range(index):
            offset += load16(state.record + 2 * i)
        at[0] = state.record + offset
        return load16(state.record + 2 * index)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _duplicate(self, state: cython.pointer(State), cloexec: cython.bint) -> cython.void:
        """The event's result is another number for its fd."""
        row: int32_t = self._row_of(state, self._fd)
        if self._result < 0 or self._result > 0x7FFFFFFF:
            return
        if row >= 0:
            self._live.put(state.process, self._result, row, cloexec, self._number + 1)
            self._fd = cython.cast(int32_t, self._result)
            self._fd_row = row
        else:
            self._live.drop(state.process, self._result, self._number + 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _dup(self, state: cython.pointer(State)) -> cython.void:
        flags: int64_t = self._number_at(self._kind.flags, False)
        self._duplicate(state, flags != NO_VALUE and (flags & O_CLOEXEC) != 0)
        if self._result >= 0 and self._result <= 0x7FFFFFFF:
            self._fd = cython.cast(int32_t, self._result)
            self._fd_row = self._row_of(state, self._fd)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _fcntl(self, state: cython.pointer(State)) -> cython.void:
        """Remember the command of an enter; duplicate or mark at the exit."""
        command: int64_t = self._number_at(self._kind.first, False)
        found: cython.pointer(Slot)
        if not self._kind.exit:
            state.command = cython.cast(uint32_t, command)
            return
        if command == NO_VALUE:
            if not self._matched:
                return
            command = state.command
        if command in (F_DUPFD, F_DUPFD_CLOEXEC):
            self._duplicate(state, command == F_DUPFD_CLOEXEC)
        elif command == F_SETFD and self._result >= 0 and self._count == 4 and self._lengths[3] == 8:
            found = self._live.slot(state.process, self._fd)
            if found:
                found.value = (found.value & ~cython.cast(uint32_t, 1)) | (self._params[3][0] & 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _must_ask(self, state: cython.pointer(State)) -> cython.bint:
        """Whether a call that moves data may tell something of its socket's ends."""
        entry: cython.pointer(Slot)
        at: cython.pointer(cython.const[cython.uchar]) = cython.NULL
        if self._fd < 0 or (self._result < 0 and self._result != -115):
            return False
        if self._fd_row >= 0 and self._fds.table[self._fd_row].kind == IPV4 and self._settled(self._fd_row):
            return False
        if self._kind.first >= 0 and self._kind.first < self._count and self._lengths[self._kind.first] > 0:
            return True
        return state.kept == self._type - 1 and self._kept(state, self._kinds[state.kept].first, cython.address(at)) > 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _settled(self, row: int32_t) -> cython.bint:
        """Whether an IPv4 socket has a name and is TCP."""
        entry = cython.address(self._fds.names[self._fds.table[row].identity])
        return entry.length > 0 and entry.l4 == TCP

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _faults(self, state: cython.pointer(State), first: cython.int) -> cython.void:
        """Page faults of the thread, major and minor, from that parameter on; once a segment while the same."""
        which: cython.int
        value: int64_t
        if state.sampled != self._segment:
            state.sampled = self._segment
            memset(state.faults, 0xFF, 2 * cython.sizeof(int64_t))
        for which in range(2):
            value = self._number_at(first + which, False)
            if value != NO_VALUE and state.faults[which] != value:
                state.faults[which] = value
                self._columns.sample(state.row, PF_MAJOR + which, value)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _memory(self, process: cython.pointer(Process), first: cython.int) -> cython.void:
        """Virtual, resident and swapped memory, from that parameter on; once a segment while the same."""
        which: cython.int
        value: int64_t
        if first < 0:
            return
        if process.sampled != self._segment:
            process.sampled = self._segment
            memset(process.memory, 0xFF, 3 * cython.sizeof(int64_t))
        for which in range(3):
            value = self._number_at(first + which, False)
            if value != NO_VALUE and process.memory[which] != value:
                process.memory[which] = value
                self._columns.sample(process.row, VM_SIZE + which, value)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _switch(self, state: cython.pointer(State)) -> cython.void:
        """A thread leaves its cpu: how long it ran, its faults, its memory."""
        cpu: cython.pointer(Cpu) = cython.address(self._cpus[self._cpu])
        if state:
            if cpu.runs == self._tid and cpu.since >= 0 and self._time >= cpu.since:
                self._columns.sample(state.row, CPU, self._time - cpu.since)
            if self._kind.params > 1:
                self._faults(state, 1)
                self._memory(state.process, 3)
        cpu.runs = self._number_at(self._kind.first, True)
        cpu.since = self._time

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _procinfo(self) -> cython.void:
        """CPU time of a thread in ticks since it began; what was used since the last sample."""
        state: cython.pointer(State) = self._live.find(self._tid)
        user: int64_t = self._number_at(0, False)
        system: int64_t = self._number_at(1, False)
        if state == cython.NULL or user < 0 or system < 0:
            return
        if state.cpu_user >= 0 and user >= state.cpu_user and system >= state.cpu_system:
            if user > state.cpu_user:
                self._columns.sample(state.row, CPU_USER, (user - state.cpu_user) * TICK)
            if system > state.cpu_system:
                self._columns.sample(state.row, CPU_SYSTEM, (system - state.cpu_system) * TICK)
        state.cpu_user = user
        state.cpu_system = system

"""From event blocks to columns: the one pass over every event.

Owns the walk over blocks and records (scap-format §9), pairing of enters with exits, an event's thread, fd,
result and latency (state-tracking §2, §5), and close. Opening and duplicating are ``opens``', sampled facts
``samples``'; rules of the rarer calls are the model's: the walk stops for them, as for whatever else needs Python.
"""

import cython
from cython.cimports.engine.decode.block import GENERIC_EXIT, GENERIC_RESULT
from cython.cimports.engine.decode.columns import NO_NUMBER, Columns
from cython.cimports.engine.decode.current import NO_VALUE, Kind, number_at
from cython.cimports.engine.decode.opens import Opens
from cython.cimports.engine.decode.samples import Samples
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.engine.model.live import NOTHING_ENTERED, Live, Slot, State
from cython.cimports.libc.stdint import int32_t, int64_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memset

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
        self._cpus = cython.cast(cython.pointer(cython.pointer(State)), calloc(65536, cython.sizeof(cython.p_void)))
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
        self._samples = Samples(self._live, self._columns)
        self._opens = Opens(self._fds, self._live)
        self._opens.kinds = self._kinds
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
            kind.params = layout.params + 1 if code == GENERIC_EXIT else layout.params
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
        self._live.clear(self._now.number)
        self._model.section(self._now.number)
        self._clear()

    @cython.cfunc
    def _clear(self):
        self._leading = True
        self._exits_only = False
        self._refused = -1
        memset(self._cpus, 0, 65536 * cython.sizeof(cython.p_void))
        self._samples.clear()

    def machine(self, machine) -> None:
        """The machine of this section."""
        self._model.machine(machine)

    def thread(self, thread) -> None:
        """A thread that was there when the section began."""
        self._model.thread(thread)

    def former(self, threads) -> None:
        """Threads that were there right before the section began, by number."""
        self._model.former(threads)

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
            self._first_known = self._now.number
        self._model.begin(self._now.number + 1)
        try:
            while True:
                with cython.nogil:
                    pause: cython.int = self._walk()
                if pause == NEEDS_THREAD:
                    if not self._model.placeholder(self._now.tid, self._now.number + 1):
                        self._refused = self._now.tid
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
        self._columns = Columns(self._now.number, SEGMENT)
        self._samples.columns = self._columns
        self._samples.segment += 1

    def tell(self, sink) -> None:
        """Tell another sink what is known at this place of the stream, as a capture that begins here would."""
        self._model.begin(self._now.number + 1)
        self._model.tell(sink)

    def inside(self) -> list:
        """The calls that were entered and not left by now: tid, type code of the enter, its time, its fd number."""
        return [(tid, entered, time, fd) for tid, _row, entered, time, fd in self._live.inside()]

    def life_and_fd(self, tid: int, number: int) -> tuple:
        """A thread's life, -1 of an unknown one, and the name of what a descriptor of its process stands for."""
        row: int32_t = self._live.row(tid)
        fd: int32_t = self._live.fd_row(tid, number)
        return (self.store.threads[row].life if row >= 0 else -1), (self._fds.of(fd).name if fd >= 0 else b"")

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
        state: cython.pointer(State) = self._live.find(self._now.tid) if self._thing != THING_NONE else cython.NULL
        params = [
            self._now.params[at][: self._now.lengths[at]] if self._now.lengths[at] else None
            for at in range(self._now.count)
        ]
        enter = []
        if state != cython.NULL and state.kept == self._now.type - 1 and self._now.kind.exit:
            enter = self._enter(state)
        call = Call(self._now.number + 1, self._now.time, self._now.tid, self._now.type, self._now.fd, params, enter)
        self._model.rules[self._now.type](call)
        # Parameters may claim any number; the column holds those that can be descriptors.
        self._now.fd = call.fd if NO_NUMBER < call.fd <= 0x7FFFFFFF else NO_NUMBER
        state = self._live.find(self._now.tid) if self._thing != THING_NONE else cython.NULL
        self._now.fd_row = self._opens.row_of(state, self._now.fd) if call.fd_row is None else call.fd_row
        if state != cython.NULL and self._now.kind.action == ACT_RULE and self._now.kind.first >= 2:
            # A clone or an exec: memory, and before it faults.
            self._samples.memory(cython.address(self._now), state.process, self._now.kind.first)
            self._samples.faults(cython.address(self._now), state, self._now.kind.first - 2)
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
            if self._now.number == self._limit:
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
        self._now.cpu = load16(block + 8)
        self._now.time = cython.cast(int64_t, load64(head))
        self._now.tid = cython.cast(int64_t, load64(head + 8))
        self._now.type = load16(head + 20)
        self._now.fd = NO_NUMBER
        self._now.fd_row = -1
        self._now.result = NO_VALUE
        self._now.latency = -1
        self._hides = self._flagged and load32(block + 10) & 1
        self._thing = THING_KNOWN
        if self._now.type >= TYPES_KNOWN or not self._cut(head):
            self._code = UNKNOWN
            self._leading = False
            self._write(self._thread_of())
            return TAKEN
        kind = self._now.kind
        if not kind.exit:
            self._now.latency = 0
        self._code = self._now.type if self._now.type > 1 else self._generic()
        self._thing = kind.thing
        if self._leading:
            if kind.leads:
                self._hides = True
            else:
                self._leading = False
        if kind.thing != THING_NONE:
            state = self._thread_of()
            if (
                state == cython.NULL
                and kind.thing == THING_THREAD
                and self._now.tid >= 0
                and self._now.tid != self._refused
            ):
                return NEEDS_THREAD
        if state != cython.NULL and kind.paired:
            self._pair(state)
        if kind.result and self._now.count:
            self._now.result = number_at(cython.address(self._now), 0, kind.result == 1)
        elif self._now.type == GENERIC_EXIT and self._now.count > GENERIC_RESULT:
            self._now.result = number_at(cython.address(self._now), GENERIC_RESULT, True)
        return self._act(state)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _thread_of(self) -> cython.pointer(State):
        """State of the thread in the header; the last one of each cpu is at hand."""
        state: cython.pointer(State) = self._cpus[self._now.cpu]
        if state != cython.NULL and state.tid == self._now.tid:
            return state
        if self._now.tid < 0:
            return cython.NULL
        state = self._live.find(self._now.tid)
        self._cpus[self._now.cpu] = state
        return state

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _cut(self, head: cython.pointer(cython.const[cython.uchar])) -> cython.bint:
        """Find the parameters the catalogue knows of; False when they do not fit their record."""
        self._now.kind = cython.address(self._kinds[self._now.type])
        room: int64_t = cython.cast(int64_t, self._block) - self._header - 4
        size: int64_t = load32(head + 16)
        told: int64_t
        width: int64_t = 4 if self._now.kind.wide else 2
        i: cython.int
        length: int64_t
        # Records that tell how many parameters they have may be written anew, with the right length.
        if self._fixed != 26 or size > room:
            size -= self._now.kind.over
        if size > room or size < self._fixed:
            return False
        told = load32(head + 22) if self._fixed == 26 else self._counted(head, size)
        if told < 0 or self._fixed + told * width > size:
            return False
        self._now.count = cython.cast(cython.int, told) if told < self._now.kind.params else self._now.kind.params
        lengths: cython.pointer(cython.const[cython.uchar]) = head + self._fixed
        used: int64_t = self._fixed + told * width
        for i in range(self._now.count):
            length = load32(lengths + 4 * i) if self._now.kind.wide else load16(lengths + 2 * i)
            if used + length > size:
                return False
            self._now.params[i] = head + used
            self._now.lengths[i] = cython.cast(uint32_t, length)
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
        width: int64_t = 4 if self._now.kind.wide else 2
        existed: cython.int
        count: cython.int
        i: cython.int
        total: int64_t
        for existed in range(1, -1, -1):
            for count in range(self._now.kind.params, -1, -1):
                if (
                    cython.cast(cython.int, (self._now.kind.counts >> count) & 1) != existed
                    or self._fixed + count * width > size
                ):
                    continue
                total = self._fixed + count * width
                for i in range(count):
                    if self._now.kind.wide:
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
        if self._now.count and self._now.lengths[0] == 2:
            call = load16(self._now.params[0])
        if call == 0 and self._now.count > 1 and self._now.lengths[1] == 2:
            call = self._native[load16(self._now.params[1])]
        if call >= self._calls:
            call = 0
        return GENERIC_TYPE + 2 * call + self._now.type

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _own_fd(self) -> int32_t:
        """The fd among the event's own parameters."""
        number: int64_t = number_at(cython.address(self._now), self._now.kind.fd, True)
        if number <= NO_NUMBER or number > 0x7FFFFFFF:
            return NO_NUMBER
        return cython.cast(int32_t, number)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _pair(self, state: cython.pointer(State)) -> cython.void:
        """Match an exit with its enter: its fd, its latency."""
        self._now.fd = self._own_fd()
        if not self._now.kind.exit:
            state.entered = self._now.type
            state.entered_code = self._code
            state.entered_fd = self._now.fd
            state.entered_at = self._now.time
            state.kept = NOTHING_ENTERED
            if self._now.kind.keep and self._live.keep(state, self._record, self._record_length, self._told):
                state.kept = self._now.type
        else:
            self._now.matched = state.entered == self._now.type - 1
            if self._now.kind.appended and self._now.count > self._now.kind.fd:
                self._exits_only = True
            if self._now.type == EXECVE_EXIT and state.entered == EXECVEAT_ENTER:
                self._now.matched = True
                state.kept = EXECVE_EXIT - 1 if state.kept == EXECVEAT_ENTER else NOTHING_ENTERED
            if self._now.matched:
                if state.entered_fd != NO_NUMBER:
                    self._now.fd = state.entered_fd
            else:
                state.kept = NOTHING_ENTERED
            if state.entered_at >= 0 and (self._now.matched or not self._exits_only):
                self._now.latency = self._now.time - state.entered_at
                if self._now.latency < 0:
                    self._now.latency = 0
            state.entered = NOTHING_ENTERED
        self._now.fd_row = self._opens.row_of(state, self._now.fd)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _mention(self, state: cython.pointer(State)) -> cython.void:
        """Note what the event's other fds stand for."""
        at: cython.int
        number: int64_t
        row: int32_t
        for at in range(self._now.count):
            if (self._now.kind.mentions >> at) & 1:
                number = number_at(cython.address(self._now), at, True)
                if number >= 0 and number != self._now.fd:
                    row = self._opens.row_of(state, number)
                    if row >= 0:
                        self._columns.other(at, row)
        if 0 <= self._now.kind.listed < self._now.count and self._now.lengths[self._now.kind.listed] >= 2:
            entry: cython.pointer(cython.const[cython.uchar]) = self._now.params[self._now.kind.listed]
            count: cython.int = (self._now.lengths[self._now.kind.listed] - 2) // 10
            for at in range(count if count < LISTED_MOST else LISTED_MOST):
                number = cython.cast(int64_t, load64(entry + 2 + 10 * at))
                row = self._opens.row_of(state, number)
                if number >= 0 and number != self._now.fd and row >= 0:
                    self._columns.other(LISTED + at, row)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _write(self, state: cython.pointer(State)) -> cython.void:
        """Put the event into its columns and go on behind it."""
        row: cython.int = self._columns.length
        if self._live.changed:
            self._samples.tell_changes()
        if state != cython.NULL and self._code != UNKNOWN and (self._now.kind.mentions or self._now.kind.listed >= 0):
            self._mention(state)
        self._columns.time[row] = self._now.time
        self._columns.cpu[row] = self._now.cpu
        self._columns.type[row] = self._code
        self._columns.flags[row] = 1 if self._hides else 0
        self._columns.thread[row] = state.row if state else -1
        self._columns.fd[row] = self._now.fd
        self._columns.fd_row[row] = self._now.fd_row
        self._columns.result[row] = self._now.result
        if self._latencies:
            self._now.latency = self._latencies[self._now.number - self._first_known]
        self._columns.latency[row] = self._now.latency
        self._columns.offset[row] = self._base + self._at
        self._columns.length = row + 1
        self._now.number += 1
        self._at += self._block
        self._end = self._base + self._at

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _act(self, state: cython.pointer(State)) -> cython.int:
        """Do what the event type asks for, then write the event."""
        action: cython.int = self._now.kind.action
        closes: cython.bint = False
        if action == ACT_RULE and (state != cython.NULL or self._now.kind.thing != THING_THREAD):
            return NEEDS_RULE
        if state != cython.NULL and action != ACT_NOTHING:
            if action == ACT_CLOSE:
                closes = self._now.result >= 0
            elif action == ACT_OPEN:
                self._opens.open(cython.address(self._now), state)
            elif action == ACT_FCNTL:
                self._opens.fcntl(cython.address(self._now), state)
            elif action == ACT_DUP:
                self._opens.dup(cython.address(self._now), state)
            elif action == ACT_MEMORY:
                self._samples.memory(cython.address(self._now), state.process, self._now.kind.first)
            elif action == ACT_TALK and self._must_ask(state):
                return NEEDS_RULE
        if action == ACT_SWITCH:
            self._samples.switch(cython.address(self._now), state)
        elif action == ACT_PROCINFO:
            self._samples.procinfo(cython.address(self._now))
        self._write(state)
        if closes:
            self._live.drop(state.process, self._now.fd, self._now.number)
        return TAKEN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _must_ask(self, state: cython.pointer(State)) -> cython.bint:
        """Whether a call that moves data may tell something of its socket's ends."""
        entry: cython.pointer(Slot)
        at: cython.pointer(cython.const[cython.uchar]) = cython.NULL
        if self._now.fd < 0 or (self._now.result < 0 and self._now.result != -115):
            return False
        now: cython.pointer(Current) = cython.address(self._now)
        first: cython.int = now.kind.first
        if now.fd_row >= 0 and self._fds.table[now.fd_row].kind == IPV4 and self._settled(now.fd_row):
            return False
        if 0 <= first < now.count and now.lengths[first] > 0:
            return True
        return (
            state.kept == now.type - 1
            and self._opens.kept(state, self._kinds[state.kept].first, cython.address(at)) > 0
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _settled(self, row: int32_t) -> cython.bint:
        """Whether an IPv4 socket has a name and is TCP."""
        entry = cython.address(self._fds.names[self._fds.table[row].identity])
        return entry.length > 0 and entry.l4 == TCP

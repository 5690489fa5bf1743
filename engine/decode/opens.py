"""Opening, duplicating and marking descriptors: the rules that must cost nothing (state-tracking §4).

Owns which fd row such a call makes and which path it has. Rules of rarer calls are the model's; closing, which needs
no row, is the walk's own.
"""

import cython
from cython.cimports.engine.decode.current import NO_VALUE, Current, Kind, number_at
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.engine.model.fds import Fds
from cython.cimports.engine.model.live import Live, Slot, State
from cython.cimports.engine.model.paths import join
from cython.cimports.libc.stdint import int32_t, int64_t, uint8_t, uint32_t, uint64_t
from cython.cimports.libc.string import memchr, memcpy

if not cython.compiled:
    raise ImportError("engine.decode.opens must be compiled: run `make build`")


@cython.cclass
class Opens:
    """The rules of those calls, over the tables of descriptors. ``kinds`` are the decoder's."""

    def __init__(self, fds: Fds, live: Live) -> None:
        self._fds = fds
        self._live = live

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def open(self, now: cython.pointer(Current), state: cython.pointer(State)) -> cython.void:
        """An open, whatever its generation: a new fd, or a path that was tried (state-tracking §4)."""
        enter: cython.pointer(Kind)
        name: cython.pointer(cython.const[cython.uchar]) = cython.NULL
        length: cython.int = 0
        flags: int64_t = number_at(now, now.kind.flags, False)
        dirfd: int64_t = number_at(now, now.kind.dirfd, True)
        dev: int64_t = number_at(now, now.kind.dev, False)
        ino: int64_t = number_at(now, now.kind.ino, True)
        absolute: cython.bint = now.kind.dirfd < 0
        if flags == NO_VALUE:
            flags = 0
        if now.kind.first >= 0 and now.kind.first < now.count:
            name = now.params[now.kind.first]
            length = now.lengths[now.kind.first]
        if state.kept == now.type - 1:
            enter = cython.address(self.kinds[state.kept])
            at: cython.pointer(cython.const[cython.uchar]) = cython.NULL
            found: cython.int = self.kept(state, enter.first, cython.address(at))
            if found > 1:
                name, length = at, found
                absolute = enter.dirfd < 0
                if self.kept(state, enter.flags, cython.address(at)) == 4:
                    flags = load32(at) | (flags & ~0x3FFF)
                if self.kept(state, enter.dirfd, cython.address(at)) == 8:
                    dirfd = cython.cast(int64_t, load64(at))
        end = (
            cython.cast(cython.pointer(cython.const[cython.uchar]), memchr(name, 0, length)) if length else cython.NULL
        )
        if end:
            length = cython.cast(cython.int, end - name)
        kind: uint8_t = DIRECTORY if flags & O_DIRECTORY else FILE
        identity: int32_t = self._resolve(state, dirfd if not absolute else AT_FDCWD, name, length, kind)
        event: int64_t = now.number + 1
        if now.result < 0:
            now.fd_row = self._tried(identity, kind, flags, state.row, event)
            return
        now.fd_row = self._fds.append(
            kind,
            identity,
            cython.cast(uint32_t, flags),
            0 if dev == NO_VALUE else cython.cast(uint32_t, dev),
            0 if ino == NO_VALUE else cython.cast(uint64_t, ino),
            state.row,
            event,
        )
        if now.result <= 0x7FFFFFFF:
            now.fd = cython.cast(int32_t, now.result)
            self._live.put(state.process, now.result, now.fd_row, (flags & O_CLOEXEC) != 0, event)

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
                row = self.row_of(state, dirfd)
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
    def kept(
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
    def _duplicate(
        self, now: cython.pointer(Current), state: cython.pointer(State), cloexec: cython.bint
    ) -> cython.void:
        """The event's result is another number for its fd."""
        row: int32_t = self.row_of(state, now.fd)
        if now.result < 0 or now.result > 0x7FFFFFFF:
            return
        if row >= 0:
            self._live.put(state.process, now.result, row, cloexec, now.number + 1)
            now.fd = cython.cast(int32_t, now.result)
            now.fd_row = row
        else:
            self._live.drop(state.process, now.result, now.number + 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def dup(self, now: cython.pointer(Current), state: cython.pointer(State)) -> cython.void:
        """A dup, dup2 or dup3: about the new number."""
        flags: int64_t = number_at(now, now.kind.flags, False)
        self._duplicate(now, state, flags != NO_VALUE and (flags & O_CLOEXEC) != 0)
        if now.result >= 0 and now.result <= 0x7FFFFFFF:
            now.fd = cython.cast(int32_t, now.result)
            now.fd_row = self.row_of(state, now.fd)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def fcntl(self, now: cython.pointer(Current), state: cython.pointer(State)) -> cython.void:
        """Remember the command of an enter; duplicate or mark at the exit."""
        command: int64_t = number_at(now, now.kind.first, False)
        found: cython.pointer(Slot)
        if not now.kind.exit:
            state.command = cython.cast(uint32_t, command)
            return
        if command == NO_VALUE:
            if not now.matched:
                return
            command = state.command
        if command in (F_DUPFD, F_DUPFD_CLOEXEC):
            self._duplicate(now, state, command == F_DUPFD_CLOEXEC)
        elif command == F_SETFD and now.result >= 0 and now.count == 4 and now.lengths[3] == 8:
            found = self._live.slot(state.process, now.fd)
            if found:
                found.value = (found.value & ~cython.cast(uint32_t, 1)) | (now.params[3][0] & 1)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def row_of(self, state: cython.pointer(State), number: int64_t) -> int32_t:
        """The fd row a number stands for."""
        found: cython.pointer(Slot) = self._live.slot(state.process, number) if state else cython.NULL
        return cython.cast(int32_t, found.value >> 1) if found else -1

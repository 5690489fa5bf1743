"""Sampled facts: time on a CPU, memory, faults, and how many threads and descriptors processes have.

Owns what is noted beside the columns of a segment (``store.segment.Sample``), and when: what stays the same is told
once a segment.
"""

import cython
from cython.cimports.engine.decode.columns import Columns
from cython.cimports.engine.decode.current import NO_VALUE, Current, number_at
from cython.cimports.engine.model.live import (
    CHANGED_FDS,
    CHANGED_KINDS,
    CHANGED_STDIN,
    CHANGED_THREADS,
    KINDS,
    Live,
    Process,
    Slot,
    State,
)
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import calloc, free
from cython.cimports.libc.string import memset

if not cython.compiled:
    raise ImportError("engine.decode.samples must be compiled: run `make build`")


@cython.cclass
class Samples:
    """Notes facts of threads and processes in the segment being filled, which the decoder sets."""

    def __cinit__(self) -> None:
        self._cpus = cython.cast(cython.pointer(Cpu), calloc(65536, cython.sizeof(Cpu)))
        if not self._cpus:
            raise MemoryError

    def __init__(self, live: Live, columns: Columns) -> None:
        self._live = live
        self.columns = columns

    def __dealloc__(self) -> None:
        free(self._cpus)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def clear(self) -> cython.void:
        """A section begins: nobody runs."""
        memset(self._cpus, 0, 65536 * cython.sizeof(Cpu))

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def faults(self, now: cython.pointer(Current), state: cython.pointer(State), first: cython.int) -> cython.void:
        """Page faults of the thread, major and minor, from that parameter on; once a segment while the same."""
        which: cython.int
        value: int64_t
        if state.sampled != self.segment:
            state.sampled = self.segment
            memset(state.faults, 0xFF, 2 * cython.sizeof(int64_t))
        for which in range(2):
            value = number_at(now, first + which, False)
            if value != NO_VALUE and state.faults[which] != value:
                state.faults[which] = value
                self.columns.sample(state.row, PF_MAJOR + which, value)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def memory(self, now: cython.pointer(Current), process: cython.pointer(Process), first: cython.int) -> cython.void:
        """Virtual, resident and swapped memory, from that parameter on; once a segment while the same."""
        which: cython.int
        value: int64_t
        if first < 0:
            return
        if process.sampled != self.segment:
            process.sampled = self.segment
            memset(process.memory, 0xFF, 3 * cython.sizeof(int64_t))
        for which in range(3):
            value = number_at(now, first + which, False)
            if value != NO_VALUE and process.memory[which] != value:
                process.memory[which] = value
                self.columns.sample(process.row, VM_SIZE + which, value)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def switch(self, now: cython.pointer(Current), state: cython.pointer(State)) -> cython.void:
        """A thread leaves its cpu: how long it ran, its faults, its memory."""
        cpu: cython.pointer(Cpu) = cython.address(self._cpus[now.cpu])
        # Thread 0 is each processor's idle loop, whose time nobody uses.
        if now.tid != 0 and cpu.runs == now.tid and cpu.since >= 0 and now.time >= cpu.since:
            self.columns.sample(state.row if state else -1, CPU, now.time - cpu.since)
        if state and now.kind.params > 1:
            self.faults(now, state, 1)
            self.memory(now, state.process, 3)
        cpu.runs = number_at(now, now.kind.first, True)
        cpu.since = now.time

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def procinfo(self, now: cython.pointer(Current)) -> cython.void:
        """CPU time of a thread in ticks since it began; what was used since the last sample."""
        state: cython.pointer(State) = self._live.find(now.tid)
        user: int64_t = number_at(now, 0, False)
        system: int64_t = number_at(now, 1, False)
        if state == cython.NULL or user < 0 or system < 0:
            return
        if state.cpu_user >= 0 and user >= state.cpu_user and system >= state.cpu_system:
            if user > state.cpu_user:
                self.columns.sample(state.row, CPU_USER, (user - state.cpu_user) * TICK)
            if system > state.cpu_system:
                self.columns.sample(state.row, CPU_SYSTEM, (system - state.cpu_system) * TICK)
        state.cpu_user = user
        state.cpu_system = system

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def tell_changes(self) -> cython.void:
        """Note how many threads and descriptors processes have from the event about to be written on, and which."""
        kind: cython.int
        number: cython.int
        value: int64_t
        process: cython.pointer(Process) = self._live.settle()
        while process:
            if process.changed & CHANGED_THREADS:
                self.columns.sample(process.row, THREADS, process.threads)
            if process.changed & CHANGED_FDS:
                self.columns.sample(process.row, FDS, process.used)
            if process.changed & CHANGED_KINDS:
                value = 0
                for kind in range(KINDS):
                    if process.kinds[kind]:
                        value |= cython.cast(int64_t, 1) << kind
                self.columns.sample(process.row, FD_KINDS, value)
            for number in range(3):
                if process.changed & (CHANGED_STDIN << number):
                    slot: cython.pointer(Slot) = self._live.slot(process, number)
                    self.columns.sample(process.row, STDIN + number, slot.value >> 1 if slot else -1)
            process.changed = 0
            process = self._live.settle()

from libc.stdint cimport int32_t, int64_t

from engine.decode.columns cimport Columns
from engine.decode.current cimport Current
from engine.model.live cimport Live, Process, State

cdef enum:
    # engine.store.segment.Sample.
    CPU = 0
    CPU_USER = 1
    CPU_SYSTEM = 2
    VM_SIZE = 3
    PF_MAJOR = 6
    THREADS = 8
    FDS = 9
    FD_KINDS = 10
    STDIN = 11
    # ns of a tick of procinfo events.
    TICK = 10000000

cdef struct Cpu:
    # The thread that was switched to, and when.
    int64_t runs
    int64_t since

cdef class Samples:
    cdef Live _live
    cdef Cpu *_cpus
    # The segment being filled, and its number.
    cdef Columns columns
    cdef int32_t segment

    cdef void clear(self) noexcept nogil
    cdef void switch(self, Current *now, State *state) noexcept nogil
    cdef void procinfo(self, Current *now) noexcept nogil
    cdef void faults(self, Current *now, State *state, int first) noexcept nogil
    cdef void memory(self, Current *now, Process *process, int first) noexcept nogil
    cdef void tell_changes(self) noexcept nogil

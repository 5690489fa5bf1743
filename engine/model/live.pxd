from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from engine.model.fds cimport Fds

cdef enum:
    # Kinds of descriptors, engine.events.FdKind, and room for more.
    KINDS = 24

cdef struct Slot:
    uint32_t key
    uint32_t value

cdef struct Process:
    int64_t leader
    int32_t serial
    # Row of the main thread's version in force, of the first thread's while there is none.
    int32_t row
    # What changed since the last event was written, and the next process of which something did.
    uint32_t changed
    Process *next
    # Memory as last told in the segment of that number: virtual, resident, swapped.
    int32_t sampled
    int64_t memory[3]
    # How many descriptors there are of each kind.
    uint32_t kinds[KINDS]
    Slot *slots
    uint32_t mask
    uint32_t used
    int32_t threads
    int32_t cwd_length
    unsigned char *cwd

cdef struct State:
    int64_t tid
    int32_t row
    uint16_t entered
    uint16_t entered_code
    uint16_t kept
    int32_t entered_fd
    uint32_t command
    int64_t entered_at
    Process *process
    unsigned char *record
    uint32_t record_capacity
    uint32_t record_params
    int32_t sampled
    int64_t faults[2]
    int64_t cpu_user
    int64_t cpu_system
    State *spare

cdef enum:
    NOTHING_ENTERED = 0xFFFF
    # Bits of Process.changed; those of descriptors 0, 1 and 2 follow.
    CHANGED_THREADS = 1
    CHANGED_FDS = 2
    CHANGED_KINDS = 4
    CHANGED_STDIN = 8
    # States are allocated that many at a time.
    CHUNK = 256
    # Threads kept at a time; a further one stays unknown.
    MOST_THREADS = 1 << 18
    # Descriptors kept at a time, of all processes, in places of their tables; a further one stays unknown.
    MOST_SLOTS = 1 << 25

cdef class Live:
    cdef Fds _fds
    cdef State **_index
    cdef size_t _mask
    cdef readonly int count
    cdef State *_spare
    cdef State **_chunks
    cdef int _chunk_count
    cdef size_t _slots
    cdef int32_t _serials
    cdef Process *changed

    cdef void _change(self, Process *process, uint32_t what) noexcept nogil
    cdef void _count(self, Process *process, int64_t number, int32_t row, int by) noexcept nogil
    cdef Process *settle(self) noexcept nogil
    cdef State *find(self, int64_t tid) noexcept nogil
    cdef Slot *slot(self, Process *process, int64_t number) noexcept nogil
    cdef bint put(self, Process *process, int64_t number, int32_t row, bint cloexec, int64_t event) noexcept nogil
    cdef void drop(self, Process *process, int64_t number, int64_t event) noexcept nogil
    cdef bint keep(self, State *state, const unsigned char *record, uint32_t length, uint32_t params) noexcept nogil
    cdef Process *_new_process(self, int64_t leader, int32_t row) noexcept nogil
    cdef void _leave(self, Process *process, int64_t event) noexcept nogil
    cdef bint _grow(self, Process *process) noexcept nogil
    cdef State *_new_state(self) noexcept nogil
    cdef bint _grow_index(self) noexcept nogil
    cdef void _copy(self, Process *source, Process *target) noexcept nogil
    cdef State *_known(self, int64_t tid) except *

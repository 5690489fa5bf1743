from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t

from engine.decode.columns cimport Columns
from engine.decode.current cimport Current, Kind
from engine.decode.opens cimport Opens
from engine.decode.samples cimport Samples
from engine.model.fds cimport Fds
from engine.model.live cimport Live, State

cdef extern from *:
    const uint32_t LEGACY_EVENT "0x8010ABCDU"

cdef enum:
    # Why the walk paused: engine.decode.stop.Stop first.
    STOP_MORE = 0
    STOP_OTHER = 1
    STOP_DAMAGE = 2
    STOP_LIMIT = 3
    NEEDS_SEGMENT = 4
    NEEDS_ROOM = 5
    NEEDS_THREAD = 6
    NEEDS_RULE = 7
    TAKEN = 8

    # engine.decode.layout.Action and Thing.
    ACT_NOTHING = 0
    ACT_OPEN = 1
    ACT_CLOSE = 2
    ACT_DUP = 3
    ACT_FCNTL = 4
    ACT_MEMORY = 5
    ACT_SWITCH = 6
    ACT_PROCINFO = 7
    ACT_TALK = 8
    ACT_RULE = 9
    THING_THREAD = 0
    THING_KNOWN = 1
    THING_NONE = 2

    # Values of engine.events, of the scap format and of engine.store.segment.Sample.
    TYPES_KNOWN = 454
    UNKNOWN = 2046
    GENERIC_TYPE = 1024
    EXECVE_EXIT = 293
    EXECVEAT_ENTER = 330
    # Entries of an fd list whose fds are noted.
    LISTED_MOST = 1024
    LISTED = 256
    IPV4 = 3
    TCP = 2

cdef class Decoder:
    cdef readonly object store
    cdef Fds _fds
    cdef Live _live
    cdef object _model
    cdef Columns _columns
    cdef Kind *_kinds
    # State of the last thread of each cpu.
    cdef State **_cpus
    cdef Opens _opens
    cdef Samples _samples
    cdef uint16_t *_native
    cdef int _calls
    cdef int64_t _limit
    cdef int64_t _end
    cdef bint _leading
    cdef bint _exits_only
    cdef int64_t _refused

    # The buffer being fed.
    cdef const unsigned char *_buffer
    cdef int64_t _size
    cdef int64_t _base
    cdef int64_t _at

    # The event at hand.
    cdef Current _now
    cdef bint _flagged
    cdef int _fixed
    cdef int _header
    cdef uint32_t _block
    cdef uint16_t _code
    cdef int _thing
    cdef bint _hides
    cdef const int64_t *_latencies
    cdef int64_t _first_known
    cdef const unsigned char *_record
    cdef uint32_t _record_length
    cdef uint32_t _told

    cdef _prepare(self)
    cdef _clear(self)
    cdef _expected(self)
    cdef _ask(self)
    cdef _enter(self, State *state)
    cdef int _walk(self) noexcept nogil
    cdef int _event(self, const unsigned char *block) noexcept nogil
    cdef State *_thread_of(self) noexcept nogil
    cdef bint _cut(self, const unsigned char *head) noexcept nogil
    cdef int64_t _counted(self, const unsigned char *head, int64_t size) noexcept nogil
    cdef uint16_t _generic(self) noexcept nogil
    cdef int32_t _own_fd(self) noexcept nogil
    cdef void _pair(self, State *state) noexcept nogil
    cdef void _write(self, State *state) noexcept nogil
    cdef void _mention(self, State *state) noexcept nogil
    cdef int _act(self, State *state) noexcept nogil
    cdef bint _must_ask(self, State *state) noexcept nogil
    cdef bint _settled(self, int32_t row) noexcept nogil

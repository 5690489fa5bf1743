from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from engine.decode.columns cimport Columns
from engine.model.fds cimport Fds
from engine.model.live cimport Live, Process, State

cdef extern from *:
    """
    #define SYSCOPE_NO_VALUE INT64_MIN
    #define SYSCOPE_UNKNOWN_DIRECTORY ((const unsigned char *) "<UNKNOWN>")
    #define SYSCOPE_PATH_TOO_LONG ((const unsigned char *) "/PATH_TOO_LONG")
    """
    const uint32_t LEGACY_EVENT "0x8010ABCDU"
    const int64_t NO_VALUE "SYSCOPE_NO_VALUE"
    const unsigned char *UNKNOWN_DIRECTORY "SYSCOPE_UNKNOWN_DIRECTORY"
    const unsigned char *PATH_TOO_LONG "SYSCOPE_PATH_TOO_LONG"

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
    AT_FDCWD = -100
    O_DIRECTORY = 1024
    O_CLOEXEC = 4096
    F_DUPFD = 1
    F_SETFD = 3
    F_DUPFD_CLOEXEC = 26
    # Entries of an fd list whose fds are noted.
    LISTED_MOST = 1024
    LISTED = 256
    DIRECTORY = 2
    IPV4 = 3
    FILE = 16
    TCP = 2
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

cdef struct Kind:
    uint64_t counts
    uint32_t mentions
    int8_t listed
    uint8_t action
    uint8_t thing
    uint8_t paired
    uint8_t exit
    uint8_t wide
    uint8_t keep
    uint8_t appended
    uint8_t leads
    uint8_t result
    int8_t params
    int8_t fd
    int8_t first
    int8_t dirfd
    int8_t flags
    int8_t dev
    int8_t ino
    int8_t over

cdef struct Cpu:
    State *state
    int64_t runs
    int64_t since

cdef class Decoder:
    cdef readonly object store
    cdef Fds _fds
    cdef Live _live
    cdef object _model
    cdef Columns _columns
    cdef Kind *_kinds
    cdef Cpu *_cpus
    cdef uint16_t *_native
    cdef int _calls
    cdef int64_t _limit
    cdef int64_t _number
    cdef int64_t _end
    cdef int32_t _segment
    cdef bint _leading
    cdef bint _exits_only
    cdef int64_t _refused

    # The buffer being fed.
    cdef const unsigned char *_buffer
    cdef int64_t _size
    cdef int64_t _base
    cdef int64_t _at

    # The event at hand.
    cdef bint _flagged
    cdef int _fixed
    cdef int _header
    cdef uint32_t _block
    cdef Kind *_kind
    cdef uint16_t _cpu
    cdef int64_t _time
    cdef int64_t _tid
    cdef uint16_t _type
    cdef uint16_t _code
    cdef int _thing
    cdef bint _hides
    cdef bint _matched
    cdef int32_t _fd
    cdef int32_t _fd_row
    cdef int64_t _result
    cdef int64_t _latency
    cdef const int64_t *_latencies
    cdef int64_t _first_known
    cdef int _count
    cdef const unsigned char *_params[32]
    cdef uint32_t _lengths[32]
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
    cdef int64_t _number_at(self, int at, bint signed_) noexcept nogil
    cdef int32_t _row_of(self, State *state, int64_t number) noexcept nogil
    cdef int32_t _own_fd(self) noexcept nogil
    cdef void _pair(self, State *state) noexcept nogil
    cdef void _write(self, State *state) noexcept nogil
    cdef void _mention(self, State *state) noexcept nogil
    cdef void _tell_changes(self) noexcept nogil
    cdef int _act(self, State *state) noexcept nogil
    cdef void _open(self, State *state) noexcept nogil
    cdef int32_t _tried(self, int32_t identity, uint8_t kind, int64_t flags, int32_t thread, int64_t event) noexcept nogil
    cdef int32_t _resolve(
        self, State *state, int64_t dirfd, const unsigned char *name, int length, uint8_t kind
    ) noexcept nogil
    cdef int _kept(self, State *state, int index, const unsigned char **at) noexcept nogil
    cdef void _duplicate(self, State *state, bint cloexec) noexcept nogil
    cdef void _dup(self, State *state) noexcept nogil
    cdef void _fcntl(self, State *state) noexcept nogil
    cdef bint _must_ask(self, State *state) noexcept nogil
    cdef bint _settled(self, int32_t row) noexcept nogil
    cdef void _faults(self, State *state, int first) noexcept nogil
    cdef void _memory(self, Process *process, int first) noexcept nogil
    cdef void _switch(self, State *state) noexcept nogil
    cdef void _procinfo(self) noexcept nogil

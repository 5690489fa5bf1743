from libc.stdint cimport int32_t, int64_t, uint8_t

from engine.decode.current cimport Current, Kind
from engine.model.fds cimport Fds
from engine.model.live cimport Live, State

cdef extern from *:
    """
    #define SYSCOPE_UNKNOWN_DIRECTORY ((const unsigned char *) "<UNKNOWN>")
    #define SYSCOPE_PATH_TOO_LONG ((const unsigned char *) "/PATH_TOO_LONG")
    """
    const unsigned char *UNKNOWN_DIRECTORY "SYSCOPE_UNKNOWN_DIRECTORY"
    const unsigned char *PATH_TOO_LONG "SYSCOPE_PATH_TOO_LONG"

cdef enum:
    # Values of the scap format and of engine.events.
    AT_FDCWD = -100
    O_DIRECTORY = 1024
    O_CLOEXEC = 4096
    F_DUPFD = 1
    F_SETFD = 3
    F_DUPFD_CLOEXEC = 26
    DIRECTORY = 2
    FILE = 16

cdef class Opens:
    cdef Fds _fds
    cdef Live _live
    cdef Kind *kinds

    cdef int32_t row_of(self, State *state, int64_t number) noexcept nogil
    cdef int kept(self, State *state, int index, const unsigned char **at) noexcept nogil
    cdef void open(self, Current *now, State *state) noexcept nogil
    cdef void dup(self, Current *now, State *state) noexcept nogil
    cdef void fcntl(self, Current *now, State *state) noexcept nogil
    cdef int32_t _tried(self, int32_t identity, uint8_t kind, int64_t flags, int32_t thread, int64_t event) noexcept nogil
    cdef int32_t _resolve(
        self, State *state, int64_t dirfd, const unsigned char *name, int length, uint8_t kind
    ) noexcept nogil
    cdef void _duplicate(self, Current *now, State *state, bint cloexec) noexcept nogil

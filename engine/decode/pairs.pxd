from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef struct Enter:
    bint exists
    uint16_t params
    int16_t source[8]  # index of the exit's parameter, -1: none
    uint8_t width[8]   # bytes of a number, 0: as it is
    uint16_t older     # exit written in place of this one, 0: itself
    uint16_t kept      # parameters of that

cdef class Pairs:
    cdef Enter *_enters
    cdef int _most
    cdef uint8_t *_out
    cdef uint64_t _capacity
    cdef object _buffer

    cdef void _reserve(self, uint64_t size)
    cdef uint64_t _pair(self, uint64_t to, const uint8_t *block, uint32_t length, int64_t latency, bint hide) noexcept nogil
    cdef uint32_t _cut(self, uint64_t at, uint32_t keep) noexcept nogil
    cdef uint32_t _hide(self, uint64_t at) noexcept nogil
    cdef uint64_t _enter(self, uint64_t to, const uint8_t *block, const Enter *enter, int64_t latency) noexcept nogil

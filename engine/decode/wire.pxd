# Unaligned little-endian loads.
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef inline uint16_t load16(const unsigned char *at) noexcept nogil:
    cdef uint16_t value
    memcpy(&value, at, 2)
    return value

cdef inline uint32_t load32(const unsigned char *at) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, at, 4)
    return value

cdef inline uint64_t load64(const unsigned char *at) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, at, 8)
    return value

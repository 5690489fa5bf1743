from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

cdef packed struct Sample:
    int32_t event
    int32_t thread
    uint8_t kind
    int64_t value

cdef packed struct Other:
    int32_t event
    uint16_t place
    int32_t row

cdef enum:
    # Other fds a segment notes at most; names of more stay unknown.
    OTHERS_MOST = 1048576
    NO_NUMBER = -2147483648

cdef class Columns:
    cdef int64_t *time
    cdef uint16_t *cpu
    cdef uint16_t *type
    cdef uint8_t *flags
    cdef int32_t *thread
    cdef int32_t *fd
    cdef int32_t *fd_row
    cdef int64_t *result
    cdef int64_t *latency
    cdef int64_t *offset
    cdef int length
    cdef int capacity
    cdef int64_t first
    cdef dict _arrays
    cdef Sample *_samples
    cdef int _sample_count
    cdef int _sample_capacity
    cdef Other *_others
    cdef int _other_count
    cdef int _other_capacity

    cdef bint sample(self, int32_t thread, uint8_t kind, int64_t value) noexcept nogil
    cdef void other(self, int place, int32_t row) noexcept nogil
    cdef size_t _allocate(self, str name, str dtype) except? 0

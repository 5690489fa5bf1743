from engine.decode.encoder cimport Encoder
from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef class Ring:
    cdef object _held
    cdef Encoder _encoder
    cdef uint8_t *_consumer
    cdef const uint8_t *_producer
    cdef const uint8_t *_data
    cdef uint64_t _mask
    cdef uint8_t *_out
    cdef uint64_t _capacity
    cdef int64_t *_latencies
    cdef uint64_t _most
    cdef readonly object buffer
    cdef readonly object latencies
    cdef readonly uint64_t malformed

    cdef uint64_t _walk(self, uint64_t most, uint64_t *events) noexcept nogil

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef packed struct Record:
    # struct record of the C program
    uint64_t time
    uint64_t latency
    uint64_t numbers[6]
    int64_t result
    uint32_t tid
    uint16_t kind
    uint16_t cpu

cdef packed struct Op:
    # engine.sources.live.calls.OP
    uint8_t op
    uint8_t a
    uint8_t b
    uint8_t c
    uint8_t width
    uint8_t pad
    uint16_t table

cdef struct Piece:
    const uint8_t *at
    int length # -1: absent

cdef class Ring:
    cdef object _held
    cdef uint8_t *_consumer
    cdef const uint8_t *_producer
    cdef const uint8_t *_data
    cdef uint64_t _mask
    cdef uint64_t _offset
    cdef const uint16_t *_types
    cdef const uint16_t *_generic
    cdef const uint32_t *_first
    cdef const uint32_t *_count
    cdef const Op *_ops
    cdef const uint32_t *_flags
    cdef const uint32_t *_flags_first
    cdef uint32_t _clone_table
    cdef uint32_t _poll_table
    cdef uint32_t _open_table
    cdef uint8_t *_out
    cdef uint64_t _capacity
    cdef int64_t *_latencies
    cdef uint64_t _most
    cdef readonly object buffer
    cdef readonly object latencies
    cdef readonly uint64_t malformed
    cdef Piece _pieces[12]
    cdef int _piece_count
    cdef uint8_t *_at      # where the next parameter's bytes go
    cdef uint8_t *_block
    cdef uint8_t *_lengths # where the next parameter's length goes

    cdef size_t _hold(self, array) except? 0
    cdef uint64_t _walk(self, uint64_t *events) noexcept nogil
    cdef bint _encode(self, const uint8_t *at, uint32_t size) noexcept nogil
    cdef bint _cut(self, const uint8_t *at, uint32_t size) noexcept nogil
    cdef void _begin(self, const Record *record, int type, int params, bint hidden) noexcept nogil
    cdef void _end(self) noexcept nogil
    cdef void _close(self, uint64_t length) noexcept nogil
    cdef void _number(self, uint64_t value, int width) noexcept nogil
    cdef void _bytes(self, const uint8_t *at, int length) noexcept nogil
    cdef uint32_t _mapped(self, uint32_t value, uint32_t table) noexcept nogil
    cdef void _parameter(self, const Record *record, const Op *op) noexcept nogil
    cdef void _rare(self, const Record *record, const Op *op, const Piece *piece) noexcept nogil
    cdef void _tuple(self, const Record *record, const Op *op) noexcept nogil
    cdef void _address(self, const Piece *piece) noexcept nogil
    cdef void _unix_path(self, const uint8_t *at, int length) noexcept nogil
    cdef void _poll(self, const Piece *piece) noexcept nogil
    cdef void _option(self, const Record *record, const Piece *piece) noexcept nogil
    cdef uint8_t *_path(self, uint8_t *to, const Piece *piece) noexcept nogil
    cdef bint _happening(self, const Record *record) noexcept nogil

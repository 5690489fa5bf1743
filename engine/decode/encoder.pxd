from engine.decode.block cimport Block
from engine.decode.lean cimport Condition, Op, Piece, Record
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef class Encoder:
    cdef object _held
    cdef uint64_t _clock
    cdef const uint16_t *_types
    cdef const uint16_t *_generic
    cdef const uint32_t *_first
    cdef const uint32_t *_count
    cdef const Op *_ops
    cdef const Condition *_conditions
    cdef const uint32_t *_flags
    cdef const uint32_t *_flags_first
    cdef uint32_t _clone_table
    cdef uint32_t _poll_table
    cdef uint32_t _open_table
    cdef Piece _pieces[12]
    cdef Block _block

    cdef size_t _hold(self, array) except? 0
    cdef uint32_t encode(self, const uint8_t *at, uint32_t size, uint8_t *to) noexcept nogil
    cdef bint _cut(self, const uint8_t *at, uint32_t size) noexcept nogil
    cdef bint _is_met(self, const Record *record, const Condition *condition) noexcept nogil
    cdef uint32_t _mapped(self, uint32_t value, uint32_t table) noexcept nogil
    cdef void _parameter(self, const Record *record, const Op *op) noexcept nogil
    cdef void _open_flags(self, const Record *record, const Op *op) noexcept nogil
    cdef void _field(self, const Op *op, const Piece *piece) noexcept nogil
    cdef void _rare(self, const Record *record, const Op *op, const Piece *piece) noexcept nogil
    cdef void _poll(self, const Piece *piece) noexcept nogil
    cdef uint64_t _clone_flags(self, int source) noexcept nogil

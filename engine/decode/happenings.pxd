from engine.decode.block cimport Block
from engine.decode.lean cimport Record
from libc.stdint cimport uint8_t, uint64_t

cdef bint happening(Block *block, uint8_t *to, const Record *record, uint64_t clock) noexcept nogil

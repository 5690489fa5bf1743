from engine.decode.block cimport Block
from engine.decode.lean cimport Piece, Record

cdef void address(Block *block, const Piece *piece) noexcept nogil
cdef void ends(Block *block, const Record *record, const Piece *piece, const Piece *other, bint remote_first) noexcept nogil
cdef void option(Block *block, const Record *record, const Piece *piece) noexcept nogil

from engine.decode.block cimport Block
from engine.decode.lean cimport Piece

cdef void argument_strings(Block *block, const Piece *piece, bint first) noexcept nogil
cdef void cgroups(Block *block, const Piece *memory, const Piece *unified) noexcept nogil
cdef void path(Block *block, const Piece *piece) noexcept nogil

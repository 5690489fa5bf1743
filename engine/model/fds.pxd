from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from *:
    """
    #define SYSCOPE_MIX 0x9E3779B97F4A7C15ULL
    """
    const uint64_t MIX "SYSCOPE_MIX"

cdef packed struct FdRow:
    uint8_t kind
    int32_t identity
    uint32_t flags
    uint32_t dev
    uint64_t ino
    int32_t thread
    int64_t first
    int64_t last

cdef struct Name:
    uint64_t hash
    size_t start
    int32_t length
    int32_t tried
    uint8_t kind
    uint8_t l4

cdef class Fds:
    cdef readonly list identities
    cdef dict _sockets
    cdef object _array
    cdef int _published
    cdef uint64_t _seed
    cdef int32_t *_index
    cdef size_t _index_mask
    cdef size_t _arena_capacity
    cdef size_t _arena_used
    cdef int _names_capacity
    cdef unsigned char *arena
    cdef Name *names
    cdef int names_count
    cdef FdRow *table
    cdef int32_t *holders
    cdef int count
    cdef int capacity

    cdef void hold(self, int32_t row) noexcept nogil
    cdef void release(self, int32_t row, int64_t number) noexcept nogil
    cdef int32_t intern(self, uint8_t kind, const unsigned char *name, int32_t length) noexcept nogil
    cdef int32_t append(
        self, uint8_t kind, int32_t identity, uint32_t flags, uint32_t dev, uint64_t ino, int32_t thread, int64_t first
    ) noexcept nogil
    cdef int32_t _add_name(self, uint8_t kind, const unsigned char *name, int32_t length, uint64_t hashed) noexcept nogil
    cdef bint _grow_index(self) noexcept nogil
    cdef _publish_names(self)
    cdef _compact_names(self, list kept, renamed, moved)

# Loads and stores with the ordering that a ring shared with the kernel needs.
from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    static inline uint64_t load_acquire64(const void *at) { return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE); }
    static inline uint32_t load_acquire32(const void *at) { return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE); }
    static inline void store_release64(void *at, uint64_t value) { __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE); }
    """
    uint64_t load_acquire64(const void *at) noexcept nogil
    uint32_t load_acquire32(const void *at) noexcept nogil
    void store_release64(void *at, uint64_t value) noexcept nogil

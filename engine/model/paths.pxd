cdef enum:
    LONGEST = 4096

cdef int join(
    const unsigned char *base, int base_length, const unsigned char *path, int path_length, unsigned char *out
) noexcept nogil

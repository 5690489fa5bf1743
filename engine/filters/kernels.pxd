cdef extern from "string.h" nogil:
    void *memmem(const void *, size_t, const void *, size_t)

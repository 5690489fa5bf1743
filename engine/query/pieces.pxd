cdef class Buffer:
    cdef unsigned char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t room

    cdef int need(self, Py_ssize_t count) except? -1
    cdef int grow(self, Py_ssize_t count) except? -1
    cdef int put(self, const unsigned char *start, Py_ssize_t count) except? -1
    cdef int text(self, bytes text) except? -1
    cdef int byte(self, unsigned char value) except? -1
    cdef int unsigned(self, unsigned long long value, unsigned int base, int least) except? -1
    cdef int signed(self, long long value) except? -1
    cdef bytes since(self, Py_ssize_t start)

cdef class Piece:
    cdef int put(self, Buffer out, Py_ssize_t i) except? -1

cdef bint plain(const unsigned char *start, Py_ssize_t count) noexcept

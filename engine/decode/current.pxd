# The event the walk is at, as the parts of the decoder share it, and what they need to know of its type.
from libc.stdint cimport INT64_MIN, int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from engine.decode.wire cimport load16, load32, load64

cdef extern from *:
    """
    #define SYSCOPE_NO_VALUE INT64_MIN
    """
    const int64_t NO_VALUE "SYSCOPE_NO_VALUE"

# engine.decode.layout.Layout.
cdef struct Kind:
    uint64_t counts
    uint32_t mentions
    int8_t listed
    uint8_t action
    uint8_t thing
    uint8_t paired
    uint8_t exit
    uint8_t wide
    uint8_t keep
    uint8_t appended
    uint8_t leads
    uint8_t result
    int8_t params
    int8_t fd
    int8_t first
    int8_t dirfd
    int8_t flags
    int8_t dev
    int8_t ino
    int8_t over

cdef struct Current:
    # Events before it.
    int64_t number
    Kind *kind
    uint16_t cpu
    uint16_t type
    int64_t time
    int64_t tid
    int32_t fd
    int32_t fd_row
    int64_t result
    int64_t latency
    # Whether an exit's enter was seen.
    bint matched
    int count
    const unsigned char *params[32]
    uint32_t lengths[32]

cdef inline int64_t number_at(const Current *now, int at, bint signed_) noexcept nogil:
    # A parameter as a number of the width it has; NO_VALUE when it is absent.
    if at < 0 or at >= now.count:
        return NO_VALUE
    if now.lengths[at] == 8:
        return <int64_t> load64(now.params[at])
    if now.lengths[at] == 4:
        if signed_:
            return <int32_t> load32(now.params[at])
        return load32(now.params[at])
    if now.lengths[at] == 2:
        return load16(now.params[at])
    return now.params[at][0] if now.lengths[at] == 1 else NO_VALUE

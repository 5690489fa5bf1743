# An event block being written (scap-format §9): its parameters one after the other, each with its length.
from engine.decode.wire cimport load32
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    EV_V2 = 0x216
    EVF_V2 = 0x217
    STATE_ONLY = 1 # of the dump flags

# The exit of a generic call has, in events of ours, a parameter more than the format knows: its result. It is not
# written to files that others read.
cdef enum:
    GENERIC_EXIT = 1
    GENERIC_RESULT = 2 # index of that parameter

cdef struct Block:
    uint8_t *start
    uint8_t *lengths # where the next parameter's length goes
    uint8_t *at      # where its bytes go

cdef inline void begin(
    Block *block, uint8_t *at, uint64_t time, uint64_t tid, uint16_t cpu, uint16_t code, uint32_t params, bint hidden
) noexcept nogil:
    cdef uint32_t kind = EVF_V2 if hidden else EV_V2
    cdef uint32_t flags = STATE_ONLY
    block.start = at
    memcpy(at, &kind, 4)
    memcpy(at + 8, &cpu, 2)
    at += 10
    if hidden:
        memcpy(at, &flags, 4)
        at += 4
    memcpy(at, &time, 8)
    memcpy(at + 8, &tid, 8)
    memcpy(at + 20, &code, 2)
    memcpy(at + 22, &params, 4)
    block.lengths = at + 26
    block.at = at + 26 + 2 * params

cdef inline uint32_t end(Block *block) noexcept nogil:
    # Bytes of the whole block.
    cdef uint8_t *event = block.start + (14 if load32(block.start) == EVF_V2 else 10)
    cdef uint32_t length = <uint32_t>(block.at - event)
    memcpy(event + 16, &length, 4)
    while (block.at - block.start) & 3:
        block.at[0] = 0
        block.at += 1
    length = <uint32_t>(block.at - block.start) + 4
    memcpy(block.at, &length, 4)
    memcpy(block.start + 4, &length, 4)
    return length

cdef inline void close(Block *block, uint64_t length) noexcept nogil:
    # The parameter written at ``at`` is that long.
    cdef uint16_t told = <uint16_t>length
    memcpy(block.lengths, &told, 2)
    block.lengths += 2
    block.at += length

cdef inline void number(Block *block, uint64_t value, int width) noexcept nogil:
    memcpy(block.at, &value, 8)
    close(block, width)

cdef inline void data(Block *block, const uint8_t *at, int length) noexcept nogil:
    if length > 0:
        memcpy(block.at, at, length)
    close(block, length if length > 0 else 0)

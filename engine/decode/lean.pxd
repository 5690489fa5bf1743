# What the kernel side hands over, and how its parameters are made of it.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef packed struct Record:
    # struct record of the C program
    uint64_t time
    uint64_t latency
    uint64_t numbers[6]
    int64_t result
    uint32_t tid
    uint16_t kind
    uint16_t cpu

cdef packed struct Op:
    # engine.sources.live.calls.OP
    uint8_t op
    uint8_t a
    uint8_t b
    uint8_t c
    uint8_t width
    uint8_t when
    uint16_t table

cdef packed struct Condition:
    # engine.sources.live.calls.CONDITION
    uint8_t argument
    uint8_t shift
    uint8_t test
    uint8_t unused
    uint32_t base
    uint64_t values

cdef struct Piece:
    const uint8_t *at
    int length # -1: absent

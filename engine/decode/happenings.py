"""Event blocks of what is no call: ends, signals, switches, faults and names given by other threads.

Owns which event type and parameters each kind of record becomes; all are one-sided events of the catalogue.
"""

import cython
from cython.cimports.engine.decode import block as blocks
from cython.cimports.engine.decode.block import Block
from cython.cimports.engine.decode.lean import Record
from cython.cimports.libc.stdint import int32_t, uint8_t, uint64_t
from cython.cimports.libc.string import memcpy

from engine.sources.live.calls import Kind

if not cython.compiled:
    raise ImportError("engine.decode.happenings must be compiled: run `make build`")

_EXIT = cython.declare(cython.int, Kind.EXIT)
_SIGNAL = cython.declare(cython.int, Kind.SIGNAL)
_RENAME = cython.declare(cython.int, Kind.RENAME)
_SWITCH = cython.declare(cython.int, Kind.SWITCH)
_FAULT = cython.declare(cython.int, Kind.FAULT)

_SIGCHLD = cython.declare(cython.uint, 17)
_PR_SET_NAME = cython.declare(cython.int, 15)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def happening(
    block: cython.pointer(Block),
    to: cython.pointer(uint8_t),
    record: cython.pointer(cython.const[Record]),
    clock: uint64_t,
) -> cython.bint:
    """Write the block of such a record, but for its end; False when it is of no known kind."""
    kind: cython.int = record.kind
    status: uint64_t = record.numbers[0]
    time: uint64_t = record.time + clock
    index: cython.int
    if kind == _EXIT:
        blocks.begin(block, to, time, record.tid, record.cpu, 186, 5, False)
        blocks.number(block, status, 8)
        blocks.number(block, status >> 8 & 0xFF, 8)
        blocks.number(block, status & 0x7F, 1)
        blocks.number(block, status >> 7 & 1, 1)
        blocks.number(block, 0, 0)
    elif kind == _SIGNAL:
        blocks.begin(block, to, time, record.tid, record.cpu, 232, 3, False)
        # Only signals sent by a process, and SIGCHLD, say whose they are.
        sent: cython.bint = cython.cast(int32_t, record.numbers[2]) <= 0 or status == _SIGCHLD
        blocks.number(block, record.numbers[1], 8 if sent else 0)
        blocks.number(block, record.tid, 8)
        blocks.number(block, status, 1)
    elif kind == _SWITCH:
        blocks.begin(block, to, time, record.tid, record.cpu, 152, 6, False)
        for index in range(6):
            blocks.number(block, record.numbers[index], 8 if index < 3 else 4)
    elif kind == _FAULT:
        blocks.begin(block, to, time, record.tid, record.cpu, 290, 3, False)
        for index in range(3):
            blocks.number(block, record.numbers[index], 8 if index < 2 else 4)
    elif kind == _RENAME:
        # Another thread named this one: told as its own prctl, kept for its effect only.
        blocks.begin(block, to, time, record.tid, record.cpu, 401, 4, True)
        blocks.number(block, 0, 8)
        blocks.number(block, _PR_SET_NAME, 4)
        name: cython.pointer(cython.const[uint8_t]) = cython.cast(
            cython.pointer(cython.const[uint8_t]), cython.address(record.numbers[0])
        )
        index = 0
        while index < 15 and name[index]:
            index += 1
        memcpy(block.at, name, index)
        block.at[index] = 0
        blocks.close(block, index + 1)
        blocks.number(block, 0, 0)
    else:
        return False
    return True

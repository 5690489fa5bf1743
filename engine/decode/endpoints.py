"""Parameters about sockets: addresses, both ends, values of options (scap-format §10: SOCKADDR, SOCKTUPLE, DYN)."""

import cython
from cython.cimports.engine.decode import block as blocks
from cython.cimports.engine.decode.block import Block
from cython.cimports.engine.decode.lean import Piece, Record
from cython.cimports.engine.decode.wire import load16, load32, load64
from cython.cimports.libc.stdint import int64_t, uint8_t, uint16_t, uint64_t
from cython.cimports.libc.string import memchr, memcpy

from engine.sources.live.calls import SOCKET

if not cython.compiled:
    raise ImportError("engine.decode.endpoints must be compiled: run `make build`")

_SOCKET = cython.declare(cython.int, SOCKET.itemsize)
_EINPROGRESS = cython.declare(cython.int, -115)
_AF_UNIX = cython.declare(cython.int, 1)
_AF_INET = cython.declare(cython.int, 2)
_AF_INET6 = cython.declare(cython.int, 10)
_SOL_SOCKET = cython.declare(cython.uint, 1)
_SO_ERROR = cython.declare(cython.uint, 4)
_SO_COOKIE = cython.declare(cython.uint, 57)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unix_path(
    to: cython.pointer(uint8_t), at: cython.pointer(cython.const[uint8_t]), length: cython.int
) -> cython.pointer(uint8_t):
    """Write the path of a sockaddr_un's ``length`` bytes and a NUL; an abstract name loses its leading NUL.

    Returns where it ends.
    """
    found: cython.pointer(cython.const[uint8_t])
    if length > 0 and at[0] == 0:
        at += 1
        length -= 1
    if length > 0:
        found = cython.cast(cython.pointer(cython.const[uint8_t]), memchr(at, 0, length))
        if found:
            length = cython.cast(cython.int, found - at)
        memcpy(to, at, length)
    else:
        length = 0
    to[length] = 0
    return to + length + 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def address(block: cython.pointer(Block), piece: cython.pointer(cython.const[Piece])) -> cython.void:
    """A struct sockaddr as SOCKADDR."""
    to: cython.pointer(uint8_t) = block.at
    if piece.length < 2:
        blocks.close(block, 0)
        return
    family: uint16_t = load16(piece.at)
    size: cython.int = 4 if family == _AF_INET else 16
    place: cython.int = 4 if family == _AF_INET else 8
    to[0] = cython.cast(uint8_t, family)
    to += 1
    if family == _AF_UNIX:
        to = _unix_path(to, piece.at + 2, piece.length - 2)
    elif (family == _AF_INET or family == _AF_INET6) and piece.length >= place + size:  # noqa: SIM109
        memcpy(to, piece.at + place, size)
        to[size] = piece.at[3]
        to[size + 1] = piece.at[2]
        to += size + 2
    else:
        # Of other families there is nothing to tell, as sysdig's drivers have it.
        to = block.at
    blocks.close(block, to - block.at)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def ends(
    block: cython.pointer(Block),
    record: cython.pointer(cython.const[Record]),
    piece: cython.pointer(cython.const[Piece]),
    other: cython.pointer(cython.const[Piece]),
    remote_first: cython.bint,
) -> cython.void:
    """The ends of a socket as SOCKTUPLE; a struct sockaddr in ``other``, which may be NULL, is the remote end."""
    to: cython.pointer(uint8_t) = block.at
    if other and other.length < 2:
        other = cython.NULL
    # A socket that did not get connected has forgotten whereto; one that is being connected knows.
    failed: cython.bint = record.result < 0 and record.result != _EINPROGRESS
    if piece.length < _SOCKET or failed:
        blocks.close(block, 0)
        return
    family: uint16_t = load16(piece.at)
    to[0] = cython.cast(uint8_t, family)
    to += 1
    if family == _AF_UNIX:
        memcpy(to, piece.at + (16 if remote_first else 8), 8)
        memcpy(to + 8, piece.at + (8 if remote_first else 16), 8)
        to += 16
        if other and load16(other.at) == _AF_UNIX:
            to = _unix_path(to, other.at + 2, other.length - 2)
        else:
            to = _unix_path(to, piece.at + _SOCKET + 2, piece.length - _SOCKET - 2)
    elif family == _AF_INET or family == _AF_INET6:  # noqa: SIM109
        size: cython.int = 4 if family == _AF_INET else 16
        step: cython.int = size + 2
        local: cython.pointer(uint8_t) = to + (step if remote_first else 0)
        remote: cython.pointer(uint8_t) = to + (0 if remote_first else step)
        place: cython.int = 4 if family == _AF_INET else 8
        memcpy(local, piece.at + 32, size)
        memcpy(local + size, piece.at + 4, 2)
        if other and load16(other.at) == family and other.length >= place + size:
            memcpy(remote, other.at + place, size)
            remote[size] = other.at[3]
            remote[size + 1] = other.at[2]
        else:
            memcpy(remote, piece.at + 48, size)
            memcpy(remote + size, piece.at + 6, 2)
        to += 2 * step
    else:
        to = block.at
    blocks.close(block, to - block.at)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _chosen(
    block: cython.pointer(Block), index: cython.int, at: cython.pointer(cython.const[uint8_t]), length: cython.int
) -> cython.void:
    """DYN: an index, then a value of that index's type."""
    block.at[0] = cython.cast(uint8_t, index)
    if length:
        memcpy(block.at + 1, at, length)
    blocks.close(block, 1 + length)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def option(
    block: cython.pointer(Block),
    record: cython.pointer(cython.const[Record]),
    piece: cython.pointer(cython.const[Piece]),
) -> cython.void:
    """A socket option's value; level and option are arguments 1 and 2."""
    which: uint64_t = record.numbers[2]
    value: uint64_t
    error: int64_t
    told: cython.pointer(cython.const[uint8_t]) = cython.cast(
        cython.pointer(cython.const[uint8_t]), cython.address(value)
    )
    if piece.length < 0:
        blocks.close(block, 0)
    elif record.numbers[1] == _SOL_SOCKET and which == _SO_ERROR and piece.length >= 4:
        error = load32(piece.at)
        value = cython.cast(uint64_t, -error)
        _chosen(block, 1, told, 8)
    elif (
        record.numbers[1] == _SOL_SOCKET
        and (which == 20 or which == 21 or which == 66 or which == 67)  # SO_RCVTIMEO, SO_SNDTIMEO, old and new
        and piece.length >= 16
    ):
        value = load64(piece.at) * 1000000000 + load64(piece.at + 8) * 1000
        _chosen(block, 4, told, 8)
    elif record.numbers[1] == _SOL_SOCKET and which == _SO_COOKIE and piece.length >= 8:
        _chosen(block, 3, piece.at, 8)
    elif record.numbers[1] == _SOL_SOCKET and piece.length == 4:
        _chosen(block, 2, piece.at, 4)
    else:
        _chosen(block, 0, piece.at, piece.length)

"""Parameters about processes: arguments, control groups, paths that the kernel side gathered name by name."""

import cython
from cython.cimports.engine.decode import block as blocks
from cython.cimports.engine.decode.block import Block
from cython.cimports.engine.decode.lean import Piece
from cython.cimports.libc.stdint import uint8_t
from cython.cimports.libc.string import memchr, memcpy

if not cython.compiled:
    raise ImportError("engine.decode.processes must be compiled: run `make build`")


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def argument_strings(
    block: cython.pointer(Block), piece: cython.pointer(cython.const[Piece]), first: cython.bint
) -> cython.void:
    """The first of a process's arguments, or those after it."""
    length: cython.int = piece.length if piece.length > 0 else 0
    found: cython.pointer(cython.const[uint8_t]) = cython.NULL
    if length:
        found = cython.cast(cython.pointer(cython.const[uint8_t]), memchr(piece.at, 0, length))
    rest: cython.int = cython.cast(cython.int, found - piece.at) + 1 if found else length
    if not first:
        blocks.data(block, piece.at + rest, length - rest)
        return
    blocks.data(block, piece.at, rest)
    if length and not found:
        # Cut before its end: strings of a file end in NUL.
        (block.at - 1)[0] = 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def cgroups(
    block: cython.pointer(Block),
    memory: cython.pointer(cython.const[Piece]),
    unified: cython.pointer(cython.const[Piece]),
) -> cython.void:
    """The paths of both hierarchies, as ``subsystem=path``."""
    end: cython.pointer(uint8_t) = block.at
    if memory.length >= 0:
        memcpy(end, cython.cast(cython.p_char, b"memory="), 7)
        end = _joined(end + 7, memory)
    if unified.length >= 0:
        memcpy(end, cython.cast(cython.p_char, b"unified="), 8)
        end = _joined(end + 8, unified)
    blocks.close(block, end - block.at)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def path(block: cython.pointer(Block), piece: cython.pointer(cython.const[Piece])) -> cython.void:
    """A path; absent without any name in it."""
    blocks.close(block, _joined(block.at, piece) - block.at if piece.length > 0 else 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _joined(to: cython.pointer(uint8_t), piece: cython.pointer(cython.const[Piece])) -> cython.pointer(uint8_t):
    """Write ``/a/b`` and its NUL for the strings ``b`` ``a``; returns where it ends."""
    end: cython.int = piece.length
    if end <= 0:
        to[0] = 0x2F
        to += 1
    while end > 0:
        begin: cython.int = end - 1
        while begin > 0 and piece.at[begin - 1]:
            begin -= 1
        to[0] = 0x2F
        memcpy(to + 1, piece.at + begin, end - 1 - begin)
        to += end - begin
        end = begin
    to[0] = 0
    return to + 1

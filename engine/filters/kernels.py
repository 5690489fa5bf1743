"""Loops over many events of filters (compiled; ``make build``): answers spread over events, paths made of raw bytes."""

# mypy reads kernels.pyi; annotations here are C types. Names from kernels.pxd are not seen by a linter.

import cython
from cython.cimports.engine.model.paths import LONGEST, join
from cython.cimports.libc.string import memchr, memcmp

from engine.model.paths import TOO_LONG

if not cython.compiled:
    raise ImportError("engine.filters.kernels must be compiled: run `make build`")

_Column = cython.fused_type(cython.int, cython.ushort)


def spread(table, column: cython.const[_Column][::1], held) -> None:
    """Set ``held[i]`` to ``table[column[i]]``, to its last entry where the column has -1.

    Every entry of the column must be less than the table's length. Releases the GIL.
    """
    answers: cython.const[cython.uchar][::1] = table
    out: cython.uchar[::1] = held
    last: cython.Py_ssize_t = answers.shape[0] - 1
    i: cython.Py_ssize_t
    row: cython.Py_ssize_t
    with cython.nogil:
        for i in range(column.shape[0]):
            row = column[i]
            out[i] = answers[row if row >= 0 else last]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _place(
    raw: cython.pointer(cython.const[cython.uchar]),
    length: cython.int,
    base: cython.pointer(cython.const[cython.uchar]),
    base_length: cython.int,
    room: cython.pointer(cython.uchar),
    text: cython.pointer(cython.pointer(cython.const[cython.uchar])),
) -> cython.int:
    """Find the text of a path parameter, as ``fields.values.placed`` makes it; its length, -1 when there is none,
    -2 when it is too long. A base of length -1 is unknown; ``room`` holds LONGEST bytes."""
    if length <= 0:
        return -1
    end = cython.cast(cython.pointer(cython.const[cython.uchar]), memchr(raw, 0, length))
    if end:
        length = cython.cast(cython.int, end - raw)
    text[0] = raw
    if length == 6 and memcmp(raw, b"(NULL)", 6) == 0:
        return -1
    # An empty path is that of the directory itself (AT_EMPTY_PATH).
    if base_length >= 0 and not (length > 0 and raw[0] == b"/"):
        used: cython.int = join(base, base_length, raw, length, room)
        if used < 0:
            return -2
        if used > 0:
            text[0] = room
            length = used
    return -1 if length == 4 and memcmp(text[0], b"<NA>", 4) == 0 else length


def placed_texts(data, starts, lengths, bases, which) -> list:
    """The texts of located path parameters, relative ones as seen from ``bases[which[i]]``, a list of bytes; -1 for no
    base. None where there is no text."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    at: cython.const[cython.longlong][::1] = which
    room: cython.uchar[LONGEST]
    text: cython.pointer(cython.const[cython.uchar]) = cython.NULL
    texts: list = []
    known: list = bases
    base: bytes = b""
    i: cython.Py_ssize_t
    length: cython.int
    for i in range(found.shape[0]):
        base = known[at[i]] if at[i] >= 0 else b""
        length = _place(
            cython.address(raw[found[i]]) if told[i] > 0 else cython.NULL,
            told[i],
            base,
            cython.cast(cython.int, len(base)) if at[i] >= 0 else -1,
            room,
            cython.address(text),
        )
        texts.append(text[:length] if length >= 0 else None if length == -1 else TOO_LONG)
    return texts


def search_placed(data, starts, lengths, bases, which, needle, held) -> None:
    """Set ``held[i]`` where the text that ``placed_texts`` makes contains ``needle``."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    at: cython.const[cython.longlong][::1] = which
    part: cython.const[cython.uchar][::1] = needle
    answers: cython.uchar[::1] = held
    size: cython.Py_ssize_t = part.shape[0]
    room: cython.uchar[LONGEST]
    text: cython.pointer(cython.const[cython.uchar]) = cython.NULL
    too_long: bytes = TOO_LONG
    known: list = bases
    base: bytes = b""
    i: cython.Py_ssize_t
    length: cython.int
    for i in range(found.shape[0]):
        base = known[at[i]] if at[i] >= 0 else b""
        length = _place(
            cython.address(raw[found[i]]) if told[i] > 0 else cython.NULL,
            told[i],
            base,
            cython.cast(cython.int, len(base)) if at[i] >= 0 else -1,
            room,
            cython.address(text),
        )
        if length == -2:
            text, length = too_long, len(too_long)
        answers[i] = length >= size and memmem(text, length, cython.address(part[0]), size) != cython.NULL

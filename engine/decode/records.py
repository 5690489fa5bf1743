"""Parameters found in raw records, many rows at once (compiled; ``make build``).

Cuts plain event blocks (scap-format §9) as ``engine.decode.event`` does for one event, and leaves every odd one to it.
Nothing outside of a block is read, whatever the block says.
"""

# mypy reads records.pyi; annotations here are C types.

import cython
from cython.cimports.libc.string import memcpy

if not cython.compiled:
    raise ImportError("engine.decode.records must be compiled: run `make build`")

_ABSENT = cython.declare(cython.int, -1)
_ODD = cython.declare(cython.int, -2)


def locate(data, offsets, ends, places, wide, starts, lengths) -> None:
    """Where the parameter at ``places[i]`` of block i is: its first byte and length; length -1 when the record has
    none at that place, -2 when the block must be looked at in another way; there the first byte is 0. Releases the
    GIL."""
    raw: cython.const[cython.uchar][::1] = data
    begins: cython.const[cython.longlong][::1] = offsets
    stops: cython.const[cython.longlong][::1] = ends
    wanted: cython.const[cython.int][::1] = places
    sizes: cython.const[cython.uchar][::1] = wide
    found: cython.longlong[::1] = starts
    told: cython.int[::1] = lengths
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    at: cython.longlong
    end: cython.longlong
    size: cython.int
    kind: cython.uint = 0
    first: cython.uint = 0x204
    flagged: cython.uint = 0x208
    oldest: cython.uint = 0x80000000 | 0x10ABCD
    count: cython.uint = 0
    length: cython.uint = 0
    code: cython.ushort = 0
    short: cython.ushort = 0
    with cython.nogil:
        for i in range(begins.shape[0]):
            told[i] = _ODD
            found[i] = 0
            at = begins[i]
            end = stops[i]
            if at < 0 or end > raw.shape[0] or end - at < 40:
                continue
            memcpy(cython.address(kind), cython.address(raw[at]), 4)
            if kind in (first, flagged, oldest):
                continue
            at += 14 if kind == 0x217 or kind == 0x222 else 10
            memcpy(cython.address(code), cython.address(raw[at + 20]), 2)
            memcpy(cython.address(count), cython.address(raw[at + 22]), 4)
            if code >= sizes.shape[0] or count > 65535:
                continue
            size = 4 if sizes[code] else 2
            at += 26
            if at + size * cython.cast(cython.longlong, count) > end:
                continue
            if wanted[i] >= cython.cast(cython.longlong, count):
                told[i] = _ABSENT
                continue
            found[i] = at + size * cython.cast(cython.longlong, count)
            for j in range(wanted[i] + 1):
                found[i] += length if j else 0
                if size == 4:
                    memcpy(cython.address(length), cython.address(raw[at + 4 * j]), 4)
                else:
                    memcpy(cython.address(short), cython.address(raw[at + 2 * j]), 2)
                    length = short
            if found[i] + length <= end:
                told[i] = length
            else:
                found[i] = 0


def search(data, starts, lengths, needle, held) -> None:
    """Set ``held[i]`` for the located parameters that contain ``needle``. Releases the GIL."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    part: cython.const[cython.uchar][::1] = needle
    answers: cython.uchar[::1] = held
    size: cython.Py_ssize_t = part.shape[0]
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(found.shape[0]):
            if told[i] > 0 and told[i] >= size:
                answers[i] = (
                    size == 0
                    or memmem(cython.address(raw[found[i]]), told[i], cython.address(part[0]), size) != cython.NULL  # noqa: F821
                )


def recall(data, starts, lengths, keys, memo, held) -> list:
    """Set ``held[i]`` to what ``memo`` knows of (``keys[i]``, the parameter's bytes); the rows it does not know."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    kinds: cython.const[cython.longlong][::1] = keys
    answers: cython.uchar[::1] = held
    start: cython.p_uchar = cython.cast(cython.p_uchar, cython.address(raw[0]))
    unknown: list = []
    known: dict = memo
    i: cython.Py_ssize_t
    for i in range(found.shape[0]):
        if told[i] == _ABSENT:
            continue
        if told[i] >= 0:
            answer = known.get((kinds[i], start[found[i] : found[i] + told[i]]))
            if answer is not None:
                answers[i] = answer
                continue
        unknown.append(i)
    return unknown


def numbers(data, starts, lengths, values) -> None:
    """Set ``values[i]`` (int64) to the located parameters of up to 8 bytes, read without sign. Releases the GIL."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    read: cython.longlong[::1] = values
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(found.shape[0]):
            if 0 < told[i] <= 8:
                read[i] = 0
                memcpy(cython.address(read[i]), cython.address(raw[found[i]]), told[i])


def contents(data, starts, lengths) -> list:
    """The bytes of the located parameters; None for those that were not found."""
    raw: cython.const[cython.uchar][::1] = data
    found: cython.const[cython.longlong][::1] = starts
    told: cython.const[cython.int][::1] = lengths
    start: cython.p_uchar = cython.cast(cython.p_uchar, cython.address(raw[0]))
    taken: list = []
    i: cython.Py_ssize_t
    for i in range(found.shape[0]):
        taken.append(start[found[i] : found[i] + told[i]] if told[i] >= 0 else None)
    return taken

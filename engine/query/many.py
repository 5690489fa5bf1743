"""Many texts at once: which of them hold a text, and in which order they come (compiled; ``make build``).

The loops run without the GIL, so that keys are answered meanwhile however many rows a table has.
"""

# mypy reads many.pyi; annotations here are C types.
# ruff: noqa: F821 - what is declared in many.pxd

import cython
import numpy as np
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memchr, memcmp

if not cython.compiled:
    raise ImportError("engine.query.many must be compiled: run `make build`")

_NEWLINE = cython.declare(cython.int, 10)


def holding(lines: bytes, wanted: bytes, count: cython.Py_ssize_t) -> object:
    """Which of ``count`` lines hold a text, byte by byte; one with a line's end in it is in none.

    Linear in the size of the lines. Releases the GIL.
    """
    found = np.zeros(count, np.bool_)
    flags: cython.uchar[::1] = found.view(np.uint8)
    at: cython.p_char = lines
    end: cython.p_char = at + len(lines)
    text: cython.p_char = wanted
    size: cython.Py_ssize_t = len(wanted)
    hit: cython.p_char
    stop: cython.p_char
    line: cython.Py_ssize_t = 0
    if b"\n" in wanted:
        return found
    with cython.nogil:
        while line < count:
            hit = cython.cast(cython.p_char, memmem(at, end - at, text, size))
            if hit == cython.NULL:
                break
            stop = cython.cast(cython.p_char, memchr(at, _NEWLINE, hit - at))
            while stop != cython.NULL:
                line += 1
                at = stop + 1
                stop = cython.cast(cython.p_char, memchr(at, _NEWLINE, hit - at))
            if line < count:
                flags[line] = 1
            stop = cython.cast(cython.p_char, memchr(hit, _NEWLINE, end - hit))
            if stop == cython.NULL:
                break
            line += 1
            at = stop + 1
    return found


def ranks(texts: list) -> object:
    """The place of each text (bytes) among the different ones in ascending order, from 0 on: equal ones share it.

    O(n log n). Releases the GIL.
    """
    count: cython.Py_ssize_t = len(texts)
    placed = np.zeros(count, np.int32)
    order: cython.int[::1] = np.arange(count, dtype=np.int32)
    spare: cython.int[::1] = np.empty(count, np.int32)
    places: cython.int[::1] = placed
    starts = cython.cast(cython.pp_char, malloc(max(count, 1) * cython.sizeof(cython.p_char)))
    sizes = cython.cast(cython.pointer(cython.Py_ssize_t), malloc(max(count, 1) * cython.sizeof(cython.Py_ssize_t)))
    text: bytes
    i: cython.Py_ssize_t
    width: cython.Py_ssize_t = 1
    start: cython.Py_ssize_t
    place: cython.int = 0
    try:
        if starts == cython.NULL or sizes == cython.NULL:
            raise MemoryError
        for i in range(count):
            text = texts[i]
            starts[i] = text
            sizes[i] = len(text)
        with cython.nogil:
            while width < count:
                start = 0
                while start < count:
                    _merge(starts, sizes, order, spare, start, min(start + width, count), min(start + 2 * width, count))
                    start += 2 * width
                order, spare = spare, order
                width *= 2
            for i in range(1, count):
                if _compare(starts, sizes, order[i - 1], order[i]) != 0:
                    place += 1
                places[order[i]] = place
    finally:
        free(starts)
        free(sizes)
    return placed


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _compare(
    starts: cython.pp_char, sizes: cython.pointer(cython.Py_ssize_t), one: cython.int, other: cython.int
) -> cython.int:
    """Below 0 when the one text comes before the other, 0 when they are equal."""
    shorter: cython.Py_ssize_t = min(sizes[one], sizes[other])
    found: cython.int = memcmp(starts[one], starts[other], shorter)
    if found == 0:
        found = (sizes[one] > shorter) - (sizes[other] > shorter)
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _merge(
    starts: cython.pp_char,
    sizes: cython.pointer(cython.Py_ssize_t),
    order: cython.int[::1],
    merged: cython.int[::1],
    first: cython.Py_ssize_t,
    middle: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
) -> cython.void:
    """Two runs in order that follow one another, made one."""
    left: cython.Py_ssize_t = first
    right: cython.Py_ssize_t = middle
    at: cython.Py_ssize_t
    for at in range(first, end):
        if left < middle and (right >= end or _compare(starts, sizes, order[left], order[right]) <= 0):
            merged[at] = order[left]
            left += 1
        else:
            merged[at] = order[right]
            right += 1

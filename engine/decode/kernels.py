"""Loops over the events of a segment that views are made of (compiled; ``make build``).

Owns grouped totals, distributions and numbering of distinct integers. What is grouped and added up is decided by
``engine.query``. Everything is bounded by the arrays given; nothing here raises halfway.
"""

# mypy reads kernels.pyi; annotations here are C types.

import cython
import numpy as np
from cython.cimports.libc.stdint import INT64_MIN
from cython.cimports.libc.string import memcpy

if not cython.compiled:
    raise ImportError("engine.decode.kernels must be compiled: run `make build`")

_NO_RESULT = cython.declare(cython.longlong, INT64_MIN)
_NO_FD = cython.declare(cython.int, 255)
_GOLDEN = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)


def accumulate(segment, mask, index, table, fd_kinds, measures, totals) -> None:
    """Add the events of a segment that ``mask`` keeps to the totals of their groups.

    The group of event i is ``table[index[i]]``, none when either is negative or the index is past the table.
    ``fd_kinds`` are the kinds of fd rows; ``measures`` and ``totals`` are those of ``engine.query.totals``,
    totals large enough for every group in the table; of a measure that counts only ``counts`` is kept. Releases the
    GIL. Time linear in the events.
    """
    kept: cython.const[cython.uchar][::1] = mask.view(np.uint8)
    rows: cython.const[cython.int][::1] = index
    groups: cython.const[cython.int][::1] = table
    kinds: cython.const[cython.uchar][:] = fd_kinds
    types: cython.const[cython.ushort][::1] = segment.type
    fd_rows: cython.const[cython.int][::1] = segment.fd_row
    results: cython.const[cython.longlong][::1] = segment.result
    latencies: cython.const[cython.longlong][::1] = segment.latency
    base: cython.longlong = segment.first

    by_type: cython.const[cython.uint][::1] = measures.by_type
    by_kind: cython.const[cython.uint][::1] = measures.by_kind
    none: cython.uint = measures.without_result
    good: cython.uint = measures.good
    failed: cython.uint = measures.failed
    of_result: cython.uint = measures.of_result
    of_latency: cython.uint = measures.of_latency
    by_fd: cython.uint = measures.by_fd
    by_outcome: cython.uint = measures.by_outcome
    width: cython.int = measures.count

    first: cython.longlong[::1] = totals.first
    last: cython.longlong[::1] = totals.last
    sums: cython.double[:, ::1] = totals.sums
    counts: cython.longlong[:, ::1] = totals.counts
    mins: cython.longlong[:, ::1] = totals.mins
    maxs: cython.longlong[:, ::1] = totals.maxs

    i: cython.Py_ssize_t
    size: cython.Py_ssize_t = types.shape[0]
    known: cython.Py_ssize_t = groups.shape[0]
    fds: cython.Py_ssize_t = kinds.shape[0]
    row: cython.int
    group: cython.int
    m: cython.int
    bits: cython.uint
    value: cython.longlong
    with cython.nogil:
        for i in range(size):
            if not kept[i]:
                continue
            row = rows[i]
            if row < 0 or row >= known:
                continue
            group = groups[row]
            if group < 0:
                continue
            if first[group] < 0:
                first[group] = base + i
            last[group] = base + i
            bits = by_type[types[i]]
            if bits == 0:
                continue
            # Columns that nothing depends on are not read: that takes longer than all the rest.
            if bits & by_fd:
                row = fd_rows[i]
                bits &= by_kind[kinds[row] if 0 <= row < fds else _NO_FD]
            if bits & by_outcome:
                bits &= none if results[i] == _NO_RESULT else failed if results[i] < 0 else good
            if bits & of_latency and latencies[i] < 0:
                bits &= ~of_latency
            m = 0
            while bits and m < width:
                if bits & 1:
                    counts[group, m] += 1
                    if (of_result | of_latency) >> m & 1:
                        value = results[i] if of_result >> m & 1 else latencies[i]
                        sums[group, m] += value
                        if value < mins[group, m]:
                            mins[group, m] = value
                        if value > maxs[group, m]:
                            maxs[group, m] = value
                bits >>= 1
                m += 1


def measured(segment, mask, fd_kinds, measures, wanted) -> tuple:
    """What the measures of the bits ``wanted`` say of the events that ``mask`` keeps: values (int64), and where there
    is one. At most one of the measures may count an event. Releases the GIL."""
    kept: cython.const[cython.uchar][::1] = mask.view(np.uint8)
    kinds: cython.const[cython.uchar][:] = fd_kinds
    types: cython.const[cython.ushort][::1] = segment.type
    fd_rows: cython.const[cython.int][::1] = segment.fd_row
    results: cython.const[cython.longlong][::1] = segment.result
    latencies: cython.const[cython.longlong][::1] = segment.latency
    by_type: cython.const[cython.uint][::1] = measures.by_type
    by_kind: cython.const[cython.uint][::1] = measures.by_kind
    none: cython.uint = measures.without_result
    good: cython.uint = measures.good
    failed: cython.uint = measures.failed
    of_result: cython.uint = measures.of_result
    of_latency: cython.uint = measures.of_latency
    by_fd: cython.uint = measures.by_fd
    by_outcome: cython.uint = measures.by_outcome
    chosen: cython.uint = wanted
    size: cython.Py_ssize_t = types.shape[0]
    found = np.zeros(size, np.int64)
    there = np.zeros(size, np.bool_)
    values: cython.longlong[::1] = found
    present: cython.uchar[::1] = there.view(np.uint8)
    fds: cython.Py_ssize_t = kinds.shape[0]
    i: cython.Py_ssize_t
    row: cython.int
    bits: cython.uint
    with cython.nogil:
        for i in range(size):
            if not kept[i]:
                continue
            bits = by_type[types[i]] & chosen
            if bits == 0:
                continue
            # Columns that nothing depends on are not read: that takes longer than all the rest.
            if bits & by_fd:
                row = fd_rows[i]
                bits &= by_kind[kinds[row] if 0 <= row < fds else _NO_FD]
            if bits & by_outcome:
                bits &= none if results[i] == _NO_RESULT else failed if results[i] < 0 else good
            if bits & of_latency and latencies[i] < 0:
                bits &= ~of_latency
            if bits == 0:
                continue
            present[i] = 1
            values[i] = results[i] if bits & of_result else latencies[i] if bits & of_latency else 1
    return found, there


def add_numbers(values, present, index, table, totals, place) -> None:
    """Add the numbers that are there to column ``place`` of their groups' totals; groups as for ``accumulate``.
    Releases the GIL."""
    numbers: cython.const[cython.longlong][:] = values
    there: cython.const[cython.uchar][::1] = present.view(np.uint8)
    rows: cython.const[cython.int][::1] = index
    groups: cython.const[cython.int][::1] = table
    sums: cython.double[:, ::1] = totals.sums
    counts: cython.longlong[:, ::1] = totals.counts
    mins: cython.longlong[:, ::1] = totals.mins
    maxs: cython.longlong[:, ::1] = totals.maxs
    m: cython.int = place
    i: cython.Py_ssize_t
    known: cython.Py_ssize_t = groups.shape[0]
    group: cython.int
    with cython.nogil:
        for i in range(there.shape[0]):
            if not there[i] or rows[i] < 0 or rows[i] >= known:
                continue
            group = groups[rows[i]]
            if group < 0:
                continue
            sums[group, m] += numbers[i]
            if numbers[i] < mins[group, m]:
                mins[group, m] = numbers[i]
            if numbers[i] > maxs[group, m]:
                maxs[group, m] = numbers[i]
            counts[group, m] += 1


def tally(times, mask, weights, width, first, cells) -> None:
    """Count in ``cells`` (float64) the events that ``mask`` keeps, or add up their ``weights`` (int64, None: ones). An
    event of time t is in cell ``t // width - first``; those before the first or after the last are left out. Releases
    the GIL."""
    when: cython.const[cython.longlong][::1] = times
    kept: cython.const[cython.uchar][::1] = mask.view(np.uint8)
    weighed: cython.bint = weights is not None
    weight: cython.const[cython.longlong][::1] = weights if weighed else times
    out: cython.double[::1] = cells
    low: cython.longlong = first
    by: cython.longlong = width
    size: cython.Py_ssize_t = kept.shape[0]
    count: cython.Py_ssize_t = out.shape[0]
    i: cython.Py_ssize_t
    current: cython.longlong = 0
    begin: cython.longlong = low * by
    end: cython.longlong = begin + by
    together: cython.double = 0
    eight: cython.ulonglong = 0
    with cython.nogil:
        i = 0
        while i < size:
            if not kept[i]:
                i += 1
                while i + 8 <= size:
                    memcpy(cython.address(eight), cython.address(kept[i]), 8)
                    if eight:
                        break
                    i += 8
                continue
            # Most events are in the cell of the one before.
            if not begin <= when[i] < end:
                if 0 <= current < count:
                    out[current] += together
                current = when[i] // by - low
                begin = (current + low) * by
                end = begin + by
                together = 0
            together += weight[i] if weighed else 1
            i += 1
        if 0 <= current < count:
            out[current] += together


def occurring(index, table, mask, count) -> object:
    """Which of ``count`` groups have events that ``mask`` keeps (bool); groups as for ``accumulate``. Releases the
    GIL."""
    kept: cython.const[cython.uchar][::1] = mask.view(np.uint8)
    rows: cython.const[cython.int][::1] = index
    groups: cython.const[cython.int][::1] = table
    found = np.zeros(count, np.bool_)
    there: cython.uchar[::1] = found.view(np.uint8)
    known: cython.Py_ssize_t = groups.shape[0]
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(kept.shape[0]):
            if kept[i] and 0 <= rows[i] < known and groups[rows[i]] >= 0:
                there[groups[rows[i]]] = 1
    return found


def buckets(values, present, index, table) -> tuple:
    """Group and bucket of the numbers that are there, as one number (int64): ``group << 12 | bucket``; and where there
    is one. Groups as for ``accumulate``, buckets as ``engine.query.spread`` has them. Releases the GIL."""
    numbers: cython.const[cython.longlong][:] = values
    there: cython.const[cython.uchar][::1] = present.view(np.uint8)
    rows: cython.const[cython.int][::1] = index
    groups: cython.const[cython.int][::1] = table
    size: cython.Py_ssize_t = there.shape[0]
    pairs = np.zeros(size, np.int64)
    usable = np.zeros(size, np.bool_)
    out: cython.longlong[::1] = pairs
    used: cython.uchar[::1] = usable.view(np.uint8)
    known: cython.Py_ssize_t = groups.shape[0]
    i: cython.Py_ssize_t
    value: cython.longlong
    shift: cython.int
    with cython.nogil:
        for i in range(size):
            if not there[i] or rows[i] < 0 or rows[i] >= known or groups[rows[i]] < 0:
                continue
            value = numbers[i] if numbers[i] > 0 else 0
            shift = 0
            while value >= 128:
                value >>= 1
                shift += 1
            # 0 to 127 stand for themselves, then 64 to an octave.
            out[i] = cython.cast(cython.longlong, groups[rows[i]]) << 12 | (shift * 64 + value)
            used[i] = 1
    return pairs, usable


@cython.cclass
class Distinct:
    """Numbers distinct 64-bit integers 0, 1, 2 … in order of first sight (open addressing, half full at most)."""

    _values: object
    _slots: object
    _count: cython.int

    def __init__(self) -> None:
        """Begin without any value."""
        self._values = np.empty(64, np.int64)
        self._slots = np.full(128, -1, np.int32)
        self._count = 0

    @property
    def values(self) -> object:
        """The values by number, int64."""
        return self._values[: self._count]

    def number(self, values, present) -> object:
        """The number of each value, int32, -1 where ``present`` is False. O(values)."""
        wanted: cython.const[cython.longlong][::1] = values
        there: cython.const[cython.uchar][::1] = present.view(np.uint8)
        numbers = np.empty(wanted.shape[0], np.int32)
        out: cython.int[::1] = numbers
        i: cython.Py_ssize_t = 0
        size: cython.Py_ssize_t = wanted.shape[0]
        while i < size:
            i = self._run(wanted, there, out, i)
            if i < size:
                self._grow()
        return numbers

    @cython.cfunc
    def _run(
        self,
        wanted: cython.const[cython.longlong][::1],
        there: cython.const[cython.uchar][::1],
        out: cython.int[::1],
        start: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Number from ``start`` on; the index at which the table must grow first, or the end."""
        values: cython.longlong[::1] = self._values
        slots: cython.int[::1] = self._slots
        ring: cython.ulonglong = slots.shape[0] - 1
        at: cython.ulonglong
        size: cython.Py_ssize_t = wanted.shape[0]
        i: cython.Py_ssize_t
        count: cython.int = self._count
        with cython.nogil:
            for i in range(start, size):
                if not there[i]:
                    out[i] = -1
                    continue
                at = _scatter(wanted[i]) & ring
                while slots[at] >= 0 and values[slots[at]] != wanted[i]:
                    at = (at + 1) & ring
                if slots[at] < 0:
                    if count == values.shape[0]:
                        break
                    values[count] = wanted[i]
                    slots[at] = count
                    count += 1
                out[i] = slots[at]
            else:
                i = size
        self._count = count
        return i

    @cython.cfunc
    def _grow(self) -> cython.void:
        """Double the room and place every value anew."""
        self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._slots = np.full(2 * len(self._values), -1, np.int32)
        values: cython.longlong[::1] = self._values
        slots: cython.int[::1] = self._slots
        ring: cython.ulonglong = slots.shape[0] - 1
        at: cython.ulonglong
        i: cython.int
        for i in range(self._count):
            at = _scatter(values[i]) & ring
            while slots[at] >= 0:
                at = (at + 1) & ring
            slots[at] = i


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _scatter(value: cython.longlong) -> cython.ulonglong:
    """Spread a value over 64 bits (Fibonacci hashing with the high half folded down)."""
    mixed: cython.ulonglong = cython.cast(cython.ulonglong, value) * _GOLDEN
    return mixed ^ (mixed >> 32)

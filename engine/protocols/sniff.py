"""Tells payloads that may begin a message by their first bytes (compiled; ``make build``)."""

# mypy reads sniff.pyi; annotations here are C types.

import cython
from cython.cimports.libc.string import memcpy

if not cython.compiled:
    raise ImportError("engine.protocols.sniff must be compiled: run `make build`")


def sniff(data, starts, lengths, kinds) -> None:
    """Set ``kinds[i]`` (uint8) of the located parameters: 1 for what begins as an HTTP request does, 2 for an HTTP
    response, 3 for an array of Redis, 0 for anything else. Releases the GIL."""
    raw: cython.const[cython.uchar][::1] = data
    begins: cython.const[cython.longlong][::1] = starts
    sizes: cython.const[cython.int][::1] = lengths
    found: cython.uchar[::1] = kinds
    i: cython.Py_ssize_t
    j: cython.int
    head: cython.uint = 0
    with cython.nogil:
        for i in range(begins.shape[0]):
            found[i] = 0
            if sizes[i] < 6:
                continue
            if raw[begins[i]] == 0x2A:
                # An asterisk, digits, and after them the first string.
                j = 1
                while j < sizes[i] - 3 and j < 7 and 0x30 <= raw[begins[i] + j] <= 0x39:
                    j += 1
                if j > 1 and raw[begins[i] + j] == 0x0D and raw[begins[i] + j + 2] == 0x24:
                    found[i] = 3
                continue
            memcpy(cython.address(head), cython.address(raw[begins[i]]), 4)
            if head == 0x50545448:  # HTTP, the first letter in the lowest byte
                found[i] = 2
            # GET, POST, PUT, HEAD, DELE, OPTI, PATC, CONN, TRAC
            elif (
                head == 0x20544547
                or head == 0x54534F50
                or head == 0x20545550
                or head == 0x44414548
                or head == 0x454C4544
                or head == 0x4954504F
                or head == 0x43544150
                or head == 0x4E4E4F43
                or head == 0x43415254
            ):
                found[i] = 1

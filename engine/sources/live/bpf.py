"""The call ``bpf`` of Linux, as far as loading what was compiled needs it.

Owns the layout of its attributes (linux/bpf.h). Descriptors are not inherited: as long as anybody has them, the
programs run.
"""

from __future__ import annotations

import ctypes
import os
import struct

RAW_TRACEPOINT, TRACING = 17, 26
"""Program types."""
_BPF = 321
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _RAW_TRACEPOINT_OPEN, _LINK_CREATE, _ITER_CREATE = 0, 2, 5, 17, 28, 33
_TRACE_ITER = 28
_LOG = 1 << 20


class BpfError(Exception):
    """The kernel refused; ``log`` has the verifier's words."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def _bpf(command: int, attributes: bytes, what: str) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    number = int(libc.syscall(_BPF, command, attributes, len(attributes)))
    if number < 0:
        raise BpfError(f"cannot {what}: {os.strerror(ctypes.get_errno())}")
    return number


def _address(data: ctypes.Array[ctypes.c_char]) -> int:
    return ctypes.addressof(data)


def create_map(name: str, kind: int, key: int, value: int, entries: int, flags: int) -> int:
    """A map's descriptor. Raises BpfError."""
    attributes = struct.pack("<IIIIIII16s", kind, key, value, entries, flags, 0, 0, name.encode()[:15])
    return _bpf(_MAP_CREATE, attributes, f"make map {name}")


def put(map_number: int, key: int, value: int) -> None:
    """Store a descriptor in an array of programs. Raises BpfError."""
    cells = ctypes.create_string_buffer(struct.pack("<II", key, value), 8)
    attributes = struct.pack("<I4xQQQ", map_number, _address(cells), _address(cells) + 4, 0)
    _bpf(_MAP_UPDATE, attributes, "fill the map of programs")


def load_program(name: str, kind: int, instructions: bytes, attach_to: int = 0) -> int:
    """A program's descriptor; ``attach_to`` is the BTF number of the iterator's function. Raises BpfError."""
    code = ctypes.create_string_buffer(instructions, len(instructions))
    license_ = ctypes.create_string_buffer(b"GPL")

    def load(log: ctypes.Array[ctypes.c_char] | None) -> int:
        about = (1, len(log), _address(log)) if log else (0, 0, 0)
        attributes = struct.pack(
            "<IIQQIIQII16sII36xI4x", kind, len(instructions) // 8, _address(code), _address(license_), *about, 0, 0,
            name.encode()[:15], 0, _TRACE_ITER if attach_to else 0, attach_to,
        )  # fmt: skip
        return _bpf(_PROG_LOAD, attributes, f"load program {name}")

    try:
        return load(None)
    except BpfError as error:
        # Asking why costs what loading costs.
        log = ctypes.create_string_buffer(_LOG)
        try:
            return load(log)
        except BpfError:
            raise BpfError(str(error), log.value.decode("utf-8", "replace")) from None


def attach(program: int, tracepoint: str) -> int:
    """A descriptor that keeps a program attached to a raw tracepoint. Raises BpfError."""
    point = ctypes.create_string_buffer(tracepoint.encode())
    attributes = struct.pack("<QI4x", _address(point), program)
    return _bpf(_RAW_TRACEPOINT_OPEN, attributes, f"attach to {tracepoint}")


def link_iterator(program: int) -> int:
    """A descriptor from which iterations are made. Raises BpfError."""
    return _bpf(_LINK_CREATE, struct.pack("<IIIIQI4x", program, 0, _TRACE_ITER, 0, 0, 0), "attach the iterator")


def iterate(link: int) -> bytes:
    """What the program of an iterator writes. Raises BpfError, OSError."""
    number = _bpf(_ITER_CREATE, struct.pack("<II", link, 0), "iterate")
    pieces = []
    with open(number, "rb", buffering=0) as entries:
        while piece := entries.read(1 << 16):
            pieces.append(piece)
    return b"".join(pieces)

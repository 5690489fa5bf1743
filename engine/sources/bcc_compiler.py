"""The only place that knows BCC: finds the binding; as a program, compiles and hands over instructions.

The binding is pure Python over libbcc and belongs to the distribution's own interpreter; the finder makes that one
package importable here, and nothing else of its directory. PyPI's ``bcc`` is another program of the same name.
As a program this file stands alone: it imports nothing of the project, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import socket
import struct
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

LOAD_64, PSEUDO_MAP = 0x18, 1
"""Opcode of a 64-bit load, and the source register that makes its value a map's descriptor (linux/bpf.h)."""
_BPF, _OBJ_GET_INFO_BY_FD = 321, 15
INSTALL = "apt install python3-bpfcc (Debian, Ubuntu) or dnf install python3-bcc (Fedora)"


class BindingError(Exception):
    """No usable BCC binding; the message says why."""

    def __init__(self, message: str, *, there: bool = False, foreign: bool = False) -> None:
        """``there``: something is installed in its place; ``foreign``: which is another program."""
        super().__init__(message)
        self.there, self.foreign = there, foreign


def _directories() -> list[str]:
    places = [Path("/usr/lib/python3/dist-packages")]
    for base in ("/usr/lib", "/usr/lib64"):
        places += sorted(Path(base).glob("python3.*/site-packages"), reverse=True)
    return [str(place) for place in places if (place / "bcc" / "__init__.py").is_file()]


class _Finder:
    """Meta-path finder for ``bcc`` and what is inside it."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None,
                  ) -> ModuleSpec | None:  # fmt: skip
        """Spec of the package itself; its modules are then found through its path."""
        return PathFinder.find_spec(name, [self.directory]) if name == "bcc" else None


def binding() -> ModuleType:
    """The module ``bcc``, with its class ``BPF``. Raises BindingError."""
    if "bcc" in sys.modules and hasattr(sys.modules["bcc"], "BPF"):
        return sys.modules["bcc"]
    directories = _directories()
    if not directories:
        other = importlib.util.find_spec("bcc")
        found = f"; {other.origin} is another program of the same name" if other else ""
        raise BindingError(f"the BCC binding is not installed{found}")
    sys.meta_path.insert(0, _Finder(directories[0]))
    try:
        module = importlib.import_module("bcc")
    except Exception as error:  # a binding can fail in any way: missing libbcc, a too new interpreter
        raise BindingError(f"the BCC binding in {directories[0]} does not load: {error}", there=True) from error
    if not hasattr(module, "BPF"):
        told = f"{module.__file__} is not the BCC binding but another program of the same name"
        raise BindingError(told, there=True, foreign=True)
    return module


def compiled(asked: dict[str, Any]) -> dict[str, Any]:
    """Compile ``sources`` in ``folder``, as one, with ``flags``.

    Returns ``maps``, for each map its name, type, key size, value size, entries and flags; and ``programs``, for each
    of the names asked for its instructions (``struct bpf_insn``) in hexadecimal, in which the number of a map in
    that list stands where a descriptor has to be.
    """
    bcc = binding()
    os.environ["BCC_KERNEL_SOURCE"] = asked["folder"]
    # Loading is not done here.
    bcc.BPF._trace_autoload = lambda self: None
    text = "".join((Path(asked["folder"]) / name).read_text("ascii") for name in asked["sources"])
    program = bcc.BPF(text=text, cflags=asked["flags"])
    module = ctypes.c_void_p(program.module)
    bcc.lib.bpf_table_name.restype = ctypes.c_char_p
    indices = [ctypes.c_size_t(index) for index in range(bcc.lib.bpf_num_tables(module))]
    numbers = [bcc.lib.bpf_table_fd_id(module, index) for index in indices]
    return {
        "maps": [
            [bcc.lib.bpf_table_name(module, index).decode(), *_map_facts(number)]
            for index, number in zip(indices, numbers, strict=True)
        ],
        "programs": {name: _relocatable(program.dump_func(name), numbers).hex() for name in asked["programs"]},
    }


def _map_facts(number: int) -> list[int]:
    """Type, key size, value size, entries and flags."""
    info = (ctypes.c_uint32 * 20)()
    asked = struct.pack("<IIQ", number, ctypes.sizeof(info), ctypes.addressof(info))
    if ctypes.CDLL(None).syscall(_BPF, _OBJ_GET_INFO_BY_FD, asked, len(asked)):
        raise RuntimeError(f"the kernel tells nothing of map {number}")
    return [info[0], *info[2:6]]


def _relocatable(instructions: bytes, numbers: list[int]) -> bytes:
    """Descriptors in loads of maps become indices in ``numbers``."""
    code = bytearray(instructions)
    for at in range(0, len(code), 8):
        if code[at] == LOAD_64 and code[at + 1] >> 4 == PSEUDO_MAP:
            (number,) = struct.unpack_from("<i", code, at + 4)
            struct.pack_into("<i", code, at + 4, numbers.index(number))
    return bytes(code)


def main() -> None:
    """Do what is asked over the socket whose descriptor is the argument, and answer there, in JSON."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    answer: dict[str, Any]
    try:
        binding()  # while the other side still works out the flags
        with channel.makefile("rb") as asked:
            answer = compiled(json.load(asked))
    except BindingError as error:
        answer = {"error": f"{error}: {INSTALL}"}
    except Exception as error:  # whatever goes wrong in here has to get out as words
        answer = {"error": str(error)}
    channel.sendall(json.dumps(answer).encode())
    channel.close()
    os._exit(0)


if __name__ == "__main__":
    main()

"""The only place that knows BCC: finds the binding; as a program, compiles, loads, attaches and hands over descriptors.

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
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

INSTALL = "apt install python3-bpfcc (Debian, Ubuntu) or dnf install python3-bcc (Fedora)"


class BindingError(Exception):
    """No usable BCC binding; the message says what to install."""


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
        raise BindingError(f"the BCC binding is not installed{found}: {INSTALL}")
    sys.meta_path.insert(0, _Finder(directories[0]))
    try:
        module = importlib.import_module("bcc")
    except Exception as error:  # a binding can fail in any way: missing libbcc, a too new interpreter
        raise BindingError(f"the BCC binding in {directories[0]} does not load: {error}") from error
    if not hasattr(module, "BPF"):
        raise BindingError(f"{module.__file__} is not the BCC binding: {INSTALL}")
    return module


def attach(asked: dict[str, Any]) -> list[int]:
    """Compile ``folder``/capture.c with ``flags`` and attach ``tracepoints``.

    ``tails`` are the programs of the map ``programs``, from index 1 on. Returns descriptors: of ``maps``, of the
    programs ``on_demand``, which are not attached, of the task iterator, and of what is attached.
    """
    bcc = binding()
    folder = Path(asked["folder"])
    os.environ["BCC_KERNEL_SOURCE"] = str(folder)
    program = bcc.BPF(text=(folder / "capture.c").read_text("ascii"), cflags=asked["flags"])
    for index, name in enumerate(asked["tails"], 1):
        function = program.load_func(name, bcc.BPF.RAW_TRACEPOINT)
        program["programs"][ctypes.c_int(index)] = ctypes.c_int(function.fd)
    attached = program.raw_tracepoint_fds
    missing = [name for name in asked["tracepoints"] if name.encode() not in attached]
    if missing:
        raise RuntimeError(f"did not attach to {', '.join(missing)}")
    maps = [program[name].map_fd for name in asked["maps"]]
    on_demand = [program.load_func(name, bcc.BPF.RAW_TRACEPOINT).fd for name in asked["on_demand"]]
    iterator = bcc.lib.bcc_iter_attach(program.load_func("bpf_iter__task", bcc.BPF.TRACING).fd, None, 0)
    if iterator < 0:
        raise RuntimeError("did not attach the task iterator")
    return [*maps, *on_demand, iterator, *(attached[name.encode()] for name in asked["tracepoints"])]


def main() -> None:
    """Do what is asked over the socket whose descriptor is the argument, and answer there."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        binding()  # while the other side still works out the flags
        descriptors = attach(json.loads(channel.recv(1 << 16)))
    except Exception as error:  # whatever goes wrong in here has to get out as words
        channel.send(json.dumps({"error": str(error)}).encode())
        sys.exit(1)
    socket.send_fds(channel, [b"{}"], descriptors)
    # Nothing of BCC is to be taken down: the other side has the descriptors now.
    os._exit(0)


if __name__ == "__main__":
    main()

"""The compiled program: where it comes from, and keeping it for the next start.

Owns what a child with the compiler (``engine.sources.bcc_compiler``) is asked, and a file of what it answered. The
child keeps BCC, its memory, its aborts and its change of working directory away from the process with the screen.
Compiling takes longer than all the rest of a start together, and gives the same for the same kernel and source.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from engine.sources import bcc_compiler
from engine.sources.live import btf, layout
from engine.sources.live.btf import BtfError
from engine.user_files import cache_folder

TIMEOUT = 60.0
"""Seconds a child may take to compile."""
SOURCES = ("shared.c", "pieces.c", "calls.c", "sockets.c", "tasks.c", "happenings.c", "now.c")
"""Files of ``bpf_src`` that are compiled, in this order."""
_MOST_BYTES = 8 << 20
_MOST_FILES = 8
_ITERATOR = "bpf_iter_task"


class CompileError(Exception):
    """There is no program; the message says why, ``log`` has the compiler's words."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True)
class Map:
    """A map of the program, as ``bpf`` wants it told."""

    name: str
    kind: int
    key: int
    value: int
    entries: int
    flags: int


@dataclass(frozen=True, slots=True)
class Image:
    """What was compiled."""

    maps: tuple[Map, ...]
    programs: dict[str, bytes]
    """Instructions, with a map's index in ``maps`` where its descriptor belongs."""
    iterator: int
    """Number of the task iterator's function in the kernel's BTF."""
    kept: bool
    """It comes from the file."""


def image(values: dict[str, int], programs: list[str], *, fresh: bool = False) -> Image:
    """The program with macros ``values``; ``fresh`` to compile though there is a file. Raises CompileError."""
    with as_file(files("bpf_src")) as folder:
        path = _path(folder, values, programs)
        answer = None if fresh or path is None else _read(path)
        kept = answer is not None
        if answer is None:
            answer = _compile(folder, values, programs)
            if path is not None:
                _write(path, answer)
    maps = tuple(Map(*facts) for facts in answer["maps"])
    code = {name: bytes.fromhex(text) for name, text in answer["programs"].items()}
    return Image(maps, code, answer["iterator"], kept)


def _compile(folder: Path, values: dict[str, int], programs: list[str]) -> dict[str, Any]:
    ours, theirs = socket.socketpair()
    with ours, tempfile.TemporaryFile() as log:
        with theirs:
            try:
                child = subprocess.Popen(
                    [sys.executable, "-I", "-S", bcc_compiler.__file__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
            except OSError as error:
                raise CompileError(f"the compiler does not start: {error}") from error
        ours.settimeout(TIMEOUT)
        answer: dict[str, Any]
        try:
            types = btf.load()
            macros = values | layout.macros(types)
            flags = ["-Wno-unused-function", *(f"-D{name}={value}" for name, value in macros.items())]
            asked = {"folder": str(folder), "sources": SOURCES, "flags": flags, "programs": programs}
            ours.sendall(json.dumps(asked).encode())
            ours.shutdown(socket.SHUT_WR)
            with ours.makefile("rb") as told:
                text = told.read(_MOST_BYTES)
            answer = json.loads(text) if text else {"error": "the compiler ended without an answer"}
            answer["iterator"] = types.find({_ITERATOR}, (btf.FUNCTION,)).get(_ITERATOR, 0)
        except (OSError, ValueError) as error:
            answer = {"error": f"the compiler does not answer: {error}"}
        except BtfError as error:
            answer = {"error": str(error)}
        finally:
            child.kill()
            child.wait()
        log.seek(0)
        words = log.read().decode("utf-8", "replace")
    if "error" in answer:
        raise CompileError(answer["error"], words)
    return answer


def _path(folder: Path, values: dict[str, int], programs: list[str]) -> Path | None:
    """The file for this kernel and source; None where none can be kept."""
    caches = cache_folder()
    try:
        # The build id of the kernel is in there: its types have the layout they had.
        kernel = Path("/sys/kernel/notes").read_bytes() + "\0".join(os.uname()).encode()
    except OSError:
        return None
    if caches is None:
        return None
    digest = hashlib.sha256(kernel + repr((sorted(values.items()), programs, SOURCES)).encode())
    for source in [Path(layout.__file__), *sorted(folder.rglob("*.[ch]"))]:
        digest.update(source.read_bytes())
    return caches / f"program-{digest.hexdigest()[:32]}.json"


def _read(path: Path) -> dict[str, Any] | None:
    """What is in the file; None unless it is whole, ours, and only ours to write: it is going to run in the kernel."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            found = json.loads(file.read(_MOST_BYTES))
        [Map(*facts) for facts in found["maps"]]
        [bytes.fromhex(text) for text in found["programs"].values()]
        return found if isinstance(found["iterator"], int) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(path: Path, answer: dict[str, Any]) -> None:
    """Keep it, and few others: those of older kernels and sources are of no use any more."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        others = sorted(path.parent.glob("program-*.json"), key=lambda file: file.stat().st_mtime)
        for old in others[: max(0, len(others) - _MOST_FILES + 1)]:
            old.unlink()
        handle, name = tempfile.mkstemp(dir=path.parent)
        with open(handle, "w", encoding="ascii") as file:
            json.dump(answer, file)
        os.replace(name, path)

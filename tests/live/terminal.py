"""The program in a terminal, and what the kernel has of it."""

from __future__ import annotations

import ctypes
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.sources.live.loader import CAPABILITIES, capabilities

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0
NEEDS_THE_KERNEL = pytest.mark.skipif(
    any(not capabilities() >> number & 1 for number in CAPABILITIES), reason="the kernel may not be watched here"
)
_BPF, _PROG_GET_NEXT_ID = 321, 11
_CHANGED = {"alternate screen": b"\x1b[?1049", "mouse": b"\x1b[?1000", "pastes": b"\x1b[?2004"}
"""What the screen switches on, with ``h``, and has to switch off, with ``l``."""


def programs_of(pid: int) -> set[int]:
    """Ids of the programs a process keeps attached."""
    found = set()
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed by now
            if match := re.search(r"^prog_id:\s*(\d+)", path.read_text(), re.M):
                found.add(int(match[1]))
    return found


def is_loaded(program: int) -> bool:
    """Whether the kernel still has a program."""
    told = ctypes.create_string_buffer(struct.pack("<IIII", program - 1, 0, 0, 0))
    if ctypes.CDLL(None, use_errno=True).syscall(_BPF, _PROG_GET_NEXT_ID, told, 16) < 0:
        return False
    return bool(struct.unpack_from("<I", told, 4)[0] == program)


def assert_gone(programs: set[int]) -> None:
    """The kernel frees programs a moment after nobody has them any more."""
    deadline = time.monotonic() + PATIENCE
    while any(map(is_loaded, programs)):
        assert time.monotonic() < deadline, "programs are still loaded"
        time.sleep(0.05)


class Terminal:
    """The program in a pseudo-terminal."""

    def __init__(self, *words: str, script: str = "", before: tuple[str, ...] = (), folder: Path | None = None) -> None:
        """``script``: in place of the program. ``before``: what runs it. ``folder``: where it works."""
        running, started = os.pipe()
        self.pid, self.end = pty.fork()
        if not self.pid:
            os.chdir(folder or ROOT)
            os.environ.update(PYTHONPATH=str(ROOT), TERM="xterm-256color", COLUMNS="160", LINES="40")
            start = ["-c", script] if script else ["-m", "tui.cli"]
            command = [*before, sys.executable, *start, *words]
            os.execvp(command[0], command)
        os.close(started)
        # Until it is another program it has what we have, attached programs among it.
        os.read(running, 1)
        os.close(running)
        self.written = b""
        self.status: int | None = None

    def until(self, text: str, then: bytes = b"") -> None:
        """Wait until a text was painted, then type."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.written:
            assert time.monotonic() < deadline, f"no {text!r} in {self.written[-2000:]!r}"
            self._read(0.1)
        if then:
            os.write(self.end, then)

    def _read(self, seconds: float) -> bool:
        if not select.select([self.end], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.end, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.written += piece
        return bool(piece)

    def ended(self) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self.status is None:
            assert time.monotonic() < deadline, f"it does not end: {self.written[-500:]!r}"
            if self.end >= 0:
                self._read(0.05)
            else:
                time.sleep(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                while self.end >= 0 and self._read(0.05) and select.select([self.end], [], [], 0)[0]:
                    pass
        return self.status

    def assert_as_it_was(self, before: list[Any]) -> None:
        """Its settings are those of before, and what the screen switched on is off."""
        assert termios.tcgetattr(self.end) == before
        for what, code in _CHANGED.items():
            assert self.written.rfind(code + b"l") >= self.written.rfind(code + b"h"), what
        assert self.written.rfind(b"\x1b[?25h") >= self.written.rfind(b"\x1b[?25l"), "the cursor is hidden"

    def hang_up(self) -> None:
        """The terminal is closed."""
        os.close(self.end)
        self.end = -1

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.end >= 0:
            os.close(self.end)

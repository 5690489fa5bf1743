"""A command started to be followed: stopped before its first call until somebody watches."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import signal
import time
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import BinaryIO

PATIENCE = 2.0
"""Seconds a command has to end when it is asked to."""
_PR_SET_PDEATHSIG = 1


class Child:
    """A running command."""

    def __init__(self, words: Sequence[str], *, quiet: bool = False) -> None:
        """Start it, stopped. ``quiet``: it gets no terminal; what it prints is kept (``printed``).

        Raises FileNotFoundError when there is no such command.
        """
        program = shutil.which(words[0])
        if program is None:
            raise FileNotFoundError(errno.ENOENT, f"no command {words[0]}")
        self._status: int | None = None
        # Not in memory, which /tmp is on many machines.
        self._output = TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) if quiet else None  # noqa: SIM115
        self.pid = os.fork()
        if not self.pid:
            self._become(program, words)
        os.waitpid(self.pid, os.WUNTRACED)

    def _become(self, program: str, words: Sequence[str]) -> None:
        # A stopped child must not outlive us: it would keep what is attached.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if self._output is not None:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(self._output.fileno(), 1)
            os.dup2(self._output.fileno(), 2)
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(OSError):
            os.execv(program, tuple(words))
        os._exit(127)

    def go(self) -> None:
        """Let it run."""
        os.kill(self.pid, signal.SIGCONT)

    def ended(self) -> bool:
        """Whether it is over."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def leave(self) -> None:
        """End it, should it still run: asked first, and made to if it does not after ``PATIENCE``."""
        if not self.ended():
            os.kill(self.pid, signal.SIGTERM)
            os.kill(self.pid, signal.SIGCONT)
            deadline = time.monotonic() + PATIENCE
            while not self.ended() and time.monotonic() < deadline:
                time.sleep(0.01)
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def print(self, to: BinaryIO) -> None:
        """Copy what a quiet command printed."""
        if self._output is not None:
            self._output.seek(0)
            shutil.copyfileobj(self._output, to)
            to.flush()

"""How far a command is, on a terminal's standard error once it takes a while."""

from __future__ import annotations

import sys
import time

PATIENCE = 0.5
"""Seconds after which one is told."""
_OFTEN = 0.1


class Progress:
    """A line that is written over, and gone at the end."""

    def __init__(self, command: str) -> None:
        """``command`` is how the line begins."""
        self._command = command
        self._due = time.monotonic() + PATIENCE
        self._shown = False

    def tell(self, what: str, share: float) -> None:
        """Say how far it is, now and then."""
        now = time.monotonic()
        if now >= self._due and sys.stderr.isatty():
            self._due = now + _OFTEN
            self._shown = True
            sys.stderr.write(f"{self._command}: {what}, {share:4.0%}\r")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            sys.stderr.write("\x1b[2K")

"""A program in a terminal of tmux's: its keys are pressed, what its screen shows is waited for."""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent.parent
WIDTH, HEIGHT = 120, 40
PATIENCE = 40.0
"""Seconds a step may take."""


class Terminal:
    """A context: entering starts the program, leaving ends it. ``keys`` counts those pressed."""

    def __init__(self, command: Sequence[str], folder: Path, *, pace: float = 0) -> None:
        """Prepare to run a command in a folder, with settings and state of its own; ``pace``: seconds between keys."""
        self.keys = 0
        self._pace = pace
        self._name = f"syscope-{uuid.uuid4().hex[:12]}"
        self._command = list(command)
        self._folder = folder

    def __enter__(self) -> Self:
        own = {
            "XDG_STATE_HOME": self._folder / "state",
            "XDG_CONFIG_HOME": self._folder / "config",
            "TZ": "UTC",
            "PYTHONPATH": ROOT,
            "LANG": "C.UTF-8",
        }
        self._tmux(
            "-f", os.devnull, "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(self._folder),
            *(part for name, value in own.items() for part in ("-e", f"{name}={value}")),
            "env", "-u", "COLUMNS", "-u", "LINES", *self._command,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, timeout=10)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._name, *words], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    @property
    def screen(self) -> str:
        """What the screen shows."""
        return self._tmux("capture-pane", "-p")

    def press(self, keys: Sequence[str]) -> None:
        """Press keys: characters, or names as tmux knows them."""
        for key in keys:
            self._tmux("send-keys", *(["-l", "--", key] if len(key) == 1 else [key]))
            self.keys += 1
            time.sleep(self._pace)

    def wait(self, text: str, patience: float = PATIENCE) -> str:
        """Wait until a regular expression is on the screen, and return the screen.

        Raises TimeoutError with what was there.
        """
        end = time.monotonic() + patience
        while True:
            shown = self.screen
            if re.search(text, shown):
                return shown
            if time.monotonic() > end:
                raise TimeoutError(f"waited for {text!r}, the screen shows:\n{shown}")
            time.sleep(0.03)

"""Stories of incidents, played by keys in a real terminal from the shell prompt to the answer.

    python -m tests.demo.stories CAPTURES

prints for each story the keys pressed and the seconds to the answer on the screen, beside those of csysdig where its
keys are told ("–": not measured). A step is keys, and a text that must then be on the screen.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import views

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 40.0
"""Seconds a step may take."""
WIDTH, HEIGHT = 120, 40
Step = tuple[Sequence[str], str]
"""Keys, as tmux names them, and what the screen then shows: a regular expression."""


@dataclass(frozen=True, slots=True)
class Story:
    """A question, and how it is answered."""

    number: int
    """In the project's list of stories."""
    question: str
    capture: str
    steps: tuple[Step, ...]
    """The last one's text is the answer."""
    options: tuple[str, ...] = ()
    csysdig: tuple[Step, ...] = ()
    """The same question answered in csysdig; empty where that is not told."""


def typed(text: str) -> list[str]:
    """The keys of a text."""
    return ["Space" if character == " " else character for character in text]


def view(name: str) -> Step:
    """Choose a view by the picker."""
    return ["F2", f"view {name}"], rf"▸ {name}"


STORIES = (
    Story(2, "which calls are made most, and who makes them", "tiny.scap",
          (view("System Calls"), (["Home"], r"▌.*newfstatat"), (["Enter"], r"▌.*md5sum|▌.*python3|▌.*find"))),
    Story(5, "who scans the network", "mixed_thin.scap.gz",
          (view("System Calls"), (["/", *"connect", "Enter"], r"▌.* connect"),
           (["Enter"], r"▌.*nmap -n -sT -p 1-1000"))),
    Story(7, "what did the server say", "502Error.scap",
          ((["Down"], r"▌.*python /server.py"), (["e"], r"HTTP/1\.0 200 OK")),
          csysdig=((["Down"], "python /server.py"), (["F5"], r"HTTP/1\.0 200 OK"))),
    Story(8, "who received these words, and who started that process", "502Error.scap",
          ((["f", *typed('evt.buffer contains "502 Bad"')], r"keeps \d+ of"), (["Enter"], r"▌.*haproxy -f"),
           (["d"], "502 Bad Gateway"), (["Enter"], r"made by +tini"))),
    Story(9, "who touched /usr/bin/zz, and as which user", "mixed_thin.scap.gz",
          (view("Spy Users"), (["/", *"touch /usr/bin/zz"], r"touch /usr/bin/zz"), (["Enter", "n"], r"▌.*www-data"))),
    Story(10, "which file was read most", "tiny.scap",
          (view("Files"), (["1"], r"▼BYTES IN.*\n▌ +84K.*enum\.cpython-311\.pyc"))),
    Story(11, "who talks to whom in the container of the load balancer", "502Error.scap",
          (view("Containers"), (["Enter"], r"▌.*haproxy -f"), (["BSpace", "Enter"], r"▌.*haproxy -f"),
           view("Connections"), (["Home"], r"▌.*192\.168\.0\.\d"))),
    Story(13, "what was run as another user", "mixed_thin.scap.gz",
          ((["o"], "sudo and su +2"), view("Spy Users"), (["/", *"www-data", "Enter"], r"▌.*www-data"))),
    Story(14, "which file I/O was slowest", "mixed_thin.scap.gz",
          (view("Slow File I/O"), (["Home"], r"▌.*27ms +/usr/lib/llvm-14"))),
    Story(16, "who answered 502, and to which request", "502Error.scap",
          ((["o"], r"HTTP errors +1"), (["Enter"], r"haproxy(.|\n)*502 Bad Gateway"),
           (["F"], r"received(.|\n)*GET /"))),
)  # fmt: skip


class Terminal:
    """A program in a terminal of tmux's. A context: leaving it ends the program."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        """Prepare to run a command in a folder, with settings and state of its own."""
        self.keys = 0
        self._name = f"syscope-{uuid.uuid4().hex[:12]}"
        self._command = list(command)
        self._folder = folder

    def __enter__(self) -> Self:
        own = {
            "XDG_STATE_HOME": self._folder / "state",
            "XDG_CONFIG_HOME": self._folder / "config",
            "TZ": "UTC",
        }
        self._tmux(
            "-f", os.devnull, "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(self._folder),
            *(part for name, value in own.items() for part in ("-e", f"{name}={value}")),
            "-e", f"PYTHONPATH={ROOT}", "-e", "LANG=C.UTF-8",
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
        """Press keys; ``view NAME`` presses those that choose a view in the picker, and Enter."""
        for key in keys:
            if key.startswith("view "):
                self._choose(key.removeprefix("view "))
                continue
            self.keys += 1
            self._tmux("send-keys", *(["-l", "--", key] if len(key) == 1 else [key]))

    def _choose(self, name: str) -> None:
        """Press the letter a view begins with until the picker describes it."""
        described = next(each.description for each in views.load().views.values() if each.name == name)
        self.wait("Esc cancel")
        for _ in range(20):
            self.press([name[0].upper()])
            with suppress(TimeoutError):
                self.wait(re.escape(described[:24]), 0.3)
                break
        self.press(["Enter"])

    def wait(self, text: str, patience: float = PATIENCE) -> str:
        """Wait until a text is on the screen, and return the screen. Raises TimeoutError with what was there."""
        end = time.monotonic() + patience
        while True:
            shown = self.screen
            if re.search(text, shown):
                return shown
            if time.monotonic() > end:
                raise TimeoutError(f"waited for {text!r}, the screen shows:\n{shown}")
            time.sleep(0.03)


def explore(capture: Path, folder: Path, *options: str) -> Terminal:
    """The explorer on a capture."""
    return Terminal([sys.executable, "-m", "tui.cli", "-r", str(capture), *options], folder)


def play(terminal: Terminal, steps: Sequence[Step], first: str) -> tuple[int, float]:
    """Play steps; keys pressed and seconds from the prompt to the answer."""
    began = time.monotonic()
    with terminal:
        terminal.wait(first)
        for keys, text in steps:
            terminal.press(keys)
            terminal.wait(text)
    return terminal.keys, time.monotonic() - began


def main() -> None:
    """Command line, see the module's text."""
    captures = Path(sys.argv[1]).resolve()
    sys.stdout.write("| story | question | keys | seconds | csysdig: keys | seconds |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
    for story in STORIES:
        with tempfile.TemporaryDirectory() as folder:
            path = captures / story.capture
            keys, seconds = play(explore(path, Path(folder), *story.options), story.steps, r"\d+/\d+")
            theirs = "– | – |"
            if story.csysdig and shutil.which("csysdig"):
                terminal = Terminal(["csysdig", "-r", str(path)], Path(folder))
                counted, took = play(terminal, story.csysdig, "Viewing: Processes")
                theirs = f"{counted} | {took:.1f} |"
            sys.stdout.write(f"| {story.number} | {story.question} | {keys} | {seconds:.1f} | {theirs}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

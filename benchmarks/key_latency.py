"""From a key to the painted change, in a pseudo-terminal, while a big capture is being read, and when all was read.

    python -m benchmarks.key_latency BIG

A terminal emulator follows what the program writes; a key counts as answered when the emulated screen shows its
effect: the next row marked, the picker, the typed text. Prints the median and the 95th percentile, and how many
of the keys were answered while the file was still being read. Then steps whose result has to be computed: until the
table has the rows it stays with, beside what csysdig takes for the same.
"""

from __future__ import annotations

import multiprocessing
import os
import pty
import re
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fcntl import F_SETPIPE_SZ, fcntl, ioctl
from multiprocessing.connection import Connection
from pathlib import Path

import pyte

from benchmarks.measure import measure

ROWS, COLUMNS = 40, 120
PIPE_BYTES = 1 << 20
"""Room for output that the emulator has not followed yet."""
PATIENCE = 5.0
"""Seconds after which a key counts as lost and the measurement as failed."""
PAUSE = 0.03
"""Seconds before a key whose effect is told from what is there before it: a picture half painted tells nothing."""
REST = 0.2
"""Seconds between two rounds of keys."""
LIMIT = 0.100
"""What the 95th percentile has to stay under, seconds."""
POSITION = re.compile(r"([\d,]+)/[\d,]+ \(")
"""The row under the cursor, on the last line."""
TABLE = 6
"""Line of the table's header."""
QUIET = 1.5
"""Seconds without a change of the table after which what a key asked for is all there."""
RESULT_LIMIT = 0.150
"""What a step may take to its painted result, seconds."""
LEAST_RATIO = 15
"""How many times faster than csysdig it has to be."""
IDLE_LIMIT = 0.030
"""What the 95th percentile of keys has to stay under when all was read, seconds."""
CURSOR = "▌"
"""What marks the row under the cursor."""
PICKER, PROMPT = "Enter choose", "Find "
"""What the view picker and the search line have on them and nothing else has."""
DOWN, UP, F2, ENTER = b"\x1b[B", b"\x1b[A", b"\x1bOQ", b"\r"
FILTER, REPLACE = b"\x1bOS", b"\x15"
"""F4, and what empties the line it opens."""


class LostKeyError(Exception):
    """A key had no effect."""


class Terminal:
    """The program in a pseudo-terminal, and the screen it painted."""

    def __init__(self, command: list[str]) -> None:
        """Start it."""
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS))
            os.execvp(command[0], command)
        # The emulator is slower than a terminal and must not be measured: a process of its own notes when output came.
        # Both ends stay open: the end of the program is no output.
        self._pieces, self._noted = multiprocessing.Pipe(duplex=False)
        fcntl(self._noted.fileno(), F_SETPIPE_SZ, PIPE_BYTES)
        multiprocessing.Process(target=_receive, args=[self._fd, self._noted], daemon=True).start()
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def line(self, number: int) -> str:
        """Text of a line, counted from 0; negative from the end."""
        cells = self.screen.buffer[number % ROWS]
        return "".join(cells[column].data for column in range(COLUMNS))

    def shows(self, text: str) -> bool:
        """True when the text is somewhere on the screen."""
        return any(text in self.line(number) for number in range(ROWS))

    def begins(self, text: str) -> bool:
        """True when a line begins with the text, blanks aside."""
        return any(self.line(number).lstrip().startswith(text) for number in range(ROWS))

    @property
    def position(self) -> int:
        """Number of the row under the cursor as shown, 0 before there is one."""
        found = POSITION.search(self.line(-1))
        return int(found.group(1).replace(",", "")) if found else 0

    @property
    def process(self) -> str:
        """Id of the process in the row under the cursor; unlike the row's number, only a key changes it."""
        marked = (self.line(number) for number in range(ROWS))
        return next((line.split()[1] for line in marked if line.startswith(CURSOR)), "")

    def _piece(self, end: float) -> tuple[float, bytes] | None:
        """The next piece of output and when it came; None when none comes until a time."""
        return self._pieces.recv() if self._pieces.poll(max(0.0, end - time.perf_counter())) else None

    def wait(self, painted: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Follow the output until something is painted; seconds until the piece that painted it came."""
        began = came = time.perf_counter()
        while not painted():
            found = self._piece(began + patience)
            if found is None:
                raise LostKeyError("\n".join(self.line(number) for number in range(ROWS)))
            came, piece = found
            self._stream.feed(piece)
        return max(0.0, came - began)

    def follow(self, seconds: float) -> None:
        """Follow the output for a time."""
        end = time.perf_counter() + seconds
        while found := self._piece(end):
            self._stream.feed(found[1])

    def press(self, key: bytes, painted: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Press a key; seconds until its effect is painted."""
        os.write(self._fd, key)
        return self.wait(painted, patience)

    def table(self) -> tuple[str, ...]:
        """Header and rows of the table, without the cell for scrolling sideways."""
        return tuple(self.line(number)[: COLUMNS - 3] for number in range(TABLE, ROWS - 1))

    def settle(self, key: bytes) -> float:
        """Press a key and follow the output until the table rests; seconds until it first was what it stays."""
        began = time.perf_counter()
        os.write(self._fd, key)
        settled, table = began, self.table()
        while found := self._piece(settled + QUIET):
            came, piece = found
            self._stream.feed(piece)
            if self.table() != table:
                settled, table = came, self.table()
        return settled - began

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def _receive(terminal: int, noted: Connection) -> None:
    """Pass on what a terminal gets, and when."""
    with suppress(OSError):  # how Linux says that the program has ended
        while piece := os.read(terminal, 1 << 16):
            noted.send((time.perf_counter(), piece))


def press_all(terminal: Terminal) -> list[float]:
    """One round of keys; seconds each took."""
    took = []
    for _ in range(6):
        terminal.follow(PAUSE)
        before = terminal.process
        # The table grows and is sorted anew meanwhile: near the top only the way down is sure to be free.
        key = UP if terminal.position > 3 else DOWN
        took.append(terminal.press(key, lambda before=before: terminal.process != before))  # type: ignore[misc]
    took.append(terminal.press(F2, lambda: terminal.shows(PICKER)))
    took.append(terminal.press(F2, lambda: not terminal.shows(PICKER)))
    took.append(terminal.press(b"/", lambda: terminal.begins(PROMPT)))
    # In no row: a hit may be out of sight to the right, and be scrolled to.
    for typed in ("~", "~q", "~qx"):
        key = typed[-1:].encode()
        took.append(terminal.press(key, lambda typed=typed: terminal.begins(PROMPT + typed)))  # type: ignore[misc]
    took.append(terminal.press(ENTER, lambda: not terminal.begins(PROMPT)))
    return took


@dataclass(frozen=True, slots=True)
class Step:
    """A step with a result that has to be computed, and the way to the same with csysdig."""

    kind: str
    name: str
    prepare: tuple[bytes, ...]
    """Keys before the one that is timed, each given time to be answered."""
    key: bytes
    csysdig: tuple[str, ...]
    """Its view and its filter."""


def _switch(title: str, view: str) -> Step:
    return Step("view switch", title, (F2, title.encode()), ENTER, (view,))


def _accept(text: str) -> Step:
    return Step("filter accept", text, (FILTER, REPLACE, text.encode()), ENTER, ("files", text))


STEPS = (
    _switch("System Calls", "syscalls"),
    _switch("Threads", "threads"),
    _switch("Files", "files"),
    _accept("evt.failed=true or fd.name contains lib"),
    _accept("proc.name=find"),
    _accept("evt.type=openat and fd.name contains share"),
    *(
        Step(
            "range change",
            f"range {number}",
            (),
            b"]",
            ("files", f"evt.reltime.s>={8 * number} and evt.reltime.s<{8 * number + 8}"),
        )
        for number in range(3)
    ),
)
"""In this order, on one screen: each is new to the program."""


def results(terminal: Terminal) -> dict[Step, float]:
    """Seconds from a key to its painted rows."""
    took = {}
    for step in STEPS:
        for key in step.prepare:
            terminal.settle(key)
        took[step] = terminal.settle(step.key)
    return took


def tell_steps(took: dict[Step, float], big: Path) -> bool:
    """Print what the steps took, beside csysdig; whether the limits are kept."""
    print(f"\n{'key to painted result, all in memory':58}{'ms':>6}{'csysdig s':>11}{'ratio':>7}")
    kept = True
    for step, seconds in took.items():
        csysdig = measure(["csysdig", "-r", str(big), "--raw", "-v", *step.csysdig]).wall
        kept &= seconds <= RESULT_LIMIT and csysdig / seconds >= LEAST_RATIO
        print(f"{step.kind + ': ' + step.name:58}{seconds * 1000:6.0f}{csysdig:11.2f}{csysdig / seconds:7.0f}")
    print(f"(at most {RESULT_LIMIT * 1000:.0f} ms, ratio at least {LEAST_RATIO})")
    return kept


def idle(big: Path, least: int) -> tuple[list[float], dict[Step, float]]:
    """Seconds of at least that many keys pressed when all was read, and of steps with a result."""
    terminal = Terminal([sys.executable, "-m", "tui.cli", "-r", str(big)])
    try:
        terminal.wait(lambda: terminal.position > 0 and not terminal.shows("reading"), 120)
        terminal.follow(1.0)
        took: list[float] = []
        while len(took) < least:
            took += press_all(terminal)
            terminal.follow(REST)
        return took, results(terminal)
    finally:
        terminal.close()


def latencies(big: Path, least: int) -> tuple[list[float], int]:
    """Seconds of at least that many keys pressed while the file was being read, and how often it was opened."""
    took: list[float] = []
    opened = 0
    while len(took) < least:
        terminal = Terminal([sys.executable, "-m", "tui.cli", "-r", str(big)])
        opened += 1
        try:
            terminal.wait(lambda: terminal.position > 0, 30)  # noqa: B023
            while True:
                round_ = press_all(terminal)
                if not terminal.shows("reading"):
                    break
                took += round_
                # A late answer to the search may still move the cursor.
                terminal.follow(REST)
        finally:
            terminal.close()
        if opened > least:
            raise LostKeyError(f"{big} is read too quickly to press keys meanwhile")
    return took, opened


def report(big: Path) -> int:
    """Measure and print; exit status 1 when the limit is not kept."""
    took, opened = latencies(big, 300)
    high = statistics.quantiles(took, n=20)[-1]
    print(f"key to painted change while {big} is read ({len(took)} keys, opened {opened} times):")
    print(f"median {statistics.median(took) * 1000:.0f} ms, 95th percentile {high * 1000:.0f} ms", end=" ")
    print(f"(under {LIMIT * 1000:.0f}), longest {max(took) * 1000:.0f} ms")
    resting, steps = idle(big, 200)
    print(f"when all was read ({len(resting)} keys): median {statistics.median(resting) * 1000:.0f} ms,", end=" ")
    rest = statistics.quantiles(resting, n=20)[-1]
    print(f"95th percentile {rest * 1000:.0f} ms (under {IDLE_LIMIT * 1000:.0f})")
    return int(not tell_steps(steps, big) or high >= LIMIT or rest >= IDLE_LIMIT)


if __name__ == "__main__":
    sys.exit(report(Path(sys.argv[1])))

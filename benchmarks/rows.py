"""What the number of rows costs the screen: a view of 100 000 rows beside the same of 1 000.

    python -m benchmarks.rows

Makes two captures that differ in how many files were opened, and opens of each the files view, the list of opens and
the lines of all events: in a pseudo-terminal, where keys are timed to the painted change (``key_latency``); and in this
process, where it is told how long the screen's thread is held up at most while the engine works, and what memory the
screen's side holds (``tui``, Textual, Rich; not the engine) after scrolling through hundreds of pages. Ratios near 1
say that rows cost the screen nothing; sorting, searching and the text filter are the engine's and grow with the rows.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import views
from benchmarks.key_latency import CURSOR, DOWN, PROMPT, ROWS, Terminal
from engine.ingest import CaptureIngest
from engine.model.facts import Thread
from engine.session import Session
from tests import scapfile as scap
from tui.app import SWITCH_INTERVAL, Syscope
from tui.options import Options
from tui.screens.explorer import Explorer

FEW, MANY = 1_000, 100_000
OPEN, READ_ENTER, READ = 3, 6, 7
PAGE_DOWN, PAGE_UP, HOME, END = b"\x1b[6~", b"\x1b[5~", b"\x1b[H", b"\x1b[F"
F2, F4, F6, ESCAPE = b"\x1bOQ", b"\x1bOS", b"\x1b[17~", b"\x1b"
TOTAL = re.compile(r"/([\d,]+) \(")
"""The number of rows, on the last line."""
WANTED = b"part-00001"
SHOWN = 40
"""Rows that hold it at most."""
PATIENCE = 60.0
"""Seconds after which a key counts as lost."""
TURNS = 60
PAGES = 300
"""Screenfuls scrolled through before memory is counted."""
SCREEN_SIDE = ("tui", "textual", "rich")


def capture_of(files: int, path: Path) -> Path:
    """A capture of one process that opens and reads so many files, some more than others."""
    parts = [
        scap.section(),
        scap.machine(cpus=1),
        scap.process_list(9, [Thread(tid=10, pid=10, ptid=1, comm=b"find", exe=b"find", cwd=b"/")]),
    ]
    for number in range(files):
        at, size = 1_000 * number, number * 7919 % 4096
        name = f"/srv/data/{number % 97:02}/part-{number * 7919 % files:06}.bin"
        parts += [
            scap.event(OPEN, 10, at, scap.pack(OPEN, fd=3, name=name, flags=1)),
            scap.event(READ_ENTER, 10, at + 100, scap.pack(READ_ENTER, fd=3, size=size)),
            scap.event(READ, 10, at + 200, scap.pack(READ, res=size, data=b"")),
        ]
    path.write_bytes(b"".join(parts))
    return path


def marked(terminal: Terminal) -> str:
    """The line under the cursor."""
    lines = (terminal.line(number) for number in range(ROWS))
    return next((line for line in lines if line.startswith(CURSOR)), "")


class Opened:
    """A place on the screen, and the seconds that keys took there."""

    def __init__(self, terminal: Terminal, name: str, took: dict[str, list[float]]) -> None:
        """Wait until all is there; what is measured goes to ``took``."""
        terminal.wait(lambda: terminal.position > 0 and not terminal.shows("reading"), 120)
        terminal.follow(1.0)
        self.terminal = terminal
        self._name = name
        self._took = took

    def press(self, what: str, key: bytes, painted: Callable[[], bool] | None = None) -> None:
        """Time a key; without ``painted`` it is one that moves the cursor."""
        terminal, before = self.terminal, self.terminal.position
        seconds = terminal.press(
            key, painted or (lambda: terminal.position != before and bool(marked(terminal))), PATIENCE
        )
        self._took.setdefault(f"{self._name}: {what}", []).append(seconds)
        terminal.follow(0.03)

    def walk(self) -> None:
        """Move the cursor."""
        for _ in range(TURNS):
            self.press("a row down", DOWN)
        for turn in range(TURNS):
            self.press("a page on", PAGE_DOWN if turn % 20 < 10 else PAGE_UP)
        for _ in range(TURNS // 6):
            self.press("the last row", END)
            self.press("the first row", HOME)

    def sort(self) -> None:
        """Sort the files."""
        terminal = self.terminal
        terminal.press(b"2", lambda: terminal.shows("▼BYTES OUT"))
        for turn in range(TURNS // 6):
            title = "▲BYTES IN" if turn % 2 else "▼BYTES IN"
            self.press("sorted on a number", b"1", lambda title=title: terminal.shows(title))  # type: ignore[misc]
        for turn in range(TURNS // 6):
            title = "FILENAME▼" if turn % 2 else "FILENAME▲"
            self.press("sorted on a name", b"6", lambda title=title: terminal.shows(title))  # type: ignore[misc]

    def look_for(self) -> None:
        """Search for what is there and what is not, and leave only rows with a text."""
        terminal = self.terminal
        rows = total(terminal)
        for _ in range(TURNS // 12):
            for what, typed, painted in (
                ("a text found", WANTED, lambda: WANTED.decode() in marked(terminal)),
                ("a text not found", b"nowhere", lambda: terminal.shows("not found")),
            ):
                terminal.press(b"/", lambda: terminal.begins(PROMPT))
                self.press(what, typed, painted)
                terminal.press(ESCAPE, lambda: not terminal.begins(PROMPT.rstrip()))
                terminal.follow(0.2)
            terminal.press(F4, lambda: terminal.begins("Filter"))
            terminal.follow(0.2)
            terminal.press(F2, lambda: terminal.begins("Text"))
            terminal.follow(0.2)
            self.press("text filter", WANTED, lambda: 0 < total(terminal) <= SHOWN and bool(marked(terminal)))
            terminal.press(ESCAPE, lambda: total(terminal) == rows and not terminal.begins("Text"))
            terminal.follow(0.2)


def total(terminal: Terminal) -> int:
    """How many rows there are, as shown."""
    found = TOTAL.search(terminal.line(-1))
    return int(found[1].replace(",", "")) if found else 0


def keys(path: Path) -> dict[str, list[float]]:
    """Seconds from a key to the painted change."""
    took: dict[str, list[float]] = {}
    for view, name in (("files", "table"), ("file_opens", "list"), ("procs", "lines")):
        terminal = Terminal([sys.executable, "-m", "tui.cli", "-r", str(path), "-v", view])
        try:
            terminal.wait(lambda: terminal.position > 0, 120)  # noqa: B023
            if name == "lines":
                terminal.follow(1.0)
                terminal.press(F6, lambda: total(terminal) > FEW)  # noqa: B023
            opened = Opened(terminal, name, took)
            opened.walk()
            if name == "table":
                opened.sort()
            opened.look_for()
        finally:
            terminal.close()
    return took


async def held_up(path: Path) -> dict[str, float]:
    """Longest time in seconds that the screen's thread could not go on while the engine worked."""
    longest: dict[str, float] = {}
    work: tuple[tuple[str, Callable[[Explorer], None]], ...] = (
        ("sorted on a name", lambda screen: screen.rows.action_sort_on(5)),
        ("a text not found", lambda screen: screen.rows.ask("nowhere")),
        ("text filter", lambda screen: screen.change(replace(screen.place, text=WANTED.decode()))),
    )
    app = Syscope(
        Options(path, view="files"), views.load().views, lambda publish: Session(CaptureIngest(path), publish)
    )
    async with app.run_test(size=(120, ROWS)) as pilot:
        sys.setswitchinterval(SWITCH_INTERVAL)
        screen = app._explorer
        while screen.status.progress < 1 or screen.rows.pending or screen.grid.page.total < FEW:
            await pilot.pause(0.05)
        for what, begin in work:
            await asyncio.sleep(0.5)
            begin(screen)
            last, pauses = time.perf_counter(), [0.0]
            while screen.rows.pending:
                await asyncio.sleep(0)
                last, pause = time.perf_counter(), time.perf_counter() - last
                pauses.append(pause)
            longest[what] = max(pauses)
    return longest


async def held(path: Path) -> tuple[int, int]:
    """Bytes the screen's side holds after scrolling through many pages, and rows it holds."""
    tracemalloc.start()
    app = Syscope(
        Options(path, view="files"), views.load().views, lambda publish: Session(CaptureIngest(path), publish)
    )
    async with app.run_test(size=(120, ROWS)) as pilot:
        screen = app._explorer
        while screen.status.progress < 1 or screen.rows.pending or screen.grid.page.total < FEW:
            await pilot.pause(0.05)
        for turn in range(PAGES):
            screen.action_page(1 if turn % 20 < 15 else -1)
            while screen.rows.pending:
                await pilot.pause(0.001)
        screen.action_last()
        await pilot.pause(0.5)
        filters = [tracemalloc.Filter(True, f"*{os.sep}{part}{os.sep}*") for part in SCREEN_SIDE]
        taken = tracemalloc.take_snapshot().filter_traces(filters)
        size = sum(trace.size for trace in taken.traces)
        rows = len(screen.grid.page.rows)
    tracemalloc.stop()
    return size, rows


def main() -> int:
    """Measure and print; exit status 1 when the screen's memory grows with the rows."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {count: capture_of(count, Path(folder) / f"{count}.scap") for count in (FEW, MANY)}
        took = {count: keys(path) for count, path in paths.items()}
        pauses = {count: asyncio.run(held_up(path)) for count, path in paths.items()}
        print(f"{'median ms, from key to painted change':40}{FEW:>10,} rows{MANY:>10,} rows   ratio   longest")
        for what in took[FEW]:
            few, many = (statistics.median(took[count][what]) * 1000 for count in (FEW, MANY))
            print(f"{what:40}{few:15.1f}{many:15.1f}{many / few:8.2f}{max(took[MANY][what]) * 1000:10.1f}")
        print("longest pause of the screen meanwhile, ms")
        for what in pauses[FEW]:
            few, many = (pauses[count][what] * 1000 for count in (FEW, MANY))
            print(f"{what:40}{few:15.1f}{many:15.1f}{many / few:8.2f}")
        sizes = {count: asyncio.run(held(path)) for count, path in paths.items()}
    few, many = sizes[FEW][0], sizes[MANY][0]
    print(f"{'memory of the screen, KB':40}{few / 1024:15.0f}{many / 1024:15.0f}{many / few:8.2f}   (at most 1.20)")
    print(f"{'rows the screen holds':40}{sizes[FEW][1]:15}{sizes[MANY][1]:15}")
    return int(many > 1.2 * few)


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    time.tzset()
    sys.exit(main())

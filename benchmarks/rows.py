"""What the number of rows costs the screen: a view of 100 000 rows beside the same of 1 000.

    python -m benchmarks.rows

Makes two captures that differ in how many files were opened, and opens the files view of each: in a pseudo-terminal,
where keys are timed to the painted change (``key_latency``), and in this process, where the memory that the screen's
side holds (``tui``, Textual, Rich; not the engine) is counted after scrolling through hundreds of pages. Ratios near 1
say that rows cost the screen nothing; sorting, searching and the text filter are the engine's and grow with the rows.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import views
from benchmarks.key_latency import CURSOR, DOWN, ENTER, POSITION, ROWS, Terminal
from engine.ingest import CaptureIngest
from engine.model.facts import Thread
from engine.session import Session
from tests import scapfile as scap
from tui.app import Syscope
from tui.options import Options

FEW, MANY = 1_000, 100_000
OPEN, READ_ENTER, READ = 3, 6, 7
PAGE_DOWN, PAGE_UP, HOME, END, BACKSPACE, F4, F2 = (
    b"\x1b[6~",
    b"\x1b[5~",
    b"\x1b[H",
    b"\x1b[F",
    b"\x7f",
    b"\x1bOS",
    b"\x1bOQ",
)
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


def keys(path: Path) -> dict[str, list[float]]:
    """Seconds from a key to the painted change."""
    terminal = Terminal([sys.executable, "-m", "tui.cli", "-r", str(path), "-v", "files"])
    try:
        terminal.wait(lambda: terminal.position > 0 and not terminal.shows("reading"), 120)
        terminal.follow(1.0)

        def pressed(key: bytes, painted: Callable[[], bool] | None = None) -> float:
            before = terminal.position
            return terminal.press(key, painted or (lambda: terminal.position != before and bool(marked(terminal))))

        took: dict[str, list[float]] = {}

        def add(what: str, seconds: float) -> None:
            took.setdefault(what, []).append(seconds)
            terminal.follow(0.03)

        for _ in range(TURNS):
            add("a row down", pressed(DOWN))
        for turn in range(TURNS):
            add("a page on", pressed(PAGE_DOWN if turn % 20 < 10 else PAGE_UP))
        for _ in range(TURNS // 6):
            add("the last row", pressed(END))
            add("the first row", pressed(HOME))
        terminal.press(b"2", lambda: terminal.shows("▼BYTES OUT"))
        for turn in range(TURNS // 6):
            title = "▲BYTES IN" if turn % 2 else "▼BYTES IN"
            add("sorted on a number", pressed(b"1", lambda title=title: terminal.shows(title)))  # type: ignore[misc]
        add("sorted on a name", pressed(b"6", lambda: terminal.shows("FILENAME▲")))
        add("text filter", filtered(terminal))
        return took
    finally:
        terminal.close()


def filtered(terminal: Terminal) -> float:
    """Seconds from Enter on a text to the rows that show it."""
    total = POSITION.search(terminal.line(-1))
    terminal.press(F4, lambda: terminal.begins("Filter"))
    terminal.follow(0.2)
    terminal.press(F2, lambda: terminal.begins("Text"))
    terminal.press(b"part-00001", lambda: terminal.begins("Text part-00001"))
    terminal.follow(0.2)

    def painted() -> bool:
        return (found := POSITION.search(terminal.line(-1))) is not None and found[0] != (total and total[0])

    return terminal.press(ENTER, lambda: not terminal.begins("Text") and painted(), 60)


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
        print(f"{'median ms, from key to painted change':40}{FEW:>10,} rows{MANY:>10,} rows   ratio")
        for what in took[FEW]:
            few, many = (statistics.median(took[count][what]) * 1000 for count in (FEW, MANY))
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

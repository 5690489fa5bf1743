"""The screen on the running machine: how soon it shows something, what it costs, how quick keys are.

    python -m benchmarks.live_screen

Needs permission to watch the kernel, and a machine that does nothing else. Prints the medians of ten starts until the
process list and until live figures are painted; then, with a program making 200 000 calls a second, our own share of
one core including the screen, and the time from a key to its painted effect.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks.key_latency import CURSOR, ROWS, Terminal, press_all

STARTS = 10
CALLS = 200_000
"""Calls a second that the load makes."""
SECONDS = 10.0
KEYS = 200
LIST, FIGURES, SHARE, KEY = 0.7, 1.5, 0.25, 0.050
"""What is to be kept: seconds, seconds, part of a core, seconds."""
_LOAD = f"""
import os, time
with open('/dev/zero', 'rb', 0) as file:
    number, read, due, batch = file.fileno(), os.pread, time.monotonic(), {CALLS} // 100
    while True:
        for _ in range(batch): read(number, 64, 0)
        due += 0.01
        time.sleep(max(0.0, due - time.monotonic()))
"""


def has_figures(terminal: Terminal) -> bool:
    """Whether the row under the cursor tells its CPU time."""
    marked = (terminal.line(number) for number in range(ROWS))
    words = next((line.split() for line in marked if line.startswith(CURSOR)), [])
    return len(words) > 3 and words[3].replace(".", "").isdigit()


def start() -> tuple[float, float]:
    """Seconds from the start of the program to the process list, and to live figures."""
    began = time.perf_counter()
    terminal = Terminal([sys.executable, "-m", "tui.cli"])
    try:
        # Until the output came: the emulator that looks for it is slow.
        listed = time.perf_counter() - began + terminal.wait(lambda: terminal.position > 0, 30)
        figures = time.perf_counter() - began + terminal.wait(lambda: has_figures(terminal), 30)
        return listed, figures
    finally:
        terminal.close()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def under_load() -> tuple[float, list[float]]:
    """Our share of a core, and the seconds each key took, while many calls are made."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", _LOAD]) as load:
        terminal = Terminal([sys.executable, "-m", "tui.cli"])
        try:
            terminal.wait(lambda: has_figures(terminal), 30)
            terminal.follow(2.0)
            before, began = cpu_seconds(terminal.pid), time.perf_counter()
            terminal.follow(SECONDS)
            share = (cpu_seconds(terminal.pid) - before) / (time.perf_counter() - began)
            took: list[float] = []
            while len(took) < KEYS:
                took += press_all(terminal)
                terminal.follow(0.2)
            return share, took
        finally:
            terminal.close()
            load.kill()


def main() -> int:
    """Measure and print; exit status 1 when something is not kept."""
    starts = [start() for _ in range(STARTS)]
    listed, figures = (statistics.median(took) for took in zip(*starts, strict=True))
    print(f"start to the process list {listed:.2f} s (at most {LIST}), to live figures {figures:.2f} s ({FIGURES}),")
    share, took = under_load()
    high = statistics.quantiles(took, n=20)[-1]
    print(f"with {CALLS:,} calls a second {share:.0%} of a core (under {SHARE:.0%}),")
    print(f"key to painted change: median {statistics.median(took) * 1000:.0f} ms,", end=" ")
    print(f"95th percentile {high * 1000:.0f} ms (at most {KEY * 1000:.0f}) of {len(took)} keys")
    return int(listed > LIST or figures > FIGURES or share >= SHARE or high > KEY)


if __name__ == "__main__":
    sys.exit(main())

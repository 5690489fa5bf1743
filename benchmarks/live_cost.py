"""What watching costs the calls being watched, and what is lost when calls come as fast as they can.

    python -m benchmarks.live_cost [--rounds N] [--seconds N] [-- COMMAND …]

A loop pinned to one processor makes one kind of call over and over, unattached and attached by turns. Time is taken of
every thousand calls, and the tenth percentile counts: a busy machine interrupts the others. The ratio is printed.
What is attached takes every event through decoder and store on another processor; or it is COMMAND in a
pseudo-terminal, say ``tui``. Then reading loops on every processor, with the default ring: how many calls were made,
how many events came, and how many were told to be lost.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine.decode.decoder import Decoder
from engine.sources.live.source import LiveSource
from engine.store.store import Store

LIMITS = {"getpid": 4.5, "read": 4.5, "open+close": 1.8}
"""Most that a call may cost with everything attached, as a multiple of what it costs without."""
CALLS = 200_000
REPEATS = 5
WATCHER, LOOP = 1, 0
"""Processors."""
SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int lesser(const void *a, const void *b) { return *(double *)a < *(double *)b ? -1 : 1; }
static double slices[1 << 20];

int main(int count, char **words) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(atoi(words[2]), &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    long calls = 1000, made = 0, most = atol(words[3]) / calls, taken = 0;
    double until = now() + atof(words[4]) * 1e9, begin = now(), end;
    int zero = open("/dev/zero", O_RDONLY);
    char room[64];
    do {
        if (!strcmp(words[1], "getpid")) for (long i = 0; i < calls; i++) syscall(SYS_getpid);
        else if (!strcmp(words[1], "read")) for (long i = 0; i < calls; i++) syscall(SYS_read, zero, room, 64);
        else for (long i = 0; i < calls; i++) close(open("/dev/null", O_RDONLY));
        made += calls;
        end = now();
        if (taken < 1 << 20) slices[taken++] = (end - begin) / calls;
        begin = end;
    } while (taken < most || end < until);
    qsort(slices, taken, sizeof(double), lesser);
    printf("%ld %f\n", made, slices[taken / 10]);
}
"""


@contextmanager
def loops() -> Iterator[Path]:
    """The compiled loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop"
        subprocess.run(["cc", "-O1", "-x", "c", "-", "-o", path], input=SOURCE, text=True, check=True)
        yield path


def start(loop: Path, kind: str, cpu: int, seconds: float) -> subprocess.Popen[str]:
    """A loop of one kind of call, of CALLS or of so many seconds."""
    calls = CALLS // (4 if kind == "open+close" else 1)
    words = [str(loop), kind, str(cpu), str(0 if seconds else calls), str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Calls made, and ns for each."""
    told, _ = process.communicate(timeout=120)
    made, ns = told.split()
    return int(made), float(ns)


def watch() -> None:
    """Take events until standard input ends; then tell what came, of which process, and what was lost."""
    os.sched_setaffinity(0, {WATCHER})
    source = LiveSource()
    store = Store(source.raw)
    decoder = Decoder(store, "live")
    source.step(decoder)
    print("ready", flush=True)
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    cpu, wall = time.process_time(), time.monotonic()
    counts: dict[str, int] = {}
    more = True
    while more:
        if ended.is_set():
            source.stop()
        more = source.step(decoder)
        for segment in store.segments:
            numbers = np.bincount(segment.thread[segment.thread >= 0])
            for row in np.flatnonzero(numbers):
                comm = (store.threads[row].comm or b"").decode("latin-1")
                counts[comm] = counts.get(comm, 0) + int(numbers[row])
            source.raw.drop(segment.end)
        store.segments.clear()
    share = (time.process_time() - cpu) / (time.monotonic() - wall)
    print(json.dumps({"received": source.received, "lost": source.lost, "of": counts, "share": share}))
    source.close()


class Watcher:
    """What is attached."""

    def __init__(self, command: list[str]) -> None:
        """Start it, and wait until it takes events."""
        self._terminal = -1
        if command:
            pid, self._terminal = pty.fork()
            if not pid:
                os.sched_setaffinity(0, {WATCHER})
                os.execvpe(command[0], command, os.environ | {"TERM": "xterm-256color"})
            self._pid = pid
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
            threading.Thread(target=self._swallow, daemon=True).start()
            self._wait(60)
        else:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.live_cost", "--watch"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == "ready\n"

    def _wait(self, seconds: float) -> None:
        """Until it has programs in the kernel, and a moment longer."""
        until = time.monotonic() + seconds
        folder = Path(f"/proc/{self._pid}/fd")
        while not any("bpf_link" in os.readlink(path) for path in list(folder.iterdir()) if path.is_symlink()):
            if time.monotonic() > until:
                raise TimeoutError("nothing was attached")
            time.sleep(0.1)
        time.sleep(2)

    def _swallow(self) -> None:
        with suppress(OSError):
            while os.read(self._terminal, 1 << 16):
                pass

    def stop(self) -> dict[str, Any]:
        """End it; what it tells."""
        if self._terminal >= 0:
            os.kill(self._pid, signal.SIGTERM)
            os.waitpid(self._pid, 0)
            return {}
        told, _ = self._process.communicate(timeout=120)
        return dict(json.loads(told))


def cost(loop: Path, rounds: int, command: list[str]) -> bool:
    """Print the ratio for each kind of call; whether all are within LIMITS."""
    best: dict[tuple[str, bool], float] = {}
    for _ in range(rounds):
        for attached in (False, True):
            watcher = Watcher(command) if attached else None
            for kind in list(LIMITS) * REPEATS:
                _, ns = result(start(loop, kind, LOOP, 0))
                best[kind, attached] = min(ns, best.get((kind, attached), ns))
            if watcher:
                watcher.stop()
    within = True
    for kind, limit in LIMITS.items():
        alone, watched = best[kind, False], best[kind, True]
        within &= watched / alone <= limit
        print(
            f"{kind:<11}{alone:8.0f} ns alone{watched:8.0f} ns watched   {watched / alone:5.2f} times (limit {limit})"
        )
    return within


def flood(loop: Path, seconds: float) -> bool:
    """Print what came of reading loops on all processors; whether every call is accounted for."""
    watcher = Watcher([])
    processes = [start(loop, "read", cpu, seconds) for cpu in range(os.cpu_count() or 1)]
    made = sum(result(process)[0] for process in processes)
    told = watcher.stop()
    of, lost = told["of"], int(told["lost"])
    print(
        f"{made / seconds / 1e6:.2f} M reads a second for {seconds:g} s on {len(processes)} processors: "
        f"{of.get('loop', 0)} events of {made} reads, {lost} told lost, {told['share']:.0%} of a core"
    )
    # A handful of other calls of the loops, and of others that were lost.
    return made <= int(of.get("loop", 0)) + lost <= made + 1000 * len(processes) + lost // 10


def main() -> int:
    """Run both; exit status 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--watch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*")
    asked = parser.parse_args()
    if asked.watch:
        watch()
        return 0
    with loops() as loop:
        good = cost(loop, asked.rounds, asked.command)
        good &= asked.seconds <= 0 or flood(loop, asked.seconds)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

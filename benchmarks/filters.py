"""Compare filters with sysdig's, and time completion, on a big capture.

    python -m benchmarks.filters BIG [--rounds N]

With the capture read, prints for each filter the time to its mask over all events, against `sysdig -r BIG FILTER` with
its output discarded: medians of runs that take turns, wall and CPU seconds, and how many times faster. Every run asks a
filter anew, as after typing it. Then the time from a key to the completion, typing filters letter by letter, values and
their counts included: the first is asked before anything was counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import measure
from engine import filters
from engine.decode.decoder import Decoder
from engine.filters.completion import complete
from engine.filters.presence import Presence
from engine.sources import open_capture
from engine.store.store import Store

FILTERS = {
    "proc.name=redis-server": 50.0,
    "fd.port=6399": 50.0,
    "proc.aname=nginx and fd.type=file": 50.0,
    "evt.buffer contains GET": 5.0,
    "evt.buffer contains password": 5.0,
    "evt.arg.name contains nginx": 1.0,
    "evt.arg.flags contains O_CREAT": 1.0,
    "evt.arg.fd contains nginx": 1.0,
    "evt.arg.res=ENOENT": 1.0,
    "evt.rawarg.size>100000": 1.0,
}
"""Filters that keep less than one event in a hundred, and how many times faster than sysdig they have to be."""
TYPED = (
    "proc.name=redis-server and fd.name contains nginx",
    "evt.type in (openat, connect) and evt.failed=true",
    "fd.ip=127.0.0.1 and fd.port=6399",
    "user.name=root and evt.res!=SUCCESS and evt.category=net",
    "proc.aname=bash and (fd.directory=/etc or fd.num=3)",
    'proc.cmdline contains "find /usr" and evt.arg.name startswith /usr',
)
LIMIT = 0.02
"""Seconds in which 95 of 100 completions have to be there."""


def read(big: Path) -> Store:
    """The whole capture."""
    source = open_capture(big)
    store = Store(source.raw)
    decoder = Decoder(store, str(big))
    while source.step(decoder):
        pass
    return store


def ask(store: Store, text: str) -> tuple[float, float, int]:
    """Wall and CPU seconds to the mask, and events kept."""
    began, used = time.perf_counter(), time.process_time()
    asked = filters.compile(text)
    masks = [asked.mask(store, segment) for segment in store.segments]
    took, worked = time.perf_counter() - began, time.process_time() - used
    return took, worked, sum(int(np.count_nonzero(mask)) for mask in masks)


def compare(store: Store, big: Path, rounds: int) -> None:
    """Measure and print the filters."""
    print(f"{'':36}{'kept':>10}{'wall s':>9}{'CPU s':>9}{'sysdig':>9}{'CPU s':>9}{'faster':>8}{'CPU':>7}")
    for text, wanted in FILTERS.items():
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(ask(store, text))
            theirs.append(measure(["sysdig", "-r", str(big), text]))
        kept = ours[0][2]
        if kept * 100 > store.events:
            raise SystemExit(f"{text} keeps {kept} of {store.events} events, more than 1 %")
        wall, cpu = (statistics.median(run[at] for run in ours) for at in (0, 1))
        their_wall, their_cpu = (
            statistics.median(run.wall for run in theirs),
            statistics.median(run.cpu for run in theirs),
        )
        print(
            f"{text:36}{kept:10}{wall:9.3f}{cpu:9.3f}{their_wall:9.2f}{their_cpu:9.2f}"
            f"{their_wall / wall:8.1f}{their_cpu / cpu:7.1f}   (at least {wanted:g})"
        )


def typing(store: Store) -> None:
    """Measure and print completion."""
    presence = Presence(store)
    took = []
    for text in TYPED:
        for cursor in range(len(text) + 1):
            began = time.perf_counter()
            complete(text[:cursor], cursor, presence)
            took.append(time.perf_counter() - began)
    took.sort()
    print(
        f"\ncompletion of {len(took)} keys: median {statistics.median(took) * 1e3:.1f} ms, "
        f"95th percentile {took[len(took) * 95 // 100] * 1e3:.1f} ms, longest {took[-1] * 1e3:.1f} ms"
        f"   (95th percentile at most {LIMIT * 1e3:.0f})"
    )


def report(big: Path, rounds: int) -> None:
    """Measure and print all."""
    measure(["sysdig", "-r", str(big), "proc.name=zzz"])  # brings the file into memory
    store = read(big)
    print(f"{big}: {store.events} events")
    typing(store)
    print()
    compare(store, big, rounds)


def main() -> int:
    """Command line, see the module's text."""
    parser = argparse.ArgumentParser(description="Compare filters with sysdig's on a big capture; time completion.")
    parser.add_argument("big", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="counted runs of each filter (3)")
    asked = parser.parse_args()
    report(asked.big, asked.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())

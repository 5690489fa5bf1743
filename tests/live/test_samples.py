"""CPU time of real threads, idle ones included."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from engine.decode.decoder import Decoder
from engine.sources.live.source import LiveSource, Options
from engine.store.segment import Sample
from engine.store.store import Store
from tests.live.observing import Observer

BUSY = """
import sys, time
while time.process_time() < 0.5: pass
print(time.process_time(), flush=True)
time.sleep(60)
"""
_CPU = (Sample.CPU_USER, Sample.CPU_SYSTEM)


def test_what_a_process_used_is_told_and_who_does_nothing_is_there(observer: Observer) -> None:
    idle = subprocess.Popen(["/bin/sleep", "60"])
    busy = subprocess.Popen([sys.executable, "-I", "-S", "-c", BUSY], stdout=subprocess.PIPE, text=True)
    try:
        source = LiveSource(Options(ring=32 << 20))
        store = Store(source.raw)
        decoder = Decoder(store, "live")
        source.step(decoder)
        source.drain(decoder)
        before = source.in_progress()
        assert busy.stdout is not None
        used = float(busy.stdout.readline())
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            source.drain(decoder)
        source.stop()
        while source.drain(decoder):
            pass
    finally:
        idle.kill()
        busy.kill()
        idle.wait()
        busy.communicate()
    source.close()
    told = {thread.tid: thread for thread in store.threads}
    assert (told[idle.pid].comm, told[idle.pid].args) == (b"sleep", (b"60",))
    assert idle.pid in before["tid"]
    # What it used before the first sample is not told of any interval.
    assert 0.1 < _cpu_seconds(store, busy.pid) <= used + 0.05


def test_what_a_followed_command_used_is_told_and_of_nobody_else(observer: Observer) -> None:
    first = len(observer.store.segments)
    observer.source.samples = True
    run = observer.run(
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import time\nend = time.monotonic() + 2.5\nwhile time.monotonic() < end: pass",
    )
    observer.source.samples = False
    assert run.status == 0
    # What it used after the last sample is not told.
    assert 0.1 < _cpu_seconds(observer.store, run.pid, first) <= 2.7
    sampled = {
        observer.store.threads[row["thread"]].tid
        for segment in observer.store.segments[first:]
        for row in segment.samples[np.isin(segment.samples["kind"], _CPU)]
    }
    assert sampled == {run.pid}


def _cpu_seconds(store: Store, tid: int, first: int = 0) -> float:
    total = 0
    for segment in store.segments[first:]:
        samples = segment.samples[np.isin(segment.samples["kind"], _CPU)]
        total += sum(int(row["value"]) for row in samples if store.threads[row["thread"]].tid == tid)
    return total / 1e9

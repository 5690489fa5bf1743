"""Every event the kernel side attempts is handed over or told to be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.decode.decoder import Decoder
from engine.sources.live.source import LiveSource, Options
from engine.store.store import Store
from tests.live.observing import Observer

# Sixty thousand calls, and always the same ones.
COMMAND = ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=30000", "status=none"]
STOPPED = "import os, signal, sys; os.kill(os.getpid(), signal.SIGSTOP); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture(autouse=True)
def _observer(observer: Observer) -> Iterator[None]:
    yield


class Attempt:
    """A source with a ring of some size that nobody drains while commands run."""

    def __init__(self, ring: int, *cpus: int) -> None:
        """Run a command on each of the processors, at once, under one process that is followed."""
        source = LiveSource(Options(ring=ring))
        watched = "import os, subprocess, sys\ncommands = []\nfor cpu in sys.argv[1].split(','):\n    commands.append("
        watched += "subprocess.Popen(sys.argv[2:], preexec_fn=lambda: os.sched_setaffinity(0, {int(cpu)})))\n"
        watched += "for command in commands: command.wait()"
        words = [sys.executable, "-I", "-S", "-c", watched, ",".join(map(str, cpus)), *COMMAND]
        process = subprocess.Popen([sys.executable, "-I", "-S", "-c", STOPPED, *words])
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        source.follow(process.pid)
        store = Store(source.raw)
        decoder = Decoder(store, "live")
        source.step(decoder)
        process.send_signal(18)
        assert process.wait(60) == 0
        source.stop()
        while source.drain(decoder):
            pass
        self.received, self.losses, self.malformed = source.received, source.losses, source.malformed
        self.writes = 0
        for segment in store.segments:
            self.writes += int((segment.type == 7).sum())
        source.close()

    @property
    def attempted(self) -> int:
        return self.received + int(self.losses.sum())


def test_with_a_tiny_ring_what_came_and_what_was_lost_are_what_was_attempted() -> None:
    whole = Attempt(64 << 20, 0)
    tiny = Attempt(16384, 0)
    assert whole.losses.sum() == 0
    assert whole.writes >= 30000
    assert tiny.malformed == 0
    assert tiny.losses.sum() > 50000
    # The interpreter that starts the command does not always make the same few hundred calls.
    assert abs(tiny.attempted - whole.attempted) < 200


def test_losses_are_told_by_processor() -> None:
    last = (os.cpu_count() or 1) - 1
    alone = Attempt(16384, last)
    assert alone.losses[last] > 50000
    assert alone.losses[last] == alone.losses.max()
    if last:
        both = Attempt(16384, 0, last)
        assert both.losses[0] > 50000 and both.losses[last] > 50000
        assert both.attempted > 1.9 * alone.attempted - 5000

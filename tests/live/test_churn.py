"""Short-lived processes in great number: what is kept stays within its budget, and so does our own memory."""

from __future__ import annotations

import subprocess
import threading
import time

import pytest

import views
from engine.live_ingest import LiveIngest, resident
from engine.query.snapshots import Snapshot, Status, TableRequest
from engine.session import Session
from engine.sources.live.loader import CAPABILITIES, capabilities
from engine.sources.live.source import LiveSource, Options

pytestmark = pytest.mark.skipif(
    any(not capabilities() >> number & 1 for number in CAPABILITIES), reason="the kernel may not be watched here"
)
BUDGET = 48 << 20
SLACK = 96 << 20
"""Bytes our own memory may differ by besides: what a query takes meanwhile, and what the allocator keeps."""
_CHURN = "while :; do /bin/true; /bin/true; /bin/true; /bin/true; /bin/true; /bin/true; /bin/true; /bin/true; done"


def churn(processes: int, seconds: float) -> None:
    """Watch as many short processes come and go, for so long at least, a processes table asked every interval."""
    procs = views.load().views["procs"]
    states: list[Status] = []
    ended = threading.Event()

    def take(snapshot: Snapshot) -> None:
        if isinstance(snapshot, Status):
            states.append(snapshot)
            session.ask("table", TableRequest(procs))
            if snapshot.error:
                ended.set()

    ingest = LiveIngest(
        lambda: LiveSource(Options(ring=32 << 20), budget=1 << 40), interval=1_000_000_000, budget=BUDGET
    )
    session = Session(ingest, take)
    session.start()
    memory: list[int] = []
    lives = 0
    with subprocess.Popen(["sh", "-c", _CHURN]) as busy:
        try:
            began = time.monotonic()
            while not ended.is_set() and (lives < processes or time.monotonic() < began + seconds):
                assert time.monotonic() < began + 20 * seconds, f"only {lives} processes"
                time.sleep(0.5)
                lives = max((thread.life for thread in list(ingest.store.threads)[-50:]), default=0)
                memory.append(resident())
                assert ingest.store.memory.total < 1.3 * BUDGET
        finally:
            busy.kill()
            session.close()
    assert not states[-1].error
    assert ingest.store.forgotten, "the budget was reached"
    half = len(memory) // 2
    assert max(memory[half:]) < max(memory[:half]) + SLACK
    assert max(memory) < memory[0] + BUDGET + SLACK


def test_as_many_processes_as_ten_thousand_a_minute_make_in_two() -> None:
    churn(20_000, 10)


@pytest.mark.long
def test_ten_thousand_processes_a_minute_for_an_hour() -> None:
    churn(600_000, 3600)

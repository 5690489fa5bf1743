"""A native recording of the live machine opens whatever ended it, with all that was flushed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.sources.native.files import column, opened
from tests.engine.sources.native.second_reader import Capture, frames
from tests.live.observing import Observer

pytestmark = pytest.mark.usefixtures("observer")
TUI = (sys.executable, "-m", "tui.cli", "record")
BUSY = "while :; do cat /etc/hostname /etc/passwd >/dev/null; done"


def counted(data: bytes) -> int:
    """Events in the whole segments of a file's bytes."""
    return sum(body["count"] for kind, body, _ in frames(data) if kind == 3)


def killed(path: Path, noise: random.Random) -> None:
    """Record until killed at a moment of chance; what was in the file before is there, and opens."""
    process = subprocess.Popen([*TUI, "-w", str(path), "--", "sh", "-c", BUSY], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (not path.exists() or not counted(path.read_bytes())):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        time.sleep(noise.random() * 1.5)
        flushed = counted(path.read_bytes())
        time.sleep(noise.random() * 0.02)
    finally:
        process.kill()
        process.communicate()
    data = path.read_bytes()
    store = opened(path)
    assert store.events == counted(data) >= flushed > 0
    assert (column(store, "type") < 2048).all()
    assert all(damage.ends and "frame" in damage.expected for damage in store.damage)
    assert {b"sh", b"cat"} <= {thread.comm for thread in store.threads}
    path.unlink()


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_recording_opens_with_all_that_was_flushed(tmp_path: Path, seed: int) -> None:
    killed(tmp_path / "x.syscope", random.Random(seed))


@pytest.mark.long
def test_a_hundred_killed_recordings_open(tmp_path: Path) -> None:
    for seed in range(100):
        killed(tmp_path / "x.syscope", random.Random(seed))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_recording_that_is_stopped_is_finished(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "x.syscope"
    process = subprocess.Popen([*TUI, "-w", str(path)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not path.exists() or not counted(path.read_bytes())):
        time.sleep(0.02)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert path.read_bytes()[-24:-16] == b"SYSCEND\0"
    store = opened(path)
    assert store.damage == []
    assert f"tui record: {store.events} events" in told


def test_a_native_recording_and_a_second_reader_agree(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "x.syscope"
    done = subprocess.run([*TUI, "-w", str(path), "-z", "--", "cat", "/etc/hostname"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    store, read = opened(path), Capture(path)
    assert read.calls == "single"
    assert (column(store, "latency") == read.columns["latency"]).all()
    assert [thread["comm"] for thread in read.threads] == [thread.comm for thread in store.threads]

"""`tui view` without a capture watches the machine, interval by interval."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.live.observing import Observer
from views import load

TUI = str(Path(sys.executable).with_name("tui"))
READS = 20


@pytest.fixture
def stream(observer: Observer) -> Any:
    """A started `tui view`, stopped at the end; the observer skips the test where watching is not allowed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen([TUI, "view", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_every_interval_has_the_rows_of_what_happened_in_it(stream: Any, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.write_text("x" * 100)
    running = stream("files", "--json", "--every", "500ms", f"fd.name={watched}")
    first = json.loads(running.stdout.readline())
    assert first["rows"] == []
    for _ in range(READS):
        watched.read_bytes()
    intervals = [first]
    while sum(row["OPENS"] for each in intervals for row in each["rows"]) < READS:
        intervals.append(json.loads(running.stdout.readline()))
    assert sum(row["BYTES IN"] for each in intervals for row in each["rows"]) == 100 * READS
    for sooner, later in pairwise(intervals):
        assert sooner["from"] <= sooner["to"] < later["from"]
    quiet = json.loads(running.stdout.readline())
    assert quiet["rows"] == []
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130


def test_a_table_of_each_interval_begins_with_its_time(stream: Any) -> None:
    running = stream("syscalls", "--every", "500ms", "--top", "2")
    lines = [running.stdout.readline() for _ in range(6)]
    running.send_signal(signal.SIGINT)
    assert " – " in lines[0]
    assert lines[1].split() == ["CALLS/S", "TOT", "TIME", "AVG", "TIME", "SYSCALL"]
    assert "\n" in lines
    assert running.wait(20) == 130


@pytest.mark.long
@pytest.mark.parametrize("view", sorted(load().views))
def test_every_view_is_there_live_and_ends_when_told(stream: Any, view: str) -> None:
    table, rows = stream(view, "--every", "500ms"), stream(view, "--every", "500ms", "--json")
    assert " – " in table.stdout.readline()
    told = [json.loads(rows.stdout.readline()) for _ in range(2)]
    assert all(each["from"] <= each["to"] and isinstance(each["rows"], list) for each in told)
    for process in (table, rows):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (130, "")

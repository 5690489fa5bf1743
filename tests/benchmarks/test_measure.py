"""Measured commands take turns; a command that fails is no measurement."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import MeasureError, interleaved, measure


def test_time_and_memory_are_those_of_the_command() -> None:
    # A process of its own measures: Linux tells the memory of who started a command as its peak, too.
    asked = """
import sys
from benchmarks.measure import measure
run = measure([sys.executable, "-c", "held = bytearray(100 << 20); sum(range(2_000_000))"])
print(run.wall, run.cpu, run.peak)
"""
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True)
    wall, cpu, peak = map(float, told.stdout.split())
    assert wall > 0
    assert cpu > 0
    assert 100 << 20 < peak < 400 << 20


def test_a_failing_command_has_no_time() -> None:
    with pytest.raises(MeasureError, match="exit status 3"):
        measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_commands_take_turns_after_a_round_that_is_not_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {name: ["sh", "-c", f"echo {name} >> {log}"] for name in ("a", "b")}
    assert interleaved(commands, 2).keys() == {"a", "b"}
    assert log.read_text().split() == ["a", "b"] * 3

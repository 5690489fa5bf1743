"""Damaged captures neither crash nor hang the reader, nor make it take memory without bound."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import CAPTURES_VARIABLE, ROOT
from tests.engine import fuzzing

BATCH = 250


def shared() -> Path:
    """Folder of the shared captures; where there is none the crafted captures alone are damaged."""
    return Path(os.environ.get(CAPTURES_VARIABLE) or ROOT.parent / "shared" / "captures")


def run(first: int, count: int) -> None:
    command = [sys.executable, "-m", "tests.engine.fuzzing", str(shared()), str(first), str(count)]
    batch = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    numbers = batch.stdout.split()
    assert batch.returncode == 0, f"case {numbers[-1:]} ended with {batch.returncode}: {batch.stderr[-3000:]}"
    assert len(numbers) == count


def test_damaged_captures_are_read_to_an_end() -> None:
    run(0, BATCH)


@pytest.mark.long
@pytest.mark.parametrize("first", range(BATCH, 10_000 + BATCH, BATCH))
def test_ten_thousand_damaged_captures_are_read_to_an_end(first: int) -> None:
    run(first, BATCH)


@pytest.mark.parametrize("number", range(10))
def test_the_crafted_captures_are_sound(number: int, tmp_path: Path) -> None:
    path = tmp_path / "sound.scap"
    path.write_bytes(fuzzing.made()[number])
    store = fuzzing.read(path)
    assert store is not None
    assert store.damage == []
    blocks = len(fuzzing.blocks_of(path.read_bytes()))
    assert store.events >= blocks - 2 * 6


def test_cases_are_of_all_sorts(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    path = tmp_path / "case.scap"
    for number in range(60):
        path.write_bytes(fuzzing.case(number, tmp_path))
        store = fuzzing.read(path)
        outcomes["refused" if store is None else "damaged" if store.damage else "undamaged"] += 1
    assert min(outcomes["refused"], outcomes["damaged"], outcomes["undamaged"]) > 0, outcomes

"""Damaged and crafted native captures neither crash nor hang the reader, nor make it take memory without bound."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.engine import native_fuzzing
from tests.engine.test_fuzz_captures import shared

BATCH = 300


def run(first: int, count: int) -> None:
    command = [sys.executable, "-m", "tests.engine.native_fuzzing", str(shared()), str(first), str(count)]
    batch = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    numbers = batch.stdout.split()
    assert batch.returncode == 0, f"case {numbers[-1:]} ended with {batch.returncode}: {batch.stderr[-3000:]}"
    assert len(numbers) == count


def test_damaged_native_captures_are_read_to_an_end() -> None:
    run(0, BATCH)


@pytest.mark.long
@pytest.mark.parametrize("first", range(BATCH, 10_000 + BATCH, BATCH))
def test_ten_thousand_damaged_native_captures_are_read_to_an_end(first: int) -> None:
    run(first, BATCH)


@pytest.mark.parametrize("number", [6284])
def test_what_once_broke_the_reader_is_read_to_an_end(number: int) -> None:
    run(number, 1)


def test_cases_are_of_all_sorts(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    path = tmp_path / "case.syscope"
    for number in range(80):
        path.write_bytes(native_fuzzing.case(number, tmp_path, tmp_path))
        store = native_fuzzing.read(path)
        outcomes["refused" if store is None else "damaged" if store.damage else "undamaged"] += 1
    assert min(outcomes["refused"], outcomes["damaged"], outcomes["undamaged"]) > 0, outcomes

"""Spectrograms: every call in its cell, and the filter of a cell keeps exactly what it counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.query.matches import Matches
from engine.query.spectrogram import SpectrogramRequest, SpectrogramSnapshot, edges
from engine.store.store import Store
from tests.engine.query.asking import ask, read


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return read(captures / "502Error.scap")


def spectrogram(store: Store, request: SpectrogramRequest) -> SpectrogramSnapshot:
    snapshot = ask(store, request)
    assert isinstance(snapshot, SpectrogramSnapshot)
    return snapshot


@pytest.mark.parametrize("columns", [11, 40, 66, 180])
def test_every_call_with_a_latency_is_counted_once(store: Store, columns: int) -> None:
    shown = spectrogram(store, SpectrogramRequest(columns=columns))
    matches = Matches(store, "syscall.type exists and evt.dir=< and evt.latency>=0")
    matches.update()
    assert shown.counts.sum() == len(matches) > 1000


def test_a_rectangle_keeps_what_it_counts(store: Store) -> None:
    shown = spectrogram(store, SpectrogramRequest(rows=12, columns=44))
    limits = edges(44)
    for row, column in np.argwhere(shown.counts > 3)[::7]:
        start = shown.start + int(row) * shown.width
        text = f"{shown.filter} and evt.latency>={limits[column]} and evt.latency<{limits[column + 1]}"
        matches = Matches(store, text, (start, start + shown.width - 1))
        matches.update()
        # Calls of no time at all are in the first column.
        assert len(matches) == shown.counts[row, column], (row, column)


def test_only_files(store: Store) -> None:
    shown = spectrogram(store, SpectrogramRequest(files=True))
    matches = Matches(store, "fd.type=file and evt.dir=< and syscall.type exists and evt.latency>=0")
    matches.update()
    assert shown.counts.sum() == len(matches) > 0


@given(st.integers(11, 400))
def test_columns_go_from_one_ns_to_a_hundred_seconds(columns: int) -> None:
    limits = edges(columns)
    assert limits[0] == 1
    assert (np.diff(limits) >= 0).all()
    assert 10**10 <= limits[-1] < 10**11

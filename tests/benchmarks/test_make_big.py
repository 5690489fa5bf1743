"""A big capture is the small one again and again, later each time, and nothing sysdig 0.29.3 fails on."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from benchmarks.make_big import PAUSE, make_big, split
from engine.events import FdKind
from tests.scapfile import Entry, event, fd_list, machine, section

CLOSE_ENTER, NEWEST, GENERIC_ENTER = 6, 453, 0


def times(path: Path) -> list[int]:
    _, events, places = split(path.read_bytes())
    return [struct.unpack_from("<Q", events, place)[0] for place in places]


def test_events_repeat_with_shifted_times(tmp_path: Path) -> None:
    small, big = tmp_path / "small.scap.gz", tmp_path / "big.scap"
    events = event(CLOSE_ENTER, 7, 1000, [bytes(8)]) + event(CLOSE_ENTER, 7, 1500, [bytes(8)])
    small.write_bytes(gzip.compress(section() + machine(cpus=2) + events))
    assert make_big(small, big, 5) == 6
    step = 500 + PAUSE
    assert times(big) == [1000 + k * step + late for k in range(3) for late in (0, 500)]
    assert big.read_bytes().startswith(section() + machine(cpus=2) + events)


def test_what_an_old_sysdig_fails_on_is_left_out(tmp_path: Path) -> None:
    small, big = tmp_path / "small.scap", tmp_path / "big.scap"
    kept = Entry(1, FdKind.FIFO, b"pipe:[1]")
    small.write_bytes(
        section(options=b"\x01\x00\x04\x00talk")
        + fd_list(7, [kept, Entry(2, FdKind.PIDFD, b"anon_inode:[pidfd]")])
        + event(NEWEST, 7, 1000, [])
        + event(GENERIC_ENTER, 7, 2000, [struct.pack("<H", 400), bytes(2)])
    )
    assert make_big(small, big, 1) == 1
    generic = event(GENERIC_ENTER, 7, 2000, [bytes(2), bytes(2)])
    assert big.read_bytes() == section() + fd_list(7, [kept]) + generic


def test_a_capture_without_events_is_refused(tmp_path: Path) -> None:
    small = tmp_path / "small.scap"
    small.write_bytes(section())
    with pytest.raises(ValueError, match="no events"):
        make_big(small, tmp_path / "big.scap", 1)

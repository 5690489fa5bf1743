"""Plain and gzip streams, and reading their bytes again."""

from __future__ import annotations

import errno
import gzip
import os
import random
import zlib
from pathlib import Path

import pytest

from engine.sources import open_capture, raw
from engine.sources.raw import PAGE, KeptBytes
from tests.engine.sources.recorder import Recorder, record
from tests.scapfile import event, section


def capture(count: int) -> bytes:
    noise = random.Random(count)
    return section() + b"".join(event(7, 1, 1000 + number, [bytes(8), noise.randbytes(60)]) for number in range(count))


def flushed(data: bytes) -> bytes:
    """Gzip as a live writer leaves it: flushed, without an end."""
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.scap"


def read(path: Path, data: bytes) -> Recorder:
    path.write_bytes(data)
    return record(path)


def test_gzip_holds_what_the_plain_file_holds(path: Path) -> None:
    data = capture(100_000)
    plain, zipped = read(path, data), read(path, gzip.compress(data, 1))
    assert zipped.offsets == plain.offsets
    assert zipped.times == plain.times
    assert len(plain.times) == 100_000


@pytest.mark.parametrize("cut", [1, 28, 500, 5000])
def test_members_one_after_the_other_are_one_stream(path: Path, cut: int) -> None:
    data = capture(100)
    recorder = read(path, gzip.compress(data[:cut]) + gzip.compress(b"") + gzip.compress(data[cut:]))
    assert len(recorder.times) == 100
    assert recorder.damage == []


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 1_000_000])
def test_zeros_after_the_last_member_are_padding(path: Path, padding: bytes) -> None:
    recorder = read(path, gzip.compress(capture(100)) + padding)
    assert len(recorder.times) == 100
    assert recorder.damage == []


@pytest.mark.parametrize("after", [b"\x1f", b"no member", b"\0" * 1_000_000 + gzip.compress(capture(1))])
def test_what_follows_a_member_and_is_none_is_told(path: Path, after: bytes) -> None:
    recorder = read(path, gzip.compress(capture(100)) + after)
    assert len(recorder.times) == 100
    assert "expected another gzip member or the end of the file" in str(recorder.damage[0])


def test_a_live_capture_killed_between_blocks_gives_every_event(path: Path) -> None:
    data = capture(100)
    recorder = read(path, flushed(data))
    assert len(recorder.times) == 100
    (damage,) = recorder.damage
    assert str(damage) == (
        f"{path}: at byte {len(data)}: expected the capture to go on (the compressed data end in the middle)"
    )


def test_a_live_capture_killed_inside_a_block_gives_the_events_before(path: Path) -> None:
    data = capture(100)
    recorder = read(path, flushed(data[:-10]))
    assert len(recorder.times) == 99
    (damage,) = recorder.damage
    assert damage.offset == recorder.offsets[-1] + len(event(7, 1, 1, [bytes(8), bytes(60)]))
    assert "(the compressed data end in the middle)" in damage.expected


def test_a_gzip_file_cut_anywhere_gives_a_prefix(path: Path) -> None:
    data = capture(300)
    zipped = gzip.compress(data)
    times = [1000 + number for number in range(300)]
    counts = []
    for size in range(100, len(zipped), 997):
        recorder = read(path, zipped[:size])
        assert recorder.times == times[: len(recorder.times)]
        assert recorder.damage[-1].ends
        counts.append(len(recorder.times))
    assert counts == sorted(counts)
    assert counts[-1] > 200


def test_all_before_a_damaged_byte_of_a_gzip_file_is_kept(path: Path) -> None:
    zipped = bytearray(gzip.compress(capture(300)))
    zipped[-8] ^= 0xFF
    recorder = read(path, bytes(zipped))
    assert len(recorder.times) == 300
    (damage,) = recorder.damage
    assert "incorrect data check" in damage.expected
    assert damage.ends


def test_progress_grows_to_one(path: Path) -> None:
    path.write_bytes(capture(200_000))
    source = open_capture(path)
    recorder = Recorder(source.raw)
    seen = [source.progress]
    while source.step(recorder):
        seen.append(source.progress)
    assert 0 < seen[0] < 0.5
    assert seen == sorted(seen)
    assert source.progress == 1.0
    source.close()


def test_inflated_bytes_beyond_the_budget_are_spilled_and_read_the_same(path: Path) -> None:
    data = capture(100_000)
    assert len(data) > 2 * PAGE
    path.write_bytes(gzip.compress(data, 1))
    assert len(record(path, budget=PAGE).times) == 100_000


def test_a_gzip_file_may_hold_a_block_larger_than_what_is_inflated_ahead(path: Path) -> None:
    large = event(402, 1, 5, [b"", b"", random.Random(5).randbytes(1 << 21) * 10])
    recorder = read(path, gzip.compress(capture(10) + large + large, 1))
    assert recorder.times == [1000 + number for number in range(10)] + [5, 5]
    assert recorder.damage == []


def test_a_gzip_file_may_be_closed_before_it_is_read(path: Path) -> None:
    path.write_bytes(gzip.compress(capture(10) * 30_000, 1))
    source = open_capture(path)
    source.step(Recorder(source.raw))
    assert source.progress < 1
    source.close()


def test_what_cannot_be_spilled_ends_the_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = capture(100_000)
    path.write_bytes(gzip.compress(data, 1))
    monkeypatch.setattr(os, "pwrite", full)
    source = open_capture(path, budget=PAGE)
    recorder = Recorder(source.raw)
    while source.step(recorder):
        pass
    source.close()
    assert PAGE - 300 < recorder.offsets[-1] < PAGE
    (damage,) = recorder.damage
    assert damage.expected == "could not be read: No space left on device"
    assert damage.ends


def test_spilling_leaves_room_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(gzip.compress(capture(100_000), 1))
    monkeypatch.setattr(raw, "RESERVE", 1 << 60)
    recorder = record(path, budget=PAGE)
    assert PAGE - 300 < recorder.offsets[-1] < PAGE
    (damage,) = recorder.damage
    assert "MiB are left where inflated bytes go" in damage.expected
    assert damage.ends


def test_a_plain_file_holds_no_memory(path: Path) -> None:
    path.write_bytes(capture(10))
    source = open_capture(path)
    assert source.raw.nbytes == 0
    source.close()


@pytest.mark.parametrize("budget", [0, PAGE, 4 * PAGE])
def test_kept_bytes_are_read_again_wherever_they_lie(budget: int) -> None:
    noise = random.Random(budget)
    data = noise.randbytes(3 * PAGE + 12345)
    kept = KeptBytes(budget)
    at = 0
    while at < len(data):
        size = noise.randrange(1, PAGE // 2)
        kept.append(memoryview(data[at : at + size]))
        at += size
    assert kept.nbytes == min(len(data), budget)
    spans = [(0, len(data)), (PAGE - 1, PAGE + 1), (PAGE, 2 * PAGE), (len(data) - 5, len(data) + 5), (9, 9)]
    spans += [(start := noise.randrange(len(data)), start + noise.randrange(2 * PAGE)) for _ in range(50)]
    for start, end in spans:
        assert kept.read(start, end) == data[start:end]
    kept.close()

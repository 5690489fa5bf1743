"""Blocks in any order, sections, cuts and damage."""

from __future__ import annotations

import os
import random
import struct
import threading
from pathlib import Path

import pytest

from engine.model.facts import Thread
from engine.sources import CaptureError, open_capture, scap
from engine.sources.blocks import LONGEST
from tests import scapfile
from tests.engine.sources.recorder import Recorder, record
from tests.scapfile import block, event, machine, process_list, renumber, section

LIST = process_list(9, [Thread(tid=1, pid=1)])
UNKNOWN = block(0x7777, b"from the future")


def events(count: int, first: int = 0) -> list[bytes]:
    return [event(0, 1, 1000 + number, [bytes(2), bytes(2)]) for number in range(first, first + count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.scap"


def read(path: Path, data: bytes) -> Recorder:
    path.write_bytes(data)
    return record(path)


def resized(framed: bytes, head: int | None = None, tail: int | None = None) -> bytes:
    """A block with another length at its head or its tail."""
    if head is not None:
        framed = framed[:4] + struct.pack("<I", head) + framed[8:]
    return framed if tail is None else framed[:-4] + struct.pack("<I", tail)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a capture, found an empty file"),
        (section()[:10], "at byte 0: expected a section header of at least 16 bytes, found 10"),
        (b"PK\3\4" + bytes(40), "at byte 0: expected a capture's section header 0x0a0d0d0a, found 0x04034b50"),
        (section(major=2), "at byte 0: expected format version 1, found 2.2"),
        (
            section(magic=0x4D3C2B1A),
            "at byte 0: expected little-endian numbers, found a capture of a machine of the other byte order",
        ),
        (section(magic=5), "at byte 0: expected the byte order mark 0x1a2b3c4d, found 0x00000005"),
    ],
)
def test_what_is_no_capture_is_refused_in_one_message(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(CaptureError) as refusal:
        open_capture(path)
    assert str(refusal.value) == f"{path}: {message}"


def test_a_file_that_cannot_be_opened_is_refused_in_one_message(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"/none: No such file or directory$"):
        open_capture(tmp_path / "none")
    with pytest.raises(CaptureError, match=r": expected a file, found a directory$"):
        open_capture(tmp_path)
    with pytest.raises(CaptureError, match=r"/dev/null: expected a file, found a device$"):
        open_capture("/dev/null")


def test_a_named_pipe_is_read_as_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"".join([section(), *events(3)]),))
    writer.start()
    assert len(record(pipe).offsets) == 3
    writer.join()


@pytest.mark.parametrize("minor", [0, 1, 2, 99])
def test_every_minor_version_is_read(path: Path, minor: int) -> None:
    recorder = read(path, section(minor) + events(1)[0])
    assert len(recorder.offsets) == 1


def test_options_of_a_section_header_are_skipped(path: Path) -> None:
    options = struct.pack("<HH8sHH", 1, 8, b"comment.", 0, 0)
    recorder = read(path, section(options=options) + machine(cpus=3) + events(1)[0])
    assert [machine.cpus for machine in recorder.machines] == [3]
    assert recorder.damage == []


def test_events_of_every_block_number_are_fed(path: Path) -> None:
    blocks = [
        event(0, 1, 1, [], version=version, flags=0 if flags else None, large=large)
        for version, flags, large in scapfile.EVENTS
    ]
    blocks.append(renumber(blocks[0], scapfile.LEGACY[0x204]))
    recorder = read(path, section() + b"".join(blocks))
    assert len(recorder.offsets) == 7
    assert recorder.damage == []


def test_metadata_is_handed_on_in_the_order_of_the_file(path: Path) -> None:
    recorder = read(path, section() + b"".join(events(2)) + LIST + machine() + events(1)[0] + LIST)
    assert recorder.told == ["section", "event", "thread", "machine", "event", "thread"]


def test_blocks_of_unknown_numbers_are_skipped_anywhere(path: Path) -> None:
    first, second = events(2)
    recorder = read(path, section() + UNKNOWN + first + UNKNOWN + second + UNKNOWN)
    assert recorder.times == [1000, 1001]
    assert recorder.damage == []


def test_a_second_section_begins_anew(path: Path) -> None:
    one = section() + LIST + events(1)[0]
    recorder = read(path, one + one)
    assert recorder.told == ["section", "thread", "event"] * 2


def test_a_capture_without_events_is_no_damage(path: Path) -> None:
    recorder = read(path, section())
    assert (recorder.offsets, recorder.damage) == ([], [])


def test_reading_stops_at_the_limit(path: Path) -> None:
    path.write_bytes(section() + b"".join(events(10)))
    assert record(path, limit=4).times == [1000, 1001, 1002, 1003]


def test_blocks_lie_across_the_ends_of_chunks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [section(), *(block for one in events(500) for block in (one, UNKNOWN))]
    for chunk in (64, 100, 1 << 12):
        monkeypatch.setattr(scap, "CHUNK", chunk)
        recorder = read(path, b"".join(blocks))
        assert len(recorder.offsets) == 500
        assert recorder.damage == []


def test_a_block_larger_than_a_chunk_is_read_whole(path: Path) -> None:
    threads = [Thread(tid=tid, pid=tid, env=(bytes(4000).replace(b"\0", b"x"),)) for tid in range(1, 1500)]
    lists = process_list(9, threads)
    assert len(lists) > scap.CHUNK
    recorder = read(path, section() + lists + events(1)[0] + lists + events(1)[0])
    assert len(recorder.threads) == 2 * len(threads)
    assert len(recorder.offsets) == 2


@pytest.mark.parametrize("left", range(1, 48))
def test_everything_before_a_cut_is_kept(path: Path, left: int) -> None:
    whole = section() + b"".join(events(3))
    last = events(1)[0]
    assert len(last) == 48
    recorder = read(path, whole + last[:left])
    assert len(recorder.offsets) == 3
    (damage,) = recorder.damage
    missing = f"a block of 48 bytes, found {left}" if left >= 8 else f"a block's header of 8 bytes, found {left}"
    assert str(damage) == f"{path}: at byte {len(whole)}: expected {missing}"
    assert damage.ends


def test_a_cut_between_blocks_is_a_clean_end(path: Path) -> None:
    assert read(path, section() + events(1)[0]).damage == []


@pytest.mark.parametrize("victim", ["event", "list"])
def test_a_wrong_length_at_the_end_of_a_block_loses_nothing(path: Path, victim: str) -> None:
    first, second, third = events(3)
    sound = second if victim == "event" else LIST
    recorder = read(path, section() + first + resized(sound, tail=4) + third)
    assert len(recorder.offsets) == (3 if victim == "event" else 2)
    assert len(recorder.threads) == (0 if victim == "event" else 1)
    (damage,) = recorder.damage
    assert damage.offset == len(section() + first)
    assert damage.expected == f"expected the block's length {len(sound)} again at its end, found 4"
    assert not damage.ends


@pytest.mark.parametrize("length", [0, 4, 8, 12, 13, 54, 60, 400, LONGEST + 4, 2**32 - 4])
def test_a_wrong_length_at_the_head_of_a_block_loses_that_block_only(path: Path, length: int) -> None:
    many = events(2000)
    before, victim, after = b"".join(many[:10]), many[10], b"".join(many[11:])
    recorder = read(path, section() + before + resized(victim, head=length) + after)
    assert recorder.times == [1000 + number for number in range(2000) if number != 10]
    (damage,) = recorder.damage
    start = len(section() + before)
    assert damage.offset == start
    assert damage.expected.endswith(f"; reading goes on at byte {start + len(victim)}")
    assert not damage.ends


def test_a_length_beyond_the_file_loses_that_block_only(path: Path) -> None:
    many = events(3000)
    recorder = read(path, section() + resized(many[0], head=1 << 24) + b"".join(many[1:]))
    assert len(recorder.offsets) == 2999
    assert len(recorder.damage) == 1


@pytest.mark.parametrize(
    "garbage",
    [b"\xaa" * 1001, bytes(5_000_001), random.Random(1).randbytes(300_003)],
    ids=["a little", "more than a chunk", "random"],
)
def test_reading_goes_on_behind_garbage(path: Path, garbage: bytes) -> None:
    before, after = events(10), events(10, 10)
    recorder = read(path, section() + b"".join(before) + garbage + b"".join(after))
    assert recorder.times == [1000 + number for number in range(20)]
    assert [damage.ends for damage in recorder.damage] == [False]
    assert recorder.damage[0].offset == len(section() + b"".join(before))


def test_garbage_up_to_the_end_ends_the_reading_where_it_begins(path: Path) -> None:
    whole = section() + b"".join(events(10))
    recorder = read(path, whole + b"\xaa" * 5_000_000)
    assert len(recorder.offsets) == 10
    assert [(damage.offset, damage.ends) for damage in recorder.damage] == [(len(whole), True)]


def test_blocks_inside_the_payload_of_a_cut_event_are_not_read(path: Path) -> None:
    forged = b"".join(events(20))
    carrier = event(7, 1, 1, [bytes(8), forged + bytes(100)])
    recorder = read(path, section() + events(1)[0] + carrier[:-50])
    assert len(recorder.offsets) == 1
    assert [damage.ends for damage in recorder.damage] == [True]


def test_a_later_section_that_cannot_be_read_ends_the_reading(path: Path) -> None:
    whole = section() + b"".join(events(2))
    recorder = read(path, whole + section(major=3) + b"".join(events(2)))
    assert len(recorder.offsets) == 2
    (damage,) = recorder.damage
    assert str(damage) == f"{path}: at byte {len(whole)}: expected format version 1, found 3.2"
    assert damage.ends


def test_reading_ends_after_too_many_damaged_places(path: Path) -> None:
    broken = b"".join(resized(each, head=0) + events(1)[0] for each in events(500))
    recorder = read(path, section() + broken)
    assert len(recorder.damage) == scap.MOST_DAMAGE + 1
    assert recorder.damage[-1].ends
    assert 0 < len(recorder.offsets) <= scap.MOST_DAMAGE


def test_a_file_cut_while_it_is_read_gives_what_there_is(path: Path) -> None:
    path.write_bytes(section() + b"".join(events(200_000)))
    source = open_capture(path)
    recorder = Recorder(source.raw)
    assert source.step(recorder)
    read_before = len(recorder.offsets)
    with path.open("r+b") as file:
        file.truncate(1000)
    while source.step(recorder):
        pass
    assert 0 < read_before <= len(recorder.offsets) < 200_000
    assert [damage.ends for damage in recorder.damage] == [True]
    assert bytes(source.raw.read(996, 1010)) == (section() + b"".join(events(30)))[996:1000]
    source.close()

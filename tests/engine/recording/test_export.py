"""An exported capture shows exactly what was chosen, and says of it what the whole one says."""

from __future__ import annotations

import gzip
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from engine import filters
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.decode.pairs import Pairs
from engine.filters import FilterError
from engine.model.facts import Thread
from engine.query.lines import LineFormat
from engine.recording.export import Choice, export
from engine.recording.moments import MomentError, moment, window
from engine.sources import CaptureError, open_capture
from engine.sources.native.frames import Data, Kind, frame
from engine.sources.native.writer import NativeWriter
from engine.sources.raw import KeptBytes
from engine.store.segment import HIDDEN
from engine.store.store import RawBytes, Store
from tests import scapfile
from tests.conftest import ROOT
from tests.engine import fuzzing
from tests.engine.sources.native.files import assert_same, converted, opened
from tests.engine.sources.native.second_reader import frames

DEMO = ROOT / "tui" / "demo.scap.gz"
SECOND = 10**9
SHOWN = (
    "*%evt.rawtime %evt.cpu %evt.dir %evt.type %evt.args %evt.rawres %proc.pid %thread.tid %proc.cmdline %proc.exepath "
    "%proc.cwd %proc.pname %proc.ppid %user.name %group.name %fd.num %fd.name %fd.type %container.id %container.name"
)


def shown(store: Store, text: str = "", window: tuple[int, int] | None = None) -> list[str]:
    """The lines of the events a filter keeps in a window."""
    layout, kept = LineFormat(SHOWN), filters.compile(text)
    lines = []
    for segment in store.segments:
        mask = kept.mask(store, segment)
        if window is not None:
            mask = mask & (segment.time >= window[0]) & (segment.time <= window[1])
        lines += [layout.line(Event(store, segment, row)) or "" for row in np.flatnonzero(mask).tolist()]
    return lines


CHOICES = [
    ("502Error.scap", "proc.name=curl", "", ""),
    ("502Error.scap", "fd.type=ipv4 and evt.dir=<", "2s", "4s"),
    ("containers.scap.gz", "proc.name=httpd", "5s", "10s"),
    ("mixed25_thin.scap.gz", "evt.failed=true and evt.type=openat", "3s", ""),
    ("mixed_thin.scap.gz", "user.name=www-data", "", "8s"),
    ("tiny.scap", "", "0.1s", "-0.1s"),
]


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
@pytest.mark.parametrize(("name", "text", "since", "until"), CHOICES)
def test_exactly_the_chosen_events_are_visible_and_about_the_same(
    captures: Path, tmp_path: Path, name: str, text: str, since: str, until: str, suffix: str
) -> None:
    target = tmp_path / f"x.{suffix}"
    count, _ = export(captures / name, target, Choice(text, since, until))
    store = opened(captures / name)
    span = store.time_span
    between = window(since, until, span)
    again = opened(target)
    assert again.damage == []
    expected = shown(store, text, between if since or until else None)
    assert len(expected) == count > 0
    assert shown(again) == expected
    if suffix == "scap":
        assert target.stat().st_size < 0.8 * len(store.raw.read(0, store.segments[-1].end))


SOME = ("502Error.scap", "containers.scap.gz", "tiny25.scap.gz")
OTHERS = (
    *("libs_curl_google.scap", "libs_curl_google_comments.scap", "libs_sample_2023.scap"),
    *("libs_single_ipv6_conn.scap", "libs_test_ipv6_client.scap", "mixed.scap.gz", "mixed25_thin.scap.gz"),
    *("mixed_thin.scap.gz", "tiny.scap", "tiny.scap.gz", "tiny_z.scap", "xxradar_docker_curl_2025.scap"),
)


@pytest.mark.parametrize("name", [*SOME, *(pytest.param(name, marks=pytest.mark.long) for name in OTHERS)])
def test_scap_to_native_and_back_is_the_same_stream(captures: Path, tmp_path: Path, name: str) -> None:
    native, back = tmp_path / "x.syscope", tmp_path / "x.scap"
    count, _ = export(captures / name, native, Choice())
    assert export(native, back, Choice())[0] == count
    data = (captures / name).read_bytes()
    assert back.read_bytes() == (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    assert_same(opened(captures / name), opened(back))


def test_native_parts_of_native_captures_know_what_the_whole_knew(captures: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.syscope"
    export(captures / "containers.scap.gz", whole, Choice())
    export(whole, tmp_path / "part.syscope", Choice("proc.name=httpd", "5s", "10s"))
    store = opened(whole)
    direct = tmp_path / "direct.syscope"
    export(captures / "containers.scap.gz", direct, Choice("proc.name=httpd", "5s", "10s"))
    part = opened(tmp_path / "part.syscope")
    assert shown(part) == shown(opened(direct))
    started = {thread.pid: thread.started for thread in store.threads if thread.comm == b"httpd"}
    for thread in part.threads:
        if thread.comm == b"httpd":
            assert thread.started == started[thread.pid]
    latencies = {line: event.latency for line, event in _lines(store)}
    assert all(event.latency == latencies[line] for line, event in _lines(part))


def _lines(store: Store) -> list[tuple[str, Event]]:
    kept = filters.compile("proc.name=httpd")
    layout = LineFormat(SHOWN)
    return [
        (layout.line(event) or "", event)
        for segment in store.segments
        for row in np.flatnonzero(kept.mask(store, segment)).tolist()
        for event in [Event(store, segment, row)]
    ]


def test_the_tables_stand_as_they_stood_at_the_beginning(captures: Path, tmp_path: Path) -> None:
    source = captures / "containers.scap.gz"
    span = opened(source).time_span
    since = span[0] + 6 * SECOND
    export(source, tmp_path / "x.scap", Choice("evt.type=read", str(since)))
    again = opened(tmp_path / "x.scap")
    before = opened(source)
    number = next(
        segment.first + int(row)
        for segment in before.segments
        for row in np.flatnonzero(filters.compile("evt.type=read").mask(before, segment) & (segment.time >= since))[:1]
    )
    columns = before.threads.columns
    alive = {
        (before.threads[row].tid, before.threads[row].comm, before.threads[row].args, before.threads[row].cwd)
        for row in np.flatnonzero((columns["first"] <= number) & (columns["last"] > number))
        if before.threads[row].pid >= 0
    }
    listed = {(thread.tid, thread.comm, thread.args, thread.cwd) for thread in again.threads if thread.first == 1}
    assert listed == alive
    rows = before.fds.rows
    open_then = rows[(rows["first"] <= number) & ((rows["last"] > number) | (rows["last"] < 0))]
    names = {before.fds.identities[row["identity"]].name for row in open_then if row["thread"] >= 0}
    told = {again.fds.identities[row["identity"]].name for row in again.fds.rows[again.fds.rows["first"] == 1]}
    assert told - {b""} <= names
    assert len(told) > 10


def single(path: Path, calls: int) -> None:
    """A native capture as recorded live: one exit a call."""
    raw = KeptBytes()
    store = Store(raw)
    decoder = Decoder(store, "live")
    decoder.thread(Thread(tid=10, pid=10, ptid=0, comm=b"cat", cwd=b"/"))
    front = scapfile.section() + scapfile.process_list(9, [Thread(tid=10, pid=10, ptid=0, comm=b"cat", cwd=b"/")])
    writer = NativeWriter(path, store, single=True, front=front)
    for number in range(calls):
        params = scapfile.pack(3, fd=3 + number, name=b"/x%d" % number, flags=1, mode=0)
        block = scapfile.event(3, 10, SECOND * (1 + number), params)
        base = raw.size
        raw.append(memoryview(block))
        decoder.feed(block, base, 0, np.array([SECOND // 2 if number else -1]))
    decoder.seal()
    writer.close()


def test_a_live_capture_becomes_pairs_for_every_reader(tmp_path: Path) -> None:
    single(tmp_path / "x.syscope", 5)
    assert export(tmp_path / "x.syscope", tmp_path / "x.scap", Choice())[0] == 5
    store = opened(tmp_path / "x.scap")
    events = [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]
    # The first one's start was not seen.
    assert [event.type.is_exit for event in events] == [True, *[False, True] * 4]
    assert [event.latency for event in events if event.type.is_exit] == [None, *[SECOND // 2] * 4]
    assert {event.thread.comm for event in events if event.thread} == {b"cat"}
    # A part of it is one again.
    assert export(tmp_path / "x.syscope", tmp_path / "part.syscope", Choice(since="2s"))[0] == 3
    part = opened(tmp_path / "part.syscope")
    assert [Event(part, part.segments[0], row).latency for row in range(len(part.segments[0]))] == [SECOND // 2] * 3


@pytest.mark.parametrize("number", range(10))
def test_events_of_every_version_can_be_hidden(tmp_path: Path, number: int) -> None:
    source, target = tmp_path / "x.scap", tmp_path / "y.scap"
    source.write_bytes(fuzzing.made()[number])
    try:
        count, _ = export(source, target, Choice("evt.type=close or evt.type=read"))
    except CaptureError:
        pytest.fail("nothing was chosen")
    store, again = opened(source), opened(target)
    assert again.damage == []
    assert sum(int((segment.flags & HIDDEN == 0).sum()) for segment in again.segments) == count
    assert again.events > count
    layout = "*%evt.rawtime %evt.type %evt.args"
    lines = LineFormat(layout)
    kept = filters.compile("evt.type=close or evt.type=read")
    told = [
        lines.line(Event(one, segment, row))
        for one in (store, again)
        for segment in one.segments
        for row in np.flatnonzero(kept.mask(one, segment)).tolist()
    ]
    assert [line and line.split()[:2] for line in told[:count]] == [line and line.split()[:2] for line in told[count:]]


def test_times_are_understood() -> None:
    span = (1506127469 * SECOND + 500, 1506127500 * SECOND)
    assert moment("5s", span) == moment("+5s", span) == span[0] + 5 * SECOND
    assert moment("-1.5s", span) == span[1] - 1_500_000_000
    assert moment("1506127470000000000", span) == 1506127470 * SECOND
    from datetime import datetime

    clock = datetime.fromtimestamp(1506127480)
    assert moment(clock.strftime("%H:%M:%S"), span) == 1506127480 * SECOND
    assert moment(clock.strftime("%Y-%m-%dT%H:%M:%S.25"), span) == 1506127480 * SECOND + SECOND // 4
    earlier = datetime.fromtimestamp(1506127400)
    assert moment(earlier.strftime("%H:%M:%S"), span) == (1506127400 + 86400) * SECOND
    for wrong in ("5 apples", "25:00", "s", ""):
        with pytest.raises(MomentError, match="expected one as in"):
            moment(wrong, span)


@pytest.mark.parametrize(("since", "until"), [("20s", "10s"), ("31s", ""), ("", "1506127468000000000")])
def test_a_stretch_without_anything_of_the_capture_is_told_with_what_there_is(since: str, until: str) -> None:
    span = (1506127469 * SECOND + 500, 1506127499 * SECOND)
    with pytest.raises(MomentError, match="there is nothing from ") as refusal:
        window(since, until, span)
    begin, end = re.findall("goes from (.*) to (.*)", str(refusal.value))[0]
    assert window(begin, end, (0, 2**62)) == span


def test_what_cannot_be_exported_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    copy = tmp_path / "demo.scap.gz"
    shutil.copy(DEMO, copy)
    with pytest.raises(CaptureError, match="no event is chosen"):
        export(copy, tmp_path / "x.scap", Choice("proc.name=nobody"))
    with pytest.raises(FilterError):
        export(copy, tmp_path / "x.scap", Choice("proc.nam=x"))
    with pytest.raises(MomentError):
        export(copy, tmp_path / "x.scap", Choice(since="noon"))
    with pytest.raises(MomentError):
        export(copy, tmp_path / "x.scap", Choice(since="1h"))
    with pytest.raises(CaptureError, match="another file"):
        export(copy, copy, Choice())
    assert not (tmp_path / "x.scap").exists()
    source = open_capture(copy)
    source.close()


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
def test_each_section_of_several_keeps_what_it_tells(captures: Path, tmp_path: Path, suffix: str) -> None:
    several, target = tmp_path / "several.scap", tmp_path / f"out.{suffix}"
    parts = [gzip.decompress(DEMO.read_bytes()), (captures / "tiny.scap").read_bytes()]
    several.write_bytes(b"".join([*parts, parts[0]]))
    text = "evt.type in (openat, open, execve) and evt.dir=<"
    count, damage = export(several, target, Choice(text))
    assert not damage
    exported = opened(target)
    assert shown(exported) == shown(opened(several), text)
    assert count == len(shown(exported))
    assert exported.machine == opened(DEMO).machine


class _Forged:
    """Bytes of a stream of which four are not those that were decoded."""

    nbytes = 0

    def __init__(self, raw: RawBytes, at: int, value: int) -> None:
        self._raw, self._at, self._value = raw, at, value

    def read(self, start: int, end: int) -> memoryview:
        data = bytearray(self._raw.read(start, end))
        if start <= self._at and self._at + 4 <= end:
            struct.pack_into("<I", data, self._at - start, self._value)
        return memoryview(data)


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
@pytest.mark.parametrize("size", [0, 32, 2**32 - 4])
def test_an_event_whose_bytes_cannot_be_its_own_is_left_out_and_told(tmp_path: Path, size: int, suffix: str) -> None:
    native, target = tmp_path / "x.syscope", tmp_path / f"out.{suffix}"
    whole = opened(DEMO)
    kept = filters.compile("evt.type=close and evt.dir=<")
    row = int(np.flatnonzero(kept.mask(whole, whole.segments[0]))[3])
    at = int(whole.segments[0].offset[row])
    whole.raw = _Forged(whole.raw, at + 4, size)
    writer = NativeWriter(native, whole)
    writer.follow()
    writer.close()
    choice = Choice("evt.type=close and evt.dir=<")
    before, _ = export(DEMO, tmp_path / "whole.scap", choice)
    count, damage = export(native, target, choice)
    assert count == before - 1
    assert [(one.offset, one.expected.split(",")[0]) for one in damage] == [(at, "expected an event block")]
    expected = shown(opened(tmp_path / "whole.scap"))
    assert shown(opened(target)) == expected[:3] + expected[4:]


def with_a_damaged_page(path: Path, *, of: int) -> None:
    """Make the bundled capture a native one in which a segment's raw bytes are damaged."""
    converted(DEMO, path)
    made = b""
    parts = list(frames(path.read_bytes()))
    damaged = [body["first"] for kind, body, _ in parts if kind == Kind.SEGMENT][of]
    for kind, body, region in parts:
        if kind == Kind.SEGMENT and body["first"] == damaged:
            at = body["pages"][0][0]
            region = region[:at] + bytes(64) + region[at + 64 :]
        if kind != Kind.INDEX:
            made += frame(Kind(kind), body, Data(pieces=[region], size=len(region)))
    path.write_bytes(made)


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
def test_a_copy_of_a_capture_with_a_damaged_page_has_all_other_events(tmp_path: Path, suffix: str) -> None:
    native, target = tmp_path / "x.syscope", tmp_path / f"out.{suffix}"
    with_a_damaged_page(native, of=-1)
    whole, _ = export(DEMO, tmp_path / "whole.scap", Choice())
    count, damage = export(native, target, Choice())
    assert "checksum" in damage[0].expected
    assert 0 < count < whole
    again = opened(target)
    assert again.damage == []
    assert sum(int((segment.flags & HIDDEN == 0).sum()) for segment in again.segments) == count


def test_a_capture_whose_beginning_is_damaged_is_refused_for_that(tmp_path: Path) -> None:
    with_a_damaged_page(tmp_path / "x.syscope", of=0)
    with pytest.raises(CaptureError, match=r"x\.syscope: at byte \d+: .*checksum"):
        export(tmp_path / "x.syscope", tmp_path / "out.scap", Choice())


def test_what_is_no_event_block_is_not_made_a_pair() -> None:
    blocks = bytearray(scapfile.event(3, 1, 0, [b""]))
    for size in (0, 4, 8, 12, 32, len(blocks) + 4, 2**32 - 4):
        struct.pack_into("<I", blocks, 4, size)
        with pytest.raises(ValueError, match="no event block at 0"):
            Pairs(1000).blocks(memoryview(blocks), np.zeros(1, np.int64), hidden=np.ones(1, np.uint8))

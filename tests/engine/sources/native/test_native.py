"""A native capture gives back what was followed, whole or cut, and nothing a file holds can do harm."""

from __future__ import annotations

import random
import struct
import time
import zlib
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

import views
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.ingest import CaptureIngest
from engine.model.facts import Thread
from engine.query.snapshots import Snapshot, Status, TableRequest
from engine.session import Session
from engine.sources import CaptureError, open_capture
from engine.sources.native.frames import HEAD_SIZE, MAGIC, TRAILER_SIZE, Data, Kind, frame
from engine.sources.native.segments import COLUMNS
from engine.sources.native.source import NativeSource
from engine.sources.native.writer import NativeWriter
from engine.sources.raw import KeptBytes
from engine.store.segment import HIDDEN
from engine.store.store import Loss, Store
from tests import scapfile
from tests.conftest import ROOT
from tests.engine import fuzzing
from tests.engine.sources.native.files import assert_same, column, converted, files_of_at_most, opened
from tests.engine.sources.native.second_reader import GENERIC, Capture, frames

DEMO = ROOT / "tui" / "demo.scap.gz"
NAMES = ("502Error.scap", "containers.scap.gz", "mixed25_thin.scap.gz", "tiny.scap", "xxradar_docker_curl_2025.scap")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("native") / "demo.syscope"
    converted(DEMO, path)
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "deflated"])
def test_a_capture_comes_back_from_its_native_file(captures: Path, tmp_path: Path, name: str, compress: bool) -> None:
    path = tmp_path / "x.syscope"
    store = converted(captures / name, path, compress=compress)
    again = opened(path)
    assert again.damage == []
    assert_same(store, again)


@pytest.mark.parametrize("number", range(10))
def test_crafted_captures_come_back(tmp_path: Path, number: int) -> None:
    source, path = tmp_path / "x.scap", tmp_path / "x.syscope"
    source.write_bytes(fuzzing.made()[number])
    assert_same(converted(source, path), opened(path))


def test_a_second_reader_written_from_the_page_reads_the_same(tmp_path: Path) -> None:
    for compress in (False, True):
        path = tmp_path / f"{compress}.syscope"
        store = converted(DEMO, path, compress=compress)
        read = Capture(path)
        for name, values in read.columns.items():
            assert (column(store, name) == values).all(), name
        unknown = asdict(Thread(0))
        assert [{**unknown, **told} for told in read.threads] == [asdict(thread) for thread in store.threads]
        assert read.fds == [list(row) for row in store.fds.rows.tolist()]
        assert [(kind, name) for kind, name, _ in read.names] == [
            (identity.kind, identity.name) for identity in store.fds.identities
        ]
        assert sum(socket is not None for _, _, socket in read.names) == sum(
            identity.socket is not None for identity in store.fds.identities
        )
        assert {name: told["name"] for name, told in read.containers.items()} == {
            name: container.name for name, container in store.containers.items()
        }
        assert len(read.users) == len(store.users)
        assert read.raw == bytes(store.raw.read(0, store.segments[-1].end))
        assert read.calls == "paired"


def test_a_second_reader_reads_every_column_and_every_table(captures: Path, tmp_path: Path) -> None:
    kinds: set[str] = set()
    for name in ("containers.scap.gz", "502Error.scap", "libs_curl_google.scap"):
        path = tmp_path / "x.syscope"
        store = converted(
            captures / name, path, compress=name.startswith("5"), losses=[Loss((5, 6), 7), Loss((8, 9), 1)]
        )
        read = Capture(path)
        assert set(read.columns) | {"samples", "others"} == set(COLUMNS) == set(read.segments[0]["columns"])
        for kind in ("samples", "others"):
            rows = [tuple(row) for row in column(store, kind).tolist()]
            assert getattr(read, kind) == rows
            kinds |= {kind} if rows else set()
        assert read.more["losses"] == [[5, 6, 7], [8, 9, 1]]
        assert read.more["sampled"] == list(store.sampled)
        assert read.whole["machine"] == (None if store.machine is None else list(store.machine))
        assert read.whole["interfaces"] == [list(one) for one in store.interfaces]
        assert read.whole["groups"] == [[container, list(one)] for (container, _), one in store.groups.items()]
        assert dict((life, tuple(call)) for life, call in read.whole["inside"] or []) == store.inside
        assert (read.whole["inside_at"] or 0) == store.inside_at
        kinds |= {kind for kind, there in read.whole.items() if there}
        spans = [segment.time_span for segment in store.segments]
        assert [(body["start"], body["last"]) for body in read.segments] == spans
        assert [body["types"] for body in read.segments] == [one.types_present.tolist() for one in store.segments]
        of_segments = [row for row in read.index if row[1] == 3]
        assert [(row[2], *row[3:]) for row in of_segments] == [
            tuple(body[name] for name in ("count", "first", "start", "last", "begin", "end")) for body in read.segments
        ]
    assert kinds == {"samples", "others", "groups", "interfaces", "machine", "inside", "inside_at"}


def test_a_second_reader_finds_each_events_own_record(captures: Path, tmp_path: Path) -> None:
    for name in ("containers.scap.gz", "libs_sample_2023.scap", "tiny.scap"):
        path = tmp_path / "x.syscope"
        store = converted(captures / name, path)
        read, columns = Capture(path), {name: column(store, name) for name in ("type", "time", "cpu", "thread")}
        for number in range(0, store.events, 7):
            code, time_ns, cpu, tid = read.record(number)
            expected = int(columns["type"][number])
            assert code == (expected if expected < GENERIC else expected % 2)
            assert (time_ns, cpu) == (columns["time"][number], columns["cpu"][number])
            row = int(columns["thread"][number])
            assert row < 0 or read.threads[row]["tid"] == tid


def test_a_file_cut_at_any_byte_keeps_every_whole_frame(demo: Path, tmp_path: Path) -> None:
    data = demo.read_bytes()
    whole = opened(demo)
    path = tmp_path / "cut.syscope"
    noise = random.Random(7)
    for size in [0, 3, HEAD_SIZE, *sorted(noise.randrange(len(data)) for _ in range(60))]:
        path.write_bytes(data[:size])
        expected = sum(body["count"] for kind, body, _ in frames(data[:size]) if kind == 3)
        if not list(frames(data[:size])):
            with pytest.raises(CaptureError, match=r"cut\.syscope"):
                open_capture(path)
            continue
        store = opened(path)
        assert store.events == expected
        if expected:
            for name in ("time", "type", "thread", "latency", "offset"):
                assert (column(store, name) == column(whole, name)[:expected]).all()
        assert [damage.ends for damage in store.damage] in ([], [True])


def test_a_file_that_could_not_grow_is_finished_as_it_is(captures: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.syscope"
    source = open_capture(captures / "containers.scap.gz")
    store = Store(source.raw)
    decoder = Decoder(store, "x")
    writer = NativeWriter(path, store)
    with files_of_at_most(10_000_000), pytest.raises(OSError, match="too large"):
        while source.step(decoder):
            writer.follow()
        writer.follow()
    # There is room again, but not for what was to come in between.
    writer.close()
    again, read = opened(path), Capture(path)
    assert again.damage == []
    assert 0 < again.events < store.events
    assert len(read.index) == sum(kind in (2, 3) for kind, _, _ in frames(path.read_bytes()))
    for name in ("time", "thread", "fd_row", "latency"):
        assert (column(again, name) == column(store, name)[: again.events]).all()


def test_without_its_index_a_file_opens_to_the_same(demo: Path, tmp_path: Path) -> None:
    data = demo.read_bytes()
    (index,) = struct.unpack_from("<Q", data, len(data) - TRAILER_SIZE + 8)
    path = tmp_path / "x.syscope"
    for changed in (
        data[:index],
        data[:-1],
        data[:-6] + b"\0" + data[-5:],
        data[: index + 40] + b"x" + data[index + 41 :],
    ):
        path.write_bytes(changed)
        assert_same(opened(demo), opened(path))


def test_events_that_come_a_few_at_a_time_are_one_segment_when_read(tmp_path: Path) -> None:
    raw = KeptBytes()
    store = Store(raw)
    decoder = Decoder(store, "live")
    decoder.thread(Thread(tid=10, pid=10, ptid=0, comm=b"cat", cwd=b"/"))
    writer = NativeWriter(tmp_path / "x.syscope", store, single=True, front=scapfile.section())
    for number in range(40):
        block = scapfile.event(3, 10, 1000 + number, scapfile.pack(3, fd=3, name=b"/x%d" % number, flags=1, mode=0))
        base = raw.size
        raw.append(memoryview(block))
        decoder.feed(block, base, 0, np.array([number]))
        decoder.seal()
        writer.follow()
    writer.close()
    again = opened(tmp_path / "x.syscope")
    assert len(store.segments) == 40
    assert len(again.segments) == 1
    for name in ("time", "latency", "fd_row", "thread", "type"):
        assert (column(store, name) == column(again, name)).all(), name
    event = Event(again, again.segments[0], 39)
    assert event.fd is not None
    assert event.fd.name == b"/x39"
    assert event.params[1] == b"/x39\0"
    assert event.latency == 39
    source = open_capture(tmp_path / "x.syscope")
    assert source.single
    source.close()


def test_a_number_of_events_is_kept_to(demo: Path) -> None:
    whole = opened(demo)
    for limit in (0, 1, 4096, 70_000, whole.events + 5):
        store = opened(demo, limit=limit)
        assert store.events == min(limit, whole.events)
        if limit:
            assert (column(store, "time") == column(whole, "time")[:limit]).all()
            assert column(store, "samples")["event"].max(initial=0) < limit


def test_opening_reads_no_column(demo: Path) -> None:
    source = open_capture(demo)
    store = Store(source.raw)
    decoder = Decoder(store, "demo")
    while source.step(decoder):
        pass
    assert store.events == opened(demo).events
    assert store.time_span != (0, 0)
    assert not any("time" in vars(segment) for segment in store.segments)
    assert source.raw.nbytes == 0
    source.close()


def _damaged(data: bytes, kind: int, path: Path) -> int:
    """Write ``data`` with a bit changed in the first block of the first frame of a kind; where that frame is."""
    at = 0
    changed = bytearray(data)
    for found, _, region in frames(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        start = -(-(at + 32 + size) // 64) * 64
        if found == kind:
            changed[start] ^= 1
            path.write_bytes(changed)
            return at
        at = start + len(region)
    raise AssertionError(f"no frame of kind {kind}")


def test_a_damaged_segment_is_left_out_and_told_with_file_and_offset(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.syscope"
    at = _damaged(demo.read_bytes(), 3, path)
    store = opened(path)
    assert store.events == opened(demo).events
    assert store.damage == []
    hidden = column(store, "flags") & HIDDEN
    (damage,) = store.damage
    assert damage.path == str(path)
    assert damage.offset >= at
    assert "checksum" in damage.expected
    (count, *_) = (body["count"] for kind, body, _ in frames(path.read_bytes()) if kind == 3)
    assert hidden[:count].all()
    assert (
        hidden.sum()
        == (column(opened(demo), "flags") & HIDDEN).sum()
        + count
        - (column(opened(demo), "flags")[:count] & HIDDEN).sum()
    )


def test_damage_that_only_a_question_meets_is_told_then(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.syscope"
    _damaged(demo.read_bytes(), 3, path)
    told: SimpleQueue[Snapshot] = SimpleQueue()
    session = Session(CaptureIngest(path), told.put)
    session.start()
    session.ask("table", TableRequest(view=views.load().views["procs"]))
    deadline = time.monotonic() + 20
    damage: tuple[str, ...] = ()
    while not damage and time.monotonic() < deadline:
        snapshot = told.get(timeout=20)
        damage = snapshot.damage if isinstance(snapshot, Status) else ()
    session.close()
    assert [str(path) in one and "checksum" in one for one in damage] == [True]


def _signed(made: bytes) -> bytes:
    """A frame's bytes with its checksums put right."""
    head = bytearray(made)
    (size,) = struct.unpack_from("<I", head, 8)
    struct.pack_into("<I", head, 12, zlib.crc32(head[HEAD_SIZE : HEAD_SIZE + size]))
    struct.pack_into("<I", head, 28, zlib.crc32(head[:28]))
    return bytes(head)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("thread", 2**31 - 1, "rows of threads"),
        ("fd_row", -2, "rows of fds"),
        ("type", 2048, "types"),
        ("offset", -1, "offsets"),
        ("latency", -2, "latencies"),
    ],
)
def test_rows_that_point_nowhere_are_refused_though_the_checksums_hold(
    tmp_path: Path, name: str, value: int, told: str
) -> None:
    source = open_capture(DEMO)
    store = Store(source.raw)
    decoder = Decoder(store, "demo", limit=100)
    while source.step(decoder):
        pass
    values = getattr(store.segments[0], name).copy()
    values[50] = value
    store.segments[0].__dict__[name] = values
    writer = NativeWriter(tmp_path / "x.syscope", store)
    writer.close()
    again = opened(tmp_path / "x.syscope")
    assert (column(again, "flags") == HIDDEN).all()
    assert told in again.damage[0].expected


def test_a_file_cannot_claim_more_events_than_there_is_memory_for(demo: Path, tmp_path: Path) -> None:
    path, claimed = tmp_path / "x.syscope", 2**31 - 1
    made = b""
    for kind, body, region in frames(demo.read_bytes()):
        if kind == Kind.SEGMENT:
            body["count"] = claimed
        if kind != Kind.INDEX:
            made += frame(Kind(kind), body, Data(pieces=[region], size=len(region)))
    path.write_bytes(made)
    store = opened(path)
    assert store.events == 0
    assert [(one.ends, f"found {claimed}" in one.expected) for one in store.damage] == [(True, True)]


def test_what_is_no_native_capture_is_refused_with_file_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "x.syscope"
    for content in (MAGIC, MAGIC + bytes(100), MAGIC + b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(CaptureError, match=r"x\.syscope: at byte 0: expected"):
            open_capture(path)


def test_a_newer_version_is_refused(demo: Path, tmp_path: Path) -> None:
    data = bytearray(demo.read_bytes())
    at = data.index(b"\xa7version") + 8
    assert data[at] == 1
    data[at] = 2
    path = tmp_path / "x.syscope"
    path.write_bytes(_signed(bytes(data)))
    with pytest.raises(CaptureError, match="version 1, found 2"):
        open_capture(path)


def test_a_name_does_not_matter(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    path.write_bytes(demo.read_bytes())
    source = open_capture(path)
    assert isinstance(source, NativeSource)
    source.close()


def test_nothing_a_store_knows_is_left_out() -> None:
    """A table that is added to a store has to be told in ``told`` and taken in ``taken``, or listed here."""
    told = {
        *("segments", "threads", "fds", "containers", "users", "groups", "interfaces", "machine", "cluster"),
        *("inside", "inside_at", "sampled", "losses", "forgotten"),
    }
    of_the_reader = {"raw", "port_names", "user_names", "damage", "revision", "compactions"}
    own = {name for name in vars(Store(KeptBytes())) if not name.startswith("_")}
    assert own == told | of_the_reader

"""A store that forgets its oldest events answers about the others as one that forgot nothing."""

from __future__ import annotations

import json
import random
from dataclasses import fields
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import views
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.fields import FIELDS
from engine.model.facts import Thread
from engine.query.compose import compose
from engine.query.lines import LineFormat
from engine.query.overview import OverviewRequest
from engine.query.payload import Shape, ViewAs
from engine.query.snapshots import LinesRequest, Request, Snapshot, TableRequest, VerdictRequest
from engine.query.spectrogram import SpectrogramRequest
from engine.query.table import TableRun
from engine.query.timeline import Measure, TimelineRequest
from engine.query.work import Kept
from engine.sources import open_capture
from engine.sources.raw import PAGE, KeptBytes
from engine.store.segment import Window
from engine.store.store import Store
from engine.store.threads import IN_FORCE, ThreadRows
from tests.engine.decode.decoded import Machine, listed
from tests.engine.query.asking import ask

VIEWS = views.load().views
CONTAINER, MMAP, PROCEXIT = 324, 161, 186
CGROUP = b"memory=/docker/%s"


class Feeding:
    """A capture decoded block by block, sealed every ``size`` events."""

    def __init__(self, path: Path, size: int) -> None:
        self._source = open_capture(path)
        self.store = Store(self._source.raw)
        self.decoder = Decoder(self.store, str(path))
        self._size = size

    def feed(self, buffer: memoryview, base: int, start: int) -> object:
        """Hand on a few blocks at a time."""
        at = start
        while True:
            end = at
            for _ in range(self._size):
                if end + 8 <= len(buffer) and end + (
                    length := int.from_bytes(buffer[end + 4 : end + 8], "little")
                ) <= len(buffer):
                    end += max(length, 12)
            stopped = self.decoder.feed(buffer[:end], base, at)
            if stopped[0] == at or end == at:
                return self.decoder.feed(buffer, base, at)
            at = stopped[0]
            self.decoder.seal()
            self.sealed()

    def __getattr__(self, name: str) -> object:
        return getattr(self.decoder, name)

    def sealed(self) -> None:
        """A segment was sealed."""

    def read(self) -> Store:
        while self._source.step(self):  # type: ignore[arg-type]
            pass
        return self.store


class Forgetting(Feeding):
    """The same, of which only the newest segments are kept."""

    def __init__(self, path: Path, size: int, keep: int, choose: random.Random, moving: float = 0.3) -> None:
        super().__init__(path, size)
        self._moving = moving
        self._keep = keep
        self._choose = choose
        self.compacted = 0

    def sealed(self) -> None:
        while len(self.store.segments) > self._keep:
            compact = self._choose.random() < self._moving
            self.compacted += compact
            self.decoder.forget(1, -1 << 40 if compact else 1 << 40)


@pytest.fixture(scope="module")
def demo() -> Path:
    with as_file(files("tui") / "demo.scap.gz") as path:
        return Path(path)


def lines(store: Store, first: int) -> list[str]:
    form = LineFormat()
    return [
        form.line(Event(store, segment, row)) or ""
        for segment in store.segments
        if segment.first >= first
        for row in range(len(segment))
    ]


def rows_of(store: Store, view: str, window: Window) -> list[tuple[object, ...]]:
    run = TableRun(store, VIEWS[view], compose("", (), VIEWS[view]), window=window)
    assert run.update()
    return sorted(run.table().values(), key=repr)


def told(snapshot: Snapshot) -> list[object]:
    values = [getattr(snapshot, each.name) for each in fields(snapshot)]
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000), size=st.sampled_from([40, 200]), keep=st.integers(2, 12))
def test_events_and_tables_are_the_same_as_without_forgetting(demo: Path, seed: int, size: int, keep: int) -> None:
    whole = Feeding(demo, size).read()
    forgetting = Forgetting(demo, size, keep, random.Random(seed))
    partly = forgetting.read()

    assert forgetting.compacted
    assert partly.forgotten == partly.segments[0].first > 0
    assert partly.events == whole.events
    assert lines(partly, partly.forgotten) == lines(whole, partly.forgotten)
    window = (partly.segments[1].time_span[0], partly.segments[-1].time_span[1])
    for view in VIEWS:
        assert rows_of(partly, view, window) == rows_of(whole, view, window), view


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_between_requests_is_as_if_made_of_the_remaining_segments(demo: Path, seed: int) -> None:
    choose = random.Random(seed)
    whole = Feeding(demo, 200).read()
    middle = [segment.time_span[0] for segment in whole.segments][len(whole.segments) // 2]
    windows = (None, (middle, whole.time_span[1]), (whole.time_span[0], middle))
    asked: list[Request] = [
        request
        for window in windows
        for request in (
            OverviewRequest(window=window),
            OverviewRequest(filter="evt.failed=true", window=window),
            TimelineRequest(span=window, measure=choose.choice(list(Measure))),
            SpectrogramRequest(window=window),
            TableRequest(VIEWS["procs"], window=window),
            TableRequest(VIEWS["file_opens"], window=window),
            TableRequest(VIEWS["file_opens"], window=window, sort=2, text="LIB"),
            TableRequest(VIEWS["files"], window=window, sort=5, text="e", search="lib"),
            VerdictRequest(filter="fd.type=file", window=window),
            LinesRequest(filter="proc.name!=sh", window=window, offset=5, count=20),
            LinesRequest(text="Open", window=window, offset=3, count=20, search="lib"),
            LinesRequest(view_as=ViewAs.HEX, text="res", window=window, offset=9, count=20),
            LinesRequest(shape=Shape.ECHO, view_as=ViewAs.HEX, window=window, count=20),
        )
    ]
    kept: Kept | None = None
    forgotten = compared = 0

    class Asking(Forgetting):
        def sealed(self) -> None:
            nonlocal kept, forgotten, compared
            super().sealed()
            kept = kept or Kept(self.store)
            if self.compacted:
                kept, self.compacted = Kept(self.store), 0
            elif forgotten != self.store.forgotten:
                kept.forget()
            forgotten = self.store.forgotten
            for request in choose.sample(asked, 2):
                assert told(ask(self.store, request, kept)) == told(ask(self.store, request)), request
                compared += bool(forgotten)

    Asking(demo, 60, 8, choose, moving=0.05).read()
    assert compared > 100


def test_tables_do_not_outgrow_what_is_kept(demo: Path) -> None:
    whole = Feeding(demo, 200).read()
    partly = Forgetting(demo, 200, 2, random.Random(1)).read()
    assert partly.forget(0, -1)
    partly.compact()
    assert not partly.forget(0, 1)
    alive = sum(thread.ended < 0 for thread in partly.threads)
    assert len(partly.threads) < len(whole.threads) / 2
    assert len(partly.threads) < 3 * alive
    assert len(partly.fds) < len(whole.fds) / 2
    assert len(partly.fds.identities) < len(whole.fds.identities) / 2


def test_versions_say_when_they_were_in_force() -> None:
    rows = ThreadRows()
    rows.extend([Thread(1, 1, life=0, first=1, vm_rss=5), Thread(2, 2, life=1, first=2), Thread(1, 1, life=0, first=7)])
    rows.end(1, 9)

    assert rows.columns["last"].tolist() == [7, 9, IN_FORCE]
    assert rows.columns["next"].tolist() == [2, -1, -1]
    assert rows.columns["born"].tolist() == [1, 2, 1]
    assert rows[1].ended == 9

    moved = rows.compact(8)
    assert moved.tolist() == [-1, 0, 1, -1]
    assert [thread.tid for thread in rows] == [2, 1]
    assert rows.columns["origin"].tolist() == [0, 1]
    rows.append(Thread(1, 1, life=0, first=12))
    assert rows.columns["last"].tolist() == [9, 12, IN_FORCE]


def test_whom_later_versions_point_at_is_kept() -> None:
    rows = ThreadRows()
    rows.extend([Thread(1, 1, life=0), Thread(2, 2, life=1, parent=0), Thread(3, 3, life=2, parent=1)])
    rows.end(0, 2)
    rows.end(1, 3)
    assert rows.compact(10).tolist() == [0, 1, 2, -1]
    assert [thread.parent for thread in rows] == [-1, 0, 1]


def test_dropped_bytes_are_given_back() -> None:
    raw = KeptBytes(1 << 40)
    block = memoryview(b"x" * PAGE)
    for _ in range(8):
        raw.append(block)
    raw.drop(3 * PAGE + 5)
    assert raw.nbytes == 5 * PAGE
    assert bytes(raw.read(0, 4)) == b""
    assert bytes(raw.read(3 * PAGE, 3 * PAGE + 4)) == b"xxxx"
    raw.append(memoryview(b"end"))
    assert bytes(raw.read(8 * PAGE, 8 * PAGE + 3)) == b"end"


def test_containers_are_forgotten_with_their_last_process() -> None:
    seen = Machine(listed(10), listed(20, cgroups=(CGROUP % (b"a" * 64),)), listed(30, cgroups=(CGROUP % (b"b" * 64),)))
    for name in "abc":
        seen.happens(CONTAINER, -1, json=json.dumps({"id": name * 12, "name": name}))
    seen.happens(PROCEXIT, 20, status=0)
    for _ in range(4):
        last = seen.happens(MMAP, 30, res=0)
    assert seen.store.containers.keys() == {"a" * 12, "b" * 12, "c" * 12}
    seen.decoder.forget(5, -1 << 40)
    assert seen.store.containers.keys() == {"b" * 12, "c" * 12}
    assert FIELDS["container.name"].of(Event(seen.store, seen.store.segments[-1], 0)) == b"b"
    assert last.number == seen.store.events

"""Recording beside a screen holds what the store has kept of before, and everything after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import filters
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.query.lines import LineFormat
from engine.query.snapshots import Status
from engine.recording.following import Recording
from engine.sources import open_capture
from engine.sources.native.writer import NativeWriter
from engine.store.store import Store
from tests.engine.fake_machine import READ, SECOND
from tests.engine.sources.native.files import column, opened, reads
from tests.engine.test_live_ingest import Watched, live

SHOWN = (
    "*%evt.rawtime %evt.cpu %evt.dir %evt.type %evt.rawres %proc.pid %proc.cmdline %proc.cwd %fd.num %fd.name "
    "%fd.type %container.id %container.name %user.name"
)


def lines(store: Store, first: int = 0) -> list[str]:
    """How many visible events there are after the first few, and many of them."""
    layout, kept = LineFormat(SHOWN), filters.compile("")
    found = [
        (segment, row)
        for segment in store.segments
        for row in np.flatnonzero(kept.mask(store, segment)).tolist()
        if segment.first + row >= first
    ]
    return [str(len(found)), *(layout.line(Event(store, segment, row)) or "" for segment, row in found[::13])]


def recorded(capture: Path, target: Path, *, forget: int) -> Recording:
    """Read a capture in three steps; record from the second on, the past but for ``forget`` segments included."""
    source = open_capture(capture)
    store = Store(source.raw)
    decoder = Decoder(store, str(capture))
    recording = Recording(store, decoder, single=False)
    assert source.step(decoder)
    recording.step()
    assert recording.state is None
    decoder.forget(forget)
    recording.start(target)
    more = True
    while more:
        recording.step()
        more = source.step(decoder)
    recording.close()
    source.close()
    return recording


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
@pytest.mark.parametrize("forget", [0, 1])
def test_the_past_that_is_kept_and_all_that_follows_is_recorded(
    captures: Path, tmp_path: Path, suffix: str, forget: int
) -> None:
    capture, target = captures / "containers.scap.gz", tmp_path / f"x.{suffix}"
    recording = recorded(capture, target, forget=forget)
    whole = opened(capture)
    kept_from = sum(len(segment) for segment in whole.segments[:forget])
    assert recording.state is not None
    assert (recording.state.path, recording.state.open, recording.state.problem) == (target, False, "")
    assert recording.state.events == whole.events - kept_from
    again = opened(target)
    assert again.damage == []
    expected, found = lines(whole, kept_from), lines(again)
    assert found == expected


def test_numbers_of_events_stay_those_of_the_screen(captures: Path, tmp_path: Path) -> None:
    capture = captures / "containers.scap.gz"
    recorded(capture, tmp_path / "x.syscope", forget=1)
    again, whole = opened(tmp_path / "x.syscope"), opened(capture)
    assert again.segments[0].first == len(whole.segments[0])
    assert again.events == whole.events
    assert again.forgotten == again.segments[0].first
    assert (column(again, "time") == column(whole, "time")[again.segments[0].first :]).all()


def test_rows_that_move_while_recording_still_name_the_same(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = Store.forget
    monkeypatch.setattr(Store, "forget", lambda *asked: forget(*asked) or True)
    capture, target = captures / "containers.scap.gz", tmp_path / "x.syscope"
    source = open_capture(capture)
    store = Store(source.raw)
    decoder = Decoder(store, str(capture))
    recording = Recording(store, decoder, single=False)
    recording.start(target)
    while source.step(decoder):
        recording.step()
        decoder.forget(sum(segment.first + len(segment) < recording.needed_from for segment in store.segments))
    recording.close()
    assert store.compactions > 1
    assert lines(opened(target)) == lines(opened(capture))


def test_what_cannot_be_written_is_told(captures: Path, tmp_path: Path) -> None:
    recording = recorded(captures / "containers.scap.gz", tmp_path / "none" / "x.syscope", forget=0)
    assert recording.state is not None
    assert recording.state.problem == "No such file or directory"
    assert not recording.state.open


def test_a_watched_machine_is_recorded_from_what_is_kept_to_the_end(tmp_path: Path) -> None:
    for name in ("x.syscope", "x.scap"):
        watched = Watched()
        watched.start()
        watched.machine.happen(READ, 10, data=b"before")
        watched.interval(60 * SECOND)
        watched.session.record(tmp_path / name)
        watched.settle()
        watched.machine.happen(READ, 20, data=b"after")
        recorded = live(watched.interval(60 * SECOND)).recorded
        assert recorded is not None
        assert recorded.open
        watched.session.record(None)
        watched.settle()
        recorded = live(watched.interval(60 * SECOND)).recorded
        assert recorded is not None
        assert (recorded.open, recorded.events, recorded.problem) == (False, 2, "")
        watched.machine.happen(READ, 10, data=b"too late")
        watched.interval(60 * SECOND)
        watched.session.close()
        store = opened(tmp_path / name)
        exits = [
            (event.thread and event.thread.comm, event.params[1], event.latency)
            for segment in store.segments
            for row in range(len(segment))
            for event in [Event(store, segment, row)]
            if event.type.is_exit
        ]
        assert exits == [(b"busy", b"before", 5), (b"idle", b"after", 5)]


@pytest.mark.parametrize("name", ["x.syscope", "x.scap"])
def test_what_still_waits_in_the_kernel_when_the_screen_is_left_is_recorded(tmp_path: Path, name: str) -> None:
    watched = Watched()
    watched.start()
    watched.session.record(tmp_path / name)
    watched.settle()
    machine = watched.machine
    machine.on_drain = lambda: setattr(machine, "stuck", not machine.stopped)
    watched.settle()
    machine.happen(data=b"at the last moment")
    watched.session.close()
    assert reads(tmp_path / name) == [b"at the last moment"]


@pytest.mark.parametrize("name", ["x.syscope", "x.scap"])
def test_what_came_before_a_failure_is_recorded(tmp_path: Path, name: str) -> None:
    watched = Watched()
    watched.start()
    watched.session.record(tmp_path / name)
    watched.settle()
    watched.machine.happen(data=b"before")
    watched.settle()
    watched.machine.failing = RuntimeError("a bug")
    status = watched.wait(Status, lambda status: live(status).ended)
    assert "a bug" in status.error
    recorded = live(status).recorded
    assert recorded is not None
    assert (recorded.open, recorded.problem) == (False, "")
    watched.session.close()
    assert reads(tmp_path / name) == [b"before"]


def test_a_recording_that_fails_is_told_and_the_screen_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    watched.start()
    watched.session.record(tmp_path / "x.syscope")
    watched.settle()

    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(NativeWriter, "follow", broken)
    watched.machine.happen(data=b"lost")
    recorded = live(watched.interval(60 * SECOND)).recorded
    assert recorded is not None
    assert (recorded.open, recorded.problem) == (False, "RuntimeError: a bug")
    watched.machine.happen(READ, 20, data=b"seen")
    assert not live(watched.interval(60 * SECOND)).ended
    watched.session.close()


def test_what_is_not_yet_in_the_file_is_not_forgotten(tmp_path: Path) -> None:
    watched = Watched(budget=4 << 20)
    watched.start()
    watched.session.record(tmp_path / "x.syscope")
    watched.settle()
    for number in range(3000):
        watched.machine.happen(data=b"%06d" % number + bytes(3000))
        if number % 100 == 0:
            watched.settle(1)
    watched.interval(60 * SECOND)
    watched.session.close()
    assert watched.store.forgotten > 0
    store = opened(tmp_path / "x.syscope")
    assert store.damage == []
    told = [
        int((Event(store, segment, row).params[1] or b"")[:6])
        for segment in store.segments
        for row in range(len(segment))
    ]
    assert told == list(range(3000))

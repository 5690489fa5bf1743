"""A recording holds what came, whatever goes wrong with the source or the disk."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from typing import Any, cast

import pytest

from engine.model.facts import Thread
from engine.recording.recorder import Plan, Recorder
from engine.sources.live.source import LiveSource
from tests.engine.fake_machine import FakeMachine
from tests.engine.sources.native.files import files_of_at_most, reads

FILES = [("x.syscope", ""), ("x.syscope", "proc.pid=10"), ("x.scap", "")]


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine(Thread(10, 10, ptid=0, comm=b"busy", exe=b"busy", cwd=b"/"))


def recorder(machine: FakeMachine, path: Path, filter_text: str) -> Recorder:
    return Recorder(cast(LiveSource, machine), Plan(path, filter_text))


@pytest.mark.parametrize(("name", "filter_text"), FILES)
def test_what_came_before_a_failure_of_the_source_is_in_the_file(
    tmp_path: Path, machine: FakeMachine, name: str, filter_text: str
) -> None:
    made = recorder(machine, tmp_path / name, filter_text)
    machine.happen(data=b"before")
    steps = itertools.count()

    def fail() -> None:
        if next(steps):
            raise RuntimeError("a bug")

    machine.on_drain = fail
    with pytest.raises(RuntimeError, match="a bug"):
        made.run(lambda: False)
    assert reads(tmp_path / name) == [b"before"]


class Busy(FakeMachine):
    """Never out of events: every look finds one."""

    waiting = 1


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("x%.scap", ["x3.scap", "x4.scap"]),
        ("x%.syscope", ["x3.syscope", "x4.syscope"]),
        ("x.scap", ["x.scap0", "x.scap1"]),
    ],
)
def test_only_the_newest_files_are_kept_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, names: list[str]
) -> None:
    machine = Busy(Thread(10, 10, ptid=0, comm=b"busy", exe=b"busy", cwd=b"/"))
    machine.on_drain = lambda: None if machine.stopped else machine.happen(data=b"one")
    moments = itertools.count()
    monkeypatch.setattr(time, "strftime", lambda text: text.replace("%", str(next(moments))))
    plan = Plan(tmp_path / pattern, events=5, seconds=1000, files=2, each=1)
    Recorder(cast(LiveSource, machine), plan).run(lambda: False)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert all(reads(tmp_path / name) == [b"one"] for name in names)


@pytest.mark.parametrize("name", ["x.scap", "x.syscope"])
@pytest.mark.parametrize("plan", [{"each": 30}, {"megabytes": 0.05}])
def test_files_of_a_rotation_are_full_and_no_larger_however_much_comes_at_once(
    tmp_path: Path, machine: FakeMachine, name: str, plan: dict[str, Any]
) -> None:
    made = Recorder(cast(LiveSource, machine), Plan(tmp_path / name, **plan))
    data = [b"%d" % number for number in range(2000)]
    for each in data:
        machine.happen(data=each)
    made.run(lambda: machine.waiting == 0)
    paths = sorted(tmp_path.iterdir(), key=lambda path: int(re.sub(r"\D", "", path.name)))
    parts = [reads(path) for path in paths]
    assert list(itertools.chain(*parts)) == data
    if "each" in plan:
        assert [len(part) for part in parts] == [30] * 66 + [20]
    else:
        assert len(parts) > 2 and len({len(part) for part in parts[:-1]}) == 1
        assert name == "x.syscope" or all(50_000 < path.stat().st_size < 70_000 for path in paths[:-1])


def test_a_file_is_rather_too_large_than_that_events_are_lost(tmp_path: Path, machine: FakeMachine) -> None:
    made = Recorder(cast(LiveSource, machine), Plan(tmp_path / "x.scap", each=30))
    machine.crowded = True
    for _ in range(200):
        machine.happen(data=b"one")
    made.run(lambda: machine.waiting == 0)
    assert len(reads(tmp_path / "x.scap0")) == 200


@pytest.mark.parametrize("filter_text", ["", "proc.pid=10"])
def test_on_a_full_disk_a_native_capture_ends_with_what_there_was_room_for(
    tmp_path: Path, machine: FakeMachine, filter_text: str
) -> None:
    path = tmp_path / "x.syscope"
    made = recorder(machine, path, filter_text)
    numbers = itertools.count()

    def more() -> None:
        for number in itertools.islice(numbers, 2000):
            machine.happen(data=b"%d" % number)

    machine.on_drain = more
    with files_of_at_most(3_000_000), pytest.raises(OSError, match="too large"):
        made.run(lambda: False)
    kept = reads(path)
    assert len(kept) > 1000
    assert kept == [b"%d" % number for number in range(len(kept))]

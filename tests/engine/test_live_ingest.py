"""The rules of watching a live machine: intervals, losses, what is forgotten, and how it ends."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

import views
from engine.live_ingest import FIRST_INTERVAL, LiveIngest, resident
from engine.model.facts import Thread
from engine.pace import LONGEST, Pace
from engine.pushdown import Pushdown
from engine.query import overview
from engine.query.overview import OverviewRequest, OverviewSnapshot
from engine.query.snapshots import (
    LinesRequest,
    LinesSnapshot,
    Live,
    Request,
    Snapshot,
    Status,
    TableRequest,
    TableSnapshot,
)
from engine.query.tiles import TILES
from engine.session import Session
from engine.sources.live.source import LoadError, Narrowing
from engine.sources.raw import PAGE, KeptBytes
from engine.store.segment import Segment
from engine.store.store import Store
from tests.engine.fake_machine import CLONE, EXECVE, EXIT, SECOND, START, FakeMachine

VIEWS = views.load().views
PATIENCE = 20.0
BIG = b"a" * 4000
S = TypeVar("S", bound=Snapshot)


class Watched:
    """A session on a machine made by hand."""

    def __init__(self, **options: Any) -> None:
        self.machine = FakeMachine(
            Thread(10, 10, ptid=0, comm=b"busy", exe=b"busy", cwd=b"/"),
            Thread(20, 20, ptid=0, comm=b"idle", exe=b"idle", cwd=b"/"),
        )
        self.ingest = LiveIngest(lambda: self.machine, **{"interval": 2 * SECOND, "budget": 1 << 30, **options})
        self.published: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        self.session = Session(self.ingest, self.published.put)
        self.store = self.ingest.store

    def start(self) -> Status:
        self.session.start()
        return self.wait(Status, lambda status: bool(live(status).started) or bool(status.error))

    def wait(self, kind: type[S], until: Callable[[S], bool] = lambda snapshot: True) -> S:
        while True:
            snapshot = self.published.get(timeout=PATIENCE)
            if isinstance(snapshot, kind) and until(snapshot):
                return snapshot

    def settle(self, looks: int = 3) -> None:
        """Let it look a few times."""
        while self.machine.looked.acquire(blocking=False):
            pass
        for _ in range(looks):
            assert self.machine.looked.acquire(timeout=PATIENCE)

    def interval(self, ns: int = 2 * SECOND) -> Status:
        """Let time pass until an interval has ended."""
        self.settle()
        window = self.ingest.latest
        self.machine.pass_time(ns)
        ended = self.wait(Status, lambda status: live(status).window != window)
        self.machine.pass_time(1)
        return ended

    def answer(self, kind: type[S], request: Request) -> S:
        self.session.ask("panel", request)
        return self.wait(kind, lambda snapshot: getattr(snapshot, "request", None) is request)

    def commands(self, **asked: Any) -> list[str]:
        """The processes there are, by name."""
        table = self.answer(TableSnapshot, TableRequest(VIEWS["procs"], **asked))
        assert not table.error
        return sorted(row.cells[-1] for row in table.rows)

    def calls(self, **asked: Any) -> list[str]:
        """Calls a second, by type."""
        return [row.cells[0] for row in self.answer(TableSnapshot, TableRequest(VIEWS["syscalls"], **asked)).rows]


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own load makes no interval longer."""
    monkeypatch.setattr(time, "process_time", lambda: 0.0)


def live(status: Status) -> Live:
    assert status.live is not None
    return status.live


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.session.close()


def test_a_table_asked_for_before_the_machine_is_known_has_its_processes_once_it_is(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, begin = threading.Event(), watched.machine.begin

    def late(sink: Any) -> None:
        known.wait(PATIENCE)
        begin(sink)

    monkeypatch.setattr(watched.machine, "begin", late)
    watched.session.start()
    assert watched.commands() == []
    known.set()
    watched.wait(Status, lambda status: bool(live(status).started))
    assert watched.commands() == ["busy", "idle"]


def test_who_is_there_is_shown_before_anything_happens(watched: Watched) -> None:
    status = watched.start()
    assert (status.events, live(status).window) == (0, None)
    assert watched.commands() == ["busy", "idle"]


def test_a_table_shows_the_last_whole_interval_and_the_first_one_is_short(watched: Watched) -> None:
    watched.start()
    watched.machine.happen()
    first = watched.interval(FIRST_INTERVAL)
    assert live(first).window == (START, START + FIRST_INTERVAL)
    for _ in range(4):
        watched.machine.happen()
    second = live(watched.interval())
    assert second.window is not None
    assert second.window[0] == START + FIRST_INTERVAL + 1
    watched.machine.happen()
    watched.settle()

    table = watched.answer(TableSnapshot, TableRequest(VIEWS["syscalls"]))
    assert table.coverage.window == second.window
    assert watched.calls() == ["2.00"], "four calls in two seconds"
    lines = watched.answer(LinesSnapshot, LinesRequest())
    assert lines.total == 5, "lines are added to; the last is not sealed yet"


def test_what_is_held_stays_while_capture_goes_on(watched: Watched) -> None:
    watched.start()
    watched.machine.happen()
    watched.interval(FIRST_INTERVAL)
    watched.session.hold(True)
    held = watched.ingest.latest
    watched.machine.happen()
    watched.interval()
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"])).coverage.window == held
    watched.session.hold(False)
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"])).coverage.window == watched.ingest.latest


def test_losses_are_told_for_the_interval_and_whatever_is_made_of_it(watched: Watched) -> None:
    watched.start()
    watched.interval(FIRST_INTERVAL)
    watched.machine.lost = 7
    lossy = live(watched.interval())
    assert (lossy.lost, lossy.lost_now) == (7, 7)
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"])).coverage.lost == 7
    clean = live(watched.interval())
    assert (clean.lost, clean.lost_now) == (7, 0)
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"])).coverage.lost == 0
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"], window=lossy.window)).coverage.lost == 7
    assert watched.answer(LinesSnapshot, LinesRequest()).coverage.lost == 7


def test_an_interval_waits_for_its_events_and_is_longer_after_it_had_to(watched: Watched) -> None:
    watched.start()
    watched.interval(FIRST_INTERVAL)
    watched.settle()
    watched.machine.stuck = True
    watched.machine.happen()
    watched.machine.pass_time(2 * SECOND)
    watched.settle()
    assert watched.ingest.latest == (START, START + FIRST_INTERVAL)
    watched.machine.pass_time(SECOND + SECOND // 2)
    watched.machine.stuck = False
    late = watched.wait(Status, lambda status: live(status).window != (START, START + FIRST_INTERVAL))
    assert live(late).behind
    assert live(late).interval == 4 * SECOND
    assert watched.calls() == ["0.50"]


def test_the_interval_grows_with_too_much_work_and_comes_back() -> None:
    pace = Pace(SECOND)
    for _ in range(20):
        pace.ended(0, 0.95)
    assert (pace.interval, pace.behind) == (LONGEST, True)
    pace.ended(0, 0.6)
    assert pace.interval == LONGEST
    for _ in range(20):
        pace.ended(0, 0.1)
    assert (pace.interval, pace.behind) == (SECOND, False)
    pace.ended(SECOND, 0.1)
    assert pace.behind


def test_the_oldest_events_are_forgotten_and_answers_say_from_when_on_they_are() -> None:
    watched = Watched(budget=16 << 20)
    watched.start()
    watched.interval(FIRST_INTERVAL)
    while not watched.store.forgotten:
        for _ in range(500):
            watched.machine.happen(data=BIG)
            watched.machine.pass_time(1000)
        watched.interval()
    assert watched.store.memory.total <= 16 << 20
    assert watched.machine.raw.nbytes < watched.machine.raw.size
    everything = watched.answer(LinesSnapshot, LinesRequest(count=1))
    assert everything.total == watched.store.events - watched.store.forgotten
    assert everything.coverage.since == watched.store.time_span[0] > START
    assert everything.numbers == (watched.store.forgotten + 1,), "events keep their numbers"
    latest = watched.answer(TableSnapshot, TableRequest(VIEWS["procs"]))
    assert latest.coverage.since == 0, "of the last interval nothing is missing"
    watched.session.close()


def test_no_event_is_counted_twice_because_others_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    add = overview._Count.add

    def counting(self: Any, segment: Segment, *others: Any) -> None:
        if self._tile is TILES[0]:
            counted.append(segment.first)
        add(self, segment, *others)

    monkeypatch.setattr(overview._Count, "add", counting)
    watched = Watched(budget=16 << 20)
    watched.start()
    watched.interval(FIRST_INTERVAL)
    forgotten = set[int]()
    while len(forgotten) < 5:
        for _ in range(500):
            watched.machine.happen(data=BIG)
            watched.machine.pass_time(1000)
        watched.interval()
        watched.session.ask("panel", OverviewRequest())
        told = watched.wait(OverviewSnapshot, lambda each: each.complete)
        forgotten.add(watched.store.forgotten)
    calls = next(figure for figure in told.figures if figure.tile.title == "System calls")
    everything = watched.answer(LinesSnapshot, LinesRequest(filter="syscall.type exists", count=1))
    assert calls.total == everything.total == watched.store.events - watched.store.forgotten
    assert len(counted) == len(set(counted)) > len(watched.store.segments)
    watched.session.close()


def test_short_lived_processes_do_not_add_up() -> None:
    watched = Watched(budget=16 << 20)
    watched.start()
    watched.interval(FIRST_INTERVAL)
    tid, rows = 1000, []
    for _ in range(40):
        for _ in range(250):
            tid += 1
            name = f"/bin/short{tid}".encode()
            told: dict[str, Any] = {
                "exe": name,
                "args": BIG,
                "tid": tid,
                "pid": tid,
                "ptid": 10,
                "comm": b"short",
                "cwd": b"/",
            }
            watched.machine.happen(CLONE, 10, **{**told, "res": tid, "tid": 10, "pid": 10, "ptid": 1, "flags": 0})
            watched.machine.happen(EXECVE, tid, **{**told, "res": 0})
            watched.machine.happen(EXIT, tid, status=0)
            watched.machine.pass_time(100_000)
        watched.interval()
        rows.append(len(watched.store.threads))
    assert watched.store.memory.total <= 16 << 20
    assert max(rows) < 16_000, "ten thousand processes have thirty thousand versions"
    watched.interval()
    assert watched.commands() == ["busy", "idle"]
    watched.session.close()


def test_whoever_works_on_the_store_makes_room_when_it_is_full() -> None:
    watched = Watched(budget=12 << 20)
    watched.start()
    watched.interval(FIRST_INTERVAL)
    watched.ingest.reading.acquire()
    while not watched.ingest.wants_room:
        for _ in range(100):
            watched.machine.happen(data=BIG)
        watched.machine.pass_time(SECOND)
        watched.settle(1)
    assert not watched.store.forgotten, "nothing is forgotten while somebody reads"
    watched.ingest.reading.release()
    deadline = time.monotonic() + PATIENCE
    while watched.ingest.wants_room:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert watched.store.forgotten
    assert watched.commands()
    watched.session.close()


def test_nothing_more_is_taken_in_while_there_is_no_room_at_all() -> None:
    watched = Watched(budget=8 << 20)
    watched.start()
    watched.interval(FIRST_INTERVAL)
    watched.ingest.reading.acquire()
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for _ in range(50):
            watched.machine.happen(data=BIG)
        watched.machine.pass_time(SECOND)
        time.sleep(0.001)
    assert watched.store.memory.total < 12 << 20
    assert watched.machine.waiting, "the rest is the kernel's, to be counted as lost there"
    watched.ingest.reading.release()
    watched.session.close()


def test_capture_ends_when_the_command_does_and_what_was_seen_stays() -> None:
    over = threading.Event()
    begun = threading.Event()
    watched = Watched(over=over.is_set, begun=begun.set)
    watched.start()
    assert begun.is_set()
    watched.machine.happen()
    watched.interval(FIRST_INTERVAL)
    watched.machine.happen()
    over.set()
    ended = watched.wait(Status, lambda status: live(status).ended)
    assert (ended.events, live(ended).window, ended.error) == (2, None, "")
    assert watched.answer(LinesSnapshot, LinesRequest()).total == 2
    assert not watched.machine.closed
    watched.session.close()
    assert watched.machine.closed


def test_a_kernel_that_cannot_be_watched_is_told() -> None:
    def refuse() -> FakeMachine:
        raise LoadError("watching the kernel needs CAP_BPF")

    ingest = LiveIngest(refuse)
    told: list[Status] = []
    ingest.run(told.append)
    ingest.release()
    assert told[-1].error == "watching the kernel needs CAP_BPF"


def test_a_failing_capture_says_so_and_what_was_captured_stays(watched: Watched) -> None:
    watched.start()
    watched.machine.happen()
    watched.interval(FIRST_INTERVAL)
    watched.machine.failing = RuntimeError("the ring is gone")
    failed = watched.wait(Status, lambda status: bool(status.error))
    assert "the ring is gone" in failed.error
    assert watched.machine.stopped
    assert watched.answer(LinesSnapshot, LinesRequest()).total == 1


def test_what_a_filter_implies_is_pushed_down_and_a_wider_one_says_from_when_on_it_is_complete(
    watched: Watched,
) -> None:
    watched.start()
    watched.interval(FIRST_INTERVAL)
    whole = LinesRequest()
    assert watched.answer(LinesSnapshot, whole).coverage.since == 0

    watched.session.narrow("proc.pid=10 and evt.type in (read, write)")
    narrowed = live(watched.interval())
    assert watched.machine.narrowing == Narrowing(frozenset({10}), types=frozenset({"read", "write"}))
    assert narrowed.narrowed == "pid 10 and read,write"
    inner = LinesRequest(filter="proc.pid=10 and evt.type=read")
    assert watched.answer(LinesSnapshot, inner).coverage.since == 0, "all of it is still captured"

    began = watched.machine.now()
    watched.session.narrow("proc.name=busy")
    assert live(watched.interval()).narrowed == ""
    assert watched.machine.narrowing == Narrowing()
    wider = watched.answer(LinesSnapshot, LinesRequest(filter="proc.name=busy")).coverage.since
    assert began <= wider <= watched.machine.now()
    assert watched.answer(LinesSnapshot, replace(inner, count=7)).coverage.since == 0
    watched.interval()
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["procs"])).coverage.since == 0, "the last interval is whole"


def test_containers_are_pushed_down_by_the_cgroups_of_their_threads() -> None:
    name, other = "ab" * 32, "cd" * 32
    store = Store(KeptBytes(0))
    pushed = Pushdown(store)
    machine = FakeMachine()

    def thread(tid: int, container: str, *cgroups: str) -> None:
        told = tuple(f"{hierarchy}={path}".encode() for path in cgroups for hierarchy in ("cpu", "memory", "unified"))
        store.threads.append(Thread(tid, tid, life=tid, container=container[:12], cgroups=told))

    thread(1, "", "/")
    pushed.ask(f"container.id={name[:12]}")
    pushed.update(machine)
    assert machine.narrowing == Narrowing(), "nothing is known of its cgroups yet"
    thread(2, name, f"/docker/{name}")
    thread(3, other, f"/docker/{other}")
    pushed.update(machine)
    path = f"/docker/{name}".encode()
    assert machine.narrowing.cgroups == frozenset({b"memory=" + path, b"unified=" + path})
    assert str(pushed) == f"container {name[:12]}"
    thread(4, name, f"/libpod_parent/libpod-{name}")
    pushed.update(machine)
    assert machine.narrowing.cgroups is not None
    assert len(machine.narrowing.cgroups) == 4, "another of its threads is elsewhere"
    times = len(machine.narrowed)
    pushed.update(machine)
    assert len(machine.narrowed) == times, "nothing is told twice"


def test_records_kept_in_memory_are_memory_of_our_own() -> None:
    kept = KeptBytes(16 * PAGE)
    page = memoryview(b"x" * PAGE)
    kept.append(page)
    before = resident()
    for _ in range(15):
        kept.append(page)
    assert resident() - before >= 15 * PAGE
    kept.drop(kept.size)
    assert resident() - before < PAGE

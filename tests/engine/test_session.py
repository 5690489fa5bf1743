"""The engine's threads, asked as a screen asks them."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import pytest

import views
from engine.ingest import CaptureIngest
from engine.query.payload import Shape
from engine.query.snapshots import (
    Level,
    LinesRequest,
    LinesSnapshot,
    Request,
    Snapshot,
    Status,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.session import Session
from engine.sources import CaptureError

VIEWS = views.load().views
PATIENCE = 20.0
S = TypeVar("S", bound=Snapshot)


class Panel:
    """A screen's side of a session: asks, and waits for the answer to just that."""

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self.published: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        self.session = Session(CaptureIngest(path, limit=limit), self.published.put)
        self.statuses: list[Status] = []
        self.session.start()

    def wait(self, kind: type[S], until: Callable[[S], bool]) -> S:
        while True:
            snapshot = self.published.get(timeout=PATIENCE)
            if isinstance(snapshot, Status):
                self.statuses.append(snapshot)
            if isinstance(snapshot, kind) and until(snapshot):
                return snapshot

    def loaded(self) -> Status:
        return self.wait(Status, lambda status: status.progress == 1.0)

    def answer(self, kind: type[S], request: Request) -> S:
        self.session.ask("panel", request)
        return self.wait(kind, lambda snapshot: getattr(snapshot, "request", None) is request)


@pytest.fixture
def panel() -> Iterator[Panel]:
    made = Panel(Path(str(files("tui").joinpath("demo.scap.gz"))))
    made.loaded()
    yield made
    made.session.close()


def test_progress_ends_at_one_with_every_event_read(panel: Panel) -> None:
    first, last = panel.statuses[0], panel.statuses[-1]
    assert (first.progress, first.events) == (0.0, 0)
    assert last.events == panel.session.store.events > 5_000
    assert last.start < last.end
    assert not last.error
    assert last.memory > 0


def test_a_table_is_answered_with_the_page_asked_for(panel: Panel) -> None:
    request = TableRequest(VIEWS["procs"], offset=2, count=3)
    page = panel.answer(TableSnapshot, request)
    whole = panel.answer(TableSnapshot, replace(request, offset=0, count=1_000))
    assert page.rows == whole.rows[2:5]
    assert page.total == len(whole.rows) > 5


def test_the_row_under_the_cursor_is_found_again_after_sorting(panel: Panel) -> None:
    request = TableRequest(VIEWS["syscalls"], count=1_000)
    held = panel.answer(TableSnapshot, request).rows[4].key
    turned = panel.answer(TableSnapshot, replace(request, sort=0, descending=False, hold=held))
    assert turned.held is not None
    assert turned.rows[turned.held].key == held


def test_a_drill_down_shows_only_what_was_selected(panel: Panel) -> None:
    processes = panel.answer(TableSnapshot, TableRequest(VIEWS["procs"], count=1_000))
    nginx = next(row for row in processes.rows if any("nginx" in cell for cell in row.cells))
    level = Level(VIEWS["procs"], processes.key_field, nginx.key, nginx.shown_key)
    threads = panel.answer(TableSnapshot, TableRequest(VIEWS["threads"], levels=(level,)))
    assert threads.total >= 1
    assert all(row.cells[0].strip() == nginx.shown_key for row in threads.rows)


def test_event_lines_are_those_of_the_selection_and_can_be_searched(panel: Panel) -> None:
    request = LinesRequest(filter="proc.name=nginx", count=50)
    lines = panel.answer(LinesSnapshot, request)
    assert lines.total > 50
    assert all(" nginx (" in line for line in lines.lines)
    found = panel.answer(LinesSnapshot, replace(request, search="ACCEPT", search_from=1)).found
    assert found is not None
    assert "accept" in panel.answer(LinesSnapshot, replace(request, offset=found, count=1)).lines[0]


def test_event_lines_leave_out_what_capturing_itself_makes(panel: Panel) -> None:
    assert panel.answer(TableSnapshot, TableRequest(VIEWS["procs"], filter="evt.type=procinfo")).total
    assert panel.answer(LinesSnapshot, LinesRequest(filter="evt.type=procinfo")).total == 0


def test_a_verdict_counts_what_a_filter_keeps(panel: Panel) -> None:
    verdict = panel.answer(VerdictSnapshot, VerdictRequest("proc.name=nginx"))
    lines = panel.answer(LinesSnapshot, LinesRequest(filter="proc.name=nginx"))
    everything = panel.answer(LinesSnapshot, LinesRequest())
    assert (verdict.kept, verdict.of) == (lines.total, everything.total)


def test_a_bad_filter_is_told_at_its_place_and_nothing_stops(panel: Panel) -> None:
    verdict = panel.answer(VerdictSnapshot, VerdictRequest("proc.name=nginx and proc.nmae=x"))
    assert verdict.position == len("proc.name=nginx and ")
    assert "proc.name" in verdict.error
    assert panel.answer(TableSnapshot, TableRequest(VIEWS["procs"], filter="proc.nmae=x")).error
    assert panel.answer(TableSnapshot, TableRequest(VIEWS["procs"])).total


def test_a_newer_request_takes_the_place_of_an_older_one(panel: Panel) -> None:
    last = TableRequest(VIEWS["files"], count=7)
    for count in range(1, 7):
        panel.session.ask("panel", TableRequest(VIEWS["files"], count=count))
    assert panel.answer(TableSnapshot, last).request is last


def test_reading_stops_at_a_limit() -> None:
    limited = Panel(Path(str(files("tui").joinpath("demo.scap.gz"))), limit=100)
    assert limited.loaded().events == 100
    limited.session.close()


def test_a_cut_capture_keeps_its_rows_and_says_where_it_is_cut(tmp_path: Path, captures: Path) -> None:
    cut = tmp_path / "cut.scap"
    cut.write_bytes((captures / "tiny.scap").read_bytes()[:200_001])
    panel = Panel(cut)
    status = panel.loaded()
    assert len(status.damage) == 1
    assert "cut.scap: at byte " in status.damage[0]
    assert panel.answer(TableSnapshot, TableRequest(VIEWS["procs"])).total > 3
    panel.session.close()


def test_what_is_no_capture_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no capture\n")
    with pytest.raises(CaptureError, match=r"note\.txt"):
        CaptureIngest(tmp_path / "note.txt")


def test_only_rows_that_show_a_text_are_left(panel: Panel) -> None:
    request = TableRequest(VIEWS["procs"], count=1_000)
    everything = panel.answer(TableSnapshot, request)
    some = panel.answer(TableSnapshot, replace(request, text="NGINX"))
    assert 0 < some.total < everything.total
    assert [row for row in everything.rows if any("nginx" in cell.casefold() for cell in row.cells)] == list(some.rows)


def test_echo_is_what_was_read_and_written(panel: Panel) -> None:
    lines = panel.answer(LinesSnapshot, LinesRequest(filter="proc.name=nginx", shape=Shape.ECHO, count=30))
    assert set(lines.tones) >= {"head", "read", ""}
    assert all("(nginx)" in line for line, tone in zip(lines.lines, lines.tones, strict=True) if tone == "head")

"""Calls in progress: of a capture at its end, live at the end of the last interval."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.events import FdKind
from engine.ingest import CaptureIngest
from engine.live_ingest import FIRST_INTERVAL
from engine.model.facts import Thread
from engine.query.compose import compose
from engine.query.snapshots import TableRequest, TableSnapshot
from engine.query.table import TableRun
from engine.store.segment import NO_FD
from engine.store.store import Store
from tests import scapfile as scap
from tests.engine.fake_machine import READ, START
from tests.engine.test_live_ingest import VIEWS, Watched


def shown(store: Store) -> list[tuple[object, ...]]:
    view = VIEWS["in_progress"]
    run = TableRun(store, view, compose("", (), view))
    assert run.update()
    return [values[:5] for values in run.table().values()]


def test_a_capture_ends_inside_of_the_calls_it_saw_begin(tmp_path: Path) -> None:
    file = scap.Entry(3, FdKind.FILE_V2, b"/var/lib/db")
    threads = [Thread(tid, tid, ptid=1, comm=b"db", exe=b"db", cwd=b"/") for tid in (10, 20)]
    events = [
        scap.event(READ - 1, 10, START, scap.pack(READ - 1, None, fd=3, size=10)),
        scap.event(READ, 10, START + 5, scap.pack(READ, None, res=1, data=b"a")),
        scap.event(READ - 1, 20, START + 10, scap.pack(READ - 1, None, fd=7, size=10)),
        scap.event(READ - 1, 10, START + 20, scap.pack(READ - 1, None, fd=3, size=10)),
        scap.event(READ, 30, START + 120, scap.pack(READ, None, res=1, data=b"a")),
    ]
    path = tmp_path / "ends.scap"
    lists = [scap.section(), scap.process_list(9, threads), scap.fd_list(10, [file])]
    path.write_bytes(b"".join([*lists, *events]))
    ingest = CaptureIngest(path)
    ingest.run(lambda status: None)
    assert sorted(shown(ingest.store)) == [(10, 10, 100, "read", "/var/lib/db"), (20, 20, 110, "read", "7")]
    ingest.release()


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.session.close()


def test_live_they_are_those_of_the_last_intervals_end(watched: Watched) -> None:
    watched.start()
    watched.machine.calls = [(10, READ, START, 5), (20, READ, 0, NO_FD), (99, READ, START, NO_FD)]
    watched.interval(FIRST_INTERVAL)
    table = watched.answer(TableSnapshot, TableRequest(VIEWS["in_progress"]))
    assert [row.cells[:5] for row in table.rows] == [
        ("10", "10", "500ms", "read", "5"),
        ("20", "20", "-", "read", "-"),
    ]
    threads = watched.answer(TableSnapshot, TableRequest(VIEWS["threads"]))
    titles = [column.title for column in threads.columns]
    shown = {row.cells[1]: dict(zip(titles, row.cells, strict=True)) for row in threads.rows}
    assert [shown["10"][title] for title in ("FOR", "CALL", "ON")] == ["500ms", "read", "5"]
    watched.machine.calls = []
    watched.interval()
    assert watched.answer(TableSnapshot, TableRequest(VIEWS["in_progress"])).rows == ()

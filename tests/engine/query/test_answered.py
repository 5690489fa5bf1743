"""What is answered later than it was first asked for, in a segment sealed since, counts all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.decode.decoder import FIRST_SEGMENT
from engine.protocols.exchanges import exchanges_of
from engine.query.matches import Matches
from engine.query.overview import OverviewRequest, OverviewSnapshot
from engine.query.payload import Shape
from engine.query.snapshots import (
    LinesRequest,
    LinesSnapshot,
    Snapshot,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.query.spectrogram import SpectrogramRequest, SpectrogramSnapshot
from engine.query.timeline import TimelineRequest, TimelineSnapshot
from engine.query.work import Kept
from engine.store.store import Store
from tests.engine.protocols.test_exchanges import CLIENT, moved, talk
from tests.engine.query.asking import ask
from tests.scapfile import event, pack
from tests.views.made import MS, START
from tests.views.running import VIEWS
from tui.reading import Reading

CLOSE = 4
REQUEST = b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n"
ANSWER = b"HTTP/1.1 503 Busy\r\n\r\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A request at the end of one segment, its answer in the next."""
    path = tmp_path / "slow.scap"
    between = b"".join(event(CLOSE, CLIENT, START + MS, pack(CLOSE, fd=99)) for _ in range(FIRST_SEGMENT))
    answered = moved(CLIENT, 3, 500, ANSWER, write=False)
    path.write_bytes(talk(80, (">", REQUEST)) + between + answered)
    with Reading(path) as reading:
        for _ in reading:
            pass
        yield reading.store


def test_what_was_made_before_the_answer_knows_it_when_it_came(store: Store) -> None:
    rest = store.segments[1:]
    assert rest, "both are in one segment"
    del store.segments[1:]
    kept = Kept(store)
    asked = (
        TableRequest(VIEWS["http_paths"]),
        VerdictRequest("http.status = 503"),
        LinesRequest(filter="http.status = 503"),
        LinesRequest(filter="http.status = 503", shape=Shape.ECHO),
        TimelineRequest(filter="http.status = 503", cells=10),
        OverviewRequest(filter="http.status = 503"),
        SpectrogramRequest(filter="http.status = 503"),
    )
    before = [ask(store, request, kept) for request in asked]
    assert kept.get(Matches, ("mine",), lambda: Matches(store, "evt.type=read")) is (
        others := kept.get(Matches, ("mine",), lambda: Matches(store, "evt.type=read"))
    )
    store.segments += rest
    after = [ask(store, request, kept) for request in asked]
    assert exchanges_of(store).late == 1
    assert list(map(told, before)) == [(("0", "-"),), 0, (), (), 0, 0, 0]
    table, kept_events, dug, echoed, counted, calls, seen = map(told, after)
    assert table == (("1", "500ms"),)
    assert (kept_events, len(dug), counted, calls, seen) == (1, 1, 1, 1, 1)
    assert any("GET /slow" in line for line in echoed)
    # What asks for nothing of it is not made anew.
    assert kept.get(Matches, ("mine",), lambda: Matches(store, "evt.type=read")) is others


def told(snapshot: Snapshot) -> Any:
    """What a snapshot says of the one request."""
    match snapshot:
        case TableSnapshot():
            titles = [column.title for column in snapshot.columns]
            return tuple((row.cells[titles.index("FAILED")], row.cells[titles.index("AVG")]) for row in snapshot.rows)
        case VerdictSnapshot():
            return snapshot.kept
        case LinesSnapshot():
            return snapshot.lines
        case TimelineSnapshot():
            return round(snapshot.values.sum() * snapshot.width / 1e9)
        case OverviewSnapshot():
            return next(figure.total for figure in snapshot.figures if figure.tile.title == "System calls")
        case SpectrogramSnapshot():
            return int(snapshot.counts.sum())
    raise AssertionError(snapshot)

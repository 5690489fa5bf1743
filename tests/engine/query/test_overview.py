"""The overview's figures, each held to the events themselves, and to what is known of the captures."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

import views
from engine import filters
from engine.events import FdKind
from engine.fields import look_up
from engine.query.matches import Matches
from engine.query.overview import MOST_CELLS, Figure, OverviewRequest, OverviewSnapshot
from engine.query.snapshots import TableRequest, TableSnapshot
from engine.query.tiles import TILES, Counted
from engine.store.store import Store
from tests.engine.query.asking import ask, read
from tests.scapfile import Entry, event, fd_list, machine, pack, process_list, section
from tests.views.made import SECOND, START, code, process, written

VIEWS = views.load().views
BYTES = look_up("evt.buflen")[0]


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return read(captures / "mixed_thin.scap.gz")


def figures(store: Store, request: OverviewRequest) -> dict[str, Figure]:
    snapshot = ask(store, request)
    assert isinstance(snapshot, OverviewSnapshot)
    return {figure.tile.title: figure for figure in snapshot.figures}


def test_every_tile_counts_what_its_filter_keeps(store: Store) -> None:
    everything = figures(store, OverviewRequest())
    assert len(everything) == len(TILES)
    for figure in everything.values():
        assert not figure.error
        tile = figure.tile
        matches = Matches(store, filters.combine(tile.filter, "not evt.category=internal"))
        matches.update()
        match tile.counted:
            case Counted.EVENTS:
                assert figure.total == len(matches) == sum(figure.course), tile.title
            case Counted.BYTES:
                moved = sum(cast(int, BYTES.of(matches.at(n)) or 0) for n in range(len(matches)))
                assert figure.total == moved == sum(figure.course), tile.title
            case Counted.DIFFERENT:
                field, argument = look_up(tile.field)
                assert figure.total == len({field.of(matches.at(n), argument) for n in range(len(matches))}), tile.title
            case Counted.OPEN:
                shown = ask(store, TableRequest(VIEWS[tile.view], filter=tile.filter, count=1000))
                assert isinstance(shown, TableSnapshot)
                at = [column.field for column in VIEWS[tile.view].columns_for(False)].index(tile.field)
                assert figure.total == len({row.cells[at] for row in shown.rows}) > 0, tile.title


def test_a_window_and_a_filter_leave_their_part(store: Store) -> None:
    start, end = store.time_span
    middle = (start + end) // 2
    whole = figures(store, OverviewRequest(filter="proc.name!=nmap"))
    parts = [
        figures(store, OverviewRequest(filter="proc.name!=nmap", window=window))
        for window in ((start, middle), (middle + 1, end))
    ]
    for title, figure in whole.items():
        if figure.tile.counted in (Counted.EVENTS, Counted.BYTES):
            assert sum(part[title].total for part in parts) == figure.total, title
        else:
            assert max(part[title].total for part in parts) <= figure.total, title


@pytest.mark.parametrize("text", ["evt.arg.path contains lib", "proc.name!=nmap and evt.failed=true"])
def test_under_a_filter_every_tile_counts_what_both_keep(store: Store, text: str) -> None:
    start, end = store.time_span
    window = start + (end - start) // 3, end - (end - start) // 3
    kept = 0
    for figure in figures(store, OverviewRequest(filter=text, window=window)).values():
        if figure.tile.counted is Counted.EVENTS:
            both = filters.combine(figure.tile.filter, text, "not evt.category=internal")
            matches = Matches(store, both, window)
            matches.update()
            assert figure.total == len(matches), figure.tile.title
            kept += figure.total
    assert kept


def test_known_figures_of_the_sample_of_sysdig_inspect(captures: Path) -> None:
    told = figures(read(captures / "502Error.scap"), OverviewRequest())
    expected = {
        "File bytes read": 72_298, "Files read": 5, "Network bytes received": 12_136, "Network bytes sent": 21_248,
        "New connections in": 74, "Listening ports": 3, "HTTP requests": 111, "HTTP errors": 1, "Processes started": 37,
    }  # fmt: skip
    assert {title: told[title].total for title in expected} == expected


def test_known_deeds_are_told(store: Store) -> None:
    told = figures(store, OverviewRequest())
    assert told["sudo and su"].total == 2
    # /etc/peers_test.conf; `cp /etc/passwd pw` changes nothing of /etc/passwd.
    assert told["System files modified"].total == 1
    assert told["Segmentation faults"].total == 1
    assert told["Commands executed"].total > 100


def test_tiles_lead_to_views_there_are() -> None:
    known = {*views.load().views, "echo", ""}
    assert {tile.view for tile in TILES} <= known
    for tile in TILES:
        if tile.sort:
            titles = [column.title for column in views.load().views[tile.view].columns]
            assert tile.sort in titles


def test_a_course_is_of_equal_cells_over_the_whole_time(store: Store) -> None:
    for cells in (MOST_CELLS, 37, 12):
        told = figures(store, OverviewRequest(cells=cells))
        (length,) = {len(figure.course) for figure in told.values()}
        assert 0.85 * cells <= length <= cells
        assert np.count_nonzero(told["System calls"].course) > length / 2


def test_marks_of_losses_are_counted_and_calls_that_move_nothing_move_nothing(tmp_path: Path) -> None:
    path = tmp_path / "marked.scap"
    path.write_bytes(
        section() + machine(cpus=1) + process_list(9, [process(7, b"app")]) + fd_list(7, [Entry(4, FdKind.FILE, b"/a")])
        + written(7, 4, START, b"")
        + event(code("drop"), 7, START + SECOND, pack(code("drop"), ratio=2))
        + written(7, 4, START + 2 * SECOND, b"")
    )  # fmt: skip
    told = figures(read(path), OverviewRequest())
    assert (told["System calls"].total, told["File bytes written"].total, told["Files modified"].total) == (2, 0, 1)
    lost = told["Events lost"]
    assert (lost.total, sum(lost.course)) == (1, 1)
    assert lost.span is not None and lost.span[0] <= START + SECOND <= lost.span[1]

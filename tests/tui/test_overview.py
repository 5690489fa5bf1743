"""The overview's tiles: each leads to a place that shows the same number, and tells what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import views
from engine.query.answers import table_of
from engine.query.overview import Figure, OverviewRequest, OverviewSnapshot
from engine.query.snapshots import LinesRequest, LinesSnapshot, TableRequest
from engine.query.tiles import Counted
from engine.query.work import Kept, Work
from engine.session import Session
from engine.store.store import Loss, Store
from tests.engine.query.asking import ask, read
from tests.tui.test_real import Real
from tui.place import Place, Show, Wanted
from tui.screens.overview import explained
from tui.screens.spectrogram import SHOWS

VIEWS = views.load().views
SUMS = {"Errors": "COUNT", "Failed opens": "COUNT", "System calls": "CALLS"}
"""Columns of tables whose rows add up to the tile, where they are not those it is sorted on."""
SIZE = (80, 24)


def figures(store: Store) -> list[Figure]:
    snapshot = ask(store, OverviewRequest())
    assert isinstance(snapshot, OverviewSnapshot)
    return list(snapshot.figures)


def shown(store: Store, place: Place, figure: Figure) -> int:
    """The number a place shows for a figure."""
    request = place.rows(Wanted(count=2_000_000))
    tile = figure.tile
    if isinstance(request, LinesRequest):
        lines = ask(store, request)
        assert isinstance(lines, LinesSnapshot)
        # Each event has a heading.
        return lines.total if place.show is Show.EVENTS else sum(tone == "head" for tone in lines.tones)
    assert isinstance(request, TableRequest)
    table = table_of(request, Work(store, Kept(store), lambda: False))
    title = tile.sort or SUMS.get(tile.title)
    rows = [list(table.exact(at)) for at in range(table.total)]
    if title is None:
        if tile.counted is Counted.OPEN:
            at = [column.field for column in table.declared].index(tile.field)
            return len({row[at][1] for row in rows})
        return table.total
    at = [column.title for column in table.columns].index(title)
    numbers = [number for row in rows if isinstance(number := row[at][0], int)]
    assert len(numbers) == len(rows)
    assert numbers == sorted(numbers, reverse=True), "not sorted on what it is about"
    return sum(numbers)


@pytest.mark.parametrize(
    "name", ["502Error.scap", "tiny.scap", "mixed_thin.scap.gz", "containers.scap.gz", "mixed25_thin.scap.gz"]
)
def test_enter_on_a_tile_opens_what_adds_up_to_it(captures: Path, name: str) -> None:
    store = read(captures / name)
    overview = Place(None, show=Show.OVERVIEW)
    something = [figure for figure in figures(store) if figure.total]
    assert len(something) > 12
    for figure in something:
        assert shown(store, explained(figure, overview, VIEWS), figure) == figure.total, figure.tile.title


def test_lost_events_lead_to_the_time_they_are_missing_of(captures: Path) -> None:
    store = read(captures / "tiny.scap")
    start, end = store.time_span
    middle = (start + end) // 2
    store.losses += [Loss((middle, middle + 1000), 7), Loss((middle + 5000, middle + 6000), 5)]
    (figure,) = (figure for figure in figures(store) if figure.tile.title == "Events lost")
    assert (figure.total, sum(figure.course)) == (12, 12)
    place = explained(figure, Place(None, show=Show.OVERVIEW), VIEWS)
    lines = ask(store, place.rows(Wanted()))
    assert place.window == (middle, middle + 6000)
    assert isinstance(lines, LinesSnapshot) and lines.coverage.lost == figure.total


async def test_what_is_missing_is_told_of_what_is_shown(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        session = real.app._engine
        assert isinstance(session, Session)
        end = session.store.time_span[1]
        session.store.losses.append(Loss((end - 1000, end), 7))
        for key in ("o", "x", "o"):
            await real.press(pilot, key)
            assert "7 events of this lost" in real.lines[2]
            await real.press(pilot, "right_square_bracket")
            assert "lost" not in real.lines[2]
            await real.press(pilot, "w")


async def test_figures_do_not_fall_while_the_same_is_counted_anew(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o")
        overview, whole = real.screen.overview, real.screen.place.snapshot
        assert isinstance(whole, OverviewSnapshot)
        less = tuple(replace(figure, total=(figure.total + 1) // 2) for figure in whole.figures)
        part = replace(whole, figures=less, complete=False, counted=whole.counted // 2, share=0.5)
        before = real.lines
        assert overview.take(part)
        await pilot.pause()
        assert real.lines == before
        overview.take(replace(part, counted=whole.counted + 1))
        await pilot.pause()
        assert real.lines != before
        assert "counting 50%" in real.raw


async def test_the_way_tells_which_tile_was_opened_and_f7_what_it_counts(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "enter")
        assert "Processes ▸ Overview HTTP errors ▸ Input and output" in real.lines[1]
        await real.press(pilot, "backspace", "f7")
        assert "Processes that did something. Enter: Processes." in real.raw
        await real.press(pilot, "escape")


@pytest.mark.parametrize("key", ["o", "x"])
async def test_a_range_is_at_once_that_of_what_is_shown(captures: Path, key: str) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, key)
        assert real.screen.place.show in (Show.OVERVIEW, *SHOWS)
        before = real.lines[3:-1]
        await real.press(pilot, "right_square_bracket", "right_square_bracket")
        answered = real.screen.place.snapshot
        assert answered is not None and real.screen.place.window is not None
        assert getattr(answered.request, "window", None) == real.screen.place.window
        assert real.lines[5:-1] != before[2:]
        await real.press(pilot, "w")
        assert real.lines[3:-1] == before


async def test_courses_take_the_room_there_is(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(40, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o")
        assert "█████" not in real.raw
        for width in (80, 90, 60, 40, 150):
            await pilot.resize_terminal(width, 24)
            await real.settle(pilot)
            snapshot = real.screen.place.snapshot
            assert isinstance(snapshot, OverviewSnapshot)
            cells = real.screen.overview.tiles.cells
            assert 0.85 * cells <= len(snapshot.figures[0].course) <= cells

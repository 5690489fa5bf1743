"""From a question to its answer by keys, engine included, on the capture with the one 502."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from engine.query.overview import OverviewSnapshot
from engine.query.snapshots import LinesSnapshot
from engine.query.spectrogram import SpectrogramSnapshot
from tests.tui.conftest import until
from tests.tui.test_real import Real
from tui.place import Show
from tui.widgets.spectrogram import Spectrogram
from tui.widgets.tiles import Tiles

SIZE = (120, 40)


@pytest.fixture
def real(captures: Path) -> Real:
    return Real(captures / "502Error.scap")


async def test_the_overview_leads_to_the_one_bad_answer(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "enter")
        assert "HTTP/1.0 502 Bad Gateway" in real.raw
        assert "(haproxy)" in real.row
        await real.press(pilot, "enter")
        assert real.screen.place.show is Show.DETAIL
        assert "48 54 54 50 2f 31 2e 30" in real.raw


async def test_back_from_the_overview_is_where_one_was(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "down", "down", "right")
        before = real.lines
        title = real.screen.overview.tiles.figure
        await real.press(pilot, "enter", "backspace")
        assert real.screen.overview.tiles.figure is not None
        assert title is not None
        assert real.screen.overview.tiles.figure.tile == title.tile
        assert real.lines == before
        await real.press(pilot, "backspace")
        assert real.screen.place.show is Show.TABLE


async def test_a_tile_is_opened_by_the_mouse(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o")
        line = next(at for at, text in enumerate(real.lines) if "New connections in" in text)
        for _ in range(2):
            await pilot.click(offset=(real.lines[line].index("New connections in") + 2, line))
            await real.settle(pilot)
        assert real.screen.place.name == "New Connections"
        assert real.screen.grid.page.total == 74
        assert isinstance(real.screen.body, type(real.screen.grid))


async def test_a_rectangle_of_latencies_leads_to_its_events_and_views(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "f12", "space", "right", "right", "down")
        picture = real.screen.query_one(Spectrogram)
        rectangle = picture.rectangle
        assert rectangle is not None
        assert f"{rectangle.calls:,} calls of " in real.lines[-1]
        await real.press(pilot, "enter")
        assert real.screen.place.show is Show.EVENTS
        assert real.screen.grid.page.total == rectangle.calls
        await real.press(pilot, "backspace")
        assert picture.rectangle == rectangle
        await real.press(pilot, "f2", "end", "enter")
        assert real.screen.place.view is not None
        assert real.screen.place.window == (rectangle.start, rectangle.end)


async def test_the_mouse_draws_a_rectangle_of_latencies(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "X")
        picture = real.screen.query_one(Spectrogram)
        assert real.screen.place.show is Show.FILE_SPECTROGRAM
        await pilot.mouse_down(Spectrogram, offset=(20, 2))
        await pilot.hover(Spectrogram, offset=(90, 20))
        rectangle = picture.rectangle
        await pilot.mouse_up(Spectrogram, offset=(90, 20))
        await real.settle(pilot)
        assert rectangle is not None
        assert real.screen.grid.page.total == rectangle.calls > 0


async def test_a_spectrogram_of_a_chosen_row_changes_to_files_and_back_and_takes_a_filter(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "down", "up", "f12", "space", "down", "shift+f12")
        assert real.lines[1].endswith("Latency of files")
        await real.press(pilot, "f12", "f4", *"evt.type=close", "enter")
        assert real.lines[1].endswith("Latency")
        assert real.screen.query_one(Spectrogram).rectangle is not None


async def test_a_cell_of_latencies_opens_at_the_second_click_and_escape_leaves_the_picture(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "f12")
        picture = real.screen.query_one(Spectrogram)
        offset = (13 + picture.position.left, 1 + picture.position.index)
        await pilot.click(Spectrogram, offset=offset)
        assert picture.rectangle is not None
        assert real.lines[1].endswith("Latency")
        await pilot.click(Spectrogram, offset=offset)
        await real.settle(pilot)
        assert "▸ Events" in real.lines[1]
        assert real.screen.grid.page.total == picture.rectangle.calls > 0
        await real.press(pilot, "escape")
        assert real.lines[1].endswith("Latency")
        await real.press(pilot, "escape")
        assert real.lines[1] == " Processes"


async def test_events_of_a_rectangle_tell_first_how_long_they_took_and_the_way_there_is_told_when_narrow(
    real: Real,
) -> None:
    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "f12", "space", "right", "right", "down", "enter")
        rectangle = real.screen.query_one(Spectrogram).rectangle
        assert rectangle is not None and rectangle.below is not None
        assert real.lines[1].startswith(" … ▸ Latency ▸ Events ")
        snapshot = real.screen.place.snapshot
        assert isinstance(snapshot, LinesSnapshot)
        units = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
        for line in snapshot.lines:
            told = re.match(r"([\d.]+)(\w+) +\d+ 00:44:", line)
            assert told, line
            # Two digits after the point are told.
            took = float(told[1]) * units[told[2]]
            assert rectangle.least * 0.99 <= took <= rectangle.below * 1.01


async def test_a_rectangle_of_latencies_stays_on_them_when_the_screen_changes_its_size(real: Real) -> None:
    async with real.app.run_test(size=(150, 40)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "f12", "space", *["right"] * 8, "down")
        picture = real.screen.query_one(Spectrogram)
        before = picture.rectangle
        await pilot.resize_terminal(80, 24)

        def columns() -> int:
            snapshot = real.screen.place.snapshot
            assert isinstance(snapshot, SpectrogramSnapshot)
            return int(snapshot.counts.shape[1])

        await until(pilot, lambda: columns() == picture.grid[1] == 67)
        after = picture.rectangle
        assert before and after and before.below and after.below
        # A column of the narrower screen is a factor of 1.46 wide.
        assert 0.6 < after.least / before.least < 1.6
        assert 0.6 < after.below / before.below < 1.6


async def test_what_was_searched_comes_into_sight_however_far_right_it_is(real: Real) -> None:
    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "d", "slash", *"queuemax", "enter")
        row = next(at for at, line in enumerate(real.lines) if "queuemax" in line)
        assert [part.text for part in real.strips[row] if part.style and part.style.underline] == ["queuemax"]
        await real.press(pilot, "down", "up")
        assert not any(part.style and part.style.underline for line in real.strips for part in line)


async def test_the_views_of_latencies_are_pictures(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "f2", *"Spectrogram", "enter")
        assert real.lines[1] == " Processes ▸ Latency of files"
        await real.press(pilot, "backspace", "enter", "f2", *"Spectrogram-a", "enter")
        assert real.lines[1].endswith(" ▸ Threads ▸ Latency")
    started = Real(real.path, "spectro_all")
    async with started.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: started.screen.query_one(Spectrogram).rectangle is not None)
        assert started.lines[1] == " Latency"
        await started.press(pilot, "enter")
        assert started.screen.place.show is Show.EVENTS


@pytest.mark.parametrize("key", ["e", "d"])
async def test_another_look_at_payload_stays_on_the_event(real: Real, key: str) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, key, "ctrl+g", *"700", "enter")
        row = real.screen.grid.row()
        assert row is not None
        for choice in ("end", "up", "home"):
            await real.press(pilot, "f2", choice, "enter")
            here = real.screen.grid.row()
            assert here is not None
            assert here.key == row.key
            assert str(row.key) in real.row


async def test_where_fewer_lines_are_left_the_cursor_is_on_the_last_one(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "d", "end")
        many = real.screen.grid.page.total
        await real.press(pilot, "left_square_bracket")
        few = real.screen.grid.page.total
        assert 0 < few < many
        assert real.screen.grid.position.index == few - 1


async def test_a_conversation_is_followed_from_a_connection(real: Real) -> None:
    real = Real(real.path, "connections")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "F")
        await pilot.pause(0.2)
        await real.settle(pilot)
        assert real.screen.place.show is Show.STREAM
        assert "◀ received" in real.raw
        assert "▶ sent" in real.raw
        assert "GET /" in real.raw


async def test_a_cell_keeps_or_leaves_out_what_has_its_value(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "m")
        await pilot.pause(0.2)
        shown = "\n".join(real.lines)
        assert "Cells of the row" in shown
        await real.press(pilot, "down", "down", "down", "enter", "down", "enter")
        assert real.screen.place.filter == "not user.name=systemd-timesync"
        assert "haproxy -f" not in real.row


async def test_a_line_of_an_event_leads_to_all_of_what_it_tells(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "enter", "enter", *["down"] * 3)
        assert "by" in real.row
        await real.press(pilot, "enter", "down", "down", "enter")
        assert (real.screen.place.filter, real.screen.place.besides) == ("thread.tid=13969", "evt.type!=switch")
        assert "haproxy -f" in real.row
        await real.press(pilot, "enter")
        assert real.screen.place.besides == "evt.type!=switch and proc.pid=13969"
        await real.press(pilot, "backspace", "backspace")
        assert real.screen.place.show is Show.DETAIL


async def test_an_event_in_full_is_taken_along(real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "enter", "enter", "E", "enter")
        await real.settle(pilot)
    (saved,) = tmp_path.glob("syscope-*.txt")
    assert "on\t192.168.0.1:44604->192.168.0.3:80" in saved.read_text("utf-8")


async def test_neighbours_of_an_event_are_gone_to_and_back_leads_to_the_list(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "d", "down", "enter")
        first = real.screen.place.event
        await real.press(pilot, "full_stop")
        assert real.screen.place.event > first
        await real.press(pilot, "comma")
        assert real.screen.place.event == first
        await real.press(pilot, "equals_sign")
        assert real.screen.place.event != first
        await real.press(pilot, "backspace")
        assert real.screen.place.show is Show.EVENTS


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_every_screen_fits(real: Real, size: tuple[int, int]) -> None:
    async with real.app.run_test(size=size) as pilot:
        await real.settle(pilot)
        for keys in (["o"], ["backspace", "x"], ["backspace", "d", "enter"], ["backspace", "backspace", "e"]):
            await real.press(pilot, *keys)
            assert len(real.lines) == size[1]
            assert all(len(line) <= size[0] for line in real.lines)
            assert real.lines[-1].startswith(" F1")


@pytest.mark.parametrize("keys", [(), ("down",), ("end", *["up"] * 5)], ids=str)
async def test_a_tile_stays_under_the_cursor_as_figures_come(real: Real, keys: tuple[str, ...]) -> None:
    def marked() -> list[int]:
        return [at for at, line in enumerate(real.lines) if "▌" in line]

    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", *keys)
        tiles = real.screen.query_one(Tiles)
        seen, chosen, before = marked(), tiles.figure, real.screen.place.snapshot
        assert chosen is not None and isinstance(before, OverviewSnapshot)

        # All that were nothing are something now, and some of them are told before all others.
        tiles.show([figure if figure.total else replace(figure, total=7) for figure in before.figures])
        await pilot.pause()
        assert tiles.figure is not None
        assert tiles.figure.tile.title == chosen.tile.title
        assert marked() == seen or not keys
        # Nothing of it in the time that is looked at next.
        tiles.show([replace(figure, total=0) for figure in before.figures])
        await pilot.pause()
        assert tiles.figure == replace(chosen, total=0)
        await real.press(pilot, "enter")
        assert chosen.tile.filter in real.screen.place.filter


async def test_the_right_button_offers_what_can_be_done_with_a_cell(real: Real) -> None:
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        line = next(at for at, text in enumerate(real.lines) if "python /server.py" in text)
        await pilot.click(offset=(real.lines[line].index("root") + 1, line), button=3)
        await pilot.pause(0.2)
        assert "Adds to the filter: user.name=root" in real.raw
        await real.press(pilot, "enter")
        assert real.screen.place.filter == "user.name=root"

"""The timeline and the range: what is told under the bars, the wheel, stepping and playing up to the ends."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from engine.text import duration
from tests.tui.conftest import Stage, until
from tests.tui.test_actions import LIVE
from tests.tui.test_real import Real
from tui.moments import clock, range_text
from tui.place import Show

SIZE = (80, 24)
SECOND = 1_000_000_000


@pytest.fixture
async def opened(captures: Path) -> AsyncIterator[tuple[Real, Pilot[None]]]:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        yield real, pilot


def axis(of: Real | Stage) -> str:
    return (of.lines if isinstance(of, Real) else of.text())[4]


async def test_both_ends_are_told_under_the_first_and_the_last_bar(opened: tuple[Real, Pilot[None]]) -> None:
    real, _ = opened
    shown = real.screen.timing.timeline.shown
    assert shown is not None
    end = clock(shown.start + len(shown.values) * shown.width, shown.width)
    assert axis(real).startswith(clock(shown.start, shown.width))
    assert len(axis(real)) == axis(real).index(end) + len(end) == len(shown.values)


async def test_a_range_covers_times_wholly_or_leaves_them(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened
    whole = axis(real)
    start, end = whole.split()[0], whole.split()[-1]
    for _ in range(12):
        await real.press(pilot, "right_square_bracket")
        assert {*re.findall(r"[\d:.]{5,}", axis(real))} <= {start, end}
        assert "events, highest" in axis(real)


@pytest.mark.parametrize("keys", [("home",), (), ("end",), ("home", "space", "end"), ("end", "space", "left", "left")])
async def test_while_a_range_is_selected_its_keys_and_what_it_is_are_told(
    opened: tuple[Real, Pilot[None]], keys: tuple[str, ...]
) -> None:
    real, pilot = opened
    await real.press(pilot, "r", *keys)
    timeline = real.screen.timing.timeline
    assert real.lines[-1].startswith(" ← Earlier  → Later  Space Edge  Enter Choose  Esc Leave")
    if "space" in keys:
        await real.press(pilot, "enter")
        window = real.screen.place.window
        await real.press(pilot, "r", *keys)
        assert window is not None and range_text(window) in axis(real)
    else:
        assert "at 00:44:" in axis(real)
    assert timeline.selecting


async def test_the_mouse_tells_what_is_under_it_until_it_leaves(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened
    await pilot.hover("#timeline", offset=(30, 0))
    shown = real.screen.timing.timeline.shown
    assert shown is not None
    assert f"at {clock(shown.start + 30 * shown.width, shown.width)}: " in axis(real)
    await pilot.hover("#rows", offset=(3, 3))
    assert "highest" in axis(real)


async def test_an_end_of_the_range_is_moved_by_the_mouse_and_the_other_stays(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened

    async def drag(start: int, end: int) -> None:
        await pilot.mouse_down("#timeline", offset=(start, 0))
        await pilot.hover("#timeline", offset=(end, 0))
        await pilot.mouse_up("#timeline", offset=(end, 0))
        await real.settle(pilot)

    await drag(10, 20)
    assert axis(real)[10:21] == "├─────────┤"
    await drag(20, 25)
    assert axis(real)[10:26] == "├──────────────┤"
    await drag(10, 15)
    assert axis(real)[15:26] == "├─────────┤"
    await pilot.click("#timeline", offset=(15, 0))
    assert real.screen.place.window is None


async def test_the_wheel_zooms_where_the_mouse_is_and_with_shift_goes_sideways(
    opened: tuple[Real, Pilot[None]],
) -> None:
    real, pilot = opened
    timeline, timing = real.screen.timing.timeline, real.screen.timing

    async def turn(kind: type[events.MouseEvent], *, shift: bool = False) -> None:
        timeline.post_message(kind(timeline, 20, 0, 0, 0, 0, shift, False, False, 20, 3))
        await pilot.pause()
        await real.settle(pilot)

    whole = timeline.shown
    assert whole is not None
    moment = whole.start + 20 * whole.width
    for _ in range(3):
        await turn(events.MouseScrollUp)
    assert timing.span is not None and timeline.shown is not None
    start, end = timing.span
    assert (end - start + 1) == pytest.approx((real.screen.status.end - real.screen.status.start) / 8, rel=0.01)
    assert abs((moment - timeline.shown.start) // timeline.shown.width - 20) <= 3
    await turn(events.MouseScrollDown, shift=True)
    assert timing.span[0] > start
    await turn(events.MouseScrollLeft)
    assert timing.span == (start, end)
    for _ in range(4):
        await turn(events.MouseScrollDown)
    assert timing.span is None


async def test_steps_go_as_far_as_anything_was_captured(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened
    status = real.screen.status
    windows = []
    for key in (*["right_square_bracket"] * 14, *["left_square_bracket"] * 14):
        await pilot.press(key)
        window = real.screen.place.window
        assert window is not None
        windows.append(window)
    assert windows[13] == windows[12] and windows[13][0] <= status.end <= windows[13][1]
    assert windows[-1] == windows[-2] and windows[-1][0] <= status.start <= windows[-1][1]
    assert len({end - start for start, end in windows}) == 1
    assert len({start % (windows[0][1] - windows[0][0] + 1) for start, _ in windows}) == 1


async def test_a_timeline_that_shows_a_part_follows_the_range(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened
    await real.press(pilot, *["right_square_bracket"] * 3, "plus")
    zoomed = real.screen.timing.span
    assert zoomed is not None
    for key in (*["right_square_bracket"] * 4, *["left_square_bracket"] * 6):
        await real.press(pilot, key)
        window, span = real.screen.place.window, real.screen.timing.span
        assert window is not None and span is not None
        assert span[0] <= window[0] and window[1] <= span[1]
        assert span[1] - span[0] == zoomed[1] - zoomed[0]
        assert re.search("├─.*┤", axis(real))


async def test_playing_stops_at_the_end_of_a_capture_and_begins_anew_from_there(
    opened: tuple[Real, Pilot[None]],
) -> None:
    real, pilot = opened
    await real.press(pilot, *["right_square_bracket"] * 2)
    await pilot.press("P", "P", "P", "P", "P")
    assert "▶" in real.lines[1]
    await until(pilot, lambda: "▶" not in real.lines[1])
    window, status = real.screen.place.window, real.screen.status
    assert window is not None and window[1] == status.end
    await pilot.press("P")
    again = real.screen.place.window
    assert again is not None and again[0] - status.start < SECOND
    assert again[1] - again[0] == window[1] - window[0]
    await pilot.press("escape")


async def test_playing_on_a_live_machine_comes_to_now_and_goes_on_with_it(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, live=LIVE)
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("right_square_bracket")
        assert "behind now" in stage.text()[1]
        for _ in range(7):
            await pilot.press("P")
        end = stage.engine.status.end
        await until(pilot, lambda: stage.screen.place.window is not None and stage.screen.place.window[1] == end)
        assert "▶ 1×" in stage.text()[1]
        assert "behind" not in stage.text()[1]
        stage.engine.publish(replace(stage.engine.status, end=end + 100_000_000))
        await until(pilot, lambda: stage.screen.place.window is not None and stage.screen.place.window[1] > end)


async def test_the_overview_is_played_too(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=SIZE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "o", "right_square_bracket", "P")
        seen = set()

        def played() -> bool:
            snapshot = real.screen.place.snapshot
            seen.add(getattr(getattr(snapshot, "request", None), "window", None))
            return len(seen) > 3

        await until(pilot, played)
        assert real.screen.place.show is Show.OVERVIEW
        await pilot.press("escape")


async def test_ranges_of_other_lengths_are_not_compared_without_a_word(opened: tuple[Real, Pilot[None]]) -> None:
    real, pilot = opened

    def told() -> list[str]:
        return [each.message for each in real.app._notifications if "lasts" in each.message]

    await real.press(pilot, "right_square_bracket", "A", "right_square_bracket", "D")
    assert told() == []
    await real.press(pilot, "backspace", "w", "D")
    (words,) = told()
    length = real.screen.place.against
    assert length is not None
    assert f"A lasts {duration(length[1] - length[0] + 1)}, B 12.10s" in words


async def test_compared_ranges_are_marked_and_bookmarked(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(120, 40)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "right_square_bracket", "A", *["right_square_bracket"] * 3, "D")
        a, b = real.screen.place.against, real.screen.place.window
        assert a is not None
        assert f"▸ Change from {range_text(a)}" in real.lines[1]
        marks = real.lines[5] if "├" in real.lines[5] or "A" in real.lines[5] else axis(real)
        assert marks.index("A─") < marks.index("─A") < marks.index("B─") < marks.index("─B")
        rows = real.lines[6:-1]
        await pilot.press("B", *"before and after", "enter")
        await pilot.pause()
    again = Real(captures / "502Error.scap")
    async with again.app.run_test(size=(120, 40)) as pilot:
        await again.settle(pilot)
        await again.press(pilot, "apostrophe")
        assert f"with {range_text(a)}" in again.raw
        await again.press(pilot, "enter")
        assert (again.screen.place.against, again.screen.place.window) == (a, b)
        assert again.lines[6:-1] == rows

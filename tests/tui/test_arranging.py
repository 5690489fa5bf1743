"""What users arrange and keep: columns, bookmarks, keys, colours; comparing, the tree, the pane, the palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot

from engine.query.snapshots import TableRequest
from engine.user_files import read_state
from tests.tui.conftest import Stage, until
from tests.tui.prepared import PROCS
from tests.tui.test_real import Real
from tui.place import Show
from tui.screens.bookmarks import from_plain
from tui.screens.columns import arranged, name_of, read_layouts
from tui.screens.palette import Commands

WIDE = (120, 40)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def titles(real: Real) -> str:
    """The line of titles."""
    return next(line for line in real.lines if "USER" in line and "Command" in line)


async def test_columns_are_hidden_moved_and_kept(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "C", "down", "space", "escape")
        assert titles(real).split()[:3] == ["PID", "▼CPU", "USER"]
        await real.press(pilot, "C", "J", "escape")
        assert titles(real).split()[:3] == ["▼CPU", "PID", "USER"]
        assert real.row.split()[1] == "13969"
    again = Real(captures / "502Error.scap")
    async with again.app.run_test(size=WIDE) as pilot:
        await again.settle(pilot)
        assert titles(again).split()[:3] == ["▼CPU", "PID", "USER"]
        await again.press(pilot, "C", "R", "escape")
        assert titles(again).split()[:3] == ["PID", "PPID", "▼CPU"]
    assert read_layouts() == {}


async def test_a_column_is_as_wide_as_was_chosen_however_little_room_there_is(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        before = real.screen.grid.widths
        shipped = real.screen.shipped["procs"].columns[0].width
        assert before[0] < shipped
        for wider in range(1, 5):
            await real.press(pilot, "C", "plus", "escape")
            assert real.screen.grid.widths[0] == before[0] + wider
            assert real.screen.grid.widths[1:-1] == before[1:-1]
        await real.press(pilot, "C", "minus", "minus", "escape")
        assert real.screen.grid.widths[0] == before[0] + 2
    again = Real(captures / "502Error.scap")
    async with again.app.run_test(size=(80, 24)) as pilot:
        await again.settle(pilot)
        assert again.screen.grid.widths[0] == before[0] + 2
        await again.press(pilot, "C", "R", "escape")
        assert again.screen.grid.widths == before


async def test_columns_are_arranged_by_the_mouse_alone(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "C")
        for word in ("J", "show", "done"):
            frame = next(at for at, line in enumerate(real.lines) if "move" in line)
            await pilot.click(offset=(real.lines[frame].index(f" {word} ") + 1, frame))
            await pilot.pause()
        assert not real.screen.dialog.display
        await real.press(pilot)
        assert titles(real).split()[:2] == ["PPID", "▼CPU"]


def test_a_layout_of_columns_that_are_gone_changes_nothing() -> None:
    assert arranged(PROCS, [("NOTHING/none", 5)]) == PROCS
    columns = [(name_of(column), 3) for column in PROCS.columns[:2]]
    made = arranged(PROCS, columns)
    assert [column.title for column in made.columns] == ["PID", "CPU"]
    assert made.columns[0].width == 4


async def test_a_bookmark_leads_back_to_its_place(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "right_square_bracket", "right_square_bracket", "enter", "d")
        window, total = real.screen.place.window, real.screen.grid.page.total
        await pilot.press("B", *"the needle", "enter")
        await pilot.pause()
        await real.press(pilot, "backspace", "backspace", "w", "apostrophe")
        assert "the needle" in real.raw
        await real.press(pilot, "enter")
        assert real.screen.place.show is Show.EVENTS
        assert (real.screen.place.window, real.screen.grid.page.total) == (window, total)
        await real.press(pilot, "apostrophe", "delete")
        assert not real.screen.dialog.display
    again = Real(captures / "502Error.scap")
    async with again.app.run_test(size=WIDE) as pilot:
        await again.settle(pilot)
        assert again.screen.bookmarks.kept() == []


@pytest.mark.parametrize("value", [None, 1, [], {}, {"note": "x"}, {"note": 1, "view": 2, "show": "nothing"}])
def test_what_is_no_bookmark_is_left_out(value: object) -> None:
    assert from_plain(value) is None


async def test_two_ranges_are_compared(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await press(pilot, "right_square_bracket", "A", "right_square_bracket", "D")
        request = stage.asked
        assert isinstance(request, TableRequest)
        assert request.against is not None
        assert request.window is not None
        assert request.against[1] + 1 == request.window[0]
        assert "Change from 14:36:39.400 – 14:36:40.699" in stage.text()[1]
        await press(pilot, "D", "end", "enter")
        request = stage.asked
        assert isinstance(request, TableRequest)
        assert request.measure == "NET"
        await press(pilot, "backspace")
        assert stage.screen.place.against is None


async def test_the_pane_that_has_no_room_says_so(stage: Stage) -> None:
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "i")
        await until(pilot, lambda: any("There is room" in told.message for told in stage.app._notifications))
        assert not stage.screen.peeking.pane.display


async def test_the_tree_is_a_mode_of_the_processes(captures: Path) -> None:
    real = Real(captures / "mixed_thin.scap.gz")
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        flat = [row.key for row in real.screen.grid.page.rows]
        await real.press(pilot, "t")
        assert any("└" in line or "├" in line for line in real.lines)
        assert [row.key for row in real.screen.grid.page.rows] != flat
        await real.press(pilot, "t")
        assert [row.key for row in real.screen.grid.page.rows] == flat


async def test_the_pane_follows_the_cursor(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(160, 40)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "i")
        await until(pilot, lambda: "Process id." in real.raw)
        assert any(line.rstrip().endswith("/usr/sbin/haproxy -f") for line in real.lines), (
            "all of it, in its own column"
        )
        await real.press(pilot, "down")
        await until(pilot, lambda: any(line.rstrip().endswith(f"{'PID':12}13700") for line in real.lines))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not real.screen.peeking.pane.display)
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: real.screen.peeking.pane.display)
        await real.press(pilot, "i")
        assert not real.screen.peeking.pane.display


async def test_the_palette_runs_an_action(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        await pilot.press(*"figures of everything")
        await pilot.pause(0.8)
        await pilot.press("enter")
        await until(pilot, lambda: stage.screen.place.show is Show.OVERVIEW)


async def test_everything_is_reached_by_the_mouse_from_the_last_line(stage: Stage) -> None:
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.click("#keys", offset=(stage.text()[-1].index("≡"), 0))
        await until(pilot, lambda: isinstance(stage.app.screen, CommandPalette))
        await pilot.press(*"columns")
        await pilot.pause(0.8)
        names = [str(option.prompt).splitlines()[0] for option in stage.app.screen.query_one(CommandList).options]
        assert names[0] == "Columns"
        await pilot.click(CommandList, offset=(5, 1))
        await until(pilot, lambda: any("─ Columns ─" in line for line in stage.text()))


async def test_the_palette_tells_each_action_once_with_its_keys_and_no_more(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        told = [(name, meaning) for name, meaning, _ in Commands(stage.screen)._commands()]
        names = [name for name, _ in told]
        assert len(set(names)) == len(names)
        assert ("Sort", "F9 s  Choose the column to sort on") in told
        assert "Back" not in names, "there is nothing to go back to"
        assert {"Theme", "Picture"} <= set(names)


def settings(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "syscope"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)


async def test_keys_of_the_filter_editor_come_from_the_settings_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings('[keys]\nundo = "ctrl+o"\n', monkeypatch, tmp_path)
    async with stage.app.run_test(size=WIDE) as pilot:
        await press(pilot, "f4", "a", "space", "b")
        assert "Ctrl+O Undo" in stage.text()[-1]
        await press(pilot, "ctrl+z")
        assert stage.screen.filter_prompt.text == "a b"
        await press(pilot, "ctrl+o")
        assert stage.screen.filter_prompt.text == "a "


async def test_keys_and_colours_come_from_the_settings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings('[keys]\ndig = "z"\n[theme]\nname = "nord"\naccent = "#ff8800"\n', monkeypatch, tmp_path)
    async with stage.app.run_test(size=WIDE) as pilot:
        await press(pilot, "d")
        assert stage.screen.place.name == "Processes"
        await press(pilot, "z")
        assert stage.screen.place.name == "Events"
        assert stage.app.theme == "mine"
        assert stage.app.current_theme.accent == "#ff8800"
        await press(pilot, "T")
        assert not stage.app.current_theme.dark
        await press(pilot, "T")
        assert stage.app.theme == "mine"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[keys]\nnothing = "z"\n', "nothing: expected the id of an action"),
        ('[theme]\nname = "none"\n', "expected the name of a theme"),
        ('[theme]\naccent = "greenish"\n', "expected a colour"),
        ("[theme\n", "config.toml:1"),
    ],
)
async def test_a_mistake_in_the_settings_is_told_with_its_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, told: str
) -> None:
    settings(text, monkeypatch, tmp_path)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert any(told in note.message and "config.toml" in note.message for note in stage.app._notifications)
        assert stage.row


async def test_what_is_kept_is_of_this_capture_only(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("B", *"note", "enter")
        await pilot.pause()
        state = read_state("bookmarks")
        assert list(state) == [str(Path("sample.scap").resolve())]

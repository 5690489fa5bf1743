"""What keys and clicks do on the main screen."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.events import Key, MouseScrollDown
from textual.pilot import Pilot

from engine.query.payload import Shape, ViewAs
from engine.query.snapshots import LinesRequest, Row, ShownColumn, TableRequest
from tests.tui.conftest import Stage, until
from tests.tui.prepared import START
from tests.tui.test_actions import LIVE
from tui.place import Position
from tui.screens import rows
from tui.widgets.grid import Grid
from tui.widgets.page import Page

WIDE = (120, 30)


async def go_to_files(pilot: Pilot[None]) -> None:
    """Switch to the files view."""
    await pilot.press("f2", "home", "enter")
    await pilot.pause()


async def test_start_shows_source_view_filter_rows_and_position(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        text = stage.text()
        assert text[0].startswith(" sample.scap   22,381 events · 12.09s")
        assert text[1] == " Processes"
        assert text[2] == " Filter evt.type!=switch"
        assert text[5].split() == ["PID", "▼CPU", "USER", "FILE", "NET", "Command", "▸"]
        assert stage.row.split()[:3] == ["100", "40.0", "root"]
        assert text[-1].startswith(" F1Help F2Views")
        assert text[-1].endswith("1/41 (2%) ≡")


async def test_unknown_values_are_shown_as_unknown_and_come_last(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert stage.row.split()[1] == "-"


async def test_letters_do_what_function_keys_do(stage: Stage) -> None:
    pairs = {
        "help": "f1",
        "views": "f2",
        "edit_filter": "f4",
        "echo": "f5",
        "dig": "f6",
        "legend": "f7",
        "sort": "f9",
        "quit": "f10",
    }
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        bindings = stage.screen.active_bindings
        for action, function_key in pairs.items():
            assert bindings[function_key].binding.action == action
            letters = [key for key, active in bindings.items() if active.binding.action == action and len(key) == 1]
            assert letters, f"{action} has no letter"


async def test_the_cursor_moves_and_stops_at_both_ends(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "j", "up", "j")
        assert stage.row.split()[0] == "114"
        await pilot.press("G", "down")
        await pilot.pause()
        assert stage.screen.grid.position.index == 40
        assert stage.text()[-1].endswith("41/41 (100%) ≡")
        await pilot.press("g", "up")
        await pilot.pause()
        assert stage.row.split()[0] == "100"


async def test_rows_out_of_the_page_are_asked_for_when_they_come_into_sight(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await go_to_files(pilot)
        await pilot.press("end")
        await pilot.pause()
        assert "/var/lib/app/data-0299.bin" in stage.row
        assert len(stage.screen.grid.page.rows) < 100


async def test_enter_drills_down_and_backspace_returns_to_exactly_what_was_there(stage: Stage) -> None:
    async with stage.app.run_test(size=(60, 14)) as pilot:
        await pilot.press("5", "pagedown", "pagedown", "up", "right")
        await pilot.pause()
        before = stage.text()
        await pilot.press("enter")
        await pilot.pause()
        assert stage.text()[1].startswith(" Processes proc.pid=")
        assert stage.text()[1].endswith("▸ Threads")
        request = stage.asked
        assert isinstance(request, TableRequest)
        assert [(level.view.id, level.field) for level in request.levels] == [("procs", "proc.pid")]
        await pilot.press("backspace")
        await pilot.pause()
        assert stage.text() == before


async def test_backspace_shows_what_was_there_before_the_engine_answers(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "down")
        before = stage.text()
        await pilot.press("enter")
        await pilot.pause()
        stage.engine.silent = True
        await pilot.press("backspace")
        await pilot.pause()
        assert stage.text()[5:] == before[5:]


async def test_a_new_place_flashes_no_word_and_tells_of_reading_once_the_answer_takes_its_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        monkeypatch.setattr(rows, "PATIENCE", 0.3)
        stage.engine.silent = True
        await pilot.press("enter")
        await pilot.pause()
        assert not any("Reading…" in line or "No rows" in line for line in stage.text())
        await until(pilot, lambda: any("Reading…" in line for line in stage.text()))


async def test_enter_where_no_view_follows_opens_the_events(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("enter", "enter", "enter")
        await pilot.pause()
        # Threads name a target that does not exist; Files follow a thread. From a file one gets to processes.
        assert [place.name for place in stage.screen.places] == ["Processes", "Threads", "Files", "Processes"]


async def test_f2_offers_what_can_follow_and_describes_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        shown = "\n".join(stage.text())
        assert "• Processes" in shown
        assert "Sort on NET to find who talks." in shown
        assert "Share of one processor, percent." in shown
        await pilot.press("up")
        await pilot.pause()
        assert "Times it was opened." in "\n".join(stage.text())
        await pilot.press("enter")
        await pilot.pause()
        assert stage.text()[1] == " Processes ▸ Files"


async def test_a_name_is_typed_to_reach_an_entry(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        # j after a name's beginning that has no j is again the key it always is.
        asked = (
            ("P", "Processes"),
            ("F", "Files"),
            ("Fi", "Files"),
            ("Th", "Threads"),
            ("Prj", "Threads"),
            ("fi", "Files"),
        )
        for keys, name in asked:
            await pilot.press("f2", *keys, "enter")
            await pilot.pause()
            assert stage.screen.place.name == name, keys


@pytest.mark.parametrize("key", ["escape", "f2"])
async def test_leaving_the_view_picker_changes_nothing(stage: Stage, key: str) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        before = stage.text()
        await pilot.press("f2", "down", key)
        await pilot.pause()
        assert stage.text() == before


async def test_of_a_pasted_filter_every_line_counts(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await pilot.pause()
        stage.app.post_message(events.Paste("proc.name=curl\n  and evt.type=open\n"))
        await until(pilot, lambda: "proc.name=curl and evt.type=open" in stage.text()[-3])


async def test_a_filter_is_judged_while_typed_and_applied_by_enter(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4", *"name=curl")
        await until(pilot, lambda: "keeps 1,204 of 22,381 events" in stage.text()[-2])
        await pilot.press("enter")
        await until(pilot, lambda: not stage.screen.filter_prompt.display)
        assert stage.text()[2] == " Filter name=curl ✕ and evt.type!=switch"
        assert all("curl" in line for line in stage.text()[6:14])


async def test_a_wrong_filter_is_pointed_at_and_not_applied(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("backslash", *"a=1 and bad=2")
        await until(pilot, lambda: "no field is called" in stage.text()[-2])
        entry, said = stage.text()[-3:-1]
        assert said.index("^") == entry.index("bad")
        await pilot.press("enter")
        await pilot.pause()
        assert stage.screen.filter_prompt.display
        assert stage.screen.place.filter == ""


async def test_enter_before_the_verdict_applies_once_it_is_good(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f", *"x=curl", "enter")
        await until(pilot, lambda: stage.screen.place.filter == "x=curl")
        assert not stage.screen.filter_prompt.display


async def test_escape_leaves_the_filter_as_it_was(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        before = stage.text()
        await pilot.press("f4", *"name=curl", "escape")
        await pilot.pause()
        assert stage.text() == before


async def test_digits_sort_and_the_same_again_turns_round(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("1")
        await pilot.pause()
        assert "▼PID" in stage.text()[5]
        assert stage.row.split()[0] == "380"
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert "▲PID" in stage.text()[5]
        assert stage.row.split()[0] == "100"


async def test_angle_brackets_move_the_sort_column(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("greater_than_sign")
        await pilot.pause()
        assert "USER▲" in stage.text()[5]
        await pilot.press("less_than_sign", "less_than_sign", "less_than_sign")
        await pilot.pause()
        assert "▼PID" in stage.text()[5]


async def test_f9_chooses_the_sort_column(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f9")
        await pilot.pause()
        assert any("2 ▼ CPU" in line for line in stage.text())
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert "▼FILE" in stage.text()[5]


async def test_a_digit_or_a_name_chooses_the_sort_column_in_the_panel(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f9", "4")
        await until(pilot, lambda: "▼FILE" in stage.text()[5])
        await pilot.press("f9", "N", "enter")
        await until(pilot, lambda: "▼NET" in stage.text()[5])


async def test_sorting_keeps_the_cursor_on_its_row(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "down", "1")
        await pilot.pause()
        assert stage.row.split()[0] == "114"
        assert stage.screen.grid.position.index == 38


async def test_the_search_goes_to_the_nearest_row_while_typed_and_on_with_n(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"Docker")
        await pilot.pause()
        first = stage.row
        assert "dockerd" in first
        await pilot.press("enter", "n")
        await pilot.pause()
        assert "dockerd" in stage.row
        assert stage.row != first
        await pilot.press("N")
        await pilot.pause()
        assert stage.row == first


def burst(stage: Stage, *keys: str) -> None:
    """Keys that are there before the first of them is looked at."""
    for key in keys:
        name = {"/": "slash", ":": "colon"}.get(key, key)
        stage.app.post_message(Key(name, "\r" if key == "enter" else key if len(key) == 1 else None))


async def test_keys_after_enter_are_the_tables_however_fast_they_come(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"Docker", "enter", "n", "n")
        await pilot.pause()
        third = stage.row
        await pilot.press("home")
        burst(stage, "/", *"Docker", "enter", "n", "n")
        await until(pilot, lambda: stage.row == third)
        assert not stage.screen.search_prompt.display
        assert stage.screen.search_prompt.text == "Docker"
        burst(stage, "N", "N", "n", "p")
        await until(pilot, lambda: "PAUSED" in stage.text()[0])
        assert "dockerd" in stage.row and stage.row != third


async def test_what_is_deleted_is_what_was_typed_before_however_fast_keys_come(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        burst(
            stage, "/", *"cup", "backspace", *"be", "home", "delete", "t", "end", "ctrl+w", *"do", "left", "c", "enter"
        )
        await until(pilot, lambda: stage.screen.search_prompt.text == "dco")
        await until(pilot, lambda: not stage.screen.search_prompt.display)


async def test_keys_after_the_enter_of_a_filter_wait_for_what_becomes_of_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        burst(stage, "f4", *"proc.name=dockerd", "enter", "down", "p")
        await until(pilot, lambda: "PAUSED" in stage.text()[0])
        assert stage.screen.place.filter == "proc.name=dockerd"
        burst(stage, "p", "f4", *"bad", "enter", "x")
        await until(pilot, lambda: stage.screen.filter_prompt.text == "proc.name=dockerdbadx")
        assert stage.screen.filter_prompt.display


async def test_a_row_that_is_gone_to_is_shown_with_what_is_around_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f2", "F", "enter", "ctrl+g", *"150", "enter")
        await pilot.pause()
        marked = next(at for at, line in enumerate(stage.text()) if line.startswith("▌"))
        lines = [line for line in stage.text()[marked - 3 : marked + 4] if line.strip()]
        assert stage.screen.grid.position.index == 149
        assert len(lines) == 7


async def test_a_search_without_a_hit_says_so_and_escape_goes_back(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "ctrl+f", *"curlx")
        await pilot.pause()
        assert "not found" in stage.text()[-2]
        await pilot.press("escape")
        await pilot.pause()
        assert stage.screen.grid.position.index == 1


@pytest.mark.parametrize(("keys", "index"), [(["enter", "down"], 1), (["escape"], 0), (["enter"], 3)])
async def test_a_late_answer_moves_only_a_cursor_that_waited(stage: Stage, keys: list[str], index: int) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        stage.engine.silent = True
        await pilot.press("slash", *"dockerd", *keys)
        late = next(asked for asked in reversed(stage.engine.asked) if getattr(asked, "search", ""))
        stage.engine.publish(stage.engine.answer(late))
        await pilot.pause()
        assert stage.screen.grid.position.index == index


async def test_a_click_beside_a_dialog_closes_it_and_one_on_an_entry_chooses_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f2")
        await pilot.pause()
        await pilot.click(offset=(0, 0))
        await pilot.pause()
        assert not stage.screen.dialog.display
        await pilot.press("f2")
        await pilot.pause()
        line = next(y for y, text in enumerate(stage.text()) if "Threads" in text)
        await pilot.click(offset=(stage.text()[line].index("Threads"), line))
        await pilot.pause()
        assert stage.text()[1] == " Processes ▸ Threads"


async def test_keys_of_the_table_do_nothing_under_a_dialog(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f7", "p", "1", "d", "escape")
        await pilot.pause()
        assert "PAUSED" not in stage.text()[0]
        assert stage.text()[1] == " Processes"
        assert "▼CPU" in stage.text()[5]


async def test_arrows_move_while_searching(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash", *"curl", "down")
        await pilot.pause()
        assert stage.screen.search_prompt.display
        assert "curl" not in stage.row


async def test_dig_shows_the_events_of_the_row(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "f6")
        await pilot.pause()
        assert stage.text()[1] == " Processes proc.pid=107 ▸ Events"
        assert stage.text()[5].startswith("▌1 14:36:40")
        request = stage.asked
        assert isinstance(request, LinesRequest)
        assert [(level.field, level.value) for level in request.levels] == [("proc.pid", 107)]
        await pilot.press("end")
        await pilot.pause()
        assert stage.row.startswith("500 ")
        await pilot.press("backspace")
        await pilot.pause()
        assert stage.row.split()[0] == "107"


async def test_long_lines_scroll_sideways(stage: Stage) -> None:
    async with stage.app.run_test(size=(50, 14)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert "HTTP/1.1" not in stage.text()[5]
        await pilot.press(*["right"] * 8)
        await pilot.pause()
        assert stage.text()[5].endswith("HTTP/1.1")


async def test_pause_holds_the_picture_while_events_arrive(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("p")
        await pilot.pause()
        assert "PAUSED" in stage.text()[0]
        before = stage.text()[5:]
        stage.engine.tables["procs"] = stage.engine.tables["procs"][5:]
        stage.engine.publish(replace(stage.engine.status, events=30_000))
        await until(pilot, lambda: "30,000 events" in stage.text()[0])
        await pilot.pause(stage.screen.options.delay_ms / 1000)
        assert stage.text()[5:] == before
        await pilot.press("p")
        await until(pilot, lambda: stage.text()[-1].endswith("1/36 (3%) ≡"))


async def test_rows_grow_while_the_file_is_read(stage: Stage) -> None:
    everything = stage.engine.tables["procs"]
    stage.engine.tables["procs"] = []
    loading = replace(stage.engine.status, events=0, progress=0.0, start=0, end=0)
    stage.engine.status = loading
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert any("Reading…" in line for line in stage.text())
        stage.engine.tables["procs"] = everything[:3]
        stage.engine.publish(replace(loading, events=4096, progress=0.25, start=START, end=START + 1_000_000_000))
        await until(pilot, lambda: stage.text()[-1].endswith("1/3 (33%) ≡"))
        assert "reading  25% ██░░░░░░░░" in stage.text()[0]
        await pilot.press("down")
        chosen = stage.row
        stage.engine.tables["procs"] = [(9000 + n, 90.0, "root", 1, 1, "new") for n in range(4)] + everything
        stage.engine.publish(replace(loading, events=90_000, progress=1.0))
        await until(pilot, lambda: stage.text()[-1].endswith("/45 (13%) ≡"))
        assert stage.row == chosen


async def test_damage_is_told_with_its_place(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, damage=("a.scap: at byte 77: expected 9 bytes, found 3",))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "✗ damaged" in stage.text()[0]
        assert stage.text()[3] == " ✗ a.scap: at byte 77: expected 9 bytes, found 3"


async def test_a_source_without_events_ends_the_app_with_a_reason(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, events=0, error="a.scap: holds no events")
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
    assert stage.app.return_code == 1
    assert stage.app.failure == "a.scap: holds no events"
    assert stage.engine.closed


async def test_help_tells_every_key_that_works(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 70)) as pilot:
        await pilot.pause()
        actions = {a.binding.action for a in stage.screen.active_bindings.values() if a.binding.tooltip}
        await pilot.press("f1")
        await pilot.pause()
        shown = "\n".join(stage.text())
        await pilot.press("end")
        await pilot.pause()
        shown += "\n".join(stage.text())
        assert len(actions) > 20
        for wanted in ("F2 v", "F4 \\ f", "1 … 9", "Bksp Ctrl+H b", "Ctrl+C", "Space PgDn"):
            assert wanted in shown
        await pilot.press("escape")
        await pilot.pause()
        assert stage.text()[1] == " Processes"


async def test_the_legend_tells_what_rows_are_and_where_enter_leads(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f7")
        await pilot.pause()
        shown = "\n".join(stage.text())
        assert "each proc.pid" in shown
        assert "opens Threads" in shown
        await pilot.press("q")
        await pilot.pause()
        assert stage.app.is_running
        assert stage.text()[1] == " Processes"


async def test_a_click_selects_and_a_click_on_the_selected_row_opens(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.click(Grid, offset=(10, 3))
        assert stage.row.split()[0] == "114"
        await pilot.click(Grid, offset=(10, 3))
        await pilot.pause()
        assert stage.text()[1] == " Processes proc.pid=114 ▸ Threads"
        await pilot.click("#crumbs", offset=(2, 0))
        await pilot.pause()
        assert stage.text()[1] == " Processes"


async def test_a_click_on_a_title_sorts(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        for mark in "▼▲":
            await pilot.click(Grid, offset=(stage.text()[5].index("NET"), 0))
            await pilot.pause()
            assert f"{mark}NET" in stage.text()[5]


async def test_keys_and_filter_may_be_clicked(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.click("#filter", offset=(10, 0))
        await pilot.pause()
        assert stage.screen.filter_prompt.display
        await pilot.press("escape")
        await pilot.pause()
        await pilot.click("#keys", offset=(stage.text()[-1].index("Dig"), 0))
        await pilot.pause()
        assert stage.text()[1].endswith("Events")


async def test_the_wheel_scrolls_and_leaves_the_cursor(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollDown], Grid, offset=(5, 5))
        await pilot.pause()
        assert stage.screen.grid.scroll_offset.y == 3
        assert stage.screen.grid.position.index == 0


async def test_the_look_changes_and_the_rows_stay(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down")
        before = stage.text()
        await pilot.press("T")
        await pilot.pause()
        assert stage.app.theme == "syscope-light"
        assert stage.text() == before


@pytest.mark.parametrize("key", ["q", "f10", "ctrl+c"])
async def test_leaving(stage: Stage, key: str) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert not stage.app.is_running
    assert stage.app.return_code == 0
    assert stage.engine.closed


async def test_ctrl_c_leaves_from_a_dialog_and_while_typing(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4", "x", "f2", "ctrl+c")
        await pilot.pause()
        assert not stage.app.is_running


async def test_late_answers_to_another_place_are_not_shown(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        late = stage.engine.answer(stage.asked)
        await pilot.press("f6")
        await pilot.pause()
        stage.engine.publish(late)
        await pilot.pause()
        assert stage.text()[5].startswith("▌1 14:36:40")


async def test_what_is_typed_right_after_the_key_goes_into_the_filter(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        for key, character in [("f4", None), *((letter, letter) for letter in "pdq")]:
            stage.app.post_message(Key(key, character))
        await until(pilot, lambda: stage.screen.filter_prompt.text == "pdq")
        assert stage.text()[1] == " Processes"


async def test_echo_shows_what_the_row_read_and_wrote(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f5")
        await pilot.pause()
        assert stage.text()[1].endswith("▸ Input and output")
        request = stage.asked
        assert isinstance(request, LinesRequest)
        assert request.shape is Shape.ECHO
        await pilot.press("f2", "end", "enter")
        await pilot.pause()
        request = stage.asked
        assert isinstance(request, LinesRequest)
        assert request.view_as is ViewAs.HEX


async def test_f2_in_the_filter_line_asks_for_a_text_that_rows_show(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4", "f2", *"curl", "enter")
        await pilot.pause()
        request = stage.asked
        assert isinstance(request, TableRequest)
        assert (request.text, request.filter) == ("curl", "")
        await pilot.press("f4", "f2")
        assert stage.screen.filter_prompt.text == "curl"


async def test_a_text_acts_while_typed_is_told_and_taken_out(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4", "f2", *"cur")
        await until(pilot, lambda: stage.screen.place.text == "cur")
        assert isinstance(stage.asked, TableRequest) and stage.asked.text == "cur"
        await pilot.press("escape")
        assert stage.screen.place.text == ""
        await pilot.press("f4", "f2", *"curl", "enter")
        await pilot.pause()
        assert stage.text()[2] == " Rows with curl ✕   Filter evt.type!=switch"
        await pilot.click("#filter", offset=(15, 0))
        await pilot.pause()
        assert stage.text()[2] == " Filter evt.type!=switch"
        await pilot.press("f4", "f2", *"curl", "enter", "u")
        await pilot.pause()
        assert (stage.screen.place.text, stage.text()[2]) == ("", " Filter evt.type!=switch")


async def test_a_line_is_gone_to_by_its_number(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("d", "ctrl+g", *"321", "enter")
        await pilot.pause()
        assert stage.row.startswith("321 ")


async def test_who_is_on_the_last_line_stays_on_the_last_as_lines_come(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("d", "end")
        await pilot.pause()
        stage.engine.lines += [f"{n} more" for n in range(501, 521)]
        stage.engine.publish(replace(stage.engine.status, events=30_000))
        await until(pilot, lambda: stage.text()[-1].endswith("520/520 (100%) ≡"))
        assert stage.row.startswith("520 ")


def arrived(total: int, first: int, last: int) -> Page:
    """Rows of a list, of which some are held."""
    rows = tuple(Row(1000 + n, "", (f"row {n}",)) for n in range(first, last + 1))
    return Page((ShownColumn("ROW", 0, False, ""),), rows, first, total, arrival=True)


async def test_who_is_on_the_last_row_of_a_list_goes_on_to_the_one_that_is_last_now(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        grid = stage.screen.grid
        grid.show(arrived(20, 0, 19))
        grid.move_to(19)
        grid.show(arrived(200, 0, 99), held=19)
        # What was held meanwhile is told where the engine finds it.
        grid.show(arrived(200, 120, 199), held=None if grid.hold is None else grid.hold - 1000)
        assert (grid.position.index, grid.hold) == (199, 1199)
        grid.move_to(198)
        grid.show(arrived(300, 120, 299), held=198)
        assert (grid.position.index, grid.hold) == (198, 1198)


async def test_coming_back_to_a_list_leads_to_the_row_one_was_on_however_few_were_seen_below(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        grid = stage.screen.grid
        grid.show(arrived(2, 0, 1))
        grid.restore(Position(50, 1050, True, 0, 40))
        grid.show(arrived(200, 0, 99), held=50)
        assert (grid.position.index, grid.hold) == (50, 1050)


async def test_clear_shows_only_what_comes_from_now_on(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("d", "c")
        await pilot.pause()
        request = stage.asked
        assert isinstance(request, LinesRequest)
        assert request.window is not None
        assert request.window[0] > stage.engine.status.end


async def test_where_nothing_is_the_reason_is_told(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, live=LIVE)
    stage.engine.tables["procs"].insert(0, (os.getpid(), 99.0, "root", 0, 0, "tui"))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        stage.engine.lines.clear()
        await pilot.press("d")
        await until(pilot, lambda: "syscope does not record itself." in "\n".join(stage.text()))
        await pilot.press("c")
        await until(pilot, lambda: "Nothing came since this was cleared." in "\n".join(stage.text()))


async def test_a_range_is_selected_by_keys_and_everything_is_of_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("r", "home", "right", "right", "space", "right", "enter")
        await pilot.pause()
        shown = stage.screen.timing.timeline.shown
        assert shown is not None
        request = stage.asked
        assert isinstance(request, TableRequest)
        assert request.window == (shown.start + 2 * shown.width, shown.start + 4 * shown.width - 1)
        assert "├┤" in stage.text()[4]
        await pilot.press("d")
        await pilot.pause()
        lines = [asked for asked in stage.engine.asked if isinstance(asked, LinesRequest)]
        assert lines[-1].window == request.window
        await pilot.press("backspace", "w")
        await pilot.pause()
        assert stage.screen.place.window is None


async def test_ranges_follow_one_another(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("right_square_bracket")
        first = stage.screen.place.window
        await pilot.press("right_square_bracket")
        second = stage.screen.place.window
        assert first is not None
        assert second is not None
        assert second[0] == first[1] + 1
        assert second[1] - second[0] == first[1] - first[0]
        await pilot.press("left_square_bracket")
        assert stage.screen.place.window == first


async def test_the_mouse_drags_a_range_and_a_click_ends_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.mouse_down("#timeline", offset=(10, 0))
        await pilot.hover("#timeline", offset=(19, 0))
        await pilot.mouse_up("#timeline", offset=(19, 0))
        await pilot.pause()
        shown = stage.screen.timing.timeline.shown
        assert shown is not None
        assert stage.screen.place.window == (shown.start + 10 * shown.width, shown.start + 20 * shown.width - 1)
        await pilot.click("#timeline", offset=(50, 0))
        await pilot.pause()
        assert stage.screen.place.window is None


async def test_the_timeline_zooms_to_the_range_and_back(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("right_square_bracket", "right_square_bracket", "plus")
        await pilot.pause()
        shown, window = stage.screen.timing.timeline.shown, stage.screen.place.window
        assert shown is not None
        assert window is not None
        assert shown.start > START
        assert len(shown.values) * shown.width < 2 * (window[1] - window[0])
        await pilot.press("right_curly_bracket")
        await pilot.pause()
        panned = stage.screen.timing.timeline.shown
        assert panned is not None
        assert panned.start > shown.start
        await pilot.press("w")
        await pilot.pause()
        assert stage.screen.timing.span is None


async def test_playing_moves_the_range_until_escape(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("P", "P", "P")
        first = stage.screen.place.window
        await until(pilot, lambda: stage.screen.place.window != first)
        assert "▶ 5×" in stage.text()[1]
        await pilot.press("escape")
        stopped = stage.screen.place.window
        await pilot.pause(0.5)
        assert stage.screen.place.window == stopped
        assert "▶" not in stage.text()[1]


async def test_keys_pressed_while_a_dialog_opens_are_the_dialogs(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        for key in ("f9", "down", "down", "enter"):
            stage.app.post_message(Key(key, None))
        await until(pilot, lambda: "▼FILE" in stage.text()[5])
        assert stage.text()[1] == " Processes"


async def test_live_lines_begin_at_the_end_and_stay_there(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, live=LIVE)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("d")
        await until(pilot, lambda: stage.row.startswith("500 "))
        stage.engine.lines += ["501 more"]
        stage.engine.publish(replace(stage.engine.status, events=30_000))
        await until(pilot, lambda: stage.row.startswith("501 "))


async def test_what_is_recorded_is_narrowed_by_the_filter_of_now_and_by_none_of_the_past(stage: Stage) -> None:
    stage.engine.status = replace(stage.engine.status, live=LIVE)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4", *"evt.type=read", "enter")
        await until(pilot, lambda: stage.engine.narrowed[-1] == "evt.type=read")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.press("f4", "ctrl+u", *"evt.type=open", "enter")
        await until(pilot, lambda: stage.screen.place.filter == "evt.type=open")
        assert stage.engine.narrowed[-1] == "evt.type=read"
        await pilot.press("w")
        assert stage.engine.narrowed[-1] == "evt.type=open"


@pytest.mark.parametrize("size", [(80, 24), WIDE])
async def test_the_header_says_when_intervals_are_longer_than_asked_for(stage: Stage, size: tuple[int, int]) -> None:
    behind = replace(LIVE, behind=True, interval=4_000_000_000)
    async with stage.app.run_test(size=size) as pilot:
        await pilot.pause()
        stage.engine.publish(replace(stage.engine.status, live=behind))
        await until(pilot, lambda: "behind: every 4.00s" in stage.text()[0])
        stage.engine.publish(replace(stage.engine.status, live=LIVE))
        await until(pilot, lambda: "behind" not in stage.text()[0])


@pytest.mark.parametrize("key", ["ctrl+s", "S"])
async def test_the_screen_is_saved_as_a_picture_for_its_owner_only(
    stage: Stage, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: any("Saved" in told.message for told in stage.app._notifications))
    (saved,) = folder.glob("syscope-*.svg")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "haproxy" in saved.read_text()


@pytest.mark.parametrize("key", ["d", "e"])
async def test_escape_leaves_lines_for_the_table_they_are_of(stage: Stage, key: str) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "escape", key)
        await pilot.pause()
        assert stage.screen.place.has_rows
        assert len(stage.screen.places) == 2
        await pilot.press("escape")
        await pilot.pause()
        assert len(stage.screen.places) == 1
        assert stage.screen.grid.position.index == 1

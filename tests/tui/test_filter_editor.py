"""The filter editor: what it offers, how it is left, and what it keeps."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.conftest import Stage, until
from tui.widgets.choices import Choices
from tui.widgets.filter_editor import FilterPrompt, Typing

WIDE = (120, 30)


def choices(stage: Stage) -> Choices:
    return stage.screen.query_one(Choices)


def editor(stage: Stage) -> FilterPrompt:
    return stage.screen.filter_prompt


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*text)
    await pilot.pause()


async def test_tab_completes_and_the_list_tells_meanings(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.nam")
        await until(pilot, lambda: choices(stage).first is not None)
        shown = "\n".join(stage.text())
        assert "proc.name" in shown
        await pilot.press("tab")
        await pilot.pause()
        assert editor(stage).text.startswith("proc.name")


async def test_enter_takes_what_is_under_the_cursor_of_the_list_else_applies(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "evt.fai")
        await until(pilot, lambda: choices(stage).first is not None)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert editor(stage).text.startswith("evt.failed")
        assert editor(stage).display
        await typed(pilot, "=true")
        await pilot.press("enter")
        await until(pilot, lambda: not editor(stage).display)
        assert stage.screen.place.filter.replace(" ", "") == "evt.failed=true"


async def test_an_item_is_taken_by_a_click(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "evt.fai")
        await until(pilot, lambda: choices(stage).first is not None)
        await pilot.pause()
        line = next(at for at, text in enumerate(stage.text()) if "evt.failed" in text)
        await pilot.click(offset=(stage.text()[line].index("evt.failed") + 2, line))
        await pilot.pause()
        assert editor(stage).text.startswith("evt.failed")


async def test_changes_can_be_undone_and_done_again(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "a.b = cd")
        await pilot.press("ctrl+z", "ctrl+z")
        assert editor(stage).text == "a.b ="
        await pilot.press("ctrl+y")
        assert editor(stage).text == "a.b = "
        await typed(pilot, "x")
        await pilot.press("ctrl+y")
        assert editor(stage).text == "a.b = x"
        await pilot.press(*["ctrl+z"] * 9)
        assert editor(stage).text == ""


async def test_what_was_completed_is_taken_back_by_itself(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.nam")
        await until(pilot, lambda: choices(stage).first is not None)
        await pilot.press("tab")
        await typed(pilot, "x")
        await pilot.press("ctrl+z", "ctrl+z")
        assert editor(stage).text == "proc.nam"


async def test_escape_leaves_the_list_first_and_then_the_editor(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.na")
        await until(pilot, lambda: choices(stage).first is not None)
        await pilot.press("down", "escape")
        assert editor(stage).display
        await pilot.press("escape")
        await pilot.pause()
        assert not editor(stage).display
        assert not choices(stage).display
        assert stage.screen.place.filter == ""


async def test_filters_used_and_saved_are_offered_again(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "x=first")
        await pilot.press("ctrl+s")
        await typed(pilot, "mine")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: stage.screen.place.filter == "x=first")
        assert stage.screen.filtering.saved.saved == {"mine": "x=first"}
        assert stage.screen.filtering.saved.recent == ("x=first",)
        await pilot.press("u", "f4", "ctrl+r")
        await pilot.pause()
        assert any("mine" in line for line in stage.text())
        await pilot.press("enter")
        await pilot.pause()
        assert editor(stage).text == "x=first"
        assert isinstance(stage.app.focused, Input)


async def test_kept_filters_are_forgotten_where_they_are_offered(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        saved = stage.screen.filtering.saved
        saved.add("mine", "x=first")
        saved.use("y=used")
        saved.use("z=used")
        await pilot.press("f4", "ctrl+r", "delete", "down", "delete")
        await pilot.pause()
        assert (saved.saved, saved.recent) == ({}, ("z=used",))
        assert stage.screen.dialog.display
        await pilot.press("delete")
        await pilot.pause()
        assert not stage.screen.dialog.display
        await typed(pilot, "a")
        assert editor(stage).text == "a"


async def test_terms_are_taken_out_one_by_one(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        stage.screen.filtering.prompt.edit("", "", ())
        stage.screen.filtering.apply("proc.name=a and (fd.name=b or fd.name=c) and evt.failed=true")
        await pilot.pause()
        assert stage.text()[2].count("✕") == 3
        await pilot.click("#filter", offset=(stage.text()[2].index("✕") - 1, 0))
        await pilot.pause()
        assert stage.screen.place.filter == "(fd.name=b or fd.name=c) and evt.failed=true"
        await pilot.press("u")
        await pilot.pause()
        assert stage.screen.place.filter == "(fd.name=b or fd.name=c)"
        await pilot.press("u")
        await pilot.pause()
        assert stage.screen.place.filter == ""
        assert "✕" not in stage.text()[2]


async def test_what_is_typed_has_colours_by_what_it_is(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.name=x and no.field")
        await pilot.pause()
        line = next(at for at, text in enumerate(stage.text()) if "no.field" in text)
        screen = stage.app.screen
        strip = screen._compositor.render_strips(screen.size)[line]
        colours = {
            word: segment.style.color
            for segment in strip
            for word in ("proc.name", "and", "no.field")
            if word in segment.text and segment.style
        }
        assert len(set(colours.values())) == 3


async def test_keys_of_the_table_do_nothing_while_a_filter_is_typed_and_help_comes_back_to_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.name=")
        before = stage.screen.place
        await pilot.press("f5", "f12", "ctrl+g", "f8")
        await pilot.press("f1")
        await pilot.pause()
        assert stage.screen.dialog.display
        assert any("Take the last change back" in line for line in stage.text())
        await pilot.press("escape")
        await typed(pilot, "x")
        assert stage.screen.place is before
        assert editor(stage).text == "proc.name=x"


async def test_a_click_on_the_table_leaves_the_keys_to_the_editor(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.name=")
        await pilot.click("#rows", offset=(5, 3))
        await pilot.click("#timeline", offset=(5, 0))
        await typed(pilot, "x")
        assert editor(stage).text == "proc.name=x"
        assert stage.screen.grid.position.index == 2


async def test_going_elsewhere_closes_the_editor(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await pilot.click("#rows", offset=(5, 3))
        await pilot.click("#rows", offset=(5, 3))
        await pilot.pause()
        assert len(stage.screen.places) == 2
        assert not editor(stage).display


async def test_the_editors_keys_are_in_the_last_line_and_work_by_the_mouse(stage: Stage) -> None:
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4")
        await typed(pilot, "proc.name=x")
        bar = stage.text()[-1]
        assert bar.split() == [
            "F2Text",
            "EnterTake",
            "TabComplete",
            "Ctrl+ZUndo",
            "Ctrl+REarlier",
            "Ctrl+SSave",
            "EscLeave",
        ]
        await pilot.click("#keys", offset=(bar.index("Undo"), 0))
        await pilot.pause()
        assert editor(stage).text == "proc.name="
        await pilot.click("#keys", offset=(bar.index("Leave"), 0))
        await pilot.pause()
        assert not editor(stage).display


async def test_what_is_only_unfinished_is_told_what_may_follow_and_no_error_until_enter(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "evt.latency>")
        said = editor(stage).said
        await until(pilot, lambda: said.left.plain.lstrip().startswith("^ a decimal number"))
        assert said.left.plain.index("^") == len("Filter evt.latency>")
        await pilot.press("enter")
        await until(pilot, lambda: "the filter ends" in said.left.plain)
        assert editor(stage).display


@pytest.mark.parametrize("key", ["f2", "shift+tab"])
async def test_a_text_of_rows_is_typed_in_place_of_a_filter_and_back(stage: Stage, key: str) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f4")
        await typed(pilot, "a=b")
        await pilot.press(key)
        await typed(pilot, "curl")
        assert (editor(stage).typing, editor(stage).text) == (Typing.TEXT, "curl")
        await pilot.press(key)
        assert (editor(stage).typing, editor(stage).text) == (Typing.FILTER, "a=b")

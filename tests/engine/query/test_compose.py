"""The filter of a screenful: the user's, the selections' of the drill-down, the view's own."""

from __future__ import annotations

import views
from engine import filters
from engine.query.compose import compose
from engine.query.snapshots import Level

VIEWS = views.load().views


def test_every_part_that_is_there_is_put_in_brackets() -> None:
    levels = (Level(VIEWS["procs"], "proc.pid", 13969),)
    assert compose("fd.num=3", levels, VIEWS["syscalls"]) == (
        "(fd.num=3) and ((evt.type!=switch) and (proc.pid=13969)) and (syscall.type exists)"
    )


def test_nothing_asked_keeps_everything() -> None:
    assert compose("", (), None) == ""


def test_a_view_left_without_a_selection_keeps_nothing_of_itself() -> None:
    assert compose("", (Level(VIEWS["connections"]),), VIEWS["spy_users"]) == compose("", (), VIEWS["spy_users"])


def test_selected_texts_are_quoted_whatever_they_hold() -> None:
    name = b'a "b" (c) \\ \xff\n\''
    composed = compose("", (Level(VIEWS["files"], "fd.name", name),), None)
    assert filters.parse(composed)
    assert filters.combine(composed)


def test_a_selection_in_a_container_names_both() -> None:
    composed = compose("", (Level(VIEWS["files"], "fd.containername", b"ee61c84f49e8:/var/log.txt"),), None)
    assert "container.id=ee61c84f49e8 and fd.name=/var/log.txt" in composed

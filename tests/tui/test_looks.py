"""What the screens look like, as pictures kept beside the tests.

After a wanted change: `pytest tests/tui/test_looks.py --snapshot-update`, then look at the pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.conftest import Stage, until

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
Compare = Callable[..., bool]


@pytest.mark.parametrize(
    ("look", "size"),
    [("syscope-dark", SMALL), ("syscope-light", MIDDLE), ("syscope-dark", LARGE), ("ansi-dark", SMALL)],
    ids=["dark-small", "light-middle", "dark-large", "ansi-small"],
)
def test_processes(snap_compare: Compare, stage: Stage, look: str, size: tuple[int, int]) -> None:
    async def choose(pilot: Pilot[None]) -> None:
        stage.app.theme = look
        await pilot.press("down", "down")

    assert snap_compare(stage.app, terminal_size=size, run_before=choose)


def test_processes_without_colour(snap_compare: Compare, stage_without_colour: Stage) -> None:
    assert snap_compare(stage_without_colour.app, terminal_size=SMALL, press=["down", "down", "p"])


def test_loading_a_damaged_file(snap_compare: Compare, stage: Stage) -> None:
    damage = "sample.scap: at byte 129034: expected an event of 312 bytes, the file ends after 40"
    stage.engine.status = replace(stage.engine.status, progress=0.43, damage=(damage,))
    assert snap_compare(stage.app, terminal_size=MIDDLE)


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        (["f2"], MIDDLE),
        (["f2"], SMALL),
        (["f9"], SMALL),
        (["f1"], SMALL),
        (["f7"], MIDDLE),
        (["down", "enter"], MIDDLE),
        (["down", "f6", "down"], MIDDLE),
    ],
    ids=["views", "views-small", "sort", "help", "legend", "threads", "dig"],
)
def test_screens(snap_compare: Compare, stage: Stage, keys: list[str], size: tuple[int, int]) -> None:
    assert snap_compare(stage.app, terminal_size=size, press=keys)


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("f4", "proc.name=cat and bad.field=1", "no field"),
        ("f4", "proc.name=cat", "keeps 1,204"),
        ("slash", "nowhere", "not found"),
    ],
    ids=["filter-wrong", "filter-right", "search"],
)
def test_prompts(snap_compare: Compare, stage: Stage, key: str, text: str, said: str) -> None:
    async def typed(pilot: Pilot[Any]) -> None:
        for entry in stage.screen.query(Input):
            entry.cursor_blink = False
        await pilot.press(key, *text)
        await until(pilot, lambda: said in stage.text()[-2])

    assert snap_compare(stage.app, terminal_size=SMALL, run_before=typed)

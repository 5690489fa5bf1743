"""The processes view in the looks that `test_pictures` does not show: the terminal's own palette, and no colour.

After a wanted change: `pytest tests/tui/test_looks.py --snapshot-update`, then look at the pictures.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.tui.conftest import Stage

SMALL = (80, 24)
Compare = Callable[..., bool]


def test_processes_in_the_palette_of_the_terminal(snap_compare: Compare, stage: Stage) -> None:
    async def choose(pilot: Pilot[None]) -> None:
        stage.app.theme = "ansi-dark"
        await pilot.press("down", "down")

    assert snap_compare(stage.app, terminal_size=SMALL, run_before=choose)


def test_processes_without_colour(snap_compare: Compare, stage_without_colour: Stage) -> None:
    assert snap_compare(stage_without_colour.app, terminal_size=SMALL, press=["down", "down", "p"])

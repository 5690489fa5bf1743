"""Any keys, clicks and sizes, in any order: the program goes on, the cursor is on a row, the way back leads home."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.conftest import until
from tests.tui.test_real import Real
from tui.screens.explorer import Explorer
from tui.screens.keys import SECTIONS

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "captures"
SIZES = ((80, 24), (120, 40), (200, 60), (40, 10))
STEPS = 100
KEYS = [key for section in SECTIONS.values() for binding in section for key in binding.key.split(",")]
TYPED = [*"proc.name=shevtid", "space", "equals_sign", "full_stop", "left_parenthesis", "apostrophe", "less_than_sign"]
OTHERS = ("enter", "escape", "f2", "ctrl+u", "ctrl+r", "ctrl+z", "ctrl+p", "up", "down", "tab")
"""What prompts and dialogs take, and the palette."""


@pytest.fixture
def capture(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The bundled capture, or one of those made for tests."""
    if request.param:
        yield CAPTURES / request.param
    else:
        with as_file(files("tui") / "demo.scap.gz") as path:
            yield path


def explorer(real: Real) -> Explorer:
    """The main screen, also under the palette."""
    return next(screen for screen in real.app.screen_stack if isinstance(screen, Explorer))


async def anything(real: Real, pilot: Pilot[None], chance: random.Random) -> str:
    """Do something a person can do; returns what."""
    width, height = real.app.size
    at = chance.randrange(width), chance.randrange(height)
    match chance.choices(("key", "typed", "other", "size", "click", "menu", "wheel"), (62, 10, 8, 2, 10, 4, 4))[0]:
        case "key":
            await pilot.press(done := chance.choice(KEYS))
        case "typed":
            await pilot.press(done := chance.choice(TYPED))
        case "other":
            await pilot.press(done := chance.choice(OTHERS))
        case "size":
            size = chance.choice(SIZES)
            await pilot.resize_terminal(*size)
            done = f"{size[0]}x{size[1]}"
        case "click":
            await pilot.click(offset=at, times=chance.choice((1, 1, 2)))
            done = f"click {at}"
        case "menu":
            await pilot.click(offset=at, button=3)
            done = f"right click {at}"
        case _:
            wheel = chance.choice((events.MouseScrollDown, events.MouseScrollUp))
            await pilot._post_mouse_events([wheel], None, offset=at)
            done = f"wheel {at}"
    if chance.random() < 0.15:
        # Long enough for some answers, too short for others.
        await asyncio.sleep(chance.random() * 0.2)
    return done


@pytest.mark.parametrize(
    ("capture", "seed"),
    [
        pytest.param(name, seed, marks=() if seed == 0 else (pytest.mark.long,))
        for name in ("", "services.scap.gz", "shells.scap.gz")
        for seed in range(12)
    ],
    indirect=["capture"],
)
async def test_whatever_is_done_the_program_goes_on_and_the_way_back_leads_home(
    capture: Path, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    # Pictures and exports are saved where one is.
    monkeypatch.chdir(tmp_path)
    chance = random.Random(f"{capture.name} {seed}")
    real, done = Real(capture), list[str]()
    async with real.app.run_test(size=chance.choice(SIZES)) as pilot:
        await until(pilot, lambda: real.screen.status.progress == 1)
        for _ in range(STEPS):
            done.append(await anything(real, pilot, chance))
            grid = explorer(real).grid
            assert grid.position.index < max(1, grid.page.total), done
        await pilot.press(*["escape"] * 6)
        screen = explorer(real)
        assert real.app.screen is screen, done
        for _ in screen.places[1:]:
            await pilot.press("backspace")
            await pilot.pause()
        assert len(screen.places) == 1, done
        await until(pilot, lambda: screen.rows.pending is None and screen.place.snapshot is not None)

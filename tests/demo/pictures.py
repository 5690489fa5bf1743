"""Take the pictures of the documentation: the screens of the walk through the bundled capture.

    python -m tests.demo.pictures

Writes docs/pictures/*.svg. What the screens look like is the tests' business; these are for readers.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from textual.pilot import Pilot

import views
from engine.session import Session
from tests.demo.__main__ import OUT
from tui.app import Syscope
from tui.options import Options

PICTURES = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
SIZE = (110, 28)
WALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("processes", ()),
    ("refused", ("f2", "up", "up", "up", "enter", "down", "down", "enter", "f6")),
)
"""Name of each picture and the keys that lead to it from the one before."""


async def walk(folder: Path) -> None:
    """Press the keys and save the screens."""
    options = Options(OUT)
    app = Syscope(options, views.load().views, lambda publish: Session(OUT, publish))
    async with app.run_test(size=SIZE) as pilot:
        for name, keys in WALK:
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            await settled(pilot)
            (folder / f"{name}.svg").write_text(app.export_screenshot(title="syscope"), "utf-8")


async def settled(pilot: Pilot[None]) -> None:
    """Give the engine the time to answer and the screen to paint."""
    await pilot.pause(0.6)


def main() -> None:
    """Command line, see the module's text."""
    os.environ["XDG_CONFIG_HOME"] = os.devnull  # no views of one's own
    PICTURES.mkdir(parents=True, exist_ok=True)
    asyncio.run(walk(PICTURES))


if __name__ == "__main__":
    main()

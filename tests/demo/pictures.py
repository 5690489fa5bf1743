"""Take the pictures of the documentation: walks by keys through the bundled capture and, where it is, 502Error.scap.

    python -m tests.demo.pictures [502Error.scap]

Writes docs/pictures/*.svg. What the screens look like is the tests' business; these are for readers.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from textual.pilot import Pilot

import views
from engine.ingest import CaptureIngest
from engine.session import Session
from tests.demo.__main__ import OUT
from tui.app import Syscope
from tui.options import Options

PICTURES = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
Walk = tuple[tuple[str, tuple[str, ...]], ...]
"""Name of each picture and the keys that lead to it from the one before."""
SMALL, LARGE = (110, 28), (120, 34)
BUNDLED: Walk = (
    ("processes", ()),
    ("refused", ("f2", "up", "up", "up", "enter", "down", "down", "enter", "f6")),
)
GATEWAY: Walk = (
    ("haproxy", ()),
    ("views", ("enter", "f2", "home")),
    ("connections", ("enter",)),
    ("dig", ("f6",)),
)
"""From haproxy to its connections, and to the events of one."""


async def take(capture: Path, walk: Walk, size: tuple[int, int]) -> None:
    """Press the keys and save the screens."""
    app = Syscope(Options(capture), views.load().views, lambda publish: Session(CaptureIngest(capture), publish))
    async with app.run_test(size=size) as pilot:
        for name, keys in walk:
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            await settled(pilot)
            (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="syscope"), "utf-8")


async def settled(pilot: Pilot[None]) -> None:
    """Give the engine the time to answer and the screen to paint."""
    await pilot.pause(0.6)


def main() -> None:
    """Command line, see the module's text."""
    os.environ["XDG_CONFIG_HOME"] = os.devnull  # no views of one's own
    PICTURES.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(OUT, BUNDLED, SMALL))
    if sys.argv[1:]:
        asyncio.run(take(Path(sys.argv[1]), GATEWAY, LARGE))


if __name__ == "__main__":
    main()

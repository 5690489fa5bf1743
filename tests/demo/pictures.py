"""The pictures of every screen: walks by keys through the bundled capture, in three sizes, dark and light.

    python -m tests.demo.pictures

writes docs/pictures: NAME.svg is the screen at 120x40, dark, for readers; NAME.txt is the same screen at every size,
what it says in full and how it looks as a digest for each look. The tests hold the program to these files.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

import views
from engine.ingest import CaptureIngest
from engine.session import Session
from tests.demo.__main__ import OUT
from tui.app import Syscope
from tui.options import Options
from tui.theme import DARK, LIGHT

PICTURES = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"
SIZES = ((80, 24), (120, 40), (200, 60))
READERS = (120, 40)
WAIT = "wait"
"""In place of a key: give a list that is searched while typed its time."""
SCREENS: tuple[tuple[str, Sequence[str]], ...] = (
    ("processes", ()),
    ("views", ("f2",)),
    ("help", ("escape", "f1")),
    ("legend", ("escape", "f7")),
    ("sort", ("escape", "f9")),
    ("actions", ("escape", "f8")),
    ("columns", ("escape", "C")),
    ("cells", ("escape", "m")),
    ("tree", ("escape", "t")),
    ("range", ("t", "r", "home", *["right"] * 30, "space", *["right"] * 9, "enter")),
    ("compare", ("A", "right_square_bracket", "D")),
    ("filter", ("backspace", "w", "f4", *"evt.failed=true and proc.name=")),
    ("overview", ("escape", "escape", "o")),
    ("refused", ("enter",)),
    ("detail", ("enter",)),
    ("latency", ("backspace", "backspace", "backspace", "x", "space", "right", "right", "right", "down")),
    ("", ("escape", "backspace", "ctrl+p", WAIT, *"view: connections", WAIT)),
    ("connections", ("enter", WAIT)),
    ("echo", ("e",)),
    ("hex", ("f2", "end", "enter")),
    ("stream", ("backspace", "F")),
    ("search", ("slash", *"200 ok")),
    ("dig", ("escape", "backspace", "d")),
)
"""Name of each screen, "" to take no picture, and the keys that lead to it from the one before."""
_MEMORY = re.compile(r"[\d.]+[KMG]?B(&#160;| )in(&#160;| )memory")


def app() -> Syscope:
    """The program on the bundled capture, at a time of day that is the same everywhere."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    return Syscope(Options(OUT), views.load().views, lambda publish: Session(CaptureIngest(OUT), publish))


async def settled(pilot: Pilot[None], program: Syscope) -> None:
    """Wait until everything asked is answered and painted."""
    screen = program._explorer
    for _ in range(1000):
        await pilot.pause(0.02)
        timeline = screen.timing.timeline
        shown = screen.place.snapshot
        if (
            screen.status.progress == 1
            and not screen.rows.pending
            and not screen.rows.stale
            and getattr(shown, "complete", shown is not None)
            and (not timeline.display or (screen.timing._pending is None and timeline.shown is not None))
        ):
            break
    program.clear_notifications()
    await pilot.pause(0.05)


async def frames() -> AsyncIterator[tuple[str, str, str]]:
    """Every screen: its name, the readers' picture, and the text of all sizes."""
    program = app()
    async with program.run_test(size=READERS) as pilot:
        await settled(pilot, program)
        for entry in program._explorer.query(Input):
            entry.cursor_blink = False
        for name, keys in SCREENS:
            for key in keys:
                if key == WAIT:
                    await pilot.pause(1.0)
                    continue
                await pilot.press(key)
                if len(key) > 1:
                    await settled(pilot, program)
            await settled(pilot, program)
            if not name:
                continue
            picture, parts = "", []
            for size in SIZES:
                await pilot.resize_terminal(*size)
                digests = []
                for theme in (LIGHT.name, DARK.name):
                    program.theme = theme
                    await settled(pilot, program)
                    digests.append(_digest(program))
                parts.append(f"{size[0]}x{size[1]} light {digests[0]} dark {digests[1]}\n{_text(program)}")
                if size == READERS:
                    picture = _MEMORY.sub("", program.export_screenshot(title="syscope"))
            await pilot.resize_terminal(*READERS)
            await settled(pilot, program)
            yield name, picture, "\n".join(parts)


def _strips(program: Syscope) -> list[list[tuple[str, str]]]:
    screen = program.screen
    return [
        [(segment.text, str(segment.style)) for segment in strip]
        for strip in screen._compositor.render_strips(screen.size)
    ]


def _text(program: Syscope) -> str:
    lines = ("".join(text for text, _ in strip).rstrip() for strip in _strips(program))
    return "".join(_MEMORY.sub("", line).rstrip() + "\n" for line in lines)


def _digest(program: Syscope) -> str:
    """What the styles come to, cell by cell."""
    cells = [style for strip in _strips(program)[1:] for text, style in strip for _ in text]
    return hashlib.sha256("\n".join(cells).encode()).hexdigest()[:16]


async def _write() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async for name, picture, text in frames():
        (PICTURES / f"{name}.svg").write_text(picture, "utf-8")
        (PICTURES / f"{name}.txt").write_text(text, "utf-8")
        sys.stdout.write(f"{name}\n")


def main() -> None:
    """Command line, see the module's text."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_CONFIG_HOME=folder, XDG_STATE_HOME=folder)
        os.environ.pop("NO_COLOR", None)
        asyncio.run(_write())


if __name__ == "__main__":
    main()

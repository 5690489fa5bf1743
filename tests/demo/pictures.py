"""The pictures of every screen, in three sizes, light and dark: walks by keys through the bundled capture, and states
of a source that it cannot have, on prepared rows.

    python -m tests.demo.pictures [NAME ...]

writes docs/pictures/NAME.svg, the screen at 120x40, dark, for readers; and beside the tests, in tests/tui/pictures,
NAME.SIZE.LOOK.svgz for all sizes and looks and NAME.txt, what they say. The tests hold the program to all of them.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

import views
from engine.ingest import CaptureIngest
from engine.query.answers import is_partial
from engine.query.snapshots import Live, Recorded, Request, Snapshot, Status
from engine.query.view import Action
from engine.session import Session
from tests.demo.__main__ import OUT
from tests.tui.prepared import START, VIEWS, PreparedEngine, event_lines, files, processes
from tui.app import OpenEngine, Syscope
from tui.options import Options
from tui.theme import DARK, LIGHT
from tui.widgets.filter_editor import Typing

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES, KEPT = ROOT / "docs" / "pictures", ROOT / "tests" / "tui" / "pictures"
SIZES = ((80, 24), (120, 40), (200, 60))
LOOKS = {"light": LIGHT.name, "dark": DARK.name}
READERS = "120x40.dark"
MEMORY = 1 << 20
"""What the header says of memory: how much there really is differs from machine to machine."""
NOON = datetime(2024, 5, 17, 12)
SCREENS: tuple[tuple[str, Sequence[str]], ...] = (
    ("processes", ()),
    ("views", ("f2",)),
    ("help", ("escape", "f1")),
    ("legend", ("escape", "f7")),
    ("sort", ("escape", "f9")),
    ("actions", ("escape", "f8")),
    ("columns", ("escape", "C")),
    ("cells", ("escape", "m")),
    ("cell", ("down", "down", "down", "enter")),
    ("export", ("escape", "E")),
    ("peek", ("escape", "i")),
    ("tree", ("i", "t")),
    ("note", ("t", "B", *"who is this?")),
    ("bookmarks", ("enter", "apostrophe")),
    ("selecting", ("escape", "r", "home", *["right"] * 30, "space", *["right"] * 5)),
    ("range", (*["right"] * 4, "enter")),
    ("measure", ("plus", "M")),
    ("errors", ("down", "enter")),
    ("compare", ("w", "left_square_bracket", "A", "left_square_bracket", "D")),
    ("measures", ("D",)),
    ("filter", ("escape", "backspace", "w", "M", "up", "enter", "f4", *"evt.failed=true and proc.name=")),
    ("filter-kept", ("escape", "f4", *"evt.failed=true")),
    ("filter-name", ("ctrl+s", *"failures")),
    ("filters", ("enter", "enter", "f4", "ctrl+r")),
    ("filter-text", ("escape", "f2", *"nginx")),
    ("empty", ("enter", "f4", *" and proc.name=nobody", "enter")),
    ("overview", ("u", "u", "u", "o")),
    ("latency", ("x",)),
    ("rectangle", ("space", *["right"] * 6, "down", "down")),
    ("refused", ("escape", "backspace", "enter")),
    ("line", ("ctrl+g", "1", "x", "enter")),
    ("detail", ("escape", "enter")),
    ("palette", ("backspace", "backspace", "backspace", "ctrl+p", *"view: connections")),
    ("connections", ("enter",)),
    ("echo", ("e",)),
    ("view-as", ("f2",)),
    ("hex", ("end", "enter")),
    ("stream", ("backspace", "F")),
    ("search", ("slash", *"from products")),
    ("not-found", (*"!",)),
    ("dig", ("escape", "backspace", "d")),
)
"""Name of each screen, and the keys that lead to it from the one before."""
LIVE = Live(
    started=START, window=(START + 10 * 10**9, START + 12 * 10**9 - 1), interval=2 * 10**9, behind=False, lost=0,
    lost_now=0, forgotten=0, share=0.03, resident=96 << 20, narrowed="", ended=False,
)  # fmt: skip
DAMAGE = "sample.scap: at byte 129034: expected an event of 312 bytes, the file ends after 40"
STATES: tuple[tuple[str, dict[str, Any], Sequence[str]], ...] = (
    ("loading", {"progress": 0.43}, ()),
    ("damaged", {"progress": 1.0, "damage": (DAMAGE, DAMAGE)}, ()),
    ("failed", {"damage": (), "error": "sample.scap: at byte 129034: Input/output error"}, ()),
    ("live", {"error": "", "source": "host", "live": LIVE}, ()),
    ("losses", {"live": replace(LIVE, lost=1_204, lost_now=80, behind=True, interval=4 * 10**9)}, ()),
    ("recording", {"live": replace(LIVE, recorded=Recorded(Path("a.syscope"), 900))}, ("p",)),
    ("behind-now", {"live": LIVE}, ("p", "left_square_bracket", "left_square_bracket")),
    ("question", {}, ("w", "f8", "k")),
    ("notice", {}, ("escape", "apostrophe")),
    ("ended", {"live": replace(LIVE, ended=True, window=None)}, ("escape",)),
)
"""Name of each state, what the status says otherwise than before, and keys pressed in it."""
REFUSED = "no-permission"
"""Name of the screen in place of a machine that may not be watched."""
NAMES = (*(name for name, _ in SCREENS), *(name for name, _, _ in STATES), REFUSED)
NO_PERMISSION = (
    "capture needs CAP_BPF and CAP_PERFMON: run `sudo tui`, or give the capabilities to the interpreter of this program"
)


class Asked(Session):
    """The bundled capture, and which panels wait for an answer."""

    def __init__(self, publish: Callable[[Snapshot], None]) -> None:
        """Prepare."""
        super().__init__(CaptureIngest(OUT), self._answered)
        self._told = publish
        self.waiting: dict[str, Request] = {}

    def ask(self, slot: str, request: Request) -> None:
        """Remember that an answer is awaited."""
        self.waiting[slot] = request
        super().ask(slot, request)

    def drop(self, slot: str) -> None:
        """Nothing is awaited any more."""
        self.waiting.pop(slot, None)
        super().drop(slot)

    def _answered(self, snapshot: Snapshot) -> None:
        self._told(replace(snapshot, memory=MEMORY) if isinstance(snapshot, Status) else snapshot)
        if not isinstance(snapshot, Status) and not is_partial(snapshot):
            for slot in [slot for slot, request in self.waiting.items() if request is snapshot.request]:
                del self.waiting[slot]


class Pictured(Syscope):
    """The program; what it tells stays until it is taken away."""

    CSS_PATH = str(ROOT / "tui" / "explorer.tcss")

    def notify(self, message: str, **options: Any) -> None:
        """Tell for as long as a picture takes."""
        super().notify(message, **(options | {"timeout": 3600}))


@dataclass
class Picture:
    """A screen in all sizes and looks."""

    name: str
    svg: dict[str, str]
    """By size and look, as in ``READERS``."""
    text: str
    """What is said in every size."""

    def changed(self) -> bool:
        """True when it is not as it was kept."""
        try:
            return (
                (PICTURES / f"{self.name}.svg").read_text("utf-8") != self.svg[READERS]
                or (KEPT / f"{self.name}.txt").read_text("utf-8") != self.text
                or any(
                    gzip.decompress((KEPT / f"{self.name}.{which}.svgz").read_bytes()).decode() != svg
                    for which, svg in self.svg.items()
                )
            )
        except FileNotFoundError:
            return True

    def write(self, readers: Path, kept: Path) -> None:
        """Keep it."""
        (readers / f"{self.name}.svg").write_text(self.svg[READERS], "utf-8")
        (kept / f"{self.name}.txt").write_text(self.text, "utf-8")
        for which, svg in self.svg.items():
            (kept / f"{self.name}.{which}.svgz").write_bytes(gzip.compress(svg.encode(), mtime=0))


async def settled(pilot: Pilot[None], program: Syscope) -> None:
    """Wait until everything asked is answered and painted."""
    engine, screen = program._engine, program._explorer
    for _ in range(2000):
        await pilot.pause()
        top = program.screen
        editor = screen.filter_prompt if screen.is_mounted else None
        if (
            not getattr(engine, "waiting", None)
            and not screen.rows.stale
            and not (isinstance(engine, Asked) and screen.status.progress < 1)
            and not (isinstance(top, CommandPalette) and (top._show_busy or not top._list_visible))
            and not (editor and editor.display and editor.typing is Typing.FILTER and not editor.is_judged)
        ):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"{screen.place.name} did not settle")


async def taken(pilot: Pilot[None], program: Syscope, name: str) -> Picture:
    """The present screen."""
    svg, texts = {}, []
    for width, height in SIZES:
        await pilot.resize_terminal(width, height)
        for look, theme in LOOKS.items():
            program.theme = theme
            if isinstance(program.screen, CommandPalette):
                # Modal screens do not follow by themselves.
                program.refresh_css(animate=False)
            await settled(pilot, program)
            await pilot.pause()
            svg[f"{width}x{height}.{look}"] = program.export_screenshot(title="syscope")
        strips = program.screen._compositor.render_strips(program.screen.size)
        texts += [f"{width}x{height}", *(strip.text.rstrip() for strip in strips)]
    await pilot.resize_terminal(*SIZES[1])
    await settled(pilot, program)
    return Picture(name, svg, "\n".join(texts) + "\n")


async def press(pilot: Pilot[None], program: Syscope, keys: Sequence[str]) -> None:
    """Press keys; what is told is that of the last one."""
    for at, key in enumerate(keys):
        program.clear_notifications()
        await pilot.press(key)
        if len(key) > 1 or at == len(keys) - 1:
            await settled(pilot, program)


async def of_capture(wanted: Container[str]) -> AsyncIterator[Picture]:
    """The walk through the bundled capture."""
    program = Pictured(Options(OUT), views.load().views, Asked)
    async with program.run_test(size=SIZES[1], notifications=True) as pilot:
        await settled(pilot, program)
        for entry in program._explorer.query(Input):
            entry.cursor_blink = False
        for name, keys in SCREENS:
            await press(pilot, program, keys)
            if isinstance(program.screen, CommandPalette):
                program.screen.query_one(Input).cursor_blink = False
            if name in wanted:
                yield await taken(pilot, program, name)


def _prepared(publish: Callable[[Snapshot], None]) -> PreparedEngine:
    return PreparedEngine(publish, {"procs": processes(), "threads": processes(5), "files": files()}, event_lines())


async def of_states(wanted: Container[str]) -> AsyncIterator[Picture]:
    """States of a source, and the screen in place of a machine that may not be watched."""
    kill = Action("k", "kill", ("kill", "%proc.pid"), confirm=True, wait=False)
    library = VIEWS | {"procs": replace(VIEWS["procs"], actions=(kill,))}
    program = Pictured(Options(Path("sample.scap")), library, _prepared)
    engine = program._engine
    assert isinstance(engine, PreparedEngine)
    async with program.run_test(size=SIZES[1], notifications=True) as pilot:
        await settled(pilot, program)
        for name, said, keys in STATES:
            engine.status = replace(engine.status, **said)
            engine.publish(engine.status)
            await pilot.pause()
            await press(pilot, program, keys)
            if name in wanted:
                yield await taken(pilot, program, name)
    instead: OpenEngine = _prepared
    program = Pictured(Options(Path("host")), library, _prepared, (), instead)
    engine = program._engine
    assert isinstance(engine, PreparedEngine)
    engine.status = replace(engine.status, events=0, error=NO_PERMISSION, live=LIVE)
    async with program.run_test(size=SIZES[1], notifications=True) as pilot:
        await pilot.pause()
        if REFUSED in wanted:
            yield await taken(pilot, program, REFUSED)


async def pictures(folder: Path, wanted: Container[str] = NAMES) -> AsyncIterator[Picture]:
    """Those of some names, on a machine of no particular place; ``folder`` takes settings and state."""
    config = folder / "syscope"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[actions]\nchange_system = true\n")
    known = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder), "TZ": "UTC"}
    with mock.patch.dict(os.environ, known), mock.patch("tui.screens.cells.datetime") as clock:
        os.environ.pop("NO_COLOR", None)
        time.tzset()
        clock.now.return_value = NOON
        async for picture in of_capture(wanted):
            yield picture
        async for picture in of_states(wanted):
            yield picture


async def _write() -> None:
    for folder in (PICTURES, KEPT):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as own:
        async for picture in pictures(Path(own), sys.argv[1:] or NAMES):
            picture.write(PICTURES, KEPT)
            sys.stdout.write(f"{picture.name}\n")


if __name__ == "__main__":
    asyncio.run(_write())

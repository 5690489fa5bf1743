"""The app on prepared rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.query.snapshots import LinesRequest, Snapshot, TableRequest
from tests.tui.prepared import VIEWS, PreparedEngine, event_lines, files, processes
from tui.app import Syscope
from tui.options import Options
from tui.screens.explorer import Explorer


@dataclass
class Stage:
    """An app and the engine it asks."""

    app: Syscope
    engine: PreparedEngine

    @property
    def screen(self) -> Explorer:
        """The main screen, also under a dialog."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Explorer))

    @property
    def asked(self) -> TableRequest | LinesRequest:
        """The rows asked for last."""
        return next(asked for asked in reversed(self.engine.asked) if isinstance(asked, TableRequest | LinesRequest))

    def text(self) -> list[str]:
        """The screen's lines as they are painted."""
        screen = self.app.screen
        return [strip.text.rstrip() for strip in screen._compositor.render_strips(screen.size)]

    @property
    def row(self) -> str:
        """The table's line under the cursor, without its mark."""
        marked = [line for line in self.text() if line.startswith("▌")]
        assert len(marked) == 1, self.text()
        return marked[0][1:]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until something holds; a test that waits in vain is ended by the limit of turns."""
    for _turn in range(500):
        if holds():
            return
        await pilot.pause(0.01)
    pytest.fail("what was waited for never came")


def make_stage() -> Stage:
    """The explorer on 41 processes, 300 files and 500 event lines."""
    engines: list[PreparedEngine] = []

    def open_engine(publish: Callable[[Snapshot], None]) -> PreparedEngine:
        tables = {"procs": processes(), "threads": processes(5), "files": files()}
        engines.append(PreparedEngine(publish, tables, event_lines()))
        return engines[0]

    app = Syscope(Options(Path("sample.scap")), VIEWS, open_engine)
    return Stage(app, engines[0])


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The explorer on 41 processes, 300 files and 500 event lines."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    return make_stage()


@pytest.fixture
def stage_without_colour(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The same where NO_COLOR is set."""
    monkeypatch.setenv("NO_COLOR", "1")
    return make_stage()


@pytest.fixture(autouse=True)
def no_files_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes what the user keeps."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

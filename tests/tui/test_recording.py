"""One key records the machine, and the screen tells that it does, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.query.snapshots import Live, Recorded
from tests.tui.conftest import Stage, until

WIDE = (120, 30)
LIVE = Live(0, None, 2_000_000_000, False, 0, 0, 0, 0.1, 1 << 20, "", False)


def tell(stage: Stage, recorded: Recorded | None) -> None:
    stage.engine.publish(replace(stage.engine.status, live=replace(LIVE, recorded=recorded)))


async def test_a_key_records_and_ends_it(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE, notifications=True) as pilot:
        await pilot.press("R")
        await pilot.pause()
        assert stage.engine.recorded == []
        tell(stage, None)
        await until(pilot, lambda: stage.screen.status.live is not None)
        await pilot.press("R")
        await until(pilot, lambda: len(stage.engine.recorded) == 1)
        (path,) = stage.engine.recorded
        assert path is not None
        assert path.name.startswith("syscope-")
        assert path.suffix == ".syscope"
        tell(stage, Recorded(path, 10))
        await until(pilot, lambda: "REC" in stage.text()[0])
        await pilot.press("R")
        await until(pilot, lambda: stage.engine.recorded[1:] == [None])
        tell(stage, Recorded(path, 1234, open=False))
        await until(pilot, lambda: "REC" not in stage.text()[0])
        await until(pilot, lambda: any("Recorded 1,234 events" in line for line in stage.text()))


async def test_why_a_recording_ended_is_told_where_the_user_looks(stage: Stage) -> None:
    async with stage.app.run_test(size=WIDE, notifications=True) as pilot:
        tell(stage, Recorded(Path("x.syscope"), 5, "No space left on device", open=False))
        await until(pilot, lambda: any("No space left on device" in line for line in stage.text()))
        assert "REC" not in stage.text()[0]

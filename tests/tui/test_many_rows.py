"""The screen holds and draws what is in sight, however many rows there are. Counts, not times: they are the same
on a slow machine; `python -m benchmarks.rows` measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from textual.strip import Strip

from engine.query.snapshots import Row, TableRequest, TableSnapshot
from tests.tui.conftest import Stage, make_stage
from tests.tui.prepared import PreparedEngine
from tui.widgets.grid import Grid

SIZE = (100, 30)
FEW, MANY = 1_000, 100_000


@dataclass
class Endless(PreparedEngine):
    """Makes only the rows that are asked for, of a table as long as wanted."""

    total: int = 0

    def _table(self, request: TableRequest) -> TableSnapshot:
        first = super()._table(replace(request, offset=0, count=1, hold=None))
        shown = range(request.offset, min(request.offset + request.count, self.total))
        rows = tuple(Row(number, str(number), (str(number),) * len(first.columns)) for number in shown)
        return replace(first, request=request, rows=rows, offset=request.offset, total=self.total, held=request.hold)


@dataclass
class Counts:
    """What a walk through a table took."""

    held: int
    """Most rows held at once."""
    drawn: int
    """Lines drawn."""
    asked: int
    """Rows asked for."""
    kept: int
    """Drawn rows that are kept."""


async def walked(stage: Stage, total: int) -> Counts:
    engine = stage.engine
    endless = Endless(engine.publish, engine.tables, engine.lines, total=total)
    stage.app._engine = stage.app._explorer.engine = endless
    drawn, held = [0], [0]
    draw, show = Grid.render_line, Grid.show

    def drawing(self: Grid, y: int) -> Strip:
        drawn[0] += 1
        return draw(self, y)

    def showing(self: Grid, *given: Any) -> None:
        show(self, *given)
        held[0] = max(held[0], len(self.page.rows))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Grid, "render_line", drawing)
        patched.setattr(Grid, "show", showing)
        async with stage.app.run_test(size=SIZE) as pilot:
            for key in ("end", "home", *["pagedown"] * 30, *["down"] * 30, "end", "pageup", "up", "1", "home"):
                await pilot.press(key)
            await pilot.pause()
            assert stage.screen.grid.page.total == total
            assert stage.screen.grid.position.index == 0
            asked = sum(request.count for request in endless.asked if isinstance(request, TableRequest))
            return Counts(held[0], drawn[0], asked, len(stage.screen.grid._strips))


async def test_what_is_held_drawn_and_asked_for_does_not_depend_on_the_number_of_rows() -> None:
    few, many = await walked(make_stage(), FEW), await walked(make_stage(), MANY)
    screenful = SIZE[1]
    assert few.held == many.held <= 3 * screenful
    assert many.kept <= 3 * screenful
    assert few.asked == many.asked
    assert many.drawn <= 1.1 * few.drawn

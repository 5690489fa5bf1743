"""Recording the machine from the screen: one key begins, the same ends it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from engine.query.snapshots import Status
from engine.text import safe
from tui.screens.part import Part


class Recording(Part):
    """What the record key does, and what is told of it."""

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is live and goes on can be recorded."""
        live = self.screen.status.live
        return live is not None and not live.ended

    def action_record(self) -> None:
        """Record to a new native capture in the working directory, or finish the recording."""
        live = self.screen.status.live
        if live is not None and live.recorded is not None and live.recorded.open:
            self.screen.engine.record(None)
        else:
            path = Path(f"syscope-{datetime.now():%Y%m%d-%H%M%S}.syscope")
            self.screen.engine.record(path)
            self.screen.notify(f"Recording to {path}, from what is kept on; R ends it", markup=False)

    def status_changed(self, before: Status) -> None:
        """Tell how a recording ended."""
        told, was = (
            status.live.recorded if status.live is not None else None for status in (self.screen.status, before)
        )
        if told is None or told.open or (was is not None and was.path == told.path and not was.open):
            return
        name = safe(str(told.path).encode("utf-8", "surrogateescape"))
        if told.problem:
            problem = f"{name}: recording ended: {told.problem}"
            self.screen.notify(problem, severity="error", markup=False)
        else:
            self.screen.notify(f"Recorded {told.events:,} events to {name}", markup=False)

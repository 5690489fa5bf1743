"""Open a capture as the explorer does and ask it questions; prints seconds and bytes as JSON.

    python -m benchmarks.steps BIG

Every question is new to the session, so nothing answers it from an earlier result; its time is from asking to the
finished snapshot of 100 rows.
"""

from __future__ import annotations

import json
import queue
import sys
import time
from pathlib import Path

import views
from engine.ingest import CaptureIngest
from engine.query.overview import OverviewRequest
from engine.query.snapshots import Level, Snapshot, Status, TableRequest, TableSnapshot
from engine.query.spectrogram import SpectrogramRequest
from engine.query.timeline import TimelineRequest
from engine.query.work import PanelRequest, PanelSnapshot
from engine.session import Session


class Questions:
    """A session and the one panel that asks it."""

    def __init__(self, path: Path) -> None:
        """Read the whole capture."""
        self._answers: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        self.session = Session(CaptureIngest(path), self._answers.put)
        self.session.start()
        while not (isinstance(status := self._answers.get(), Status) and status.progress == 1.0):
            pass
        if status.error:
            raise SystemExit(status.error)
        self.status = status

    def ask(self, request: TableRequest) -> tuple[float, TableSnapshot]:
        """Seconds an answer took, and the answer."""
        began = time.perf_counter()
        self.session.ask("table", request)
        while not isinstance(answer := self._answers.get(), TableSnapshot):
            pass
        took = time.perf_counter() - began
        if answer.error or not answer.total:
            raise SystemExit(f"{request.view.id}: {answer.error or 'no rows'}")
        return took, answer

    def panel(self, request: PanelRequest) -> tuple[float, float]:
        """Seconds to a panel's first answer, and to the complete one."""
        began = time.perf_counter()
        self.session.ask("panel", request)
        first = 0.0
        while True:
            answer = self._answers.get()
            if isinstance(answer, PanelSnapshot):
                first = first or time.perf_counter() - began
                if answer.complete:
                    return first, time.perf_counter() - began


def main() -> int:
    """Command line, see the module's text."""
    known = views.load().views
    began = time.perf_counter()
    questions = Questions(Path(sys.argv[1]))
    opened = time.perf_counter() - began
    steps = {}
    steps["first view (files)"], _ = questions.ask(TableRequest(known["files"]))
    steps["another view (procs)"], table = questions.ask(TableRequest(known["procs"]))
    steps["another view (syscalls)"], _ = questions.ask(TableRequest(known["syscalls"]))
    for row in table.rows:
        if any("find" in cell for cell in row.cells):
            break
    else:
        row = table.rows[0]
    down = (Level(known["procs"], table.key_field, row.key, row.shown_key),)
    steps["drill-down (process to files)"], _ = questions.ask(TableRequest(known["files"], levels=down))
    changed = TableRequest(known["files"], filter="evt.failed=true or fd.name contains lib")
    steps["changed filter"], _ = questions.ask(changed)
    start, end = questions.status.start, questions.status.end
    middle = (start + (end - start) // 3, start + (end - start) // 2)
    steps["changed range (procs)"], _ = questions.ask(TableRequest(known["procs"], window=middle))
    for name, request in (
        ("timeline of everything", TimelineRequest(cells=200)),
        ("timeline of a filter", TimelineRequest(filter="evt.failed=true", cells=200)),
        ("overview", OverviewRequest()),
        ("spectrogram", SpectrogramRequest(rows=40, columns=180)),
    ):
        steps[f"{name}, first picture"], steps[f"{name}, complete"] = questions.panel(request)
    memory = questions.session.store.memory
    held = memory.columns + memory.tables + memory.raw
    status = questions.status
    print(json.dumps({"events": status.events, "open": opened, "memory": held, "raw": memory.raw, "steps": steps}))
    questions.session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

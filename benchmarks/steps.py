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
from engine.query.snapshots import Level, Snapshot, Status, TableRequest, TableSnapshot
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
    memory = questions.session.store.memory
    held = memory.columns + memory.tables + memory.raw
    status = questions.status
    print(json.dumps({"events": status.events, "open": opened, "memory": held, "raw": memory.raw, "steps": steps}))
    questions.session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Requests answered over a whole capture, as the query thread does."""

from __future__ import annotations

from pathlib import Path

from engine.query.answers import answer, is_partial
from engine.query.snapshots import Request, Snapshot
from engine.query.work import Kept, Work
from engine.store.store import Store
from tui.reading import Reading


def read(path: Path) -> Store:
    """A capture's store; its raw bytes stay readable."""
    reading = Reading(path).__enter__()
    for _ in reading:
        pass
    return reading.store


def ask(store: Store, request: Request, kept: Kept | None = None) -> Snapshot:
    """The complete answer."""
    work = Work(store, kept or Kept(store), lambda: False)
    while True:
        snapshot = answer(request, work)
        assert snapshot is not None
        if not is_partial(snapshot):
            return snapshot

"""The engine's threads and what crosses from them to a screen.

Owns two threads: ingest turns a source into segments; query answers the newest request of each panel.
Each answer is one frozen snapshot handed to ``publish`` on the query thread. Knows nothing of screens.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.query.snapshots import Request, Snapshot


class Session:
    """A source being read and asked."""

    def __init__(self, path: Path, publish: Callable[[Snapshot], None], *, limit: int | None = None) -> None:
        """Prepare to read a capture; ``limit`` stops after that many events."""
        raise NotImplementedError

    def start(self) -> None:
        """Start both threads."""

    def ask(self, slot: str, request: Request) -> None:
        """Put a panel's newest request; an older one of the same slot is dropped or given up."""

    def drop(self, slot: str) -> None:
        """The panel is gone."""

    def close(self) -> None:
        """Stop both threads and wait for them."""

"""What the screen asks of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from engine.query.snapshots import Request


class Engine(Protocol):
    """What answers requests: ``engine.session.Session``, or prepared answers in tests."""

    def start(self) -> None:
        """Begin to read."""

    def ask(self, slot: str, request: Request) -> None:
        """Put a panel's newest request."""

    def drop(self, slot: str) -> None:
        """The panel is gone."""

    def hold(self, still: bool) -> None:
        """Whether what moves by itself stays as it is now."""

    def narrow(self, filter_text: str) -> None:
        """Only what passes a filter matters from now on."""

    def record(self, path: Path | None) -> None:
        """Record what is watched to a file from now on, with what is kept of before; None finishes that."""

    def close(self) -> None:
        """Stop and wait."""

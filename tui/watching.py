"""Watching the live machine, for the screen and for commands: what may be chosen, and how it is begun.

The loader is started as soon as that is known, so that the kernel side is compiled while other things are imported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.child import Child

if TYPE_CHECKING:
    from engine.live_ingest import LiveIngest
    from engine.sources.live.source import LiveSource

INTERVAL_MS = 2000
"""Length of an interval unless told otherwise, ms."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How to watch."""

    snaplen: int = 80
    """Bytes kept of each buffer."""
    ring_mb: int = 32
    """Size of the buffer shared with the kernel, MB."""
    memory_mb: int | None = None
    """Memory for what was captured, MB; None for a quarter of what is free, at most 2 GB."""
    page_faults: bool = False
    command: tuple[str, ...] = ()
    """Watch only this command and what it starts."""


class Watching:
    """A watch that has begun: the kernel side is on its way, the command waits for it."""

    def __init__(self, watch: Watch, *, quiet: bool = False) -> None:
        """Begin. ``quiet``: the command gets no terminal. Raises FileNotFoundError when there is no such command."""
        self._watch = watch
        self.child = Child(watch.command, quiet=quiet) if watch.command else None
        self._source: LiveSource | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._load, name="load", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        from engine.sources.live.source import LiveSource, Options

        options = Options(ring=self._watch.ring_mb << 20, page_faults=self._watch.page_faults)
        try:
            self._source = LiveSource(options, snaplen=self._watch.snaplen, budget=1 << 60)
        except Exception as failure:  # told by whoever waits for the source
            self._failure = failure

    def source(self) -> LiveSource:
        """The source, once it is there. Raises LoadError."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        assert self._source is not None
        if self.child is not None:
            self._source.follow(self.child.pid)
        return self._source

    def ingest(
        self,
        *,
        interval_ms: int = INTERVAL_MS,
        limit: int | None = None,
        port_names: bool = False,
        user_names: bool = True,
        over: Callable[[], bool] = lambda: False,
    ) -> LiveIngest:
        """What is to be run to watch; ends when ``over`` says so, or with the command."""
        from engine.live_ingest import LiveIngest

        child, memory = self.child, self._watch.memory_mb
        return LiveIngest(
            self.source,
            interval=interval_ms * 1_000_000,
            budget=None if memory is None else memory << 20,
            port_names=port_names,
            user_names=user_names,
            begun=child.go if child else lambda: None,
            over=lambda: over() or (child is not None and child.ended()),
            limit=limit,
        )

    def leave(self) -> None:
        """End the command, should it still run."""
        if self.child is not None:
            self.child.leave()

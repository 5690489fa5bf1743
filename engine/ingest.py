"""Ingest: what fills a store, whether a capture file or the live machine.

Owns the walk from a source to sealed segments and what is told of it. It runs on a thread of its own; who asks the
store is the session's business, or a command's.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.decode.decoder import Decoder
from engine.model.facts import Inside
from engine.query.snapshots import Live, Status
from engine.sources import called, open_capture
from engine.store.segment import NO_FD, Window
from engine.store.store import Store
from engine.text import safe

STATUS_INTERVAL = 250_000_000
"""Nanoseconds between two reports of progress while a file loads."""


def look_inside(store: Store, decoder: Decoder, calls: Iterable[tuple[int, int, int, int]], now: int) -> None:
    """Tell a store which calls threads are inside of: tid, type code, since when (0: unknown), fd number."""
    inside = {}
    for tid, code, since, number in calls:
        fd = None if number == NO_FD else number
        life, name = decoder.life_and_fd(tid, -1 if fd is None else fd)
        if life >= 0:
            inside[life] = Inside(code, since or None, fd, name)
    store.inside, store.inside_at = inside, now


class Ingest(ABC):
    """Fills ``store`` on the thread that calls ``run``, and tells how far it got."""

    latest: Window | None = None
    """The last whole interval of a live source; None of a capture, and before the first."""

    def __init__(self, store: Store, name: str) -> None:
        """``name`` is of the source, for people, not yet safe to show."""
        self.store = store
        self.reading = threading.Lock()
        """Held by whoever works on the store: events are only forgotten while nobody does."""
        self.wants_room = False
        """True while events have to be forgotten, and whoever works on the store should let go of it."""
        self._name = safe(name.encode("utf-8", "surrogateescape"))
        self._error = ""
        self.failure: Exception | None = None
        """What stopped ``run`` before its end."""
        self._closing = False

    @abstractmethod
    def run(self, tell: Callable[[Status], None]) -> None:
        """Read to the end, or until closed; ``tell`` takes the state now and then, and when it ended."""

    @abstractmethod
    def release(self) -> None:
        """Close the source; ``run`` has returned, or was never called."""

    def close(self) -> None:
        """Have ``run`` return soon."""
        self._closing = True

    def narrow(self, filter_text: str) -> None:  # noqa: B027 (a file has nothing to leave out)
        """Only what passes a filter matters from now on. A live source may leave the rest out, where that is cheap."""

    def record(self, path: Path | None) -> None:  # noqa: B027 (a capture is exported)
        """Record to a file what comes from now on, and before it what is kept; None finishes the recording."""

    def left_out(self, filter_text: str) -> int:
        """Time (ns since epoch) until which events that a filter keeps were left out; 0 when none were."""
        return 0

    def fail(self, error: Exception) -> None:
        """Say of every state from now on that something of ours broke on another thread."""
        self._error = self._error or f"answering stopped: {type(error).__name__}: {error}"

    def rest(self) -> None:  # noqa: B027 (a file is not in a hurry)
        """To be called before work on the store: waits while the program takes all it may take of a core."""

    @property
    def progress(self) -> float:
        """0 to 1 while loading, 1 when all was read."""
        return 1.0

    @property
    def live(self) -> Live | None:
        """What there is to say of a live source besides."""
        return None

    def status(self) -> Status:
        """The state now."""
        start, end = self.store.time_span
        return Status(
            source=self._name,
            events=self.store.events,
            start=start,
            end=end,
            progress=self.progress,
            damage=tuple(safe(str(damage).encode("utf-8", "surrogateescape")) for damage in self.store.damage),
            error=safe(self._error.encode("utf-8", "surrogateescape")),
            memory=self.store.memory.total,
            live=self.live,
        )


class CaptureIngest(Ingest):
    """Reads a capture file."""

    def __init__(
        self, path: Path, *, limit: int | None = None, port_names: bool = False, user_names: bool = True
    ) -> None:
        """Open a capture; ``limit`` stops after that many events, the rest is of ``Store``.

        Raises CaptureError when the file cannot be opened or is no capture.
        """
        self._source = open_capture(path)
        super().__init__(Store(self._source.raw, port_names=port_names, user_names=user_names), Path(called(path)).name)
        self._decoder = Decoder(self.store, called(path), limit=limit)
        self._loaded = False

    @property
    def progress(self) -> float:
        """0 to 1 while loading, 1 when all was read."""
        return 1.0 if self._loaded else min(self._source.progress, 0.99) if self.store.segments else 0.0

    def run(self, tell: Callable[[Status], None]) -> None:
        """Read the file."""
        told = segments = 0
        tell(self.status())
        try:
            while not self._closing and self._source.step(self._decoder):
                now = time.monotonic_ns()
                if now - told >= STATUS_INTERVAL or not segments:
                    told, segments = now, len(self.store.segments)
                    tell(self.status())
            self._decoder.seal()
            if calls := self._decoder.inside():
                # Filters have found no thread inside of a call before. A native capture has told already.
                look_inside(self.store, self._decoder, calls, self.store.time_span[1])
                self.store.revision += 1
            if not self.store.events and not self._closing:
                self._error = str(self.store.damage[-1]) if self.store.damage else f"{self._name}: holds no events"
        except Exception as error:  # the screen must say why rows stop; what was read keeps answering
            self._decoder.seal()
            self.failure = error
            self._error = f"{self._name}: reading stopped: {type(error).__name__}: {error}"
        self._loaded = True
        tell(self.status())

    def close(self) -> None:
        """Have ``run`` return soon, also where the writer of a pipe keeps it waiting."""
        super().close()
        self._source.interrupt()

    def release(self) -> None:
        """Close the file."""
        self._source.close()

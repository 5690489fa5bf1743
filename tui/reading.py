"""A capture read by a thread of its own, while a command works on what is there already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from engine.ingest import CaptureIngest


class Reading:
    """Reads a capture into ``store``, from beginning to end. A context: leaving it stops and closes.

    Iterating gives a turn whenever more was read, and a last one when everything was; it raises what stopped
    the reading.
    """

    def __init__(self, path: Path) -> None:
        """Open a capture. Raises CaptureError."""
        self._ingest = CaptureIngest(path)
        self.store = self._ingest.store
        self._news = threading.Event()
        self._done = False
        self._thread = threading.Thread(target=self._read, name="ingest", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ingest.close()
        self._thread.join()
        self._ingest.release()

    @property
    def progress(self) -> float:
        """How much was read, 0 to 1."""
        return self._ingest.progress

    def __iter__(self) -> Iterator[None]:
        while not self._done:
            self._news.wait()
            self._news.clear()
            yield
        if self._ingest.failure is not None:
            raise self._ingest.failure
        yield

    def _read(self) -> None:
        self._ingest.run(lambda status: self._news.set())
        self._done = True
        self._news.set()

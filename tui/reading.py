"""A capture read by a thread of its own, while a command works on what is there already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from engine.decode.decoder import Decoder
from engine.sources import open_capture
from engine.store.store import Store


class Reading:
    """Reads a capture into ``store``, from beginning to end. A context: leaving it stops and closes.

    Iterating gives a turn whenever more was read, and a last one when everything was; it raises what stopped
    the reading.
    """

    def __init__(self, path: Path) -> None:
        """Open a capture. Raises CaptureError."""
        self._source = open_capture(path)
        self.store = Store(self._source.raw)
        self._decoder = Decoder(self.store, str(path))
        self._news = threading.Event()
        self._closing = self._done = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="ingest", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._thread.join()
        self._source.close()

    @property
    def progress(self) -> float:
        """How much was read, 0 to 1."""
        return self._source.progress

    def __iter__(self) -> Iterator[None]:
        while not self._done:
            self._news.wait()
            self._news.clear()
            yield
        if self._failure is not None:
            raise self._failure
        yield

    def _read(self) -> None:
        try:
            while not self._closing and self._source.step(self._decoder):
                self._news.set()
            self._decoder.seal()
        except Exception as failure:  # told by the thread that works on what was read
            self._failure = failure
        finally:
            self._done = True
            self._news.set()

"""The engine's threads: ingest turns a source into segments, query answers the newest request of each panel.

Owns the two threads and the panels' slots. Each answer is one frozen snapshot
handed to ``publish`` on an engine thread. Knows nothing of screens; asks nothing of the source but its next step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.decode.decoder import Decoder
from engine.query.answers import answer, is_partial
from engine.query.snapshots import Request, Snapshot, Status
from engine.query.work import Kept, Work
from engine.sources import open_capture
from engine.store.store import Store
from engine.text import safe

STATUS_INTERVAL = 250_000_000
"""Nanoseconds between two reports of progress while a file loads."""


class Session:
    """A capture being read and asked."""

    def __init__(
        self,
        path: Path,
        publish: Callable[[Snapshot], None],
        *,
        limit: int | None = None,
        port_names: bool = False,
        user_names: bool = True,
    ) -> None:
        """Open a capture; ``limit`` stops after that many events, the rest is of ``Store``.

        Raises CaptureError when the file cannot be opened or is no capture.
        """
        self._publish = publish
        self._source = open_capture(path)
        self.store = Store(self._source.raw, port_names=port_names, user_names=user_names)
        self._decoder = Decoder(self.store, str(path), limit=limit)
        self._name = safe(path.name.encode("utf-8", "surrogateescape"))
        self._error = ""
        self._loaded = False
        self._closing = False
        self._changed = threading.Condition()
        self._newest: dict[str, Request] = {}
        self._unanswered: dict[str, Request] = {}
        self._threads = [
            threading.Thread(target=self._ingest, name="ingest", daemon=True),
            threading.Thread(target=self._answer_all, name="query", daemon=True),
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def ask(self, slot: str, request: Request) -> None:
        """Put a panel's newest request; an older one of the same slot is dropped or given up.

        It is answered once, from the segments there are; a panel that wants the growth of a file asks again.
        """
        with self._changed:
            self._newest[slot] = self._unanswered[slot] = request
            self._changed.notify()

    def drop(self, slot: str) -> None:
        """Forget a panel: nothing more is computed for it."""
        with self._changed:
            self._newest.pop(slot, None)
            self._unanswered.pop(slot, None)

    def close(self) -> None:
        """Stop both threads, wait for them, close the file."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._source.close()

    # ingest

    def _ingest(self) -> None:
        told = segments = 0
        self._publish(self.status())
        try:
            while not self._closing and self._source.step(self._decoder):
                now = time.monotonic_ns()
                if now - told >= STATUS_INTERVAL or not segments:
                    told, segments = now, len(self.store.segments)
                    self._publish(self.status())
            self._decoder.seal()
            if not self.store.events and not self._closing:
                self._error = str(self.store.damage[-1]) if self.store.damage else f"{self._name}: holds no events"
        except Exception as error:  # the screen must say why rows stop; what was read keeps answering
            self._decoder.seal()
            self._error = f"{self._name}: reading stopped: {type(error).__name__}: {error}"
        self._loaded = True
        self._publish(self.status())

    def status(self) -> Status:
        """State of the source now."""
        segments = self.store.segments
        start, end = self.store.time_span
        memory = self.store.memory
        return Status(
            source=self._name,
            events=self.store.events,
            start=start,
            end=end,
            progress=1.0 if self._loaded else min(self._source.progress, 0.99) if segments else 0.0,
            damage=tuple(safe(str(damage).encode("utf-8", "surrogateescape")) for damage in self.store.damage),
            error=safe(self._error.encode("utf-8", "surrogateescape")),
            memory=memory.columns + memory.tables + memory.raw,
        )

    # query

    def _answer_all(self) -> None:
        kept = Kept()
        while True:
            with self._changed:
                while not self._unanswered and not self._closing:
                    self._changed.wait()
                if self._closing:
                    return
                slot, request = next(iter(self._unanswered.items()))
                del self._unanswered[slot]

            def given_up(slot: str = slot, request: Request = request) -> bool:
                return self._closing or self._newest.get(slot) is not request

            snapshot = answer(request, Work(self.store, kept, given_up))
            if snapshot is not None:
                self._publish(snapshot)
                if is_partial(snapshot):
                    self._go_on(slot, request)

    def _go_on(self, slot: str, request: Request) -> None:
        """Have a request answered again after all others, unless a newer one has taken its place."""
        with self._changed:
            if self._newest.get(slot) is request:
                self._unanswered.setdefault(slot, request)

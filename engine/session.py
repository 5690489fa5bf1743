"""The engine's threads: ingest turns a source into segments, query answers the newest request of each panel.

Owns the two threads and the panels' slots. Each answer is one frozen snapshot
handed to ``publish`` on an engine thread. Knows nothing of screens; asks nothing of the source but its next step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.ingest import Ingest
from engine.query.answers import answer, is_partial
from engine.query.snapshots import Request, Snapshot
from engine.query.work import Kept, Work
from engine.store.segment import Window

YIELD = 0.005
"""Seconds between two looks whether the store may be worked on again."""


class Session:
    """A source being read and asked."""

    def __init__(self, ingest: Ingest, publish: Callable[[Snapshot], None]) -> None:
        """Prepare; every answer and every state of the source goes to ``publish``."""
        self._publish = publish
        self._ingest = ingest
        self.store = ingest.store
        self._closing = False
        self._held: tuple[Window | None] | None = None
        self._changed = threading.Condition()
        self._newest: dict[str, Request] = {}
        self._unanswered: dict[str, Request] = {}
        self._threads = [
            threading.Thread(target=ingest.run, args=[publish], name="ingest", daemon=True),
            threading.Thread(target=self._answer_until_closed, name="query", daemon=True),
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

    def hold(self, still: bool) -> None:
        """Whether tables stay those of the interval that is the last one now, while capture goes on."""
        self._held = (self._ingest.latest,) if still else None

    def narrow(self, filter_text: str) -> None:
        """Only what passes a filter matters from now on (``Ingest.narrow``)."""
        self._ingest.narrow(filter_text)

    def record(self, path: Path | None) -> None:
        """Record a live source to a file, what is kept of before included; None finishes the recording."""
        self._ingest.record(path)

    def close(self) -> None:
        """Stop both threads, wait for them, close the source."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify()
        self._ingest.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._ingest.release()

    # query

    def _answer_until_closed(self) -> None:
        try:
            self._answer_all()
        except Exception as error:  # nothing is answered any more, which has to be seen
            self._ingest.fail(error)
            self._publish(self._ingest.status())

    def _answer_all(self) -> None:
        kept, forgotten, compactions, damaged = Kept(self.store), 0, 0, 0
        while True:
            with self._changed:
                while not self._unanswered and not self._closing:
                    self._changed.wait()
                if self._closing:
                    return
                slot, request = next(iter(self._unanswered.items()))
                del self._unanswered[slot]

            def given_up(slot: str = slot, request: Request = request) -> bool:
                return self._closing or self._newest.get(slot) is not request or self._ingest.wants_room

            self._ingest.rest()
            while self._ingest.wants_room and not self._closing:
                time.sleep(YIELD)
            with self._ingest.reading:
                if compactions != self.store.compactions or not self.store.segments:
                    # Rows have moved, or the picture of the machine may just have come: nothing made before holds.
                    kept = Kept(self.store)
                elif forgotten != self.store.forgotten:
                    kept.forget()
                forgotten, compactions = self.store.forgotten, self.store.compactions
                latest = self._held[0] if self._held else self._ingest.latest
                snapshot = answer(request, Work(self.store, kept, given_up, latest, self._ingest.left_out))
            if len(self.store.damage) != damaged:
                # Some is found only when what is damaged is asked for.
                damaged = len(self.store.damage)
                self._publish(self._ingest.status())
            if snapshot is not None:
                self._publish(snapshot)
            if snapshot is None or is_partial(snapshot):
                self._go_on(slot, request)

    def _go_on(self, slot: str, request: Request) -> None:
        """Have a request answered again after all others, unless a newer one has taken its place."""
        with self._changed:
            if self._newest.get(slot) is request:
                self._unanswered.setdefault(slot, request)

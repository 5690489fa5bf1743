"""From containers that appear in a store to the events that tell them."""

from __future__ import annotations

import time

from engine.sources.runtimes.events import container_event
from engine.sources.runtimes.lookup import Lookup
from engine.store.store import Store


class Naming:
    """Watches a store's threads for containers nobody told of."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        """Ask ``lookup``, or the runtimes of this machine."""
        self._lookup = lookup or Lookup()
        self._looked = 0
        self._compactions = 0

    def blocks(self, store: Store) -> list[bytes]:
        """Event blocks that tell what was learned since. Never waits; to be asked again and again."""
        threads = store.threads
        if store.compactions != self._compactions:
            self._compactions, self._looked = store.compactions, 0
        if self._looked < len(threads):
            self._lookup.ask({thread.container for thread in threads[self._looked :]} - store.containers.keys())
            self._looked = len(threads)
        return [container_event(told, time.time_ns()) for told in self._lookup.answers()]

    def close(self) -> None:
        """Ask no more."""
        self._lookup.close()

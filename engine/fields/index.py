"""Indexes over the rows of a store's tables, made anew when rows have moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from engine.store.store import Store

Made = TypeVar("Made")


class Index(Generic[Made]):
    """Something kept of each store that is asked about, for as long as its rows keep their numbers."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Store, tuple[int, Made]] = WeakKeyDictionary()

    def of(self, store: Store) -> Made:
        """What is kept of a store; empty at first and after its tables were compacted."""
        compactions, made = self._made.get(store, (-1, None))
        if made is None or compactions != store.compactions:
            made = self._make()
            self._made[store] = store.compactions, made
        return made

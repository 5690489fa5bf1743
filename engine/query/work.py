"""What the query thread lends a request while it is answered, and what it keeps between requests.

Also what a panel of the screen asks besides tables and event lines: such a request answers itself, each kind in a
module of its own. Knows no particular panel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from engine import filters
from engine.query.lines import NOT_INTERNAL
from engine.query.matches import Cancelled, Matches
from engine.store.segment import Window
from engine.store.store import Store

KEPT = 24
"""Results of each kind kept, the least recently asked dropped first: enough to go back through a drill-down."""
T = TypeVar("T")


class SupersededError(Exception):
    """A newer request took the place of the one at work."""


class Kept:
    """Results worth keeping, by kind and key."""

    def __init__(self) -> None:
        """Start with nothing kept."""
        self._results: dict[type[Any], OrderedDict[tuple[object, ...], Any]] = {}

    def get(self, kind: type[T], key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of a key, made when there is none. O(1)."""
        results = self._results.setdefault(kind, OrderedDict())
        if key not in results:
            results[key] = make()
        results.move_to_end(key)
        while len(results) > KEPT:
            results.popitem(last=False)
        return cast(T, results[key])


class Work:
    """One request being answered."""

    def __init__(self, store: Store, kept: Kept, given_up: Cancelled) -> None:
        """``given_up`` tells that a newer request has taken this one's place."""
        self.store = store
        self.keep = kept.get
        self.given_up = given_up

    def check(self) -> None:
        """Raise SupersededError when given up."""
        if self.given_up():
            raise SupersededError

    def matches(self, filter_text: str, window: Window | None = None) -> Matches:
        """The events, internal ones aside, that a complete filter keeps in a window, all sealed segments taken in.

        Raises SupersededError when given up, FilterError.
        """
        matches = self.keep(
            Matches, (filter_text, window),
            lambda: Matches(self.store, filters.combine(filter_text, NOT_INTERNAL), window),
        )  # fmt: skip
        if not matches.update(self.given_up):
            raise SupersededError
        return matches


@dataclass(frozen=True)
class PanelSnapshot:
    """The answer to a panel's request, frozen; its texts are safe to show."""

    request: PanelRequest
    error: str = ""
    """Why there is no answer, for people."""
    complete: bool = True
    """False while more is to be computed: the same request is answered again, with more."""


class PanelRequest(ABC):
    """A question that answers itself."""

    __slots__ = ()

    @abstractmethod
    def answer(self, work: Work) -> PanelSnapshot:
        """The answer; raises SupersededError when given up, FilterError or UnknownField for what cannot be asked."""

    @abstractmethod
    def failed(self, message: str) -> PanelSnapshot:
        """The answer that says why there is none; the message is safe."""

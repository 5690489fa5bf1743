"""What the query thread lends a request while it is answered, and what it keeps between requests.

Also what a panel of the screen asks besides tables and event lines: such a request answers itself, each kind in a
module of its own. Knows no particular panel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from engine import filters
from engine.query.answered import late_answers
from engine.query.lines import NOT_INTERNAL
from engine.query.masks import Masks, without_internal
from engine.query.matches import Cancelled, Matches
from engine.store.segment import Window
from engine.store.store import Store

KEPT = 24
"""Results of each kind kept, the least recently asked dropped first: enough to go back through a drill-down."""


class SupersededError(Exception):
    """A newer request took the place of the one at work."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an answer was made of. Times in ns since epoch."""

    window: Window | None = None
    """None: everything kept."""
    lost: int = 0
    """Events of it that could not be captured."""
    since: int = 0
    """When not all of it is there: the time from which on it is. What was before was forgotten, or left out as the
    filter then in force did not ask for it."""


EVERYTHING = Coverage()


class Result(Protocol):
    """Something made of a store's segments that is worth keeping."""

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields it asks for."""

    def forget(self) -> bool:
        """Take out what was made of segments the store has forgotten; False when it has to be made anew."""


T = TypeVar("T", bound=Result)


class Kept:
    """Results worth keeping, by kind and key. They hold until rows of the store's tables move, or events they were made
    of are answered."""

    def __init__(self, store: Store) -> None:
        """Start with nothing kept."""
        self._store = store
        self._results: dict[type[Any], OrderedDict[tuple[object, ...], tuple[Any, int]]] = {}
        """Each with how many answers had come late when it was made."""

    def get(self, kind: type[T], key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of a key, made when there is none that holds. O(1)."""
        results = self._results.setdefault(kind, OrderedDict())
        result, late = results.get(key, (None, 0))
        if result is None or late_answers(self._store, result.fields) != late:
            result = make()
            results[key] = result, late_answers(self._store, result.fields)
        results.move_to_end(key)
        while len(results) > KEPT:
            results.popitem(last=False)
        return cast(T, result)

    def forget(self) -> None:
        """The store has forgotten segments: keep what holds without them."""
        for results in self._results.values():
            for key in [key for key, (result, _) in results.items() if not result.forget()]:
                del results[key]


class Work:
    """One request being answered."""

    def __init__(
        self,
        store: Store,
        kept: Kept,
        given_up: Cancelled,
        latest: Window | None = None,
        left_out: Callable[[str], int] = lambda filter_text: 0,
    ) -> None:
        """``given_up`` tells that a newer request has taken this one's place; ``latest`` is the last whole interval
        of a live source, ``left_out`` tells until when events a filter keeps were not captured (ns)."""
        self.store = store
        self.latest = latest
        self._left_out = left_out
        self.keep = kept.get
        self.given_up = given_up

    def coverage(self, window: Window | None, filter_text: str) -> Coverage:
        """What an answer under a complete filter is made of."""
        start = self.store.time_span[0] if self.store.forgotten else 0
        since = max(start, self._left_out(filter_text))
        return Coverage(window, self.store.lost(window), since if window is None or since > window[0] else 0)

    def check(self) -> None:
        """Raise SupersededError when given up."""
        if self.given_up():
            raise SupersededError

    def masks(self, filter_text: str) -> Masks:
        """What a complete filter keeps of each segment, as far as that was worked out. Raises FilterError."""
        return self.keep(Masks, (filter_text,), lambda: Masks(self.store, filter_text))

    def matches(self, filter_text: str, window: Window | None = None) -> Matches:
        """The events, internal ones aside, that a complete filter keeps in a window, all sealed segments taken in.

        Raises SupersededError when given up, FilterError.
        """
        matches = self.keep(
            Matches, (filter_text, window),
            lambda: Matches(self.store, filters.combine(filter_text, NOT_INTERNAL), window),
        )  # fmt: skip
        masks = self.masks(filter_text)
        if not matches.update(self.given_up, lambda segment: without_internal(masks.of(segment), segment)):
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

"""What the kernel side may leave out while a filter is in force, and since when which events were left out.

Owns turning what a filter implies into what the live source can be told, and the memory of it. Of a wider filter it
can be said from when on all its events were captured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from engine import filters
from engine.filters.implied import ANYTHING, Implied, implied
from engine.model.cgroups import container_of
from engine.model.facts import Thread
from engine.sources.live.source import Narrowing
from engine.store.store import Store

MOST_PERIODS = 1000
"""Periods remembered; of a filter changed more often the oldest ones run together."""
_HIERARCHIES = (b"memory=", b"unified=")
_NAMED = 3
"""Names told of a set, its number beyond."""


@dataclass(slots=True)
class _Period:
    """A stretch of time in which only some events were captured."""

    start: int
    end: int | None
    """ns since epoch; None while it lasts."""
    asked: Implied


class Narrowed(Protocol):
    """What can be told to leave out events: the live source."""

    def narrow(self, asked: Narrowing) -> int:
        """Leave out what is not asked for; the time from which on it is."""

    @property
    def narrowing(self) -> Narrowing:
        """What is left out is what does not meet this."""


class Pushdown:
    """What of a filter is pushed down to the kernel side."""

    def __init__(self, store: Store) -> None:
        """Nothing is left out yet."""
        self._store = store
        self._asked = ANYTHING
        self._told: Narrowing = Narrowing()
        self._periods: deque[_Period] = deque()
        self._now = Narrowing()
        self._rows = 0
        self._made_of: tuple[frozenset[bytes], int] | None = None
        self._cgroups: frozenset[bytes] = frozenset()

    def ask(self, filter_text: str) -> None:
        """Only what passes a filter matters from now on; of a wrong filter everything does."""
        try:
            self._asked = implied(filter_text)
        except filters.FilterError:
            self._asked = ANYTHING

    def update(self, source: Narrowed) -> None:
        """Tell the kernel side what is to be told; cheap when that is nothing."""
        asked = self._asked
        wanted = Narrowing(asked.processes, self._cgroups_of(asked.containers), asked.types)
        if wanted == self._told:
            return
        self._told = wanted
        since = source.narrow(wanted)
        self._now = now = source.narrowing
        if self._periods and self._periods[-1].end is None:
            self._periods[-1].end = since
        if now != Narrowing():
            containers = asked.containers if now.cgroups is not None else None
            self._periods.append(_Period(since, None, Implied(now.types, now.processes, containers)))
        while len(self._periods) > MOST_PERIODS:
            first = self._periods.popleft()
            self._periods[0].start = first.start
            self._periods[0].asked = self._periods[0].asked.both(first.asked)

    def _cgroups_of(self, containers: frozenset[bytes] | None) -> frozenset[bytes] | None:
        """The cgroups that containers' threads are in; None, everywhere, while those of one are not known."""
        if containers is None:
            return None
        made_of = (containers, self._store.compactions)
        if made_of != self._made_of:
            self._made_of, self._rows, self._cgroups = made_of, 0, frozenset()
        new = self._store.threads[self._rows :]
        self._rows += len(new)
        self._cgroups |= {
            item for thread in new if thread.container.encode() in containers for item in _own_cgroups(thread)
        }
        known = {container_of((item,)).encode() for item in self._cgroups}
        return self._cgroups if known >= containers else None

    def left_out(self, filter_text: str, now: int) -> int:
        """Time until which events that a filter keeps were left out, ns since epoch; 0 when none were."""
        wanted = _implied(filter_text)
        for period in reversed(self._periods):
            if not wanted.within(period.asked):
                return now if period.end is None else period.end
        return 0

    def forget(self, start: int) -> None:
        """Nothing is kept of what was before a time."""
        while self._periods and (end := self._periods[0].end) is not None and end < start:
            self._periods.popleft()

    def __str__(self) -> str:
        """What is captured only, for people; "" for everything."""
        told = self._now
        parts = [
            ("pid", [str(pid) for pid in sorted(told.processes or ())]),
            ("container", sorted(container_of((item,)) for item in _one_each(told.cgroups or ()))),
            ("", sorted(told.types or ())),
        ]
        texts = []
        for what, names in parts:
            if names:
                shown = ",".join(names) if len(names) <= _NAMED else f"{len(names)} {what}s" if what else "some calls"
                texts.append(f"{what} {shown}".strip() if len(names) <= _NAMED else shown)
        return " and ".join(texts)


def _own_cgroups(thread: Thread) -> Iterable[bytes]:
    """The cgroups that tell the thread's container, as the kernel side can compare with."""
    return (
        item for item in thread.cgroups if item.startswith(_HIERARCHIES) and container_of((item,)) == thread.container
    )


def _one_each(cgroups: Iterable[bytes]) -> Iterable[bytes]:
    """One cgroup of each container."""
    return {container_of((item,)): item for item in cgroups}.values()


@lru_cache(64)
def _implied(filter_text: str) -> Implied:
    try:
        return implied(filter_text)
    except filters.FilterError:
        return ANYTHING

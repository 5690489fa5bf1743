"""What samples told last of a process or a thread, at any event: threads, descriptors, memory, time on a CPU.

Samples lie in segments (``store.segment.Sample``); here they are indexed by who they are about, segment by segment as
the store grows. What was told before the oldest event that is kept is kept in its last state.
"""

from __future__ import annotations

from enum import Enum
from weakref import WeakKeyDictionary
from weakref import ref as weakref

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields.index import Index
from engine.store.segment import Sample, Segment
from engine.store.store import Store

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
_NUMBER_BITS = 40
"""Of a key: who it is about above, the event's number below."""
_NUMBERS = (1 << _NUMBER_BITS) - 1


class By(Enum):
    """Whose samples belong together."""

    PROCESS = "process"
    THREAD = "life"


class _Rows:
    """Who each thread row is, kept up with the table's growth; -1 of nobody."""

    def __init__(self) -> None:
        self._ids = {by: np.empty(0, np.int64) for by in By}

    def of(self, store: Store, by: By) -> Integers:
        known = len(self._ids[by])
        new = store.threads[known:]
        if new:
            told = np.array([getattr(thread, by.value) for thread in new], np.int64)
            self._ids[by] = np.append(self._ids[by], told)
        return self._ids[by]


class _Series:
    """Samples of some kinds, in runs of ascending keys; later runs are about later events."""

    def __init__(self, kinds: tuple[int, ...], by: By, total: bool) -> None:
        self._kinds = kinds
        self._by = by
        self._total = total
        self._next = 0
        """Number of events before the first one that was not looked at."""
        self._runs: list[tuple[Integers, Integers]] = []
        self._totals = np.zeros(0, np.int64)

    def update(self, store: Store, ids: Integers) -> None:
        """Take in the samples of new segments."""
        for segment in store.segments:
            if segment.first < self._next:
                continue
            self._next = segment.first + len(segment)
            samples = segment.samples[np.isin(segment.samples["kind"], self._kinds)]
            samples = samples[(samples["thread"] >= 0) & (samples["thread"] < len(ids))]
            whose = ids[samples["thread"]]
            if not len(whose):
                continue
            keys = whose << _NUMBER_BITS | (segment.first + samples["event"].astype(np.int64) + 1)
            order = np.argsort(keys, kind="stable")
            self._add(keys[order], samples["value"][order], store.segments[0].first)

    def _add(self, keys: Integers, values: Integers, gone: int) -> None:
        if self._total:
            values = self._summed(keys >> _NUMBER_BITS, values)
        self._runs.append((keys, values))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (keys, values), (later, more) = self._runs[-2:]
            keys, values = np.append(keys, later), np.append(values, more)
            order = np.argsort(keys, kind="stable")
            keys, values = keys[order], values[order]
            # Of what happened before the oldest event only the last of each is needed.
            followed = np.append(
                (keys[1:] & _NUMBERS <= gone) & (keys[1:] >> _NUMBER_BITS == keys[:-1] >> _NUMBER_BITS), False
            )
            self._runs[-2:] = [(keys[~followed], values[~followed])]

    def _summed(self, whose: Integers, values: Integers) -> Integers:
        """Running totals of each, from those of earlier segments on."""
        if whose[-1] >= len(self._totals):
            self._totals = np.append(self._totals, np.zeros(int(whose[-1]) + 1, np.int64))
        sums = np.cumsum(values)
        begins = np.flatnonzero(np.append(True, whose[1:] != whose[:-1]))
        before = np.append(0, sums)[begins]
        lengths = np.diff(np.append(begins, len(whose)))
        sums += np.repeat(self._totals[whose[begins]] - before, lengths)
        self._totals[whose[begins]] = sums[begins + lengths - 1]
        return sums

    def at(self, whose: Integers, numbers: Integers) -> tuple[Integers, Mask]:
        """The last values told of some at or before events, and where anything was."""
        values = np.zeros(len(whose), np.int64)
        known = whose < 0
        wanted = whose << _NUMBER_BITS | numbers
        for keys, told in reversed(self._runs):
            if known.all():
                break
            places = np.searchsorted(keys, wanted, "right") - 1
            found = (places >= 0) & (keys[places] >> _NUMBER_BITS == whose) & ~known
            values[found] = told[places[found]]
            known |= found
        return values, known & (whose >= 0)


_Kept = dict[tuple[tuple[int, ...], By, bool], _Series]
_rows = Index(_Rows)
_of_fds: Index[_Kept] = Index(dict)
"""Series whose values are rows of the fd table."""
_others: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()


def _series_of(store: Store, kinds: tuple[int, ...], by: By, total: bool) -> tuple[_Series, Integers]:
    """The samples of these kinds there are by now, and who each thread row is."""
    ids = _rows.of(store).of(store, by)
    kept = _of_fds.of(store) if kinds[0] >= Sample.STDIN else _others.setdefault(store, {})
    series = kept.setdefault((kinds, by, total), _Series(kinds, by, total))
    series.update(store, ids)
    return series, ids


def told(
    segment: Segment, store: Store, *kinds: int, by: By = By.PROCESS, total: bool = False
) -> tuple[Integers, Mask]:
    """What samples of these kinds said last of each event's process or thread, and where they said anything.

    ``total`` adds up all they said by then.
    """
    series, ids = _series_of(store, kinds, by, total)
    numbers = np.arange(segment.first + 1, segment.first + 1 + len(segment))
    return series.at(np.append(ids, -1)[segment.thread], numbers)


_latest: tuple[weakref[Segment], int, Integers, Mask] | None = None
"""What the last answer for a single event was taken from."""


def last(event: Event, kind: int) -> int | None:
    """What samples of a kind said last of an event's process; None when they said nothing. Cheap for neighbours."""
    global _latest
    if _latest is None or _latest[0]() is not event.segment or _latest[1] != kind:
        _latest = (weakref(event.segment), kind, *told(event.segment, event.store, kind))
    _, _, values, known = _latest
    return int(values[event.row]) if known[event.row] else None

"""How a filter is evaluated over a segment: a tree of parts, each asked about rows, each counting what it answered.

What always or never holds stands here; terms are in ``terms``, what joins them in ``junctions``; which terms there are
is decided by ``check``. A plan remembers its answers for one store, and is for one thread.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields.field import Place
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp] | None
"""Rows of a segment that are asked, None for all of them."""
EventTest = Callable[[Event, Store], bool]
"""Decides about one event."""

COST = {place: 4.0**cost for cost, place in enumerate(Place)}
"""ns an event before anything was measured, in order rather than in size."""


class Plan(ABC):
    """A part of a filter that can be asked about the rows of a segment, and counts what it answered."""

    place: Place
    """The most expensive place its terms look at."""
    text: str
    """The part, as a filter writes it."""

    def __init__(self) -> None:
        self.asked = 0
        """Events asked about."""
        self.kept = 0
        """Those of them it held for."""
        self.ns = 0
        """Time it took."""

    def mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """Which of the rows it holds for, one entry each."""
        began = time.perf_counter_ns()
        held = self._mask(store, segment, rows)
        self.asked += len(held)
        self.kept += int(np.count_nonzero(held))
        self.ns += time.perf_counter_ns() - began
        return held

    @abstractmethod
    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        """As ``mask``, without counting."""

    def possible(self, store: Store, segment: Segment) -> bool:
        """False when it certainly holds for no row of the segment."""
        return True

    @property
    def way(self) -> str:
        """How it is answered, for people."""
        return _WAYS[self.place]

    @property
    def parts(self) -> Sequence[Plan]:
        """What it joins, in the order asked next."""
        return ()

    def burden(self, every: bool) -> float:
        """ns spent for each event it decides as an operand of ``and`` (every) or ``or``."""
        if not self.asked:
            return COST[self.place]
        deciding = self.asked - self.kept if every else self.kept
        return self.ns / max(deciding, 0.5)


_WAYS = {
    Place.TYPE: "once per event type",
    Place.THREAD: "once per thread",
    Place.FD: "once per descriptor",
    Place.EVENT: "columns",
    Place.LATE: "event by event",
}


class Constant(Plan):
    """Always or never holds."""

    place = Place.TYPE

    def __init__(self, held: bool, text: str) -> None:
        super().__init__()
        self.held = held
        self.text = text

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        return np.full(len(segment) if rows is None else len(rows), self.held)

    def possible(self, store: Store, segment: Segment) -> bool:
        """As of every plan."""
        return self.held

    @property
    def way(self) -> str:
        """As of every plan."""
        return "always" if self.held else "never"


def described(plan: Plan, level: int = 0) -> Iterator[str]:
    """Lines that tell a plan: how each part is answered and, once asked, of how many events, how many it kept, and the
    time it took."""
    told = f"  {plan.asked:,} asked, {plan.kept:,} kept, {plan.ns / 1e6:,.1f} ms" if plan.asked else ""
    what = "" if plan.parts else f": {plan.text if len(plan.text) <= 200 else plan.text[:199] + '…'}"
    yield f"{'  ' * level}{plan.way}{what}{told}"
    for part in plan.parts:
        yield from described(part, level + 1)

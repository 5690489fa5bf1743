"""Running totals of a view's groups: what is added up, and the sums so far.

Owns the arrays that ``engine.decode.kernels.accumulate`` reads and writes. What a group is belongs to ``keys``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.events import CATALOGUE
from engine.fields.field import Measure, Outcome, Quantity

MOST = 32
"""Measures one view may have: they are bits of a 32-bit word."""
_NO_FD = 255
"""Index of ``by_kind`` for events without an fd row."""


class Measures:
    """Several measures as tables of bits: measure m counts an event when bit m survives every table."""

    def __init__(self, measures: list[Measure]) -> None:
        """Prepare at most ``MOST`` measures; ValueError beyond."""
        if len(measures) > MOST:
            raise ValueError(f"a view adds up at most {MOST} different things, this one {len(measures)}")
        self.count = len(measures)
        self.by_type = np.zeros(len(CATALOGUE), np.uint32)
        self.by_kind = np.zeros(256, np.uint32)
        self.without_result = self.good = self.failed = self.of_result = self.of_latency = 0
        self.by_fd = self.by_outcome = 0
        """Those that the kind of fd, and whether there is a result and of which sign, has a say in."""
        self.ones = [measure.quantity is Quantity.ONE for measure in measures]
        """Which measures count."""
        for place, measure in enumerate(measures):
            bit = 1 << place
            # An enter has no latency, though its column says 0: it is no sample.
            exits_only = measure.quantity is Quantity.LATENCY
            counted = [measure.types(kind) and (kind.is_exit or not exits_only) for kind in CATALOGUE]
            self.by_type[counted] |= bit
            if measure.fd_kinds is None:
                self.by_kind |= bit
            else:
                self.by_fd |= bit
                kinds = [_NO_FD if kind < 0 else kind for kind in measure.fd_kinds]
                self.by_kind[kinds] |= bit
            if measure.quantity is Quantity.RESULT:
                self.of_result |= bit
            elif measure.quantity is Quantity.LATENCY:
                self.of_latency |= bit
            if measure.outcome is not Outcome.FAILED:
                self.good |= bit
            if measure.outcome is not Outcome.OK:
                self.failed |= bit
            if measure.outcome is Outcome.ANY and measure.quantity is not Quantity.RESULT:
                self.without_result |= bit
            else:
                self.by_outcome |= bit


class Totals:
    """Totals by group, of several measures and then of other numbers. ``first`` and ``last`` are indices of events
    (number - 1), -1 for none."""

    def __init__(self, measures: Measures, numbers: int = 0) -> None:
        """Begin without any group; ``numbers`` is how many other numbers there are."""
        self._ones = [*measures.ones, *[False] * numbers] or [False]
        self._allocate(0)

    def _allocate(self, groups: int) -> None:
        shape = (groups, len(self._ones))
        self.first = np.full(groups, -1, np.int64)
        self.last = np.full(groups, -1, np.int64)
        self.sums = np.zeros(shape)
        """Float, so that no capture can overflow it; exact up to 2**53. Of measures that count see ``added``."""
        self.counts = np.zeros(shape, np.int64)
        self.mins = np.full(shape, np.where(self._ones, 1, 2**63 - 1))
        self.maxs = np.full(shape, np.where(self._ones, 1, -(2**63)))
        """Of groups with samples."""

    def added(self, places: list[int]) -> NDArray[np.float64]:
        """What was added up of some measures or numbers, by group and place."""
        return np.where([self._ones[place] for place in places], self.counts[:, places], self.sums[:, places])

    def make_room(self, groups: int) -> None:
        """Have entries for at least this many groups; amortised O(groups)."""
        have = len(self.first)
        if groups <= have:
            return
        old = dict(vars(self))
        self._allocate(max(groups, 2 * have, 64))
        for name, values in old.items():
            if isinstance(values, np.ndarray):
                getattr(self, name)[:have] = values

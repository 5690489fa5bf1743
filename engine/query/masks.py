"""Which events a filter keeps, remembered for further questions about the same ones: the count told while the filter is
typed, then its table, its lines, its timeline.

Owns the bits; what is made of the events is the business of who asks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.events import Category
from engine.fields import FIELDS
from engine.fields.columns import by_type
from engine.store.segment import Segment
from engine.store.store import Store

Mask = NDArray[np.bool_]
_INTERNAL = by_type(lambda kind: kind.category is Category.INTERNAL)


class Masks:
    """What one filter keeps of each segment, a bit an event, as long as nothing it asks about changes."""

    def __init__(self, store: Store, filter_text: str) -> None:
        """Prepare; raises FilterError."""
        self._store = store
        self._filter = filters.compile(filter_text)
        self.fields = self._filter.fields()
        asked = [FIELDS[name] for name in self.fields]
        self._passing = any(field.passing for field in asked)
        self._of_others = any(field.of_others for field in asked)
        self._made_of = (0, 0, 0)
        self._bits: dict[int, NDArray[np.uint8]] = {}
        """By number of the segment's first event."""

    def of(self, segment: Segment) -> Mask:
        """Which events of a sealed segment the filter keeps, one bool each."""
        known = self.known(segment)
        if known is not None:
            return known
        mask = self._filter.mask(self._store, segment)
        self._bits[segment.first] = np.packbits(mask)
        return mask

    def known(self, segment: Segment) -> Mask | None:
        """The same where it was worked out before, None elsewhere."""
        store = self._store
        made_of = (
            store.revision, store.inside_at if self._passing else 0, store.events if self._of_others else 0,
        )  # fmt: skip
        if made_of != self._made_of:
            self._made_of = made_of
            self._bits.clear()
        bits = self._bits.get(segment.first)
        return None if bits is None else np.unpackbits(bits, count=len(segment)).view(np.bool_)

    def forget(self) -> bool:
        """Take out segments the store has forgotten."""
        for gone in [first for first in self._bits if first < self._store.forgotten]:
            del self._bits[gone]
        return True


def without_internal(mask: Mask, segment: Segment) -> Mask:
    """A segment's mask without the events that capturing itself makes."""
    return mask & ~_INTERNAL[segment.type] if _INTERNAL[segment.types_present].any() else mask

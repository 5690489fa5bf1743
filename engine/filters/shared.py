"""Terms about late fields of which many events have the same value: asked once for each value's key.

Which events those are is the field's declaration (``Field.same``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields.field import Place
from engine.filters.plan import EventTest, Mask, Plan, Rows
from engine.store.segment import Segment
from engine.store.store import Store

Keys = Callable[[Segment, Store], NDArray[np.int64]]
"""A number for each event of a segment; events of one number have one value."""

_MEMO = 1 << 18
"""Keys remembered; past that all are forgotten."""


class SharedTerm(Plan):
    """Decided by a test of an event, whose answer is that of every other event of its key."""

    place = Place.LATE

    def __init__(self, test: EventTest, keys: Keys, text: str) -> None:
        super().__init__()
        self.text = text
        self._test = test
        self._keys = keys
        self._memo: dict[int, bool] = {}
        self._made_of: tuple[Store, int] | None = None

    @property
    def way(self) -> str:
        """As of every plan."""
        return "once per value"

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        made_of = (store, store.revision)
        if made_of != self._made_of or len(self._memo) > _MEMO:
            self._made_of, self._memo = made_of, {}
        keys = self._keys(segment, store)
        keys = keys if rows is None else keys[rows]
        distinct, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        answers = np.empty(len(distinct), np.bool_)
        for index, (key, first) in enumerate(zip(distinct.tolist(), firsts.tolist(), strict=True)):
            answer = self._memo.get(key)
            if answer is None:
                row = first if rows is None else int(rows[first])
                answer = self._memo[key] = self._test(Event(store, segment, row), store)
            answers[index] = answer
        held: Mask = answers[places]
        return held

"""One parameter of many events of a segment, read from their raw records at once.

Which parameter that is, and what its bytes mean, is ``engine.fields``'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.records import locate, numbers
from engine.events import CATALOGUE, SCAP_TYPES, Trait
from engine.store.segment import Segment
from engine.store.store import Store

WIDE = np.array([bool(kind.traits & Trait.LARGE_PAYLOAD) for kind in CATALOGUE[:SCAP_TYPES]], np.uint8)
"""By type code, whether parameter lengths take four bytes."""


def whole_numbers(
    store: Store, segment: Segment, rows: NDArray[np.intp], places: NDArray[np.int32]
) -> NDArray[np.int64]:
    """The numbers in parameter ``places[i]`` of ``rows[i]``, at most 8 bytes each, shorter ones without sign.

    -1 where there is none.
    """
    values = np.full(len(rows), -1, np.int64)
    starts, lengths = np.empty(len(rows), np.int64), np.full(len(rows), -2, np.int32)
    if not len(rows):
        return values
    begins, ends = segment.offset[rows], np.append(segment.offset[1:], segment.end)[rows]
    base = int(begins.min())
    if base >= 0:
        data = store.raw.read(base, int(ends.max()))
        if len(data):
            locate(data, begins - base, ends - base, places, WIDE, starts, lengths)
            numbers(data, starts, lengths, values)
    for index in np.flatnonzero(lengths == -2):
        params = Event(store, segment, int(rows[index])).params
        place = int(places[index])
        raw = params[place] if place < len(params) else None
        if raw is not None and len(raw) <= 8:
            values[index] = int.from_bytes(raw, "little") & 0x7FFFFFFFFFFFFFFF
    return values

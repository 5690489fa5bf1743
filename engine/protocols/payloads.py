"""What calls moved, as far as it was captured: many payloads of a segment at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.parameters import WIDE
from engine.decode.records import locate
from engine.events import CATALOGUE, Category
from engine.store.segment import Segment
from engine.store.store import Store

_DATA = np.array([-1 if (place := kind.index("data")) is None else place for kind in CATALOGUE], np.int32)
MOVES = np.array([kind.is_exit and place >= 0 for kind, place in zip(CATALOGUE, _DATA, strict=True)])
"""By type code, whether events may have a payload."""
WRITES = np.array([kind.category is Category.IO_WRITE for kind in CATALOGUE])
"""By type code, whether it goes outwards."""


def located(
    store: Store, segment: Segment, rows: NDArray[np.intp]
) -> tuple[memoryview, NDArray[np.int64], NDArray[np.int32]]:
    """Raw bytes, and where in them the payload of each of some rows, which are not none, begins and how long it is;
    length -1 without one, -2 where ``payload_of`` has to be asked. No bytes when the file was cut since."""
    begins, ends = segment.offset[rows], np.append(segment.offset[1:], segment.end)[rows]
    base = int(begins.min())
    data = store.raw.read(base, int(ends.max()))
    starts, lengths = np.zeros(len(rows), np.int64), np.full(len(rows), -1, np.int32)
    if len(data):
        locate(data, begins - base, ends - base, _DATA[segment.type[rows]], WIDE, starts, lengths)
    return data, starts, lengths


def payload_of(store: Store, segment: Segment, row: int) -> bytes | None:
    """The payload of one event, whatever the layout of its record."""
    params = Event(store, segment, row).params
    place = int(_DATA[segment.type[row]])
    return params[place] if 0 <= place < len(params) else None

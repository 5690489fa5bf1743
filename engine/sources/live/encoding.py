"""The declaration of calls as arrays, for the encoder (engine.decode.encoder)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.events import NATIVE_X86_64
from engine.sources.live.calls import CALLS, CONDITION, OP, Call
from engine.sources.live.flags import FLAGS


@dataclass(frozen=True, slots=True)
class Encoding:
    """The table as arrays, for the encoder; the first four are indexed by call number, ``CALLS`` entries."""

    types: NDArray[np.uint16]
    """Event type; 1, a generic call's exit, where there is none of its own."""
    generic: NDArray[np.uint16]
    """Call code, 0 where unknown."""
    first: NDArray[np.uint32]
    """First row of ``ops``."""
    count: NDArray[np.uint32]
    ops: NDArray[np.void]
    """dtype OP."""
    conditions: NDArray[np.void]
    """dtype CONDITION."""
    flags: NDArray[np.uint32]
    """Triples of all flag tables, shape (n, 3)."""
    flags_first: NDArray[np.uint32]
    """First triple by flag table; one entry more for the end."""


def encoding(calls: list[Call]) -> Encoding:
    """The table of ``calls``."""
    types, generic = np.ones(CALLS, np.uint16), np.zeros(CALLS, np.uint16)
    first, count = np.zeros(CALLS, np.uint32), np.zeros(CALLS, np.uint32)
    ops: list[tuple[int, ...]] = []
    conditions: list[tuple[int, ...]] = []
    for native, code in NATIVE_X86_64.items():
        if native < CALLS - 1:
            generic[native] = code
    for call in calls:
        types[call.native], first[call.native], count[call.native] = call.type, len(ops), len(call.ops)
        ops += [(*op[:5], op[5] + len(conditions) * bool(op[5]), op[6]) for op in call.ops]
        conditions += call.conditions
    triples = [triple for rows in FLAGS.values() for triple in rows]
    ends = np.cumsum([0] + [len(rows) for rows in FLAGS.values()])
    return Encoding(types, generic, first, count, np.array(ops, OP), np.array(conditions, CONDITION),
                    np.array(triples, np.uint32), ends.astype(np.uint32))  # fmt: skip

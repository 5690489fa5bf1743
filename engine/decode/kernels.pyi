from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.query.totals import Measures, Totals
from engine.store.segment import Segment

def accumulate(
    segment: Segment,
    mask: NDArray[np.bool_],
    index: NDArray[np.int32],
    table: NDArray[np.int32],
    fd_kinds: NDArray[Any],
    measures: Measures,
    totals: Totals,
) -> None: ...
def measured(
    segment: Segment, mask: NDArray[np.bool_], fd_kinds: NDArray[Any], measures: Measures, wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]: ...
def add_numbers(
    values: NDArray[np.int64],
    present: NDArray[np.bool_],
    index: NDArray[np.int32],
    table: NDArray[np.int32],
    totals: Totals,
    place: int,
) -> None: ...
def tally(
    times: NDArray[np.int64],
    mask: NDArray[np.bool_],
    weights: NDArray[np.int64] | None,
    width: int,
    first: int,
    cells: NDArray[np.float64],
) -> None: ...
def occurring(
    index: NDArray[np.int32], table: NDArray[np.int32], mask: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]: ...
def buckets(
    values: NDArray[np.int64], present: NDArray[np.bool_], index: NDArray[np.int32], table: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]: ...

class Distinct:
    @property
    def values(self) -> NDArray[np.int64]: ...
    def number(self, values: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.int32]: ...

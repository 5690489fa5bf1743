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

class Distinct:
    @property
    def values(self) -> NDArray[np.int64]: ...
    def number(self, values: NDArray[np.int64], present: NDArray[np.bool_]) -> NDArray[np.int32]: ...

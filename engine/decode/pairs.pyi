import numpy as np
from numpy.typing import NDArray

class Pairs:
    def __init__(self, most: int, old: bool = ...) -> None: ...
    def blocks(
        self,
        view: memoryview,
        latencies: NDArray[np.int64],
        starts: NDArray[np.int64] | None = None,
        hidden: NDArray[np.uint8] | None = None,
    ) -> memoryview: ...

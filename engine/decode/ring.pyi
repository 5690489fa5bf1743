from mmap import mmap

import numpy as np
from numpy.typing import NDArray

from engine.sources.live.encoding import Encoding

ROOM: int

class Ring:
    buffer: NDArray[np.uint8]
    latencies: NDArray[np.int64]
    malformed: int
    def __init__(
        self, positions: mmap | bytearray, data: mmap | bytearray, size: int, table: Encoding, clock: int, room: int
    ) -> None: ...
    @property
    def waiting(self) -> int: ...
    def drain(self, most: int) -> tuple[int, int]: ...

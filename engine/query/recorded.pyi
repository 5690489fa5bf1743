from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.query.pieces import Piece

WORKING: int

class Kind(IntEnum):
    ASKED = 0
    SIGNED = 1
    UNSIGNED = 2
    HEX = 3
    OCTAL = 4
    NAMED = 5
    NAMED_OCTAL = 6
    RESULT = 7
    DESCRIPTOR = 8
    STRING = 9
    PATH = 10
    PATH_AT = 11
    PAYLOAD = 12
    REMEMBERED = 13

class Parameter:
    def __init__(
        self, name: bytes, missing: bytes, kind: Kind, place: int, render: Callable[..., bytes] | None
    ) -> None: ...

class Parameters(Piece):
    def __init__(
        self,
        plan: Callable[[int], list[Parameter] | None],
        whole: Callable[[int], bytes],
        tag: Callable[[int], bytes],
        clean: Callable[[bytes], bytes] | None,
        payload: Callable[[bytes], bytes] | None,
        limit: int,
        wide: NDArray[np.uint8],
        counts: NDArray[np.int8],
        over: NDArray[np.uint8],
    ) -> None: ...
    def forget(self) -> None: ...
    def begin(
        self,
        data: memoryview,
        begins: NDArray[np.int64],
        ends: NDArray[np.int64],
        types: NDArray[np.uint16],
        numbers: NDArray[np.int32],
        identities: NDArray[np.int32],
        threads: NDArray[np.int32],
        rows: NDArray[np.int64],
        others: tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32]],
        size: int,
    ) -> None: ...

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

UNSEEN: object
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

class Piece: ...

class Literal(Piece):
    def __init__(self, text: bytes) -> None: ...

class Tabled(Piece):
    def __init__(self, make: Callable[[int], bytes | None]) -> None: ...
    def forget(self) -> None: ...
    def begin(self, index: NDArray[np.int32], size: int) -> None: ...

class Counted(Piece):
    def begin(self, values: NDArray[np.int64], present: NDArray[np.uint8] | None) -> None: ...

class Asked(Piece):
    def __init__(self, make: Callable[[int], bytes | None]) -> None: ...

class Fitted(Piece):
    def __init__(self, piece: Piece, width: int, missing: bytes | None, fit: Callable[[bytes], bytes]) -> None: ...

class Clocked(Piece):
    def __init__(self, style: int, day: Callable[[int], bytes]) -> None: ...
    def begin(self, times: NDArray[np.int64], latencies: NDArray[np.int64], first: int) -> None: ...

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

class Quoted(Piece):
    def __init__(self, piece: Piece, escape: Callable[[bytes], bytes]) -> None: ...

def assemble(pieces: list[Piece], clock: Clocked, rows: int, missing: bytes | None) -> tuple[bytes, int]: ...

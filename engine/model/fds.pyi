from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.events import FdKind
from engine.model.facts import Socket

FD: np.dtype[Any]

class Identity(NamedTuple):
    kind: FdKind
    name: bytes
    socket: Socket | None

class Fds:
    identities: list[Identity]
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    @property
    def rows(self) -> NDArray[Any]: ...
    @property
    def nbytes(self) -> int: ...
    def identity(self, kind: FdKind, name: bytes, socket: Socket | None = None) -> int: ...
    def add(
        self,
        kind: FdKind,
        identity: int,
        *,
        flags: int = 0,
        dev: int = 0,
        ino: int = 0,
        thread: int = -1,
        first: int = 0,
    ) -> int: ...
    def of(self, row: int) -> Identity: ...
    def reserve(self, count: int) -> None: ...
    def extend(self, rows: NDArray[Any]) -> None: ...
    def publish(self) -> None: ...
    def compact(self, used: NDArray[np.bool_], threads: NDArray[np.int32]) -> NDArray[np.int32]: ...

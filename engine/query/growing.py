"""Arrays that grow at the end, for tables whose rows only ever are added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Growing:
    """A one-dimensional array with amortised O(1) growth."""

    def __init__(self, dtype: DTypeLike) -> None:
        """Begin empty."""
        self._room: NDArray[Any] = np.empty(256, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[Any]:
        """What is in it, without copying; a view that later growth does not change."""
        return self._room[: self._count]

    def extend(self, values: NDArray[Any] | list[Any]) -> None:
        """Add values at the end."""
        count = self._count + len(values)
        if count > len(self._room):
            room = np.empty(max(count, 2 * len(self._room)), self._room.dtype)
            room[: self._count] = self.values
            self._room = room
        self._room[self._count : count] = values
        self._count = count

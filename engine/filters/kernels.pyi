from typing import Any

from numpy.typing import NDArray

def spread(table: NDArray[Any], column: NDArray[Any], held: NDArray[Any]) -> None: ...
def placed_texts(
    data: memoryview | bytes, starts: NDArray[Any], lengths: NDArray[Any], bases: list[bytes], which: NDArray[Any]
) -> list[bytes | None]: ...
def search_placed(
    data: memoryview | bytes,
    starts: NDArray[Any],
    lengths: NDArray[Any],
    bases: list[bytes],
    which: NDArray[Any],
    needle: bytes,
    held: NDArray[Any],
) -> None: ...

from typing import Any

from numpy.typing import NDArray

def locate(
    data: memoryview | bytes,
    offsets: NDArray[Any],
    ends: NDArray[Any],
    places: NDArray[Any],
    wide: NDArray[Any],
    starts: NDArray[Any],
    lengths: NDArray[Any],
) -> None: ...
def search(
    data: memoryview | bytes, starts: NDArray[Any], lengths: NDArray[Any], needle: bytes, held: NDArray[Any]
) -> None: ...
def recall(
    data: memoryview | bytes,
    starts: NDArray[Any],
    lengths: NDArray[Any],
    keys: NDArray[Any],
    memo: dict[tuple[int, bytes], bool],
    held: NDArray[Any],
) -> list[int]: ...
def numbers(data: memoryview | bytes, starts: NDArray[Any], lengths: NDArray[Any], values: NDArray[Any]) -> None: ...
def contents(data: memoryview | bytes, starts: NDArray[Any], lengths: NDArray[Any]) -> list[bytes | None]: ...

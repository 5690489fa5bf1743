from typing import Any

from numpy.typing import NDArray

def sniff(data: memoryview | bytes, starts: NDArray[Any], lengths: NDArray[Any], kinds: NDArray[Any]) -> None: ...

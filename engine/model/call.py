"""One event as the rules of the model see it: its parameters by name, from the exit or the enter before it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from engine.events import CATALOGUE, EventType

NO_NUMBER = -(2**31)
"""Fd number of an event that has none, as in the segment's column."""


@cache
def _places(code: int) -> dict[str, int]:
    return {parameter.name: index for index, parameter in enumerate(CATALOGUE[code].params)}


class Call:
    """An event a rule is asked about."""

    __slots__ = (
        "_enter",
        "_enter_places",
        "_params",
        "_places",
        "after",
        "code",
        "fd",
        "fd_row",
        "kind",
        "number",
        "tid",
        "time",
    )

    def __init__(
        self,
        number: int,
        time: int,
        tid: int,
        code: int,
        fd: int,
        params: list[bytes | None],
        enter: list[bytes | None],
    ) -> None:
        """``enter`` has the parameters of the matching enter, none when there was none."""
        self.number = number
        self.time = time
        self.tid = tid
        self.code = code
        self.kind: EventType = CATALOGUE[code]
        self.fd = fd
        """Number of the fd the event is about; rules set it when the call made one."""
        self.fd_row: int | None = None
        """Set by a rule when the event's fd row is not the one its number now stands for."""
        self.after: Callable[[], None] | None = None
        """Set by a rule to what changes only behind this event."""
        self._params = params
        self._enter = enter
        self._places = _places(code)
        self._enter_places = _places(code - 1) if enter else {}

    @property
    def result(self) -> int:
        """The first parameter of an exit; -1 when it is absent."""
        raw = self._params[0] if self._params else None
        return int.from_bytes(raw[:8], "little", signed=True) if raw else -1

    def raw(self, name: str) -> bytes | None:
        """A parameter's bytes: of this event, else of its enter; None when neither has it."""
        return self.own(name) or self.entered(name)

    def own(self, name: str) -> bytes | None:
        """A parameter of this event itself."""
        place = self._places.get(name)
        return self._params[place] if place is not None and place < len(self._params) else None

    def entered(self, name: str) -> bytes | None:
        """A parameter of the matching enter."""
        place = self._enter_places.get(name)
        return self._enter[place] if place is not None and place < len(self._enter) else None

    def text(self, name: str) -> bytes | None:
        """A C string up to its end; None when absent or, as old writers put it, ``(NULL)``."""
        raw = self.raw(name)
        if raw is None:
            return None
        text = raw.partition(b"\0")[0]
        return None if text == b"(NULL)" else text

    def items(self, name: str) -> tuple[bytes, ...]:
        """NUL-separated strings."""
        return split(self.raw(name) or b"")

    def signed(self, name: str) -> int | None:
        """A signed number of whatever width it has."""
        raw = self.raw(name)
        return None if raw is None else int.from_bytes(raw[:8], "little", signed=True)

    def unsigned(self, name: str) -> int | None:
        """An unsigned number."""
        raw = self.raw(name)
        return None if raw is None else int.from_bytes(raw[:8], "little")


def split(raw: bytes) -> tuple[bytes, ...]:
    """The strings of a NUL-separated, usually NUL-terminated list."""
    if not raw:
        return ()
    return tuple(raw.removesuffix(b"\0").split(b"\0"))

"""What a protocol reader makes of one payload."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

LONGEST = 1024
"""Bytes of a text that are kept."""


class Question(NamedTuple):
    """Something asked."""

    kind: bytes
    """Method, type of a query, command."""
    text: bytes
    """Path, name, statement."""
    host: bytes | None = None
    key: int = 0
    """What its answer will be known by, where answers may come out of order."""


class Answer(NamedTuple):
    """What came back."""

    status: bytes
    failed: bool
    key: int = 0


class Reader(ABC):
    """Reads what goes both ways on one connection; remembers what later messages refer to."""

    name: bytes
    """What the protocol is called."""

    @abstractmethod
    def question(self, data: bytes, size: int) -> Question | None:
        """What a payload asks, None when it is no question; ``size`` bytes moved, of which ``data`` was captured."""

    @abstractmethod
    def answer(self, data: bytes, size: int) -> Answer | None:
        """What a payload answers, None when it is no answer."""


def shortened(text: bytes) -> bytes:
    """A text that is kept."""
    return text[:LONGEST]

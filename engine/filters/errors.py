"""The one error of filters: what is wrong, where, what was expected, and what was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class FilterError(ValueError):
    """A filter that cannot be read or does not make sense. ``str`` is one line for people."""

    def __init__(self, message: str, position: int, expected: str = "", near: Iterable[str] = ()) -> None:
        """``position`` is an index into the filter's text, its length for something missing at the end."""
        self.message = message
        self.position = position
        self.expected = expected
        self.near = tuple(near)
        """Names that look like the unknown one, the likeliest first."""
        text = message
        if expected:
            text += f": expected {expected}"
        if self.near:
            text += f", did you mean {' or '.join(self.near)}?"
        super().__init__(f"at character {position + 1}: {text}")


def near(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known words that look like this one."""
    return tuple(get_close_matches(word.lower(), known, 3, 0.7))

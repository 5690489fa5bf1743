"""Texts by number, for columns of texts that are found out rather than looked up."""

from __future__ import annotations

_MOST_WORDS = 1 << 20
_MOST_BYTES = 1 << 27


class Words:
    """Texts by number, shared by all; what there is no room for any more is told as an ellipsis."""

    def __init__(self) -> None:
        """Begin with the ellipsis alone."""
        self._texts = ["…".encode()]
        self._codes = {self._texts[0]: 0}
        self._bytes = 0

    def code(self, text: bytes) -> int:
        """The number of a text, given on first sight."""
        found = self._codes.get(text)
        if found is not None:
            return found
        if len(self._texts) >= _MOST_WORDS or self._bytes + len(text) > _MOST_BYTES:
            return 0
        self._bytes += len(text)
        self._texts.append(text)
        self._codes[text] = len(self._texts) - 1
        return len(self._texts) - 1

    def text(self, code: int) -> bytes:
        """The text of a number."""
        return self._texts[code]


WORDS = Words()
"""Those of all fields."""

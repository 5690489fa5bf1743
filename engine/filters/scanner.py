"""A cursor over a filter's text: blanks, symbols, words, quoted text, and errors at their place.

Which piece may stand where is the grammar's (``parser``): the same characters are a value in one place and an
operator in another, so pieces are cut when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.filters.errors import FilterError
from engine.filters.syntax import ESCAPES

BLANK = " \t\b\r\n"

_BLANKS = re.compile(f"[{BLANK}]*")
_SHOWN = re.compile(f"[^{BLANK}]{{1,20}}")
_PLAIN = {quote: re.compile(rf"[^\\\x00{quote}]+") for quote in "\"'"}
_HEX = re.compile("[0-9a-fA-F]{2}")


class Scanner:
    """What is left of a text, from ``position`` on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def skip_blanks(self) -> None:
        """Go to the next character that is not blank."""
        match = _BLANKS.match(self.text, self.position)
        assert match
        self.position = match.end()

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """The text a pattern matches here, passed over; None and nothing passed when it does not."""
        match = pattern.match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        return match.group()

    def symbol(self, symbol: str) -> bool:
        """Pass over ``symbol``, after blanks; False when something else is there."""
        self.skip_blanks()
        if not self.text.startswith(symbol, self.position):
            return False
        self.position += len(symbol)
        return True

    def word(self, word: str) -> bool:
        """Pass over a keyword, after blanks; only a blank, a bracket or the end may follow it."""
        self.skip_blanks()
        end = self.position + len(word)
        if not self.text.startswith(word, self.position) or self.text[end : end + 1] not in (*BLANK, "(", ""):
            return False
        self.position = end
        return True

    def quoted(self) -> bytes | None:
        """Quoted text, unescaped, passed over; None when no quote stands here."""
        start = self.position
        quote = self.text[start : start + 1]
        if quote not in _PLAIN:
            return None
        self.position += 1
        value = bytearray()
        while not self.text.startswith(quote, self.position):
            plain = self.take(_PLAIN[quote])
            if plain is not None:
                value += plain.encode("utf-8", "surrogateescape")
            elif self.text.startswith("\\", self.position):
                value += self._escaped(quote)
            elif self.position < len(self.text):
                raise FilterError("a zero character in quoted text", self.position)
            else:
                raise FilterError("quoted text never ends", start, f"a closing {quote}")
        self.position += 1
        return bytes(value)

    def _escaped(self, quote: str) -> bytes:
        start = self.position
        letter = self.text[start + 1 : start + 2]
        self.position += 2
        if letter == "x":
            code = self.take(_HEX)
            if code is not None:
                return bytes.fromhex(code)
        elif letter == quote:
            return quote.encode()
        elif letter in ESCAPES:
            return ESCAPES[letter].encode()
        expected = rf"\b \f \n \r \t \\ \/ \xHH or \{quote}"
        raise FilterError(f"unknown escape \\{letter}", start, expected)

    def error(self, expected: str, near: Iterable[str] = ()) -> FilterError:
        """Something else than expected stands here."""
        self.skip_blanks()
        match = _SHOWN.match(self.text, self.position)
        found = f"unexpected {match.group()}" if match else "the filter ends"
        return FilterError(found, self.position, expected, near)

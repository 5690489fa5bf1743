"""The one way from captured bytes to displayable text, and how numbers are shown.

Whatever a watched process can choose (names, paths, arguments, payload) passes through here before it
reaches a screen, a terminal line or a file made for people. What comes out has no control characters, no
invisible or direction-changing ones, and a width in cells that can be counted. Which text is shown where
belongs to others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop

ABSENT = "<NA>"
"""What stands for a value that is not there, in event lines."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are not UTF-8 and for characters that must not reach a terminal."""

IN_NUMBERS = frozenset("0123456789.:-kmgtpnus")
"""All that ``scaled``, ``percent``, ``duration`` and whole numbers are written with, in lower case."""

_PICTURES = 0x2400
_DELETE = "\N{SYMBOL FOR DELETE}"
_CONTROLS = bytes([*range(32), 127])
_DOTTED = bytes(byte if 32 <= byte < 127 else ord(".") for byte in range(256))
_UNITS = "KMGTP"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character < " ":
        return chr(_PICTURES + ord(character))
    if character == "\x7f":
        return _DELETE
    return " " if unicodedata.category(character) == "Zs" else REPLACEMENT


def clean(text: str) -> str:
    """Text without anything that is not plainly visible: controls become their pictures (␊, ␛),
    odd blanks a blank, everything else unprintable (bidi controls, joiners, surrogates) U+FFFD."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def safe(raw: bytes) -> str:
    """Captured bytes as safe text: UTF-8, invalid bytes as U+FFFD, the rest as ``clean`` does."""
    return clean(raw.decode("utf-8", "replace"))


def safe_lines(raws: Sequence[bytes]) -> str:
    """``safe`` of each, one a line; a safe text has no line's end in it."""
    joined = b"\n".join(raws).decode("utf-8", "replace")
    if joined.count("\n") < len(raws) and joined.replace("\n", "").isprintable():
        return joined
    return "\n".join(map(safe, raws))


def decoded(raw: bytes) -> str:
    """Captured bytes as text with nothing replaced but what is not UTF-8: only for writers that escape, as JSON's."""
    return raw.decode("utf-8", "replace")


def dotted(raw: bytes) -> str:
    """Payload as text of the same length: printable ASCII stays, every other byte is a dot."""
    return raw.translate(_DOTTED).decode("ascii")


def without_controls(raw: bytes) -> bytes:
    """A name with its control bytes removed, as fields yield it (some captured names end in a newline)."""
    return raw.translate(None, _CONTROLS)


def address(raw: bytes) -> str:
    """An IPv4 or IPv6 address of 4 or 16 bytes in network order; empty for any other length."""
    if len(raw) == 4:
        return inet_ntop(AF_INET, raw)
    return inet_ntop(AF_INET6, raw) if len(raw) == 16 else ""


@lru_cache(4096)
def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width(text: str) -> int:
    """Cells a safe text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, cells: int) -> str:
    """The longest beginning of a safe text that fits in a number of cells."""
    if text.isascii():
        return text[:cells]
    taken = 0
    for index, character in enumerate(text):
        taken += _cells(character)
        # Marks take no cells but must not be piled up without end either.
        if taken > cells or index >= 4 * cells:
            return text[:index]
    return text


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """A safe text cut or padded to exactly that many cells."""
    text = cut(text, cells)
    padding = " " * (cells - width(text))
    return padding + text if right else text + padding


def scaled(value: float, decimals: int = 0) -> str:
    """A quantity, plain up to 1024 and then in steps of 1024 (``1.50K`` with two decimals).

    Sums are shown without decimals, averages and rates with two. Ids and ports are never scaled."""
    unit = ""
    for candidate in _UNITS:
        if abs(value) <= 1024:
            break
        value, unit = value / 1024, candidate
    return f"{value:.{decimals}f}{unit}"


def percent(value: float) -> str:
    """A percentage with two decimals, without the sign."""
    return f"{value:.2f}"


def duration(ns: float) -> str:
    """A duration: three significant digits in ns, us or ms (``16us``, ``1.21ms``), seconds with two
    decimals (``22.03s``), from a minute on ``m:ss`` and from an hour on ``hh:mm:ss``."""
    if ns < 0:
        return "-" + duration(-ns)
    if ns >= 60_000_000_000:
        minutes, seconds = divmod(int(ns) // 1_000_000_000, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    # A value that would round up to the next unit is shown in it.
    for below, size, unit in ((999.5, 1, "ns"), (999_500, 1_000, "us"), (999_500_000, 1_000_000, "ms")):
        if ns < below:
            number = ns / size
            decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
            digits = f"{number:.{decimals}f}"
            return (digits.rstrip("0").rstrip(".") if decimals else digits) + unit
    return f"{ns / 1_000_000_000:.2f}s"

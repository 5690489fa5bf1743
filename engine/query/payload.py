"""Captured payload as lines of text: with dots, as printable text, or in hex."""

from __future__ import annotations

from enum import Enum

from engine.text import dotted, safe

BYTES_A_LINE = 16
_DROPPED = bytes(byte for byte in (*range(32), 127) if byte != ord("\n"))


class ViewAs(Enum):
    """How payload is shown; the value says it to people."""

    DOTTED = "dotted ASCII"
    """One line, every byte that is not printable ASCII a dot."""
    PRINTABLE = "printable text"
    """Control characters left out, line breaks kept."""
    HEX = "hex"
    """16 bytes a line: place, values, characters."""


class Shape(Enum):
    """How events become lines."""

    DIG = "dig"
    """As event lines."""
    ECHO = "echo"
    """As what was read and written, each with a line over it that tells all about it."""
    TALK = "talk"
    """The same as a conversation: over it only which way it went, how much and when."""


def lines(raw: bytes, view_as: ViewAs) -> list[str]:
    """The lines of some payload, safe to show; none without payload."""
    if not raw:
        return []
    match view_as:
        case ViewAs.DOTTED:
            return [dotted(raw)]
        case ViewAs.PRINTABLE:
            return [safe(line) for line in raw.translate(None, _DROPPED).rstrip(b"\n").split(b"\n")]
        case ViewAs.HEX:
            return [_hex(raw, start) for start in range(0, len(raw), BYTES_A_LINE)]


def _hex(raw: bytes, start: int) -> str:
    part = raw[start : start + BYTES_A_LINE]
    # Two groups of eight, as wide as a full line's.
    halves = f"{part[:8].hex(' '):23}  {part[8:].hex(' '):23}"
    return f"  {start:06x}  {halves}  {dotted(part)}"

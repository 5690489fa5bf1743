"""Captured data in an event's line: as dots, as text, in hex or base64, as sysdig's ``-A -x -X -b`` show it.

Whatever the form, nothing but plain ASCII comes out; text and hex are of several lines.
"""

from __future__ import annotations

from base64 import b64encode
from enum import Enum

from engine import text

_LEFT_OUT = bytes(byte for byte in range(256) if not 32 <= byte < 127 and byte != 10)
_ROW = 16
"""Bytes of a line of hex."""
_COLUMNS = _ROW // 2 * 5 - 1
"""Cells of a full line's hex."""


class Payload(Enum):
    """Forms of captured data."""

    DOTS = "dots"
    """Text of the same length, a dot for everything that is not printable ASCII."""
    TEXT = "text"
    """Printable ASCII and line ends, on lines of its own."""
    HEX = "hex"
    HEX_TEXT = "hex and text"
    BASE64 = "base64"


def _text(raw: bytes) -> bytes:
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (b"" if raw.startswith(b"\n") else b"\n") + lines.translate(None, _LEFT_OUT)


def _dump(raw: bytes, beside: bool) -> bytes:
    lines = [""]
    for at in range(0, len(raw), _ROW):
        row = raw[at : at + _ROW]
        pairs = " ".join(row[place : place + 2].hex() for place in range(0, len(row), 2))
        lines.append(f"\t0x{at:04x}: " + (f"{pairs:{_COLUMNS}}  {text.dotted(row)}" if beside else pairs))
    return ("\n".join(lines) + "\n").encode()


def shown(raw: bytes, form: Payload) -> bytes:
    """Data in a form; nothing of no data."""
    if not raw:
        return b""
    match form:
        case Payload.DOTS:
            return text.dotted(raw).encode()
        case Payload.TEXT:
            return _text(raw)
        case Payload.BASE64:
            return b64encode(raw)
        case _:
            return _dump(raw, form is Payload.HEX_TEXT)

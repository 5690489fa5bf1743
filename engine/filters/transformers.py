"""What the transformers make of present values (filter-language §1, Transformers)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.fields.field import FieldType

_TEXT = frozenset({FieldType.TEXT})
_BYTES = frozenset({FieldType.TEXT, FieldType.BYTES})


@dataclass(frozen=True, slots=True)
class Transformer:
    """What a transformer takes and yields."""

    meaning: str
    """What it makes, for people."""
    apply: Callable[..., Any]
    """From the values of its arguments, all present; None when it yields nothing."""
    takes: frozenset[FieldType]
    yields: FieldType | None = None
    """None: what it takes."""
    lists: tuple[bool | None, ...] = (False,)
    """Of each argument: whether it is a list, None for either."""
    repeated: bool = False
    """The one argument may come several times."""


def _decoded(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def options(arguments: tuple[bytes, ...], wanted: bytes) -> dict[bytes, bytes]:
    """The short options among a program's arguments, with their values: getopt(3)'s reading, operands anywhere.

    ``wanted`` is the option string: letters, followed by ``:`` when a value follows and by ``::`` when one may be
    attached. Letters it does not have, and options whose value is missing, are left out; of repeated ones the last
    counts, and one without a value has an empty one.
    """
    takes = {wanted[at : at + 1]: wanted[at + 1 : at + 3] for at in range(len(wanted)) if wanted[at] != ord(":")}
    found: dict[bytes, bytes] = {}
    left = iter(arguments)
    for argument in left:
        if argument == b"--":
            break
        if not argument.startswith(b"-") or argument.startswith(b"--"):
            continue
        for at in range(1, len(argument)):
            letter, attached = argument[at : at + 1], argument[at + 1 :]
            follows = takes.get(letter, b"")
            value: bytes | None = attached if follows.startswith(b":") else b""
            if follows.startswith(b":") and follows != b"::" and not attached:
                value = next(left, None)
            if letter in takes and value is not None:
                found[letter] = value
            if follows.startswith(b":"):
                break
    return found


TRANSFORMERS: dict[str, Transformer] = {
    "tolower": Transformer("the text in lower case", bytes.lower, _TEXT),
    "toupper": Transformer("the text in upper case", bytes.upper, _TEXT),
    "b64": Transformer("what the base64 text stands for", _decoded, _BYTES),
    "basename": Transformer("the last component of a path", lambda path: path.rsplit(b"/", 1)[-1], _TEXT),
    "len": Transformer("the length of a text, of bytes or of a list", len, _BYTES, FieldType.INTEGER, (None,)),
    "join": Transformer(
        "the parts of a list joined: join(SEPARATOR, (A, B))",
        lambda separator, parts: separator.join(parts),
        _TEXT,
        FieldType.TEXT,
        (False, True),
    ),
    "concat": Transformer(
        "the texts one after the other", lambda *parts: b"".join(parts), _TEXT, FieldType.TEXT, repeated=True
    ),
    "val": Transformer("the value of another field", lambda value: value, frozenset(FieldType), lists=(None,)),
}

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

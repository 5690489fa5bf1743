"""The events that tell a container and objects of a cluster: JSON in an event of its own, as captures have it."""

from __future__ import annotations

import json
import struct
from typing import Any

_CONTAINER_JSON, _K8S = 324, 260
_LARGE_EVENT, _EVENT = 0x221, 0x216
_LONGEST = 0xFFFF
"""Bytes of a parameter of an event that is not large, and the NUL behind it."""


def container_event(details: dict[str, Any], time: int) -> bytes:
    """The event block of a time, ns, with a container's JSON object (scap-format §13). Raises ValueError for an
    object that is no JSON."""
    return _block(_CONTAINER_JSON, json.dumps({"container": details}).encode(), time)


def cluster_event(text: bytes, time: int) -> bytes | None:
    """The event block of a time, ns, with what is told of objects of a cluster; None when that is too long for one."""
    return _block(_K8S, text, time) if len(text) < _LONGEST else None


def _block(code: int, text: bytes, time: int) -> bytes:
    large = code == _CONTAINER_JSON
    text += b"\0"
    layout, size = ("<QqIHII", 30) if large else ("<QqIHIH", 28)
    event = struct.pack(layout, time, -1, size + len(text), code, 1, len(text)) + text
    body = struct.pack("<H", 0) + event
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", _LARGE_EVENT if large else _EVENT) + length + body + length

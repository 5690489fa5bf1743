"""The event that tells a container: its JSON object in an event of its own, as captures have it."""

from __future__ import annotations

import json
import struct
from typing import Any

_CONTAINER_JSON = 324
_LARGE_EVENT = 0x221


def container_event(details: dict[str, Any], time: int) -> bytes:
    """The event block of a time, ns, with a container's JSON object (scap-format §13). Raises ValueError for an
    object that is no JSON."""
    text = json.dumps({"container": details}).encode() + b"\0"
    event = struct.pack("<QqIHII", time, -1, 30 + len(text), _CONTAINER_JSON, 1, len(text)) + text
    body = struct.pack("<H", 0) + event
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", _LARGE_EVENT) + length + body + length

"""Parameters of an event as sysdig prints them.

Owns which text stands for which raw value. What comes out is bytes as captured, made safe to show by ``engine.text``.
"""

from __future__ import annotations

from engine.decode.event import Event
from engine.fields.field import Value


def index_of(event: Event, name: str) -> int | None:
    """Index of a parameter by name or number; None when the type has none such."""
    if name.isascii() and name.isdigit():
        number = int(name)
        return number if number < len(event.type.params) else None
    return event.type.index(name)


def raw(event: Event, name: str) -> bytes | None:
    """A parameter's bytes; None when absent."""
    index = index_of(event, name)
    return None if index is None or index >= len(event.params) else event.params[index]


_TEXT = frozenset({"CHARBUF", "FSPATH", "FSRELPATH", "BYTEBUF", "SOCKADDR", "SOCKTUPLE", "FDLIST", "DYN"})
_SIGNED = frozenset({"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "FD32", "PID", "PID32"})


def argument_value(event: Event, name: str | None) -> Value:
    """A parameter as it is: a number, or the bytes of texts and structures."""
    index = index_of(event, name or "")
    value = raw(event, name or "")
    if index is None or value is None:
        return None
    kind = event.type.params[index].type
    if kind in _TEXT:
        return value.partition(b"\0")[0] if kind in ("CHARBUF", "FSPATH", "FSRELPATH") else value
    return int.from_bytes(value, "little", signed=kind in _SIGNED)


def argument_text(event: Event, name: str | None) -> Value:
    """One parameter as text."""
    value = argument_value(event, name)
    return b"%d" % value if isinstance(value, int) else value


def arguments(event: Event) -> Value:
    """All parameters, each followed by a blank."""
    return b""


def payload(event: Event) -> Value:
    """The captured bytes a read or write moved."""
    return raw(event, "data")

"""Parameters of an event as sysdig prints them, all in a line or one by one.

What comes out is bytes as captured, made safe to show by ``engine.text`` like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from engine.decode.event import Event
from engine.events import CATALOGUE, GENERIC, EventType
from engine.fields.field import Value
from engine.fields.values import NOTHING, Renderer, absent, renderer_of, shortened, text_of

_TEXT = frozenset({"CHARBUF", "FSPATH", "FSRELPATH"})
_STRUCTURES = frozenset({"BYTEBUF", "SOCKADDR", "SOCKTUPLE", "FDLIST", "DYN"})
_SIGNED = frozenset({"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "FD32", "PID", "PID32"})


@cache
def _plan(code: int) -> tuple[tuple[bytes, Renderer, bytes, bool], ...]:
    """Per parameter of a type: ``name=``, its renderer, its text when absent, whether it is payload."""
    return tuple(
        (parameter.name.encode() + b"=", renderer_of(parameter, place), absent(parameter), parameter.type == "BYTEBUF")
        for place, parameter in enumerate(CATALOGUE[code].params)
    )


def arguments(event: Event, *, whole: bool = False) -> bytes:
    """All parameters as ``name=value(meaning)``, a blank after each; ``whole`` does not cut payload."""
    if event.type.code >= GENERIC:
        # Its parameters only say which call it is, and so does the event's name.
        return b""
    line = []
    for raw, (name, render, missing, is_payload) in zip(event.params, _plan(event.type.code), strict=False):
        if raw is None:
            line.append(name + missing)
        elif whole and is_payload:
            line.append(name + shortened(raw, len(raw)))
        else:
            value, meaning = render(event, raw)
            line.append(b"%s%s(%s)" % (name, value, meaning) if meaning else name + value)
    line.append(b"")
    return b" ".join(line)


def place_of(kind: EventType, name: str | None) -> int | None:
    """Where a parameter is in events of a type, by name or number; None when they have none such."""
    if name is None or not (name.isascii() and name.isdigit()):
        return kind.index(name or "")
    return int(name) if int(name) < len(kind.params) else None


def _place(event: Event, name: str) -> int | None:
    """Where a parameter is in its event; None when the event has none such."""
    place = place_of(event.type, name)
    return place if place is not None and place < len(event.params) else None


def argument_text(event: Event, name: str | None) -> Value:
    """One parameter as text: what it stands for when that says more, else the value itself."""
    place = _place(event, name or "")
    if place is None:
        return None
    raw = event.params[place]
    _, render, missing, _ = _plan(event.type.code)[place]
    return _text(missing, b"") if raw is None else _text(*render(event, raw))


def text_maker(code: int, place: int) -> Callable[[bytes], Value]:
    """What makes that text of a parameter's bytes alone, empty ones when there are none; for parameters whose text does
    not depend on what else is known of the event."""
    _, render, missing, _ = _plan(code)[place]
    return lambda raw: _text(*render(None, raw)) if raw else _text(missing, b"")  # type: ignore[arg-type]


def _text(value: bytes, meaning: bytes) -> Value:
    text = meaning or value
    return None if text == NOTHING else text


def argument_value(event: Event, name: str | None) -> Value:
    """A parameter as it is: a number, or the bytes of texts and structures."""
    place = _place(event, name or "")
    raw = None if place is None else event.params[place]
    return None if place is None or raw is None else value_of(event.type.params[place].type, raw)


def value_of(kind: str, raw: bytes) -> Value:
    """What the bytes of a parameter of a type are: a number, or bytes."""
    if kind in _STRUCTURES:
        return raw
    if kind in _TEXT:
        text = text_of(raw)
        return None if text == NOTHING else text
    return int.from_bytes(raw[:8], "little", signed=kind in _SIGNED)


def payload(event: Event) -> Value:
    """The captured bytes a read or write moved."""
    place = event.type.index("data")
    return event.params[place] if place is not None and place < len(event.params) else None

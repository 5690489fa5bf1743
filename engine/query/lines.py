"""Event lines: formats as sysdig's ``-p`` takes them, and the lines and JSON objects made from them.

Owns the format's syntax and what a column of one says. Which events get a line is the caller's choice; the loops over
them are those of ``pieces``. What depends only on a thread, an fd or an event type is made once for each of them.
"""

from __future__ import annotations

import re
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.fields import FIELDS, UnknownField, look_up
from engine.fields.field import Argument
from engine.query.assembly import Assembly, Column, Looks
from engine.query.dumps import Payload
from engine.store.segment import Segment
from engine.store.store import Store
from engine.text import ABSENT

DEFAULT = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info"
"""The format of a line when none is given."""
CONTAINERS = (
    "*%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) "
    "%proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info"
)
"""The same with container columns."""
PODS = CONTAINERS.replace("%container.name", "%k8s.pod.name")
"""The same with pods in place of containers' names."""
TASKS = CONTAINERS.replace("%container.name", "%mesos.task.name")
"""The same with Mesos tasks, which no capture tells of: whoever asks for them is told so."""
TERMINAL = DEFAULT.replace("%thread.tid", "%proc.pid.%thread.tid")
"""The format of a line on a terminal when none is given."""
COLOURED = (
    TERMINAL.replace("%proc.name", r"\e[01;32m%proc.name\e[00m")
    .replace("%proc.pid", r"\e[01;36m%proc.pid\e[00m")
    .replace("%evt.type", r"\e[01;34m%evt.type\e[00m")
)
"""The same in colours."""
_ESCAPES = {"n": "\n", "t": "\t", "e": "\x1b", "\\": "\\"}
_NAME = re.compile(r"[A-Za-z][\w.]*")
_ARGUMENT = re.compile(r"\[([^\]]*)\]|\.(\w+)")
_WIDTH = re.compile(r"\d+")
_WIDEST = 1024
"""Largest width a format may ask for, cells."""
_APART = 1 << 16
"""Bytes between two records that are not worth reading."""
_TOGETHER = 1 << 24
"""Bytes of records read at once."""

NOT_INTERNAL = "not evt.category=internal"
"""Filter that leaves out events which capturing itself makes; event lines are without them unless asked for."""


class FormatError(ValueError):
    """A format that cannot be used; the text is for people."""


class Clock(Enum):
    """What ``evt.outputtime`` shows."""

    WALL = "h"
    """Local time of day."""
    EPOCH = "a"
    """Seconds since 1970."""
    RELATIVE = "r"
    """Seconds since the capture's first event."""
    LATENCY = "d"
    """Seconds the call took, 0 on enters."""
    DELTA = "D"
    """Seconds since the previous line's event."""


class LineFormat:
    """A format, parsed; makes lines of events in the order they are shown."""

    def __init__(
        self,
        layout: str | None = None,
        *,
        containers: bool = False,
        clock: Clock = Clock.WALL,
        whole: bool = False,
        payload: Payload = Payload.DOTS,
        port_names: bool = False,
        absent: str = ABSENT,
    ) -> None:
        """Parse a format, else take the default one; ``whole`` does not cut payload, ``port_names`` shows services in
        place of the ports of addresses, ``absent`` stands for an absent field. Raises FormatError."""
        if layout is None:
            layout = CONTAINERS if containers else DEFAULT
        if not layout:
            raise FormatError("empty format: expected text with %FIELD in it")
        self.keep = layout.startswith("*")
        """Lines with an absent field are kept, and show it as absent."""
        self.coloured = "\\e" in layout
        """Lines may leave a terminal in another colour."""
        parts = _parse(layout[1:] if self.keep else layout)
        self.asks_of_others = any(isinstance(part, Column) and part.field.of_others for part in parts)
        """A field is told from other events than the line's, too."""
        looks = Looks(list(Clock).index(clock), whole, payload, port_names)
        missing = absent if self.keep else None
        self._lines = Assembly(parts, missing, looks, as_json=False)
        self._objects = Assembly(parts, missing, looks, as_json=True)

    def lines(self, store: Store, segment: Segment, rows: NDArray[np.intp], *, as_json: bool = False) -> Lines:
        """Lines of some rows of a segment, ascending, safe to show, or JSON objects one a line.

        Rows with an absent field have none unless the format keeps them.
        """
        assembly = self._objects if as_json else self._lines
        made = [assembly.make(store, segment, run) for run in _runs(segment, rows)]
        return b"".join(text for text, _ in made), sum(count for _, count in made)

    def line(self, event: Event) -> str | None:
        """The event's line, safe to show; None when a field is absent and the format does not keep such lines."""
        return _only(self._lines.make(event.store, event.segment, np.array([event.row])))

    def json(self, event: Event) -> str | None:
        """The fields of the event's line as a JSON object, numbers as numbers; None as for a line."""
        return _only(self._objects.make(event.store, event.segment, np.array([event.row])))


Lines = tuple[bytes, int]
"""Lines, each with its end, and how many there are."""


def _only(made: Lines) -> str | None:
    text, count = made
    return text[:-1].decode() if count else None


def _runs(segment: Segment, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Rows in pieces whose records are worth reading at once."""
    if len(rows) < 2:
        return [rows] if len(rows) else []
    offsets = segment.offset[rows]
    apart = np.diff(offsets) > _APART
    full = np.diff((offsets - offsets[0]) // _TOGETHER) > 0
    return np.split(rows, np.flatnonzero(apart | full) + 1)


def _parse(layout: str) -> list[str | Column]:
    parts: list[str | Column] = []
    at = 0
    literal = ""
    while at < len(layout):
        character = layout[at]
        at += 1
        if character == "\\" and layout[at : at + 1] in _ESCAPES and at < len(layout):
            literal += _ESCAPES[layout[at]]
            at += 1
        elif character == "%":
            if literal:
                parts.append(literal)
                literal = ""
            column, at = _column(layout, at)
            parts.append(column)
        else:
            literal += character
    if literal:
        parts.append(literal)
    return parts


def _column(layout: str, at: int) -> tuple[Column, int]:
    """The field that starts after a percent sign, and where it ends."""
    if at == len(layout):
        raise FormatError("a format cannot end in %")
    width = None
    if digits := _WIDTH.match(layout, at):
        at = digits.end()
        width = int(digits[0][:9])
        if at == len(layout):
            raise FormatError("a format cannot end in a number after %")
        if width > _WIDEST:
            raise FormatError(f"a field can be {_WIDEST} cells wide at most, not {width}")
    name = _NAME.match(layout, at)
    known = next((name[0][:end] for end in range(len(name[0]), 0, -1) if name[0][:end] in FIELDS), "") if name else ""
    end = at + len(known)
    if known and FIELDS[known].argument is not Argument.NONE and (given := _ARGUMENT.match(layout, end)):
        end = given.end()
    written = layout[at:end] if known else name[0] if name else layout[at : at + 1]
    try:
        field, argument = look_up(written)
    except UnknownField as error:
        raise FormatError(f"in the format: {error}") from error
    if field.filter_only:
        raise FormatError(f"in the format: {field.name} can only be used in filters")
    return Column(written, field, argument, width), end

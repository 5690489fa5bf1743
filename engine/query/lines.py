"""Event lines: formats as sysdig's ``-p`` takes them, and the lines and JSON objects made from them.

Owns the format's syntax and the text of each kind of value in a line. Which events get a line is the caller's
choice. What depends only on a thread, an fd or an event type is made once for each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum

from engine import text
from engine.decode.event import Event
from engine.fields import FIELDS, UnknownField, look_up
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.render import arguments
from engine.fields.times import clock
from engine.store.segment import Segment

DEFAULT = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info"
"""The format of a line when none is given."""
CONTAINERS = (
    "*%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) "
    "%proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info"
)
"""The same with container columns."""
SECOND = 1_000_000_000
_ESCAPES = {"n": "\n", "t": "\t", "e": "\x1b", "\\": "\\"}
_NAME = re.compile(r"[A-Za-z][\w.]*")
_ARGUMENT = re.compile(r"\[([^\]]*)\]|\.(\w+)")
_WIDTH = re.compile(r"\d+")
_WIDEST = 1024
"""Largest width a format may ask for, cells."""
_REMEMBERED = 1 << 16
"""Texts of threads, of fds or of types a column remembers before it starts anew."""


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
    """Seconds since the first line's event."""
    LATENCY = "d"
    """Seconds the call took, 0 on enters."""
    DELTA = "D"
    """Seconds since the previous line's event."""


def shown(field: Field, value: Value) -> str:
    """A field's value as safe text for a line."""
    match value:
        case None:
            return text.ABSENT
        case bytes():
            if field.type is FieldType.ADDRESS:
                return text.address(value)
            return text.dotted(value) if field.type is FieldType.BYTES else text.safe(value)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.2f}"
        case tuple():
            return ",".join(shown(field, item) for item in value)
        case _:
            return str(value)


def _seconds(ns: int) -> str:
    return f"{ns // SECOND}.{ns % SECOND:09}"


class _Column:
    """One field of a format: its text for an event, None when absent."""

    def __init__(self, name: str, field: Field, argument: str | None, width: int | None) -> None:
        self.name = name
        self.field = field
        self.argument = argument
        self.width = width
        self._texts: dict[int, str | None] = {}
        self._revision = -1
        self._segment: Segment | None = None
        self._numbers: Numbers | None = None
        self.text: Callable[[Event], str | None] = {
            Place.TYPE: self._of_type,
            Place.THREAD: self._of_thread,
            Place.FD: self._of_fd,
            Place.EVENT: self._of_numbers,
            Place.LATE: self._late,
        }[field.place]

    def value(self, event: Event) -> Value:
        """The field's value, for those who want no text."""
        return self._number(event) if self.field.place is Place.EVENT else self.field.of(event, self.argument)

    def _shown(self, value: Value) -> str | None:
        return None if value is None else shown(self.field, value)

    def _remembered(self, event: Event, key: int) -> str | None:
        texts = self._texts
        # Facts learned late change what rows say.
        revision = event.store.revision
        if len(texts) >= _REMEMBERED or self._revision != revision:
            texts.clear()
            self._revision = revision
        if key not in texts:
            texts[key] = self._shown(self.field.of(event, self.argument))
        return texts[key]

    def _of_type(self, event: Event) -> str | None:
        return self._remembered(event, event.type.code)

    def _of_thread(self, event: Event) -> str | None:
        row = int(event.segment.thread[event.row])
        return None if row < 0 else self._remembered(event, row)

    def _of_fd(self, event: Event) -> str | None:
        row = int(event.segment.fd_row[event.row])
        return None if row < 0 else self._remembered(event, int(event.store.fds.rows["identity"][row]))

    def _number(self, event: Event) -> Value:
        if self._segment is not event.segment or self._numbers is None:
            self._segment = event.segment
            self._numbers = self.field.value(event.segment, event.store, self.argument)
        return self.field.pick(self._numbers, event.row)

    def _of_numbers(self, event: Event) -> str | None:
        return self._shown(self._number(event))

    def _late(self, event: Event) -> str | None:
        return self._shown(self.field.value(event, self.argument))


class LineFormat:
    """A format, parsed; makes lines of events in the order they are shown."""

    def __init__(
        self, layout: str | None = None, *, containers: bool = False, clock: Clock = Clock.WALL, whole: bool = False
    ) -> None:
        """Parse a format, else take the default one; ``whole`` does not cut payload. Raises FormatError."""
        if layout is None:
            layout = CONTAINERS if containers else DEFAULT
        if not layout:
            raise FormatError("empty format: expected text with %FIELD in it")
        self._clock = clock
        self._whole = whole
        self._first: int | None = None
        self._previous: int | None = None
        self.keep = layout.startswith("*")
        """Lines with an absent field are kept, and show it as absent."""
        self._columns: list[_Column] = []
        self._pieces: list[str | Callable[[Event], str | None]] = []
        self._parse(layout[1:] if self.keep else layout)

    def _parse(self, layout: str) -> None:
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
                    self._pieces.append(literal)
                    literal = ""
                at = self._field(layout, at)
            else:
                literal += character
        if literal:
            self._pieces.append(literal)

    def _field(self, layout: str, at: int) -> int:
        """Take the field that starts after a percent sign; returns where it ends."""
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
        known = (
            next((name[0][:end] for end in range(len(name[0]), 0, -1) if name[0][:end] in FIELDS), "") if name else ""
        )
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
        column = _Column(written, field, argument, width)
        if field.name == "evt.outputtime":
            column.text = self._time
        elif self._whole and field.name in ("evt.args", "evt.info"):
            column.text = lambda event: text.safe(arguments(event, whole=True))
        self._columns.append(column)
        self._pieces.append(column.text if width is None else self._fitted(column))
        return end

    def _fitted(self, column: _Column) -> Callable[[Event], str | None]:
        width = column.width or 0

        def fitted(event: Event) -> str | None:
            found = column.text(event)
            if found is None and not self.keep:
                return None
            return text.fit(text.ABSENT if found is None else found, width)

        return fitted

    def _time(self, event: Event) -> str:
        now = event.time
        first = now if self._first is None else self._first
        previous = now if self._previous is None else self._previous
        match self._clock:
            case Clock.WALL:
                return clock(event).decode()
            case Clock.EPOCH:
                return _seconds(now)
            case Clock.RELATIVE:
                return _seconds(max(0, now - first))
            case Clock.LATENCY:
                return _seconds(event.latency or 0)
            case Clock.DELTA:
                return _seconds(max(0, now - previous))

    def _made(self, event: Event) -> None:
        if self._first is None:
            self._first = event.time
        self._previous = event.time

    def line(self, event: Event) -> str | None:
        """The event's line, safe to show; None when a field is absent and the format does not keep such lines."""
        parts = []
        for piece in self._pieces:
            part = piece if isinstance(piece, str) else piece(event)
            if part is None:
                if not self.keep:
                    return None
                part = text.ABSENT
            parts.append(part)
        self._made(event)
        return "".join(parts)

    def json(self, event: Event) -> str | None:
        """The fields of the event's line as a JSON object, numbers as numbers; None as for a line."""
        values: dict[str, object] = {}
        for column in self._columns:
            name = column.name
            if name == "evt.outputtime":
                values[name] = event.time
                continue
            value = column.value(event)
            if value is None and not self.keep:
                return None
            if isinstance(value, bytes):
                is_text = column.field.type is FieldType.TEXT
                values[name] = text.decoded(value) if is_text else shown(column.field, value)
            else:
                values[name] = shown(column.field, value) if isinstance(value, tuple) else value
        self._made(event)
        # Everything that is not plain ASCII is escaped, so this is safe on a terminal and exact for programs.
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

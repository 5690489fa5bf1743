"""Events as lines of text, several lines an event: dig with its payload spelled out, and echo.

Owns where the lines of each event are. How many lines an event has is known once they were made, so they are
counted from the first event on, as far as is asked for and a little further with every answer.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator

import numpy as np

from engine.decode.event import Event
from engine.events import Category
from engine.fields.render import payload
from engine.fields.times import clock
from engine.query import payload as payloads
from engine.query.growing import Growing
from engine.query.lines import CONTAINERS, DEFAULT, LineFormat
from engine.query.matches import Cancelled, Matches
from engine.query.payload import Shape, ViewAs
from engine.text import safe

Line = tuple[str, str]
"""A tone (TONES) and a safe text."""
Maker = Callable[[Event], list[Line]]
"""Makes the lines of an event."""
READ, WRITE, HEAD, PLAIN = TONES = ("read", "write", "head", "")
"""Roles of lines: payload that was read or written, what stands over it, and event lines."""
ECHOED = "evt.io_dir exists and evt.dir=< and evt.rawres>0"
"""Filter of the events that echo shows: completed reads and writes that moved something."""
MOST_EVENTS = 4_000_000
"""Events whose lines are counted at most; what is beyond is not shown."""
LATENCY = "*%9evt.latency.human "
"""What a format begins with that tells first how long calls took."""
_SHARE = 0.05
"""Seconds of counting an answer may take when its own lines are there already."""
_OFTEN = 64
"""Events between two looks at the time."""


def maker(shape: Shape, view_as: ViewAs, containers: bool, latency: bool) -> Maker:
    """What makes lines of a shape."""
    match shape:
        case Shape.DIG:
            return dig(view_as, containers, latency)
        case Shape.ECHO:
            return echo(view_as)
        case Shape.TALK:
            return talk(view_as)


def talk(view_as: ViewAs) -> Maker:
    """Lines of a read or write as a turn of a conversation."""

    def make(event: Event) -> list[Line]:
        wrote = event.type.category is Category.IO_WRITE
        raw = payload(event)
        data = raw if isinstance(raw, bytes) else b""
        cut = "" if len(data) >= (event.result or 0) else f", {len(data)} captured"
        arrow = "▶ sent" if wrote else "◀ received"
        head = f"{arrow} {event.result or 0:,} B{cut}  {clock(event).decode()}  event {event.number}"
        return [(HEAD, head), *((WRITE if wrote else READ, line) for line in payloads.lines(data, view_as))]

    return make


def echo(view_as: ViewAs) -> Maker:
    """Lines of a read or write: what, how much, on what, by whom; then the payload, then a blank line."""

    def make(event: Event) -> list[Line]:
        wrote = event.type.category is Category.IO_WRITE
        fd, thread = event.fd, event.thread
        name = safe(fd.name) if fd is not None and fd.name else f"fd {event.fd_number}"
        who = safe(thread.comm or b"") if thread is not None else "?"
        raw = payload(event)
        data = raw if isinstance(raw, bytes) else b""
        moved = event.result or 0
        cut = "" if len(data) >= moved else f", {len(data)} captured" if data else ", nothing captured"
        verb, preposition = ("Wrote", "to") if wrote else ("Read", "from")
        tone = WRITE if wrote else READ
        head = f"── {event.number}  {verb} {moved:,} B{cut} {preposition} {name} ({who})"
        return [(HEAD, head), *((tone, line) for line in payloads.lines(data, view_as)), (PLAIN, "")]

    return make


def dig(view_as: ViewAs, containers: bool, latency: bool) -> Maker:
    """The line of an event, the time its call took before it if asked for, the payload under it unless dots in the
    line do."""
    layout = CONTAINERS if containers else DEFAULT
    line = LineFormat(layout.replace("*", LATENCY) if latency else layout)

    def make(event: Event) -> list[Line]:
        made: list[Line] = [(PLAIN, line.line(event) or "")]
        raw = None if view_as is ViewAs.DOTTED else payload(event)
        if isinstance(raw, bytes):
            tone = WRITE if event.type.category is Category.IO_WRITE else READ
            made += ((tone, text) for text in payloads.lines(raw, view_as))
        return made

    return make


class Texts:
    """Lines of the events of a match list that hold a text, "" for all."""

    def __init__(self, matches: Matches, make: Maker, *, one_each: bool, text: str = "") -> None:
        """``one_each`` says that every event has exactly one line, so that nothing need be counted."""
        self._matches = matches
        self._make = make
        self._direct = one_each and not text
        self._text = text.casefold()
        self._ends = Growing(np.int64)
        """Lines up to and including each event looked at."""

    @property
    def complete(self) -> bool:
        """True when the lines of every event are counted."""
        return self._direct or len(self._ends) >= min(len(self._matches), MOST_EVENTS)

    def __len__(self) -> int:
        if self._direct:
            return len(self._matches)
        return int(self._ends.values[-1]) if len(self._ends) else 0

    def update(self, until: int, cancelled: Cancelled) -> bool:
        """Count until there are that many lines, and for a moment more; False when given up."""
        began = time.monotonic()
        while not self.complete:
            ends, total = [], len(self)
            start = len(self._ends)
            for index in range(start, min(start + _OFTEN, len(self._matches), MOST_EVENTS)):
                total += len(self._lines(index))
                ends.append(total)
            self._ends.extend(ends)
            if cancelled():
                return False
            if total >= until and time.monotonic() - began > _SHARE:
                break
        return True

    def forget(self) -> bool:
        """Lines that were counted one after the other are to be counted anew."""
        return self._direct

    def _lines(self, index: int) -> list[Line]:
        made = self._make(self._matches.at(index))
        if self._text and not any(self._text in line.casefold() for _, line in made):
            return []
        return made

    def page(self, offset: int, count: int) -> Iterator[tuple[int, Line]]:
        """Lines from an offset on, each with the number of its event."""
        index, skipped = self._event_of(offset)
        while count > 0 and index < (len(self._matches) if self._direct else len(self._ends)):
            for line in self._lines(index)[skipped : skipped + count]:
                yield self._matches.at(index).number, line
                count -= 1
            index, skipped = index + 1, 0

    def _event_of(self, line: int) -> tuple[int, int]:
        """Which match a line is of, and which of its lines it is."""
        if self._direct:
            return line, 0
        index = int(np.searchsorted(self._ends.values, line, "right"))
        return index, line - (int(self._ends.values[index - 1]) if index else 0)

    def first_line(self, match: int) -> int:
        """Where the lines of a match begin."""
        return match if self._direct else int(self._ends.values[match - 1]) if match else 0

    def line_of(self, number: int, cancelled: Cancelled) -> int:
        """The first line of the event with a number, else of the next one that has any, else the last line; counts as
        far as that."""
        match = bisect_left(range(len(self._matches)), number, key=lambda at: self._matches.at(at).number)
        while not self.complete and len(self._ends) <= match:
            if not self.update(len(self) + 1, cancelled):
                return 0
        counted = len(self._matches if self._direct else self._ends)
        return max(0, min(self.first_line(min(match, counted)), len(self) - 1))

    def find(self, text: str, start: int, backwards: bool, cancelled: Cancelled) -> int | None:
        """The line nearest from ``start`` on that holds a text; goes round at the end; upper and lower case are the
        same. None when there is none or when given up."""
        wanted, step = text.casefold(), -1 if backwards else 1
        events = len(self._matches) if self._direct else len(self._ends)
        if not events:
            return None
        first, place = self._event_of(start % max(1, len(self)))
        for distance in range(events + 1):
            index = (first + step * distance) % events
            lines = [line.casefold() for _, line in self._lines(index)]
            # Of the event where it begins, what lies behind only counts after a whole round.
            ahead = range(len(lines))
            if not distance:
                ahead = range(place, len(lines)) if step > 0 else range(place + 1)
            for at in ahead[::step]:
                if wanted in lines[at]:
                    return self.first_line(index) + at
            if not distance % _OFTEN and cancelled():
                return None
        return None

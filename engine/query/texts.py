"""Events as lines of text, several lines an event: dig with its payload spelled out, and echo.

Owns where the lines of each event are. How many lines an event has is known once they were made, so they are
counted from the first event on, as far as is asked for and a little further with every answer.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import CATALOGUE, Category
from engine.fields.render import payload
from engine.fields.times import clock
from engine.query import payload as payloads
from engine.query.growing import Growing
from engine.query.lines import CONTAINERS, DEFAULT, LineFormat
from engine.query.matches import Cancelled, Matches
from engine.query.payload import Shape, ViewAs
from engine.query.single import AT_ONCE, holding
from engine.text import safe

Line = tuple[str, str]
"""A tone (TONES) and a safe text."""
READ, WRITE, HEAD, PLAIN = TONES = ("read", "write", "head", "")
"""Roles of lines: payload that was read or written, what stands over it, and event lines."""
ECHOED = "evt.io_dir exists and evt.dir=< and evt.rawres>0"
"""Filter of the events that echo shows: completed reads and writes that moved something."""
MOST_EVENTS = 4_000_000
"""Events with lines that are counted at most; what is beyond is not shown."""
LATENCY = "*%9evt.latency.human "
"""What a format begins with that tells first how long calls took."""
_SHARE = 0.05
"""Seconds of counting an answer may take when its own lines are there already."""
_OFTEN = 64
"""Events with payload to be spelled out between two looks at the time."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes the lines of an event: at first that of a format, if there is one, then those it needs itself."""

    format: LineFormat | None
    own: Callable[[Event], list[Line]] | None
    """None: no event has lines of its own."""
    types: NDArray[np.bool_]
    """By type code: events that may have such lines."""

    @property
    def one_each(self) -> bool:
        """Every event has exactly one line."""
        return self.own is None

    def lines(self, event: Event) -> list[Line]:
        """All lines of an event."""
        made = [] if self.format is None else [(PLAIN, self.format.line(event) or "")]
        return made + self.own(event) if self.own is not None and self.types[event.type.code] else made


_ALL_TYPES = np.ones(len(CATALOGUE), np.bool_)
_WITH_DATA = np.array([kind.index("data") is not None for kind in CATALOGUE])


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

    return Maker(None, make, _ALL_TYPES)


def echo(view_as: ViewAs) -> Maker:
    """Lines of a read or write: what, how much, on what, by whom; then the payload, then a blank line."""

    def make(event: Event) -> list[Line]:
        wrote = event.type.category is Category.IO_WRITE
        fd, thread = event.fd, event.thread
        name = safe(fd.name) if fd is not None and fd.name else f"fd {event.fd_number}"
        who = safe(thread.comm or b"") if thread is not None else ""
        who = who or f"thread {thread.tid if thread is not None else '?'}"
        raw = payload(event)
        data = raw if isinstance(raw, bytes) else b""
        moved = event.result or 0
        cut = "" if len(data) >= moved else f", {len(data)} captured" if data else ", nothing captured"
        verb, preposition = ("Wrote", "to") if wrote else ("Read", "from")
        tone = WRITE if wrote else READ
        head = f"── {event.number}  {verb} {moved:,} B{cut} {preposition} {name} ({who})"
        return [(HEAD, head), *((tone, line) for line in payloads.lines(data, view_as)), (PLAIN, "")]

    return Maker(None, make, _ALL_TYPES)


def dig(view_as: ViewAs, containers: bool, latency: bool) -> Maker:
    """The line of an event, the time its call took before it if asked for, the payload under it unless dots in the
    line do."""
    layout = CONTAINERS if containers else DEFAULT
    line = LineFormat(layout.replace("*", LATENCY) if latency else layout)

    def make(event: Event) -> list[Line]:
        raw = payload(event)
        if not isinstance(raw, bytes):
            return []
        tone = WRITE if event.type.category is Category.IO_WRITE else READ
        return [(tone, text) for text in payloads.lines(raw, view_as)]

    return Maker(line, None if view_as is ViewAs.DOTTED else make, _WITH_DATA)


class Texts:
    """Lines of the events of a match list, of all or of those that hold a text."""

    def __init__(self, matches: Matches, maker: Maker) -> None:
        """Begin with the lines of all events."""
        self.fields = matches.fields
        self._matches = matches
        self._maker = maker
        self._often = AT_ONCE if maker.one_each else _OFTEN
        self._direct = maker.one_each
        """Nothing need be counted: every event has one line, and all are shown."""
        self._text = ""
        self._forgotten = matches.forgotten
        self._begin()

    def _begin(self) -> None:
        self._looked_through = 0
        """Events whose lines are counted."""
        self._events = Growing(np.int32)
        """Those of them that have lines, as indexes of matches."""
        self._ends = Growing(np.int64)
        """Lines up to and including each of these."""

    def keep(self, text: str) -> None:
        """Leave the events that hold a text, "" all; upper and lower case are the same. Another text is counted
        anew."""
        if text.casefold() != self._text:
            self._text = text.casefold()
            self._direct = self._maker.one_each and not text
            self._begin()

    @property
    def complete(self) -> bool:
        """True when the lines of every event are counted."""
        return self._direct or self._looked_through >= len(self._matches) or len(self._ends) >= MOST_EVENTS

    def __len__(self) -> int:
        if self._direct:
            return len(self._matches)
        return int(self._ends.values[-1]) if len(self._ends) else 0

    def update(self, until: int, cancelled: Cancelled) -> bool:
        """Count until there are that many lines, and for a moment more; False when given up."""
        began = time.monotonic()
        self._drop_forgotten()
        while not self.complete:
            indexes = np.arange(self._looked_through, min(self._looked_through + self._often, len(self._matches)))
            counts, shown = self._looked_at(indexes, self._text)
            shown &= counts > 0
            total = len(self)
            self._events.extend(indexes[shown])
            self._ends.extend(total + np.cumsum(counts[shown]))
            self._looked_through += len(indexes)
            if cancelled():
                return False
            if len(self) >= until and time.monotonic() - began > _SHARE:
                break
        return True

    def forget(self) -> bool:
        """Whoever forgets matches tells how many: lines of the others stay counted."""
        return True

    def _drop_forgotten(self) -> None:
        gone = self._matches.forgotten - self._forgotten
        self._forgotten = self._matches.forgotten
        if gone:
            looked_through, events, ends = self._looked_through, self._events.values, self._ends.values
            first = int(np.searchsorted(events, gone))
            self._begin()
            self._looked_through = max(0, looked_through - gone)
            self._events.extend(events[first:] - gone)
            self._ends.extend(ends[first:] - (ends[first - 1] if first else 0))

    def _lines(self, index: int) -> list[Line]:
        made = self._maker.lines(self._matches.at(index))
        if self._text and not any(self._text in line.casefold() for _, line in made):
            return []
        return made

    def _looked_at(self, indexes: NDArray[np.intp], text: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """How many lines each of some matches has, and whether one of these holds a text; indexes ascend."""
        maker, store = self._maker, self._matches.store
        counts = np.full(len(indexes), maker.format is not None, np.int64)
        held = np.full(len(indexes), not text)
        for segment, rows, places in self._matches.pieces(indexes):
            if text and maker.format is not None:
                held[places] = holding(maker.format.lines(store, segment, rows)[0].decode(), text, len(rows))
            if maker.own is None:
                continue
            more = np.flatnonzero(maker.types[segment.type[rows]])
            for row, place in zip(rows[more].tolist(), places[more].tolist(), strict=True):
                lines = maker.own(Event(store, segment, row))
                counts[place] += len(lines)
                held[place] |= bool(text) and any(text in line.casefold() for _, line in lines)
        return counts, held

    def page(self, offset: int, count: int) -> Iterator[tuple[int, Line]]:
        """Lines from an offset on, each with the number of its event."""
        end = min(offset + count, len(self))
        while offset < end:
            # Straight to the next event that has lines.
            place, skipped = self._place_of(offset)
            event = self._matches.at(place if self._direct else int(self._events.values[place]))
            lines = self._maker.lines(event)[skipped : skipped + end - offset]
            yield from ((event.number, line) for line in lines)
            offset += max(len(lines), 1)

    def _place_of(self, line: int) -> tuple[int, int]:
        """Which of the events that have lines a line is of, and which of its lines it is."""
        if self._direct:
            return line, 0
        place = int(np.searchsorted(self._ends.values, line, "right"))
        return place, line - (int(self._ends.values[place - 1]) if place else 0)

    def first_line(self, match: int) -> int:
        """Where the lines of a match begin."""
        if self._direct:
            return match
        place = int(np.searchsorted(self._events.values, match))
        return int(self._ends.values[place - 1]) if place else 0

    def line_of(self, number: int, cancelled: Cancelled) -> int:
        """The first line of the event with a number, else of the next one that has any, else the last line; counts as
        far as that."""
        match = bisect_left(range(len(self._matches)), number, key=lambda at: self._matches.at(at).number)
        while not self.complete and self._looked_through <= match:
            if not self.update(len(self) + 1, cancelled):
                return 0
        return max(0, min(self.first_line(match), len(self) - 1))

    def find(self, text: str, start: int, backwards: bool, cancelled: Cancelled) -> int | None:
        """The line nearest from ``start`` on that holds a text; goes round at the end; upper and lower case are the
        same. None when there is none or when given up."""
        wanted, step = text.casefold(), -1 if backwards else 1
        events = len(self._matches) if self._direct else len(self._ends)
        if not len(self):
            return None
        first, skipped = self._place_of(start % len(self))
        for begin in range(0, events + 1, self._often):
            if cancelled():
                return None
            distances = np.arange(begin, min(begin + self._often, events + 1))
            places = (first + step * distances) % events
            indexes = places if self._direct else self._events.values[places].astype(np.intp)
            in_order = np.argsort(indexes)
            held = np.empty(len(indexes), np.bool_)
            held[in_order] = self._looked_at(indexes[in_order], wanted)[1]
            for distance, index in zip(distances[held].tolist(), indexes[held].tolist(), strict=True):
                lines = [line.casefold() for _, line in self._lines(index)]
                # Of the event where it begins, what lies behind only counts after a whole round.
                ahead = range(len(lines))
                if not distance:
                    ahead = range(skipped, len(lines)) if step > 0 else range(skipped + 1)
                for at in ahead[::step]:
                    if wanted in lines[at]:
                        return self.first_line(index) + at
        return None

"""The events of captures or of this machine on their way through a command: segment by segment, each seen once.

Owns which events of a segment are wanted, when there are enough, and that nothing is kept that was worked through.
What is done with them is the business of takers.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.decoder import Decoder
from engine.events import CATALOGUE, Category
from engine.pushdown import Pushdown
from engine.query.lines import LineFormat
from engine.sources import open_capture
from engine.sources.raw import KeptBytes
from engine.store.segment import Segment
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.sources.live.source import LiveSource

Mask = NDArray[np.bool_]
INTERNAL = np.array([kind.category is Category.INTERNAL for kind in CATALOGUE])
"""Types of events that capturing itself makes."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 0.5
"""Seconds after which one is told how far it is."""
SHOWN = 100
"""Types a summary lists."""


class Stop:
    """Whether it is time to stop: a signal came, or a number of seconds is over."""

    def __init__(self) -> None:
        """Take over the signals that ask a program to end; the second one ends it."""
        self._end: float | None = None
        self._asked = False
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, before in self._before.items():
            if before is not signal.SIG_IGN:
                signal.signal(number, self._ask)

    def close(self) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            # None: set by something that is not Python.
            signal.signal(number, signal.SIG_DFL if before is None else before)

    def after(self, seconds: float | None) -> None:
        """Stop so many seconds from now, never if None."""
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def asked(self) -> bool:
        """It is time."""
        return self._asked or (self._end is not None and time.monotonic() >= self._end)

    def _ask(self, number: int, _: object) -> None:
        self._asked = True
        signal.signal(number, signal.SIG_DFL)


class Progress:
    """How much of a capture was read, on a terminal's standard error once it takes a while."""

    def __init__(self, *, anyway: bool, hidden: bool) -> None:
        """``anyway`` from the beginning; ``hidden`` says nothing, for lines on the same terminal say enough."""
        self._due = time.monotonic() + (0 if anyway else PATIENCE)
        self._tells = sys.stderr.isatty() and not hidden
        self._shown = False

    def tell(self, share: float) -> None:
        """Say it, now and then."""
        now = time.monotonic()
        if self._tells and now >= self._due:
            self._due = now + 0.1
            self._shown = True
            sys.stderr.write(f"\r{share:4.0%}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line as it was."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class Taker(Protocol):
    """Does something with the events of a segment."""

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Work on the events of a new segment that ``mask`` keeps."""

    def end(self) -> None:
        """There are no more."""


class Wanted:
    """Which events are worked on, and how many there were."""

    def __init__(self, filter_text: str, *, internal: bool, most: int | None, seconds: float | None) -> None:
        """At most so many events that the filter keeps, of so many seconds from the first event on. Raises FilterError.

        Events that capturing itself makes are not counted unless ``internal``.
        """
        self.filter = filters.compile(filter_text)
        self._internal = internal
        self._left = most
        self._span = None if seconds is None else round(seconds * 1e9)
        self._until: int | None = None
        self.enough = False
        """No more are wanted."""
        self.seen = 0
        """Events the filter keeps so far, hidden ones apart."""

    def mask(self, store: Store, segment: Segment) -> Mask:
        """The wanted events of the next segment."""
        end = len(segment)
        if self.enough:
            return np.zeros(end, np.bool_)
        mask = self.filter.mask(store, segment)
        if self._span is not None:
            if self._until is None:
                self._until = segment.time_span[0] + self._span
            if len(late := np.flatnonzero(segment.time > self._until)):
                end = int(late[0])
                self.enough = True
        if self._left is not None:
            counted = np.flatnonzero(mask[:end] if self._internal else mask[:end] & ~INTERNAL[segment.type[:end]])
            if len(counted) >= self._left:
                end = int(counted[self._left - 1]) + 1
                self.enough = True
            self._left -= len(counted)
        mask[end:] = False
        self.seen += int(np.count_nonzero(mask & segment.visible))
        return mask


def of_captures(paths: list[Path], damage: list[str], *, user_names: bool) -> Iterator[tuple[Store, Segment, float]]:
    """The segments of captures one after the other, and how much of each capture was read, 0 to 1.

    What is wrong with one is added to ``damage``.

    Raises CaptureError.
    """
    for path in paths:
        with closing(open_capture(path)) as source:
            store = Store(source.raw, user_names=user_names)
            decoder = Decoder(store, str(path))
            more, done = True, 0
            while more:
                more = source.step(decoder)
                for segment in store.segments[done:]:
                    yield store, segment, source.progress
                done = _forget(store)
        damage.extend(map(str, store.damage))


class Machine:
    """The running machine."""

    def __init__(self, source: LiveSource, filter_text: str, *, user_names: bool) -> None:
        """Watch it through a source; what a filter does not keep may be left out."""
        self._source = source
        self._store = Store(source.raw, user_names=user_names)
        self._pushdown = Pushdown(self._store)
        self._pushdown.ask(filter_text)
        self._decoder = Decoder(self._store, "this machine")

    def segments(self, stopped: Callable[[], bool], idle: Callable[[], None]) -> Iterator[tuple[Store, Segment]]:
        """What happens, until told to stop; ``idle`` is called every moment, whatever happens."""
        more, done = True, 0
        while more:
            if stopped():
                self._source.stop()
            self._pushdown.update(self._source)
            more = self._source.step(self._decoder)
            self._decoder.seal()
            for segment in self._store.segments[done:]:
                yield self._store, segment
                self._source.raw.drop(segment.end)
            self._decoder.forget(max(0, len(self._store.segments) - 1))
            done = len(self._store.segments)
            idle()

    def tables(self, store: Store, _: int) -> tuple[Store, list[tuple[int, int, int]]]:
        """The tables as they are now, and what is open: thread id, descriptor number, fd row."""
        return store, [(tid, fd, row) for tid, fd, row, _ in self._decoder.open_fds()]


def _forget(store: Store) -> int:
    """Let go of segments that were worked through, but the first and the last: times are told from them. How many
    are left."""
    del store.segments[1:-1]
    if store.segments and isinstance(store.raw, KeptBytes):
        store.raw.drop(store.segments[-1].end)
    return len(store.segments)


class Lines:
    """Prints a line or a JSON object for each event."""

    def __init__(self, layout: LineFormat, *, as_json: bool, internal: bool) -> None:
        """Print in a format; ``internal`` shows events that capturing itself makes too."""
        self._layout = layout
        self._json = as_json
        self._internal = internal

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Print the events of a segment."""
        rows = np.flatnonzero(mask if self._internal else mask & ~INTERNAL[segment.type])
        made, _ = self._layout.lines(store, segment, rows, as_json=self._json)
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._layout.coloured:
            sys.stdout.write("\x1b[00m")


class Summary:
    """Counts events by type and direction, and prints the most frequent ones at the end."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(CATALOGUE), np.int64)

    def take(self, _: Store, segment: Segment, mask: Mask) -> None:
        """Count the events of a segment."""
        self._counts += np.bincount(segment.type[mask], minlength=len(CATALOGUE))

    def end(self) -> None:
        """Print the counts, the greatest first."""
        counts: Counter[str] = Counter()
        for code in np.flatnonzero(self._counts).tolist():
            kind = CATALOGUE[code]
            counts[f"{'<' if kind.is_exit else '>'} {kind.name}"] += int(self._counts[code])
        rule = "-" * 22
        sys.stdout.write(f"{rule}\n{'Event':<16}#Calls\n{rule}\n")
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0][2:], each[0]))[:SHOWN]:
            sys.stdout.write(f"{name:<18}{count}\n")

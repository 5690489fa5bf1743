"""Chisels that draw: how long calls take, and when in a second they begin, a line of colours every moment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.chisels.chisel import SECOND, Argument, Chisel, ChiselError, Mask, duration
from engine.store.segment import Segment
from engine.store.store import Store

Cells = NDArray[np.int64]
_COLOURS = (22, 28, 64, 34, 2, 76, 46, 118, 154, 191, 227, 226, 11, 220, 209, 208, 202, 197, 9, 1)
"""From few to many, of the 256 colours of terminals."""
_STEP = math.log(1.6)
"""Each colour stands for so many times more."""


class _Heat(Chisel):
    """A line of cells, coloured by how many events fall into each."""

    category = "CPU Usage"
    arguments = (Argument("refresh_time", "milliseconds between two lines", "number", optional=True),)
    default = 500.0

    def start(self) -> None:
        """How often."""
        if not self.settings.terminal:
            raise ChiselError(f"{self.name} draws on terminals only")
        milliseconds = self.number("refresh_time", self.default)
        if not 10 <= milliseconds <= 3_600_000:
            raise ChiselError("refresh_time must be from 10 to 3600000")
        self.interval = milliseconds / 1000
        self._counts = np.zeros(max(1, self.settings.width), np.int64)
        self._drawn = 0

    def place(self, store: Store, segment: Segment, rows: Cells) -> Cells:
        """The cell of each row, -1 for none."""
        raise NotImplementedError

    def scale(self) -> str:
        """What the cells stand for."""
        raise NotImplementedError

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Count a segment's events."""
        own = np.flatnonzero(self._kept.mask(store, segment) & mask)
        cells = self.place(store, segment, own)
        for start, end in self._spans(segment, mask):
            mine = cells[np.searchsorted(own, start) : np.searchsorted(own, end)]
            self._counts += np.bincount(mine[mine >= 0], minlength=len(self._counts))[: len(self._counts)]

    def tick(self, moment: int, now: int) -> None:
        """Draw a line, and the scale below it."""
        cells = []
        for count in self._counts.tolist():
            if not count:
                cells.append("\x1b[0m ")
                continue
            level = math.log(count / (self.interval or 1) + 1) / _STEP
            cells.append(f"\x1b[48;5;{_COLOURS[min(max(int(level), 1), len(_COLOURS)) - 1]}m ")
        up = "\x1b[1A\r" if self._drawn else ""
        self.settings.write(f"{up}{''.join(cells)}\x1b[0m\n{self.scale()}\n")
        self._drawn += 1
        self._counts[:] = 0

    def end(self) -> None:
        """What there was since the last line."""
        if self._counts.any():
            self.tick(0, 0)

    def _marks(self, count: int, name: list[str]) -> str:
        line = ""
        for number in range(count):
            at = math.ceil(number * self.settings.width / count)
            mark = f"|{name[number]}"
            if at >= len(line) and at + len(mark) <= self.settings.width:
                line = line.ljust(at) + mark
        return line.ljust(self.settings.width)


class Spectrogram(_Heat):
    """How long calls take."""

    name = "spectrogram"
    summary = "Visualize OS latency in real time."
    description = "A line every half second: how many calls took how long, 1 ns at the left, 10 s at the right."
    filter = "evt.dir=<"

    def place(self, store: Store, segment: Segment, rows: Cells) -> Cells:
        """By the logarithm of the latency."""
        latency = segment.latency[rows]
        cells = np.minimum(np.log10(np.maximum(latency, 1)) * self.settings.width / 11, self.settings.width - 1)
        return np.where(latency > 0, cells, -1).astype(np.int64)

    def scale(self) -> str:
        """Powers of ten."""
        return self._marks(11, [duration(10**power) for power in range(11)])


class SubSecOffset(_Heat):
    """When in a second calls begin."""

    name = "subsecoffset"
    summary = "Visualize subsecond offset execution time."
    description = "A line every second, or period asked for: how many calls began when in it. Shows what repeats."
    filter = "evt.dir=>"
    default = 1000.0

    def place(self, store: Store, segment: Segment, rows: Cells) -> Cells:
        """By the time within the period."""
        span = round((self.interval or 1) * SECOND)
        cells: Cells = segment.time[rows] % span * self.settings.width // span
        return cells

    def scale(self) -> str:
        """Tenths of the period."""
        return self._marks(10, [f"{number * (self.interval or 1) * 100:g}ms" for number in range(10)])


CHISELS: tuple[type[Chisel], ...] = (Spectrogram, SubSecOffset)

"""Tables of totals: what was added up by one or several fields, the greatest first.

On a capture one table of all of it, on a machine one of every second. Groups and totals are those of views.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from engine import text
from engine.chisels.chisel import SECOND, Argument, Chisel, Mask, Settings, cell, duration, plain, size
from engine.decode.kernels import accumulate
from engine.fields import look_up
from engine.fields.field import Measure, Outcome, Quantity
from engine.query.keys import Key, make_key
from engine.query.totals import Measures, Totals
from engine.query.view import AND
from engine.store.segment import Sample, Segment
from engine.store.store import Store

_WIDTH = 20
_RULE = "-" * 80


class Amount(Enum):
    """What a table adds up."""

    BYTES = "bytes"
    """Results of calls that moved data."""
    TIME = "time"
    """Time calls took."""
    EVENTS = "events"
    CPU = "cpu"
    """Time on a CPU, by the samples in the capture."""


_FIELD = {
    Amount.BYTES: "evt.rawarg.res", Amount.TIME: "evt.latency", Amount.EVENTS: "evt.count",
    Amount.CPU: "thread.exectime",
}  # fmt: skip
"""Names of the amounts in JSON."""
_MEASURE = {
    Amount.BYTES: Measure(Quantity.RESULT, lambda kind: kind.is_exit, None, Outcome.OK),
    Amount.TIME: Measure(Quantity.LATENCY, lambda kind: kind.is_exit),
    Amount.EVENTS: Measure(Quantity.ONE, lambda kind: True),
}


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A field rows are made of, and its title."""

    field: str
    title: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table shows."""

    keys: tuple[KeyColumn, ...]
    title: str
    """Of the amounts."""
    units: str
    """bytes, time, percent (of the time the table is about) or none."""
    most: int
    """Rows shown, 0 for all."""


def show(
    chisel: Chisel, rows: Iterable[tuple[tuple[str, ...], float]], layout: Layout, name: str, at: int, span: int
) -> None:
    """Print a table of (key, amount) at a moment, ns; ``span`` is the time it is about."""
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    if layout.most:
        del ordered[layout.most :]
    if chisel.settings.json:
        fields = [*((key.field, key.title, True) for key in layout.keys), (name, layout.title, False)]
        told = {
            "data": [[*key, int(amount)] for key, amount in ordered],
            "info": [{"desc": title, "is_key": is_key, "name": field} for field, title, is_key in fields],
            "ts": str(at),
        }
        chisel.settings.write(json.dumps(told, indent=2) + "\n")
        return
    chisel.say("".join(cell(title, _WIDTH) for title in (layout.title, *(key.title for key in layout.keys))))
    chisel.say(_RULE)
    for key, amount in ordered:
        before = "".join(cell(part[:_WIDTH], _WIDTH) for part in key[:-1])
        chisel.say(cell(_amount(amount, layout.units, span), _WIDTH) + before + key[-1])


def _amount(amount: float, units: str, span: int) -> str:
    match units:
        case "bytes":
            return size(amount)
        case "time":
            return duration(int(amount))
        case "percent":
            return f"{amount / span * 100 if span > 0 else 0:.2f}%"
        case _:
            return str(int(amount))


class Table(Chisel):
    """A table kept up to date: cleared every second on a machine, printed once of a capture."""

    layout: Layout
    amount_name = ""

    def start(self) -> None:
        """Every second, if live."""
        self._first: int | None = None
        self._last = 0
        if self.settings.live:
            self.interval = 1.0

    def rows(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """Key and amount by now, which are forgotten."""
        raise NotImplementedError

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Note the time the table is about."""
        self._note(segment, mask)
        super().take(store, segment, mask)

    def _note(self, segment: Segment, mask: Mask) -> None:
        seen = np.flatnonzero(mask)
        if len(seen):
            self._first = int(segment.time[seen[0]]) if self._first is None else self._first
            self._last = int(segment.time[seen[-1]])

    def tick(self, moment: int, now: int) -> None:
        """Print the second that is over in place of the one before."""
        span = self.passed()
        if not span:
            return
        if self.settings.terminal and not self.settings.json:
            self.settings.write("\x1b[2J\x1b[H")
        show(self, self.rows(), self.layout, self.amount_name, moment, span)

    def passed(self) -> int:
        """The time, ns, the amounts since the last table are of; 0 when there is nothing to tell of."""
        return SECOND

    def end(self) -> None:
        """Print what there is."""
        span = 0 if self._first is None else self._last - self._first
        if not self.settings.live:
            show(self, self.rows(), self.layout, self.amount_name, self._last - self._last % SECOND, span)


class Totalled(Table):
    """A table of an amount by fields of events."""

    amount: Amount

    def __init__(self, settings: Settings) -> None:
        """Prepare what is added up."""
        super().__init__(settings)
        self.amount_name = _FIELD[self.amount]
        self._fields = [look_up(key.field) for key in self.layout.keys]
        self._measures = Measures([] if self.amount is Amount.CPU else [_MEASURE[self.amount]])
        self._store: Store | None = None
        self._key: Key
        self._totals = self._nothing()
        self._sums: dict[tuple[str, ...], float] = {}
        self._sampled = self._told = 0

    def passed(self) -> int:
        """A second; of CPU time, which comes in samples, the time between them."""
        if self.amount is not Amount.CPU:
            return SECOND
        first, span, self._told = not self._told, self._sampled - self._told, self._sampled
        if first:
            # Of the first sample is not known what came before.
            self.rows()
        return 0 if first else span

    def _nothing(self) -> Totals:
        return Totals(self._measures, int(self.amount is Amount.CPU))

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Add a segment's events up."""
        self._note(segment, mask)
        if store is not self._store:
            self._collect()
            self._store = store
            self._key = make_key(store, AND.join(key.field for key in self.layout.keys))
        own = self._kept.mask(store, segment) & mask
        if not own.any():
            return
        found = self._key.look_up(segment, own)
        self._totals.make_room(len(self._key))
        if self.amount is Amount.CPU:
            codes = np.append(found.table, np.int32(-1))[found.index]
            samples = segment.samples
            mine = np.isin(samples["kind"], (Sample.CPU_USER, Sample.CPU_SYSTEM)) & own[samples["event"]]
            self._sampled = int(segment.time[own].max())
            codes = codes[samples["event"][mine]]
            values = samples["value"][mine]
            np.add.at(self._totals.sums[:, 0], codes[codes >= 0], values[codes >= 0])
            seen = np.append(found.table, np.int32(-1))[found.index[own]]
            np.add.at(self._totals.counts[:, 0], seen[seen >= 0], 1)
            return
        kinds = store.fds.rows["kind"]
        accumulate(segment, own, found.index, found.table, kinds, self._measures, self._totals)

    def _collect(self) -> None:
        """Put the totals so far to their keys' texts: codes are of one store and of one table."""
        if self._store is None:
            return
        counted = self._totals.counts[: len(self._key), 0]
        added = self._totals.added([0])[:, 0]
        for code in np.flatnonzero(counted).tolist():
            value = self._key.value(code)
            values = value if len(self._fields) > 1 and isinstance(value, tuple) else (value,)
            key = tuple(_text(plain(field, each)) for (field, _), each in zip(self._fields, values, strict=True))
            amount = float(added[code])
            if amount > 0 or self.amount is Amount.CPU:
                self._sums[key] = self._sums.get(key, 0.0) + amount
        self._totals = self._nothing()
        self._totals.make_room(len(self._key))

    def rows(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """The totals, which begin anew."""
        self._collect()
        sums, self._sums = self._sums, {}
        return sums.items()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Distinct(Table):
    """How many different descriptors there are, by a field."""

    name = "fdcount_by"
    category = "I/O"
    summary = "FD count, aggregated by an arbitrary filter field"
    description = "How many different descriptors were used, by any field: connections of a process or an address ..."
    arguments = (Argument("key", "the field to count by", "field"),)

    def start(self) -> None:
        """By the field asked for."""
        super().start()
        self.fields = (self.argument("key"), "fd.num", "fd.name")
        self.layout = Layout((KeyColumn(self.fields[0], self.fields[0]),), "FDs", "none", 0)
        self._found: dict[str, set[tuple[int, str]]] = {}

    def event(self, key: Any, number: int | None, name: str | None) -> None:
        """Note a descriptor; standard input is none."""
        if key is not None and number is not None and number > 0 and name:
            self._found.setdefault(_text(key), set()).add((number, name))

    def rows(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """The counts, which begin anew."""
        found, self._found = self._found, {}
        return [((key,), float(len(numbers))) for key, numbers in found.items()]

    def end(self) -> None:
        """Key and count."""
        if self.settings.json:
            super().end()
            return
        for (key,), count in sorted(self.rows(), key=lambda row: (-row[1], row[0])):
            self.settings.write(f"{text.clean(key)}\t{int(count)}\n")


CHISELS: tuple[type[Chisel], ...] = (Distinct,)

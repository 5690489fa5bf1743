"""Columns of single values: what each row of a table has from one event, all rows at once.

Owns how values that come again are read, compared and looked through once. Which event tells a row's value is the
rows' business, how a value looks that of ``cells``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.fields import look_up
from engine.fields.field import FieldType, Place, Value
from engine.query import many
from engine.query.keys import codes_of, make_key
from engine.query.lines import LineFormat
from engine.store.segment import Segment
from engine.store.store import Store

Pieces = list[tuple[Segment, NDArray[np.intp], NDArray[np.intp]]]
"""Segments, rows of each whose events tell something, and the rows of the table that they tell it of."""
Check = Callable[[], None]
"""Called now and then; raises when there is no need to go on."""
AT_ONCE = 4096
"""Values worked on between two looks whether to go on."""
_ABSENT = "\0"
"""Stands for nothing where no text can: a safe one has no such character."""


def pieces_of(store: Store, events: NDArray[np.int64]) -> Pieces:
    """What the events of these indexes (number - 1) tell of the rows 0, 1, 2 …; negative ones tell nothing."""
    order = np.argsort(events, kind="stable")
    ascending = events[order]
    segments = list(store.segments)
    bounds = np.searchsorted(ascending, [segment.first for segment in segments]).tolist()
    spans = zip(segments, bounds, [*bounds, len(events)][1:], strict=True)
    return [(one, ascending[start:end] - one.first, order[start:end]) for one, start, end in spans if start < end]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as its values and which of them each row has."""

    values: Sequence[Value]
    """Mostly different ones; none is None."""
    which: NDArray[np.int32]
    """By row; -1 where the value is unknown."""

    def ranked(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """What rows are sorted by, and where it is known."""
        texts = [value for value in self.values if isinstance(value, bytes)]
        if len(texts) == len(self.values):
            ranks = many.ranks(texts)
        else:
            places = {value: place for place, value in enumerate(sorted(set(self.values)))}  # type: ignore[type-var]
            ranks = np.array([places[value] for value in self.values], np.int32)
        return np.append(ranks, np.int32(-1))[self.which], self.which >= 0


class Single:
    """A column of single values of some rows."""

    def __init__(self, store: Store, name: str, pieces: Pieces, count: int) -> None:
        """``name`` is that of the field, with its argument; ``count`` rows there are."""
        self.store = store
        self.name = name
        self.pieces = pieces
        self._count = count
        self._coded: Coded | None = None
        field, _ = look_up(name)
        plain = field.type is FieldType.TEXT and not field.multiple and not field.is_list
        self.written = plain and field.place is Place.LATE
        """It is text that is made from the event's record: ``lines`` makes it fastest, and it seldom comes again."""

    def lines(self, absent: str, wanted: NDArray[np.bool_] | None = None) -> Iterator[tuple[NDArray[np.intp], bytes]]:
        """The text of a ``written`` column, safe to show, a line for each row that is wanted; ``absent`` where there
        is none. Some rows at a time, and which they are."""
        made = LineFormat(f"*%{self.name}", absent=absent)
        for segment, told, rows in self.pieces:
            if wanted is not None:
                told, rows = told[wanted[rows]], rows[wanted[rows]]
            for start in range(0, len(rows), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                yield rows[part], made.lines(self.store, segment, told[part])[0]

    def coded(self, check: Check = lambda: None) -> Coded:
        """The column; ``check`` is called now and then and may raise."""
        if self.written:
            return self._split(check)
        if self._coded is None:
            key = make_key(self.store, self.name)
            codes = np.full(self._count, -1, np.int32)
            for segment, told, rows in self.pieces:
                check()
                mask = np.zeros(len(segment), np.bool_)
                mask[told] = True
                codes[rows] = codes_of(key.look_up(segment, mask))[told]
            # Keys are shared: of their codes, few may be these rows'.
            mine = np.zeros(len(key) + 1, np.bool_)
            mine[codes] = True
            mine[-1] = False
            places = np.cumsum(mine, dtype=np.int32) - 1
            places[-1] = -1
            self._coded = Coded([key.value(code) for code in np.flatnonzero(mine).tolist()], places[codes])
        return self._coded

    def _split(self, check: Check) -> Coded:
        """A ``written`` column, not kept: each row has a text of its own, as it is shown."""
        which = np.full(self._count, -1, np.int32)
        texts: list[list[bytes]] = []
        count = 0
        for rows, lines in self.lines(_ABSENT):
            check()
            found = lines.split(b"\n")[:-1]
            which[rows] = np.arange(count, count + len(found))
            which[rows[many.holding(lines, _ABSENT.encode(), len(found))]] = -1
            texts.append(found)
            count += len(found)
        return Coded(list(chain.from_iterable(texts)), which)


def holding(lines: str, wanted: str, count: int) -> NDArray[np.bool_]:
    """Which of ``count`` lines hold a text that is casefolded, upper and lower case the same."""
    return many.holding(lines.casefold().encode(), wanted.encode("utf-8", "surrogatepass"), count)


def numbered(values: list[Value]) -> tuple[list[Value], NDArray[np.int64]]:
    """The distinct values in order of first sight, and for each value which of them it is."""
    places: dict[Value, int] = {}
    rows = [places.setdefault(value, len(places)) for value in values]
    return list(places), np.array(rows, np.int64)

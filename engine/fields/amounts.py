"""Fields that views add up: counts of events, and bytes moved.

Each is declared as a measure over columns; the value of a single event is made of the same declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from engine.events import Category, EventType, FdKind
from engine.fields.columns import OPENS, Types, by_type, failed, is_call_exit, of_fd_rows
from engine.fields.fd import FILES, NET, PATHS, SOCKETS
from engine.fields.field import Field, FieldType, Measure, Numbers, Outcome, Place, Quantity
from engine.store.segment import Segment
from engine.store.store import Store

_CONNECTS = frozenset({"accept", "accept4", "connect"})
_READ, _WRITE = Category.IO_READ, Category.IO_WRITE


def _moves(*categories: Category) -> Types:
    """Exits of calls that move data, by direction."""
    return lambda kind: kind.is_exit and kind.category in categories


def _evaluate(measures: tuple[Measure, ...], absent: bool) -> Callable[[Segment, Store, str | None], Numbers]:
    """The value of every event by the same declaration that views add up (of ones or results);
    where nothing counts it is 0 or absent."""

    @cache
    def tables() -> list[NDArray[np.bool_]]:
        return [by_type(measure.types) for measure in measures]

    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        present = np.zeros(len(segment), np.bool_)
        for measure, table in zip(measures, tables(), strict=True):
            counted = table[segment.type]
            if measure.fd_kinds is not None:
                counted &= np.isin(of_fd_rows(segment, store, "kind")[0], list(measure.fd_kinds))
            if measure.outcome is Outcome.FAILED:
                counted &= failed(segment)
            elif measure.outcome is Outcome.OK:
                counted &= segment.result >= 0
            values[counted] += 1 if measure.quantity is Quantity.ONE else segment.result[counted]
            present |= counted
        return Numbers(values, present if absent else None)

    return value


def _count(name: str, meaning: str, *measures: Measure, own: bool = False) -> Field:
    return _event(name, FieldType.INTEGER, meaning, _evaluate(measures, absent=False), measures=measures, own=own)


def _moved(name: str, meaning: str, kinds: frozenset[FdKind], *categories: Category, example: str = "") -> Field:
    measures = (Measure(Quantity.RESULT, _moves(*categories), frozenset(map(int, kinds)), Outcome.OK),)
    value = _evaluate(measures, absent=True)
    return _event(name, FieldType.INTEGER, meaning, value, measures=measures, unit="bytes", example=example)


def _errors(types: Types, kinds: frozenset[FdKind] | frozenset[int] | None = None) -> Measure:
    numbers = None if kinds is None else frozenset(map(int, kinds))
    return Measure(Quantity.ONE, types, numbers, Outcome.FAILED)


_KNOWN = frozenset(FdKind)
_ELSE = frozenset({-1, *map(int, _KNOWN - PATHS - SOCKETS)})


def _by_name(names: frozenset[str]) -> Types:
    return lambda kind: kind.is_exit and kind.name in names


def _unnamed(kind: EventType) -> bool:
    """Exits whose error is not told by the type alone."""
    return kind.is_exit and kind.name not in OPENS | _CONNECTS and kind.category is not Category.MEMORY


_SAMPLES = by_type(lambda kind: kind.name == "procinfo")


def _of_main_threads(segment: Segment, store: Store, _: str | None) -> Numbers:
    counted = _SAMPLES[segment.type] & (segment.thread >= 0)
    counted[counted] = [store.threads[row].is_main for row in segment.thread[counted].tolist()]
    return Numbers(counted.astype(np.int64))


_event = partial(Field, place=Place.EVENT, group="event")
FIELDS = (
    _count("evt.count", "1 for every event", Measure(Quantity.ONE, lambda kind: True)),
    _count("evt.count.exit", "1 for every call, on its exit", Measure(Quantity.ONE, is_call_exit)),
    _count("evt.count.open", "1 for every call that opens a file", Measure(Quantity.ONE, _by_name(OPENS)), own=True),
    _event("evt.count.procinfo", FieldType.INTEGER, "1 for every CPU sample of a main thread", _of_main_threads),
    _count(
        "evt.count.threadinfo",
        "1 for every CPU sample of a thread",
        Measure(Quantity.ONE, lambda kind: kind.name == "procinfo"),
    ),
    _count("evt.count.error", "1 for a failed call", _errors(lambda kind: kind.is_exit)),
    _count(
        "evt.count.error.file", "1 for a failed call about files", _errors(_by_name(OPENS)), _errors(_unnamed, PATHS)
    ),
    _count(
        "evt.count.error.net",
        "1 for a failed call about sockets",
        _errors(_by_name(_CONNECTS)),
        _errors(_unnamed, SOCKETS),
    ),
    _count(
        "evt.count.error.memory",
        "1 for a failed call about memory",
        _errors(lambda kind: kind.is_exit and kind.category is Category.MEMORY),
    ),
    _count("evt.count.error.other", "1 for a failed call of another kind", _errors(_unnamed, _ELSE)),
    _moved("evt.buflen", "bytes moved by a read or write", _KNOWN, _READ, _WRITE, example="evt.buflen >= 64K"),
    _moved("evt.buflen.in", "bytes read", _KNOWN, _READ),
    _moved("evt.buflen.out", "bytes written", _KNOWN, _WRITE),
    _moved("evt.buflen.file", "bytes moved on regular files", FILES, _READ, _WRITE),
    _moved("evt.buflen.file.in", "bytes read from regular files", FILES, _READ),
    _moved("evt.buflen.file.out", "bytes written to regular files", FILES, _WRITE),
    _moved("evt.buflen.net", "bytes moved on IPv4 and IPv6 sockets", NET, _READ, _WRITE),
    _moved("evt.buflen.net.in", "bytes received on IPv4 and IPv6 sockets", NET, _READ),
    _moved("evt.buflen.net.out", "bytes sent on IPv4 and IPv6 sockets", NET, _WRITE),
)

"""Fields of when an event happened and how long it took.

Columns hold ns; parts and texts of a time are made from them, late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial

import numpy as np

from engine.decode.event import Event
from engine.events import Trait
from engine.fields.columns import by_type, is_call_exit
from engine.fields.field import Argument, Field, FieldType, Measure, Numbers, Place, Quantity, Value
from engine.store.segment import UNKNOWN_LATENCY, Segment
from engine.store.store import Store
from engine.text import duration

TEXT, INTEGER, ID = FieldType.TEXT, FieldType.INTEGER, FieldType.ID
DURATION, TIME = FieldType.DURATION, FieldType.TIME
SECOND = 1_000_000_000
_DATE = "%Y-%m-%d %H:%M:%S"


def _since_first(segment: Segment, store: Store, _: str | None) -> Numbers:
    begun = next((one for one in store.segments if one.time_span[1]), segment)
    return Numbers(segment.time - begun.time[begun.visible_rows[0]])


def _since_previous(segment: Segment, store: Store, _: str | None) -> Numbers:
    """Since the last event that is not hidden; 0 of the first."""
    at = bisect_right(store.segments, segment.first, key=lambda each: each.first) - 2
    while at >= 0 and not store.segments[at].time_span[1]:
        at -= 1
    rows = np.flatnonzero(segment.visible)
    if at >= 0:
        before = store.segments[at]
        first = before.time[before.visible_rows[1]]
    else:
        first = segment.time[rows[0]] if len(rows) else 0
    since = np.zeros(len(segment), np.int64)
    since[rows] = np.diff(segment.time[rows], prepend=first)
    return Numbers(since)


def _around(segment: Segment, _: Store, moment: str | None) -> Numbers:
    return Numbers(np.abs(segment.time - min(int(moment or 0), 2**62)))


@lru_cache(16)
def local(second: int, form: str) -> bytes:
    """A second since 1970 by the local clock."""
    return datetime.fromtimestamp(second).strftime(form).encode()


def clock(event: Event, _: str | None = None) -> bytes:
    """Local time of day with ns."""
    return b"%s.%09d" % (local(event.time // SECOND, "%H:%M:%S"), event.time % SECOND)


def _iso(event: Event, _: str | None) -> Value:
    moment = datetime.fromtimestamp(event.time // SECOND, UTC)
    return b"%s.%09dZ" % (moment.strftime("%Y-%m-%dT%H:%M:%S").encode(), event.time % SECOND)


def moment(ns: int) -> bytes:
    """Ns since 1970 as local date and time, ns included."""
    return b"%s.%09d" % (local(ns // SECOND, _DATE), ns % SECOND)


def _date(event: Event, _: str | None) -> Value:
    return moment(event.time)


def _latency(segment: Segment, *_: object) -> Numbers:
    return Numbers(segment.latency, segment.latency != UNKNOWN_LATENCY)


_WAITS = by_type(lambda kind: bool(kind.traits & Trait.WAITS) and kind.is_exit)


def _waited(segment: Segment, *_: object) -> Numbers:
    return Numbers(segment.latency, (segment.latency != UNKNOWN_LATENCY) & _WAITS[segment.type])


def _step(segment: Segment, *_: object) -> Numbers:
    """Tenths of a decade above 1 ns; nothing for what took no time."""
    took = segment.latency > 0
    return Numbers(np.floor(10 * np.log10(np.maximum(segment.latency, 1)) + 1e-9).astype(np.int64), took)


def _human(event: Event, _: str | None) -> Value:
    return None if event.latency is None else duration(event.latency).encode()


def _split(
    name: str, meaning: str, value: Numeric, deprecated: str = "", *, of_others: bool = False
) -> tuple[Field, Field]:
    """The whole seconds of a time, and the ns within the second."""
    made = partial(_event, deprecated=deprecated, of_others=of_others)

    def seconds(segment: Segment, store: Store, argument: str | None) -> Numbers:
        numbers: Numbers = value(segment, store, argument)
        return Numbers((numbers.values - np.fmod(numbers.values, SECOND)) // SECOND, numbers.present)

    def rest(segment: Segment, store: Store, argument: str | None) -> Numbers:
        numbers: Numbers = value(segment, store, argument)
        return Numbers(np.fmod(numbers.values, SECOND), numbers.present)

    return (
        made(f"{name}.s", INTEGER, f"whole seconds of {meaning}", seconds, unit="s"),
        made(f"{name}.ns", INTEGER, f"{meaning}, ns within the second", rest, unit="ns"),
    )


Numeric = Callable[[Segment, Store, str | None], Numbers]
_event = partial(Field, place=Place.EVENT, group="event")
_of_others = partial(_event, of_others=True)
_late = partial(Field, place=Place.LATE, group="event")
_second = partial(_late, same=lambda segment, *_: segment.time // SECOND)
_COMPARE = "compare evt.latency with 5ms or 2s"
FIELDS = (
    _late("evt.time", TEXT, "local time of day with ns", clock, example="evt.time in 10:02:03..10:02:09"),
    _late("evt.outputtime", TEXT, "the time as lines show it, see `tui dig -t`", clock),
    _second("evt.time.s", TEXT, "local time of day, seconds", lambda e, _: local(e.time // SECOND, "%H:%M:%S")),
    _late("evt.time.iso8601", TEXT, "UTC date and time with ns", _iso),
    _late("evt.datetime", TEXT, "local date and time with ns", _date),
    _second("evt.datetime.s", TEXT, "local date and time, seconds", lambda e, _: local(e.time // SECOND, _DATE)),
    _event(
        "evt.rawtime",
        TIME,
        "when the event happened",
        lambda s, *_: Numbers(s.time),
        example="evt.rawtime >= 2017-09-23T10:02:03",
    ),
    _event("evt.rawtime.s", INTEGER, "seconds since 1970", lambda s, *_: Numbers(s.time // SECOND), unit="s"),
    _event("evt.rawtime.ns", INTEGER, "ns within the second", lambda s, *_: Numbers(s.time % SECOND), unit="ns"),
    _of_others("evt.reltime", DURATION, "time since the first event", _since_first, example="evt.reltime < 5s"),
    *_split("evt.reltime", "the time since the first event", _since_first, of_others=True),
    _of_others(
        "evt.deltatime", DURATION, "time since the previous event", _since_previous, example="evt.deltatime > 1ms"
    ),
    *_split("evt.deltatime", "the time since the previous event", _since_previous, of_others=True),
    _event(
        "evt.around",
        INTEGER,
        "time to the moment [T] (ns since 1970); evt.around[T]=MS keeps what is no further",
        _around,
        argument=Argument.REQUIRED,
        takes="T",
        whole_argument=True,
        filter_only=True,
        unit="ms",
        example="evt.around[1506127470000000000] = 100",
    ),
    _event(
        "evt.latency",
        DURATION,
        "time from a call's enter to its exit, 0 on enters",
        _latency,
        measures=(Measure(Quantity.LATENCY, is_call_exit),),
        example="evt.latency > 5ms",
    ),
    *_split("evt.latency", "the time from a call's enter to its exit", _latency, _COMPARE),
    _event(
        "evt.latency.quantized",
        INTEGER,
        "evt.latency as a step of a scale with ten steps for each power of ten ns",
        _step,
    ),
    _late(
        "evt.latency.human",
        TEXT,
        "evt.latency as short text, as in 10.3ms",
        _human,
        same=lambda segment, *_: segment.latency,
        deprecated=_COMPARE,
    ),
    _event("evt.wait_latency", DURATION, "evt.latency of calls that wait", _waited, example="evt.wait_latency > 1s"),
)

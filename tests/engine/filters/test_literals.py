"""What values mean with the types of fields: units, times of day, dates."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from engine.fields.field import FieldType
from engine.filters import FilterError, compile, literals  # noqa: A004
from engine.filters.syntax import Text
from tests.engine.filters.machine import make_store


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FieldType.INTEGER, "64K", 65_536),
        (FieldType.INTEGER, "1.5M", 1_572_864),
        (FieldType.DURATION, "5ms", 5_000_000),
        (FieldType.DURATION, "0.5us", 500),
        (FieldType.DURATION, "2h", 7_200_000_000_000),
        (FieldType.DURATION, "12", 12),
        (FieldType.TIME, "1506127470000000000", 1506127470000000000),
    ],
)
def test_units_multiply(kind: FieldType, text: str, value: int) -> None:
    assert literals.read(Text(text.encode()), kind) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FieldType.ID, "5K"),
        (FieldType.INTEGER, "5ms"),
        (FieldType.DURATION, "5K"),
        (FieldType.DURATION, "9999999999999h"),
        (FieldType.TIME, "2017-13-01T00:00:00"),
        (FieldType.TIME, "2017-12-01T24:00:00"),
    ],
)
def test_units_of_something_else_are_errors(kind: FieldType, text: str) -> None:
    with pytest.raises(FilterError):
        literals.read(Text(text.encode()), kind)


@pytest.mark.usefixtures("berlin")
def test_dates_are_by_the_local_clock() -> None:
    assert literals.read(Text(b"2017-09-23T02:44:30.25"), FieldType.TIME) == 1506127470250000000
    assert literals.read(Text(b"2017-12-24 01:00:00"), FieldType.TIME) == 1514073600000000000


@pytest.mark.usefixtures("berlin")
def test_times_of_day_are_by_the_local_clock() -> None:
    store = make_store(segments=1, events=4)
    segment = store.segments[0]
    second = 10**9
    # 02:44:30 in summer, a second later, the last moment of that, and 01:44:30 in winter.
    segment.time[:] = [1506127470 * second, 1506127471 * second, 1506127472 * second - 1, 1514076270 * second]
    segment.flags[:] = 0

    def kept(text: str) -> list[int]:
        return [int(row) for row in np.flatnonzero(compile(text).mask(store, segment))]

    assert kept("evt.time in 02:44:30..02:44:31") == [0, 1]
    assert kept("evt.time in 02:44:30.5..02:44:32") == [1, 2]
    assert kept("evt.time in 01:00..02:00") == [3]
    assert kept("evt.time in 23:00..01:50") == [3]
    assert kept("not evt.time in 01:00..02:00") == [0, 1, 2]
    assert kept("evt.rawtime in 2017-09-23T02:44:30..2017-09-23T02:44:31") == [0, 1]
    assert kept("evt.reltime < 1.5s") == [0, 1]


@pytest.mark.parametrize("text", ["evt.time in 25:00..26:00", "evt.time in 10:60..11:00", "evt.time in 1..2"])
def test_a_time_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(FilterError, match="a time of day"):
        compile(text)

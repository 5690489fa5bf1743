"""How long connections took: of connects that wait, and of those that do not."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

import pytest

from engine.events import CATALOGUE, FdKind
from engine.fields import look_up
from engine.fields.field import Value
from engine.model.facts import Thread
from engine.query.matches import Matches
from engine.store.segment import UNKNOWN_LATENCY
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment, store
from tui.reading import Reading

CONNECT = next(kind.code for kind in CATALOGUE if kind.name == "connect" and kind.is_exit)
WRITE = next(kind.code for kind in CATALOGUE if kind.name == "write" and kind.is_exit)
WAITS = -errno.EINPROGRESS


def sockets(count: int) -> Store:
    made = store(Thread(10, 10, comm=b"x", life=0))
    for number in range(count):
        made.fds.add(FdKind.IPV4, made.fds.identity(FdKind.IPV4, b"c%d" % number))
    made.fds.publish()
    return made


def told(made: Store) -> list[Value]:
    """The field of every event."""
    field = look_up("evt.connecttime")[0]
    values: list[Value] = []
    for each in made.segments:
        numbers = field.value(each, made, None)
        values += [field.pick(numbers, row) for row in range(len(each))]
    return values


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([Row(CONNECT, 0, 0, 0, 500, time=1000)], [500]),
        ([Row(CONNECT, 0, 0, 0, UNKNOWN_LATENCY, time=1000)], [None]),
        ([Row(CONNECT, 0, 0, -errno.ECONNREFUSED, 500, time=1000)], [None]),
        # Begun at 990, and the first data goes at 2000.
        ([Row(CONNECT, 0, 0, WAITS, 10, time=1000), Row(WRITE, 0, 0, 5, 1, time=2000)], [None, 1010]),
        ([Row(CONNECT, 0, 0, WAITS, 10, time=1000), Row(CONNECT, 0, 0, 0, 1, time=2000)], [None, 1010]),
        ([Row(CONNECT, 0, 0, WAITS, 10, time=1000), Row(WRITE, 0, 0, -11, time=1500)], [None, None]),
        (
            [
                Row(CONNECT, 0, 0, WAITS, 10, time=1000),
                Row(CONNECT, 0, 0, -errno.EALREADY, 10, time=1200),
                Row(WRITE, 0, 1, 5, time=1500),
                Row(WRITE, 0, 0, 5, time=1990),
                Row(WRITE, 0, 0, 5, time=1995),
            ],
            [None, None, None, 1000, None],
        ),
        (
            [
                Row(CONNECT, 0, 0, WAITS, 10, time=1000),
                Row(CONNECT, 0, 0, -errno.ECONNREFUSED, 10, time=1200),
                Row(WRITE, 0, 0, 5, time=1990),
            ],
            [None, None, None],
        ),
    ],
)  # fmt: skip
def test_the_event_that_completed_a_connection_tells_how_long_it_took(
    rows: list[Row], expected: list[int | None]
) -> None:
    made = sockets(2)
    made.segments.append(segment(rows))
    assert told(made) == expected
    # The same in a segment for each event.
    made = sockets(2)
    for number, row in enumerate(rows):
        made.segments.append(segment([row], first=number))
    assert told(made) == expected


def test_a_real_client_that_does_not_wait_is_timed(captures: Path) -> None:
    # haproxy connects 43 times to the web server and is told EINPROGRESS each time; 6 times it asks again, and is told
    # of success, 37 times it sends.
    with Reading(captures / "502Error.scap") as reading:
        for _ in reading:
            pass
        found = Matches(reading.store, "evt.connecttime exists and proc.name=haproxy")
        found.update()
        events = [found.at(at) for at in range(len(found))]
        times = [look_up("evt.connecttime")[0].of(event) for event in events]
    assert Counter(event.type.name for event in events) == {"connect": 6, "sendto": 37}
    assert all(isinstance(each, int) and 0 < each < 10_000_000 for each in times)

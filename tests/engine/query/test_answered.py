"""What is answered later than it was first asked for, in a segment sealed since, counts all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.decode.decoder import FIRST_SEGMENT
from engine.protocols.exchanges import exchanges_of
from engine.query.matches import Matches
from engine.query.table import TableRun
from engine.store.store import Store
from tests.engine.protocols.test_exchanges import CLIENT, moved, talk
from tests.scapfile import event, pack
from tests.views.made import MS, START
from tests.views.running import VIEWS, as_rows
from tui.reading import Reading

CLOSE = 4
REQUEST = b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n"
ANSWER = b"HTTP/1.1 503 Busy\r\n\r\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A request at the end of one segment, its answer in the next."""
    path = tmp_path / "slow.scap"
    between = b"".join(event(CLOSE, CLIENT, START + MS, pack(CLOSE, fd=99)) for _ in range(FIRST_SEGMENT))
    answered = moved(CLIENT, 3, 500, ANSWER, write=False)
    path.write_bytes(talk(80, (">", REQUEST)) + between + answered)
    with Reading(path) as reading:
        for _ in reading:
            pass
        yield reading.store


def test_a_table_and_a_filter_begun_before_the_answer_know_it_when_it_came(store: Store) -> None:
    rest = store.segments[1:]
    assert rest, "both are in one segment"
    del store.segments[1:]
    run = TableRun(store, VIEWS["http_paths"], VIEWS["http_paths"].filter)
    slow = Matches(store, "http.status = 503")
    assert run.update() and slow.update()
    (row,) = as_rows(run.table())
    assert (row["FAILED"], row["AVG"], len(slow)) == (0, None, 0)
    store.segments += rest
    assert run.update() and slow.update()
    assert exchanges_of(store).late == 1
    (row,) = as_rows(run.table())
    assert (row["FAILED"], row["AVG"], len(slow)) == (1, 500 * MS, 1)

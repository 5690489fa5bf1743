"""Terms about what holds at a moment only, such as the call a thread is inside of, are decided anew at each."""

from __future__ import annotations

import pytest

from engine.filters import compile  # noqa: A004
from engine.model.facts import Inside
from engine.query.table import TableRun
from engine.query.view import Column, Key, Kind, View
from tests.engine.decode.decoded import Machine, listed

READ_ENTER, READ = 6, 7


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("thread.call exists", [False, True, False]),
        ("not thread.call exists", [True, False, True]),
        ("thread.call = read and proc.pid = 10", [False, True, False]),
        ("toupper(thread.call) = READ", [False, True, False]),
        ("thread.call = val(thread.callfd)", [False, True, False]),
    ],
)
def test_what_a_thread_is_inside_of_is_asked_at_each_moment(text: str, held: list[bool]) -> None:
    seen = Machine(listed(10))
    seen.happens(READ_ENTER, 10, fd=3, size=9)
    seen.decoder.seal()
    store, asked = seen.store, compile(text)
    answers = []
    for moment, inside in enumerate(({}, {store.threads[0].life: Inside(READ, None, 3, b"read")}, {})):
        store.inside, store.inside_at = inside, 1000 + moment
        answers.append(bool(asked.mask(store, store.segments[0]).all()))
        assert bool(compile(text).mask(store, store.segments[0]).all()) == answers[-1]
    assert answers == held


def test_rows_keyed_by_what_threads_are_inside_of_are_of_the_moment() -> None:
    seen = Machine(listed(10))
    seen.happens(READ_ENTER, 10, fd=3, size=9)
    seen.decoder.seal()
    store = seen.store
    columns = (Column("CALL", "thread.call", "", 9),)
    view = View("calls", "Calls", "", Kind.TABLE, columns, (Key("thread.call"),))
    keys = []
    for moment, code in enumerate((READ, 5)):
        store.inside, store.inside_at = {store.threads[0].life: Inside(code, None, 3, b"")}, 1000 + moment
        run = TableRun(store, view, "")
        run.update()
        keys.append([row.key for row in run.table().page(0, 9)])
    assert keys == [[b"read"], [b"close"]]

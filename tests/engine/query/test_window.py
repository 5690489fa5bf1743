"""A window: the same rows as a filter on time makes, and what threads were in it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import codes_by_name
from engine.fields import look_up
from engine.query.answers import answer
from engine.query.compose import compose
from engine.query.grouped import Grouping
from engine.query.lives import PER_THREAD
from engine.query.matches import Matches
from engine.query.snapshots import TableRequest, TableSnapshot
from engine.query.table import Table, TableRun
from engine.query.view import Aggregation, Column, View
from engine.query.work import Kept, Work
from engine.store.segment import HIDDEN, Sample, Window
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment, store
from tests.engine.query.test_table import EXIT, READ, SECOND, SWITCH, VIEWS, calls, process, records, table
from tui.reading import Reading

CLONE = max(codes_by_name()["clone"])


@lru_cache(1)
def capture() -> Store:
    """The bundled capture, cut into segments of at most 512 events."""
    with as_file(files("tui") / "demo.scap.gz") as path, Reading(path) as reading:
        for _ in reading:
            pass
        read = reading.store
    cut = []
    for whole in read.segments:
        for start in range(0, len(whole), 512):
            end = min(start + 512, len(whole))
            columns = {
                name: getattr(whole, name)[start:end]
                for name in ("time", "cpu", "type", "flags", "thread", "fd", "fd_row", "result", "latency", "offset")
            }
            found = whole.samples[(whole.samples["event"] >= start) & (whole.samples["event"] < end)].copy()
            others = whole.others[(whole.others["event"] >= start) & (whole.others["event"] < end)].copy()
            found["event"] -= start
            others["event"] -= start
            last = whole.end if end == len(whole) else int(whole.offset[end])
            part = replace(whole, first=whole.first + start, end=last, samples=found, others=others, **columns)
            cut.append(part)
    read.segments[:] = cut
    return read


def edges() -> list[int]:
    """Times of visible events, and beside them."""
    times = np.concatenate([part.time[(part.flags & HIDDEN) == 0] for part in capture().segments])
    return sorted({int(time) + by for time in times[:: max(len(times) // 40, 1)] for by in (-1, 0, 1)})


def run_of(view: View, filter_text: str, window: Window | None) -> Table:
    run = TableRun(capture(), view, compose(filter_text, (), view), window=window)
    assert run.update()
    return run.table()


def of_events(view: View) -> View:
    """The view without what is of threads and not of events, and with sums in place of rates."""
    kept = [
        column
        for column in view.columns
        if column.field not in PER_THREAD and column.merge is not Aggregation.COUNT and not _counts_idle(column)
    ]
    return replace(view, columns=tuple(map(_summed, kept)), sort=None)


def _counts_idle(column: Column) -> bool:
    """Extremes of what is so of a process are of threads without events too, which no filter on time keeps."""
    field, _ = look_up(column.field)
    return column.aggregation in (Aggregation.MIN, Aggregation.MAX) and field.group == "process" and not field.measures


def _summed(column: Column) -> Column:
    return replace(column, aggregation=Aggregation.SUM) if column.aggregation is Aggregation.RATE else column


def by_key(made: Table, wanted: Callable[[Any], bool] = lambda key: True) -> dict[Any, tuple[Any, ...]]:
    keys = [row.key for row in made.page(0, made.total)]
    return {key: values for key, values in zip(keys, made.values(), strict=True) if wanted(key)}


@pytest.mark.parametrize("view_id", VIEWS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_table_over_a_window_is_that_over_a_filter_on_time(view_id: str, data: st.DataObject) -> None:
    view = of_events(VIEWS[view_id])
    start, end = sorted(data.draw(st.tuples(*[st.sampled_from(edges())] * 2)))

    windowed = by_key(run_of(view, "", (start, end)))
    filtered = by_key(run_of(view, f"evt.rawtime >= {start} and evt.rawtime <= {end}", None))

    assert {key: windowed[key] for key in filtered} == filtered
    # What is left over are threads that lived in the window and did nothing; those they made may have.
    idle = by_key(run_of(view, "", (start, end)), lambda key: key not in filtered)
    assert not idle or view_id not in ("files", "connections", "syscalls", "errors", "dns")
    for values in idle.values():
        assert not any(value for value, column in zip(values, view.columns_for(False), strict=True)
                       if column.aggregation is Aggregation.SUM and not column.subtree)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_matches_in_a_window_are_those_of_a_filter_on_time(data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(*[st.sampled_from(edges())] * 2)))
    windowed = Matches(capture(), "evt.type!=switch", (start, end))
    filtered = Matches(capture(), f"evt.type!=switch and evt.rawtime >= {start} and evt.rawtime <= {end}")
    assert windowed.update() and filtered.update()
    assert [windowed.at(at).number for at in range(len(windowed))] == [
        filtered.at(at).number for at in range(len(filtered))
    ]


def test_windows_side_by_side_add_up_to_the_whole() -> None:
    first, last = capture().time_span
    ends = [first - 1, *edges()[30:-1:17], last]
    whole = Matches(capture(), "")
    parts = [Matches(capture(), "", (before + 1, last)) for before, last in pairwise(ends)]
    assert all(matches.update() for matches in [whole, *parts])
    assert sum(map(len, parts)) == len(whole)


def test_segments_outside_a_window_are_not_looked_at() -> None:
    made = calls(store(process(10, life=0), files=(b"/a",)), Row(READ, 0, 0, 5, time=SECOND))
    calls(made, Row(READ, 7, 0, 5, time=2 * SECOND))  # of a thread that is not there: looking at it would fail
    calls(made, Row(READ, 0, 0, 6, time=3 * SECOND))

    assert records(table(made, "files", window=(0, SECOND)))[0]["BYTES IN"] == 5
    assert records(table(made, "files", window=(3 * SECOND, 3 * SECOND)))[0]["BYTES IN"] == 6
    with pytest.raises((AssertionError, IndexError)):
        records(table(made, "files", "proc.pid=10", window=(0, 3 * SECOND)))


def test_threads_that_lived_through_a_window_without_events_are_in_it() -> None:
    made = store(process(10, b"gone", life=0, ended=1), process(20, b"there", life=1), process(30, life=2, first=2))
    calls(made, Row(EXIT, 0, time=SECOND), Row(CLONE, 1, time=5 * SECOND))
    assert [row["Command"] for row in records(table(made, "procs", window=(2 * SECOND, 4 * SECOND)))] == ["there"]


def test_cpu_in_a_window_is_what_was_used_in_it() -> None:
    made = store(process(10, life=0), process(20, life=1))
    for second in range(4):
        samples = [(0, 0, Sample.CPU_USER, second * SECOND // 10), (0, 1, Sample.CPU_SYSTEM, SECOND // 2)]
        made.segments.append(segment([Row(SWITCH, 0, time=second * SECOND)], first=second, samples=samples))

    def cpu(start: int, end: int) -> dict[int, float | None]:
        return {row["PID"]: row["CPU"] for row in records(table(made, "procs", window=(start, end)))}

    assert cpu(SECOND, 2 * SECOND) == {10: 30, 20: 100}
    assert cpu(SECOND + 1, 3 * SECOND) == {10: pytest.approx(25), 20: pytest.approx(50)}


def test_memory_in_a_window_is_the_largest_since_what_was_told_last_before() -> None:
    made = store(
        process(10, life=0, vm_size=100, vm_rss=9),
        process(10, life=0, vm_size=100, vm_rss=9, first=3),  # another directory: nothing new of its memory
        process(10, life=0, vm_size=20, vm_rss=2, first=5),  # another program
    )
    for second in range(6):
        told = {1: [(0, 0, Sample.VM_RSS, 500)], 3: [(0, 1, Sample.VM_RSS, 40), (0, 1, Sample.VM_RSS, 30)]}
        row = (0, 0, 1, 1, 2, 2)[second]
        made.segments.append(segment([Row(READ, row, time=second)], first=second, samples=told.get(second)))

    def memory(start: int, end: int) -> tuple[int, int]:
        (row,) = records(table(made, "procs", window=(start, end)))
        return row["VIRT"] // 1024, row["RES"] // 1024

    assert memory(0, 0) == (100, 9)
    assert memory(0, 1) == (100, 500)
    assert memory(2, 2) == (100, 500), "told a second before, and not told otherwise since"
    assert memory(3, 3) == (100, 500)
    assert memory(4, 4) == (100, 30), "the other program began in this window, with the old one still there"
    assert memory(5, 5) == (20, 2)


def test_threads_are_counted_as_they_were_in_the_window() -> None:
    made = store(
        process(10, life=0),
        process(10, tid=11, life=1, ended=2),
        process(10, tid=12, life=2, first=3),
        process(10, tid=13, life=3, first=4),
    )
    calls(made, *(Row(READ, 0, time=second) for second in range(5)))

    def threads(start: int, end: int) -> int:
        (row,) = records(table(made, "procs", window=(start, end)))
        return int(row["TH"])

    assert [threads(second, second) for second in range(5)] == [2, 2, 2, 3, 3]
    assert threads(0, 4) == 3


def test_of_a_live_sources_intervals_the_last_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may have as many rows as there are; whoever wants an earlier one asks for its window."""
    made = capture()
    times = edges()
    bounds = times[:: len(times) // 4]
    kept, alive = Kept(made), weakref.WeakSet[Grouping]()
    begin = Grouping.__init__

    def beginning(self: Grouping, *given: Any) -> None:
        alive.add(self)
        begin(self, *given)

    monkeypatch.setattr(Grouping, "__init__", beginning)
    for start, end in pairwise(bounds):
        window = (start, end - 1)
        work = Work(made, kept, lambda: False, latest=window)
        last = answer(TableRequest(VIEWS["files"], count=1000), work)
        assert isinstance(last, TableSnapshot)
        assert last.coverage.window == window
        assert list(last.rows) == list(table(made, "files", window=window).page(0, 1000))
        gc.collect()
        assert len(alive) == 1

"""Keys of any fields, and columns of any numbers, on stores made by hand."""

from __future__ import annotations

from typing import Any

from engine.fields import look_up
from engine.fields.field import Place
from engine.query.compose import compose, selection
from engine.query.table import Table, TableRun
from engine.query.view import Aggregation, Column, Key, Kind, View
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment, store
from tests.engine.query.test_table import OPENAT, READ, READ_ENTER, SWITCH, code, process

SECOND = 1_000_000_000
SUM, AVG, MAX, RATE = Aggregation.SUM, Aggregation.AVG, Aggregation.MAX, Aggregation.RATE
WRITE = code(lambda kind: kind.name == "write" and kind.is_exit)


def column(title: str, field: str, aggregation: Aggregation = Aggregation.FIRST, **more: Any) -> Column:
    return Column(title, field, "", 8, aggregation, **more)


def view(key: str, *columns: Column, **more: Any) -> View:
    return View("made", "Made", "", Kind.TABLE, columns, (Key(key),), **more)


def table(made: Store, asked: View, user_filter: str = "") -> Table:
    run = TableRun(made, asked, compose(user_filter, (), asked))
    assert run.update()
    return run.table()


def cells(made: Store, asked: View) -> list[tuple[Any, ...]]:
    return list(table(made, asked).values())


def busy() -> Store:
    """Two processes on two files, in two segments."""
    made = store(process(10, b"a", life=0), process(20, b"b", life=1), files=(b"/x", b"/y"))
    made.segments.append(
        segment(
            [
                Row(READ_ENTER, 0, 0, time=0),
                Row(READ, 0, 0, 100, 10, time=1),
                Row(READ, 1, 0, 7, 30, time=2),
                Row(READ, 0, 1, -11, 50, time=3),
            ]
        )
    )
    made.segments.append(
        segment([Row(READ, 0, 0, 50, 20, time=2 * SECOND), Row(WRITE, 0, 0, 5, 1000, time=4 * SECOND)], first=4)
    )
    return made


def test_a_key_of_several_fields_makes_a_row_of_each_combination() -> None:
    asked = view(
        "proc.pid+fd.name", column("PID", "proc.pid"), column("FILE", "fd.name"), column("N", "evt.count.exit", SUM)
    )
    made = busy()
    assert cells(made, asked) == [(10, "/x", 3), (20, "/x", 1), (10, "/y", 1)]
    rows = table(made, asked).page(0, 9)
    assert rows[0].key == (10, b"/x")
    assert rows[0].shown_key == "10, /x"
    assert selection("proc.pid+fd.name", rows[0].key) == "proc.pid=10 and fd.name=/x"
    assert cells(made, view("proc.pid+evt.type+fd.name", column("N", "evt.count.exit", SUM))) == [
        (2,),
        (1,),
        (1,),
        (1,),
    ]


def test_a_view_can_follow_a_selection_of_any_of_the_fields() -> None:
    asked = view("proc.pid", column("PID", "proc.pid"), applies_to=("fd.name",))
    assert asked.offered_after("proc.pid+fd.name")
    assert not asked.offered_after("proc.pid+evt.type")


def test_a_key_read_from_the_record_makes_rows_as_any_other() -> None:
    made = busy()
    assert look_up("evt.time.s")[0].place is Place.LATE
    assert cells(made, view("evt.time.s", column("N", "evt.count.exit", SUM), filter="evt.dir=<")) == [(3,), (1,), (1,)]


def test_rows_of_any_key_merge_by_any_group() -> None:
    asked = view(
        "fd.name",
        column("CALL", "evt.type"),
        column("FILES", "fd.name", merge=Aggregation.COUNT),
        column("LONGEST", "evt.latency", MAX, merge=SUM),
        group="evt.type",
    )
    assert cells(busy(), asked) == [("read", 2, 80), ("write", 1, 1000)]


def test_where_says_which_of_the_rows_events_count_in_a_column() -> None:
    asked = view(
        "proc.pid",
        column("ALL", "evt.count.exit", SUM),
        column("X", "evt.count.exit", SUM, where="fd.name=/x"),
        column("LONG", "evt.latency", AVG, where="evt.latency>15"),
        column("OUT", "evt.buflen", RATE, where="evt.type=write"),
    )
    assert cells(busy(), asked) == [(4, 3, (50 + 20 + 1000) / 3, 5 / 4), (1, 1, 30, 0)]


def test_numbers_that_no_kernel_measures_are_added_up_too() -> None:
    asked = view(
        "proc.name",
        column("LAST", "evt.reltime", MAX),
        column("FIRST", "evt.reltime", Aggregation.MIN),
        column("SUM", "evt.rawres", SUM, where="evt.type=read"),
        column("LIMIT", "proc.fdlimit", MAX),
        filter="evt.dir=<",
    )
    assert cells(busy(), asked) == [(4 * SECOND, 1, 139, 0), (2, 2, 7, 0)]


def test_percentiles_leave_out_what_is_unknown_and_merge_over_segments() -> None:
    asked = view(
        "proc.pid",
        *(
            column(each.value, "evt.latency", each)
            for each in (Aggregation.P50, Aggregation.P99, Aggregation.HISTOGRAM)
        ),
    )
    assert cells(busy(), asked) == [
        (20, 1000, [0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (30, 30, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
    unknown = store(process(10, life=0))
    unknown.segments.append(segment([Row(READ_ENTER, 0)]))
    assert cells(unknown, asked) == [(None, None, [0] * 13)]
    assert table(busy(), asked).page(0, 1)[0].cells[2] == " █ ▃         "


def test_percentiles_of_a_groups_rows_are_those_of_all_its_samples() -> None:
    asked = view("fd.name", column("P50", "evt.latency", Aggregation.P50, merge=Aggregation.P50), group="evt.dir")
    assert sorted(cells(busy(), asked), key=str) == [(30,), (None,)]


def test_time_on_a_cpu_is_told_by_the_switches_on_it() -> None:
    made = store(process(10, life=0), process(20, life=1))
    made.segments.append(
        segment(
            [Row(SWITCH, 0, time=0), Row(SWITCH, 1, time=SECOND), Row(OPENAT, 1, time=2 * SECOND)],
            samples=[(0, 0, 0, 500_000_000), (1, 1, 0, 250_000_000), (2, 1, 1, 7)],
        )
    )
    asked = view(
        "thread.tid",
        column("CPU", "thread.cpu", SUM, merge=SUM),
        column("THREADS", "thread.tid", merge=Aggregation.COUNT),
        group="evt.cpu",
    )
    assert cells(made, asked) == [(37.5, 2)]


def test_the_most_of_what_is_so_of_processes_counts_those_without_events_too() -> None:
    idle, busy_one = process(10, life=0, fdlimit=64), process(20, life=1, fdlimit=32)
    made = store(idle, busy_one, process(20, life=2, tid=21, fdlimit=8))
    made.segments.append(segment([Row(READ_ENTER, 2)]))
    asked = view("proc.pid", column("PID", "proc.pid"), column("LIMIT", "proc.fdlimit", MAX))
    assert sorted(cells(made, asked)) == [(10, 64), (20, 32)]
    # What happened is not what is so: an enter has no time.
    happened = view("proc.pid", column("PID", "proc.pid"), column("T", "evt.latency", MAX))
    assert sorted(cells(made, happened)) == [(10, None), (20, None)]


def test_counts_that_captures_claim_beyond_63_bits_are_the_most_there_can_be() -> None:
    made = store(process(10, life=0, pf_major=2**64 - 1), process(20, life=1, pf_major=3))
    made.segments.append(segment([Row(READ_ENTER, 0), Row(READ_ENTER, 1)]))
    asked = view("proc.pid", column("PID", "proc.pid"), column("FAULTS", "thread.pfmajor", MAX))
    assert sorted(cells(made, asked)) == [(10, 2**63), (20, 3)]


def test_descriptors_open_without_events_make_rows_when_asked_for() -> None:
    made = store(process(10, b"a", life=0), files=(b"/used", b"/idle", b"/closed"))
    made.fds.rows["thread"][:] = 0
    made.fds.rows["last"][2] = 1
    made.segments.append(segment([Row(READ, 0, 0, 100, 10, time=0), Row(READ, 0, 0, 100, 10, time=SECOND)]))
    made.segments.append(segment([Row(READ, 0, 0, 100, 10, time=2 * SECOND)], first=2))
    columns = column("FILE", "fd.name"), column("BY", "proc.name"), column("N", "evt.count.exit", SUM)
    asked = view("proc.pid+fd.name", *columns, idle_fds=True)
    assert cells(made, asked) == [("/used", "a", 3), ("/idle", "a", 0), ("/closed", "a", 0)]
    assert cells(made, view("fd.name", *columns)) == [("/used", "a", 3)]
    run = TableRun(made, asked, "", window=(2 * SECOND, 3 * SECOND))
    run.update()
    assert list(run.table().values()) == [("/used", "a", 1), ("/idle", "a", 0)]

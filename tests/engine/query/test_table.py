"""What the rows of a view say, on stores made by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import CATALOGUE, L4_NAMES, EventType, FdKind
from engine.model.facts import Container, Role, Socket, Thread
from engine.query.compose import compose
from engine.query.snapshots import Level
from engine.query.table import Table, TableRun
from engine.store.segment import UNKNOWN_LATENCY, Sample
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment, store
from views import load

VIEWS = load().views
SECOND = 1_000_000_000


def code(wanted: Callable[[EventType], bool]) -> int:
    return next(kind.code for kind in CATALOGUE if wanted(kind))


READ_ENTER = code(lambda kind: kind.name == "read" and not kind.is_exit)
READ = code(lambda kind: kind.name == "read" and kind.is_exit)
OPENAT = code(lambda kind: kind.name == "openat" and kind.is_exit)
SWITCH = code(lambda kind: kind.name == "switch")
TCP = next(number for number, name in L4_NAMES.items() if name == "tcp")
EXIT = max(kind.code for kind in CATALOGUE if kind.name == "procexit")


def process(pid: int, name: bytes = b"sh", *, life: int, tid: int | None = None, **facts: Any) -> Thread:
    return Thread(tid or pid, pid, comm=name, exe=name, life=life, **facts)


def table(made: Store, view: str, user_filter: str = "", *, levels: tuple[Level, ...] = (), **options: Any) -> Table:
    run = TableRun(made, VIEWS[view], compose(user_filter, levels, VIEWS[view]), **options)
    assert run.update()
    return run.table()


def records(made: Table) -> list[dict[str, Any]]:
    titles = [column.title for column in made.columns]
    return [dict(zip(titles, row, strict=True)) for row in made.values()]


def calls(made: Store, *rows: Row) -> Store:
    made.segments.append(segment(list(rows), first=made.events))
    return made


def test_a_call_counts_once_and_rates_are_per_second_of_the_capture() -> None:
    made = calls(
        store(process(10, life=0), files=(b"/etc/hosts",)),
        Row(READ_ENTER, 0, 0, time=0),
        Row(READ, 0, 0, 100, 5, time=5),
        Row(READ_ENTER, 0, 0, time=SECOND),
        Row(READ, 0, 0, 300, 7, time=4 * SECOND),
    )

    assert records(table(made, "syscalls")) == [{"CALLS/S": 0.5, "TOT TIME": 12, "AVG TIME": 6, "SYSCALL": "read"}]
    assert records(table(made, "files"))[0]["OPS"] == 2
    assert records(table(made, "procs"))[0]["FILE"] == 100


def test_a_call_without_its_enter_has_no_time() -> None:
    made = calls(
        store(process(10, life=0), files=(b"/a",)),
        Row(READ, 0, 0, 1, UNKNOWN_LATENCY, time=0),
        Row(OPENAT, 0, 0, 3, 8, time=SECOND),
        Row(OPENAT, 0, 0, 3, UNKNOWN_LATENCY, time=SECOND),
    )

    found = {row["SYSCALL"]: row for row in records(table(made, "syscalls"))}

    assert found["read"]["TOT TIME"] is None
    assert found["read"]["AVG TIME"] is None
    assert found["openat"]["TOT TIME"] == found["openat"]["AVG TIME"] == 8
    assert found["read"]["CALLS/S"] == 1


def test_unknown_shows_as_a_dash_and_comes_last_in_both_directions() -> None:
    made = calls(
        store(process(10, life=0), files=(b"/a",)),
        Row(READ, 0, 0, 1, UNKNOWN_LATENCY),
        Row(OPENAT, 0, 0, 3, 8, time=SECOND),
    )
    run = TableRun(made, VIEWS["syscalls"], compose("", (), VIEWS["syscalls"]))
    run.update()

    for descending in (True, False):
        assert [row.cells[1] for row in run.table(1, descending).page(0, 9)] == ["8ns", "-"]


def test_opens_are_counted_whatever_call_opened() -> None:
    made = calls(store(process(10, life=0), files=(b"/a",)), Row(OPENAT, 0, 0, 3), Row(OPENAT, 0, 0, -2))
    assert records(table(made, "files")) == [
        {"BYTES IN": 0, "BYTES OUT": 0, "OPS": 2, "OPENS": 2, "ERRORS": 1, "FILENAME": "/a"}
    ]


def test_processes_without_events_are_listed_unless_the_filter_is_about_events() -> None:
    made = calls(store(process(10, b"busy", life=0), process(20, b"idle", life=1), files=(b"/a",)), Row(READ, 0, 0, 5))

    assert [row["Command"] for row in records(table(made, "procs"))] == ["busy", "idle"]
    assert [row["Command"] for row in records(table(made, "procs", "proc.name=idle"))] == ["idle"]
    assert [row["Command"] for row in records(table(made, "procs", "evt.type=read"))] == ["busy"]
    assert [row["Command"] for row in records(table(made, "procs", "fd.name exists"))] == ["busy"]
    assert records(table(made, "procs"))[1]["NET"] is None, "a rate needs a span of time"


def test_what_is_hidden_is_in_no_row() -> None:
    made = calls(store(process(10, life=0), files=(b"/a",)), Row(READ, 0, 0, 5, hidden=True))
    assert table(made, "files").total == 0


def test_cpu_is_time_on_cpu_by_the_window_from_procinfo_if_there_is_any() -> None:
    rows = [Row(READ, 0, 0, 5, time=0), Row(SWITCH, 0, time=2 * SECOND)]
    switches = [(1, 0, Sample.CPU, SECOND), (1, 1, Sample.CPU, SECOND // 2)]
    ticks = [(1, 0, Sample.CPU_USER, SECOND // 4), (1, 0, Sample.CPU_SYSTEM, SECOND // 4)]

    def cpu(samples: list[tuple[int, int, int, int]]) -> dict[int, float | None]:
        made = store(process(10, life=0), process(10, tid=11, life=1), process(20, life=2), files=(b"/a",))
        made.segments.append(segment(rows, samples=samples))
        return {row["PID"]: row["CPU"] for row in records(table(made, "procs"))}

    assert cpu([]) == {10: None, 20: None}
    assert cpu(switches) == {10: 75, 20: 0}
    assert cpu(switches + ticks) == {10: 25, 20: 0}


def test_memory_is_the_largest_of_main_threads_at_any_time() -> None:
    made = store(
        process(10, life=0, vm_size=100, vm_rss=9),
        process(10, life=0, vm_size=300, first=5),
        process(10, tid=11, life=1, vm_size=10_000),
        process(20, life=2),
    )
    made.segments.append(segment([Row(READ, 0)], samples=[(0, 0, Sample.VM_RSS, 50), (0, 2, Sample.VM_RSS, 70)]))

    found = {row["PID"]: (row["VIRT"], row["RES"], row["TH"]) for row in records(table(made, "procs"))}

    assert found == {10: (300 * 1024, 50 * 1024, 2), 20: (None, None, 1)}


def test_containers_add_up_processes_and_threads() -> None:
    inside: dict[str, Any] = {"container": "abc", "vm_size": 100}
    made = store(
        process(10, life=0, **inside),
        process(10, life=0, first=9, **inside),
        process(10, tid=11, life=1, **inside),
        process(20, life=2, **inside),
        process(30, life=3),
        files=(b"/a",),
    )
    made.containers["abc"] = Container("abc", name="web", image="nginx")
    calls(made, Row(READ, 1, 0, 50, time=0), Row(READ, 3, 0, 50, time=SECOND))

    (row,) = records(table(made, "containers"))

    assert (row["NAME"], row["IMAGE"], row["ID"]) == ("web", "nginx", "abc")
    assert (row["PROCS"], row["THREADS"], row["VIRT"], row["FILE"]) == (2, 3, 200 * 1024, 100)


def test_a_tid_used_again_by_another_process_is_a_thread_of_each() -> None:
    made = calls(store(process(10, life=0), process(50, tid=11, life=1), process(10, tid=11, life=2)), Row(SWITCH))
    found = {row["PID"]: row["TH"] for row in records(table(made, "procs"))}
    assert found == {10: 2, 50: 1}


def test_with_containers_the_same_path_in_two_of_them_is_two_rows() -> None:
    made = store(process(10, life=0), process(20, life=1, container="abc"), files=(b"/a",))
    calls(made, Row(READ, 0, 0, 1), Row(READ, 1, 0, 2), Row(READ, 1, 0, 3))

    assert records(table(made, "files"))[0]["BYTES IN"] == 6
    both = table(made, "files", containers=True)

    assert [(row.key, row.cells[0]) for row in both.page(0, 9)] == [(b"abc:/a", "5"), (b":/a", "1")]
    for row in both.page(0, 9):
        level = Level(VIEWS["files"], both.key_field, row.key)
        drilled = table(made, "files", levels=(level,))
        assert [inner.cells[0] for inner in drilled.page(0, 9)] == [row.cells[0]]


def test_a_window_keeps_its_events_its_seconds_and_the_threads_that_lived_in_it() -> None:
    made = store(
        process(10, b"early", life=0, ended=2),
        process(20, b"late", life=1, first=4),
        process(30, b"always", life=2),
        files=(b"/a",),
    )
    calls(
        made,
        Row(READ, 2, 0, 1, time=0),
        Row(EXIT, 0, time=SECOND),
        Row(READ, 2, 0, 40, time=2 * SECOND),
        Row(READ, 1, 0, 500, time=9 * SECOND),
    )

    def commands(window: tuple[int, int] | None) -> list[str]:
        return sorted(row["Command"] for row in records(table(made, "procs", window=window)))

    assert commands(None) == ["always", "early", "late"]
    assert commands((0, SECOND)) == ["always", "early"]
    assert commands((2 * SECOND, 3 * SECOND)) == ["always"]
    assert commands((2 * SECOND, 9 * SECOND)) == ["always", "late"]
    middle = records(table(made, "procs", "evt.type=read", window=(2 * SECOND, 6 * SECOND)))
    assert [(row["Command"], row["FILE"]) for row in middle] == [("always", 10)]


def test_sorting_is_stable_numbers_descend_and_texts_ascend_at_first() -> None:
    made = store(process(1, life=0), files=(b"/c", b"/a", b"/b"))
    calls(made, Row(READ, 0, 0, 5), Row(READ, 0, 1, 5), Row(READ, 0, 2, 9))
    run = TableRun(made, VIEWS["files"], compose("", (), VIEWS["files"]))
    run.update()

    def names(sort: int | None, descending: bool | None = None) -> list[str]:
        return [row.shown_key for row in run.table(sort, descending).page(0, 9)]

    assert names(None) == ["/c", "/a", "/b"], "all have one call: order of arrival"
    assert names(0) == ["/b", "/c", "/a"]
    assert names(0, False) == ["/c", "/a", "/b"]
    assert names(5) == ["/a", "/b", "/c"]
    assert names(5, True) == ["/c", "/b", "/a"]
    assert (run.table(0).descending, run.table(5).descending) == (True, False)


def test_pages_keys_and_search() -> None:
    made = store(process(1, life=0), files=tuple(b"/file%d" % number for number in range(5)))
    calls(made, *(Row(READ, 0, number, 9 - number) for number in range(5)))
    shown = table(made, "files")

    assert shown.total == 5
    assert [row.shown_key for row in shown.page(3, 10)] == ["/file3", "/file4"]
    assert shown.page(7, 3) == ()
    assert (shown.index_of(b"/file2"), shown.index_of(b"/none")) == (2, None)
    assert (shown.find("FILE3", 0), shown.find("file", 2), shown.find("file1", 2)) == (3, 2, 1)
    assert (shown.find("file3", 2, True), shown.find("nothing", 0)) == (3, None)


def test_giving_up_keeps_what_was_done() -> None:
    made = store(process(1, life=0), files=(b"/a",))
    for _ in range(3):
        calls(made, Row(READ, 0, 0, 1))
    run = TableRun(made, VIEWS["files"], compose("", (), VIEWS["files"]))
    asked = iter([False, False, True])

    assert not run.update(lambda: next(asked))
    assert run.table().page(0, 1)[0].cells[2] == "2"
    assert run.update()
    assert run.table().page(0, 1)[0].cells[2] == "3"


def test_the_same_table_is_given_while_nothing_changes() -> None:
    made = calls(store(process(1, life=0), files=(b"/a",)), Row(READ, 0, 0, 1))
    run = TableRun(made, VIEWS["files"], compose("", (), VIEWS["files"]))
    run.update()
    first = run.table()
    assert run.table() is first
    calls(made, Row(READ, 0, 0, 1))
    run.update()
    assert run.table() is not first


def test_a_damaged_name_reaches_no_cell_as_it_is() -> None:
    made = calls(store(process(1, life=0), files=(b"/a\x1b[31m\xff",)), Row(READ, 0, 0, 1))
    (row,) = table(made, "files").page(0, 1)
    assert "\x1b" not in "".join(row.cells) + row.shown_key


def test_ports_are_shown_as_services_when_asked_for_and_selected_by_number() -> None:
    made = store(process(10, life=0))
    for port in (80, 65000):
        ends = Socket(b"\x7f\0\0\1", 65001, b"\x7f\0\0\1", port, TCP, Role.CLIENT)
        made.fds.add(FdKind.IPV4, made.fds.identity(FdKind.IPV4, b"127.0.0.1:65001->127.0.0.1:%d" % port, ends))
    made.fds.publish()
    calls(made, Row(READ, 0, 0, 5, time=1), Row(READ, 0, 1, 5, time=2))
    assert [row["SPORT"] for row in records(table(made, "sports"))] == [80, 65000]
    made.port_names = True
    named = table(made, "sports")
    assert [row["SPORT"] for row in records(named)] == ["http", "65000"]
    assert [row.key for row in named.page(0, 2)] == [80, 65000]
    assert [(row["LPORT"], row["RPORT"]) for row in records(table(made, "connections"))] == [
        ("65001", "http"),
        ("65001", "65000"),
    ]


EVENTS = st.lists(
    st.builds(
        Row,
        type=st.sampled_from([READ_ENTER, READ, OPENAT, SWITCH]),
        thread=st.integers(-1, 3),
        fd_row=st.integers(-1, 2),
        result=st.sampled_from([-11, -2, 0, 4096]),
        latency=st.sampled_from([UNKNOWN_LATENCY, 0, 5000]),
        time=st.integers(0, 5 * SECOND),
        hidden=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def four_threads() -> Store:
    return store(
        process(10, life=0, vm_size=10),
        process(10, tid=11, life=1),
        process(20, life=2, container="abc"),
        process(30, life=3),
        files=(b"/a", b"/b", b"/a/c"),
    )


@pytest.mark.parametrize("view_id", VIEWS)
@given(events=EVENTS, cuts=st.sets(st.integers(1, 29)), containers=st.booleans())
def test_where_segments_end_changes_nothing(view_id: str, events: list[Row], cuts: set[int], containers: bool) -> None:
    view = VIEWS[view_id]
    whole = four_threads()
    whole.segments.append(segment(events))
    growing = four_threads()
    filter_text = compose("", (), view)
    run = TableRun(growing, view, filter_text, containers=containers)
    edges = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    for start, end in pairwise(edges):
        growing.segments.append(segment(events[start:end], first=start))
        run.update()
        run.table()
    once = TableRun(whole, view, filter_text, containers=containers)
    once.update()

    assert list(run.table().values()) == list(once.table().values())
    assert run.table().page(0, 99) == once.table().page(0, 99)


@pytest.mark.parametrize(("sort", "text"), [(None, ""), (0, ""), (0, "1")])
def test_a_row_is_found_by_its_key_without_looking_at_the_others(
    monkeypatch: pytest.MonkeyPatch, sort: int | None, text: str
) -> None:
    people = [process(10 + n, life=n) for n in range(200)]
    made = calls(store(*people), *(Row(READ, n, latency=n, time=n) for n in range(200)))
    run = TableRun(made, VIEWS["procs"], compose("", (), VIEWS["procs"]))
    assert run.update()
    found = run.table(sort, text=text)
    keys = [row.key for row in found.page(0, found.total)]
    asked: list[int] = []
    monkeypatch.setattr(type(found.rows), "key", lambda self, row: asked.append(row))
    assert [found.index_of(key) for key in keys] == list(range(found.total))
    assert found.index_of(9) is None
    assert asked == []


def test_an_event_of_a_list_is_found_by_its_number() -> None:
    made = calls(
        store(process(10, life=0), files=(b"/a", b"/b")),
        *(Row(OPENAT if n % 3 else SWITCH, 0, n % 2, n, time=n) for n in range(300)),
    )
    found = table(made, "file_opens")
    assert found.total == 200
    keys = [row.key for row in found.page(0, found.total)]
    assert [found.index_of(key) for key in keys] == list(range(found.total))
    assert found.index_of(100_000) is None


@given(st.sampled_from(["-", "0", "1", "sh", "SH", "/", "K", "€"]), st.sampled_from([None, 0, 2]))
def test_rows_that_show_a_text_are_those_one_reads_it_in(text: str, sort: int | None) -> None:
    made = calls(
        store(*(process(10 + n, b"sh" if n % 3 else b"cron", life=n) for n in range(9)), files=(b"/etc/hosts",)),
        *(Row(READ, n, 0, 900 * n, UNKNOWN_LATENCY if n % 2 else n, time=n) for n in range(9)),
    )
    for view in ("procs", "files", "syscalls"):
        run = TableRun(made, VIEWS[view], compose("", (), VIEWS[view]))
        assert run.update()
        everything = run.table(sort)
        rows = everything.page(0, everything.total)
        wanted = [row for row in rows if any(text.casefold() in cell.casefold() for cell in row.cells)]
        kept = run.table(sort, text=text)
        assert list(kept.page(0, kept.total)) == wanted
        found = everything.find(text, 3)
        assert (found is None) == (not wanted)
        if found is not None:
            assert rows[found] in wanted

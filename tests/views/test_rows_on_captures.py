"""Every view says something about real captures, and its numbers are those of the events one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.decode.event import Event
from engine.events import Category, FdKind
from engine.fields import look_up
from engine.fields.field import Value
from engine.query.compose import compose
from engine.query.matches import Matches
from engine.query.snapshots import Level
from engine.query.view import AND
from engine.store.segment import HIDDEN
from engine.store.store import Store
from tests.views.running import VIEWS, Find, Stores, as_rows, run

SHARED = ("mixed.scap.gz", "containers.scap.gz", "tiny25.scap.gz")
"""A busy machine, a machine with containers, and a capture without enters."""
ONLY = {
    # The processes of mixed and tiny25 ran outside containers.
    **dict.fromkeys(("containers", "containers_errors"), ("502Error.scap", "xxradar_docker_curl_2025.scap")),
    # Nothing in tiny25 accepts connections; mixed25_thin has no enters either.
    **dict.fromkeys(
        ("backlog", "incoming_connections", "port_bindings", "privileges"),
        ("mixed.scap.gz", "containers.scap.gz", "mixed25_thin.scap.gz"),
    ),
    # Without enters it is not known what a thread is inside of.
    "in_progress": ("mixed.scap.gz", "containers.scap.gz"),
    # Without enters it is not known how long a call took.
    "slow_io": ("mixed.scap.gz", "tiny.scap"),
    **dict.fromkeys(("spectro_all", "spectro_file"), ("mixed.scap.gz", "tiny.scap")),
    **dict.fromkeys(("http_paths", "http_requests"), ("502Error.scap", "containers.scap.gz", "mixed25_thin.scap.gz")),
    "listening": ("mixed.scap.gz", "502Error.scap", "mixed25_thin.scap.gz"),
    "dns_queries": ("mixed.scap.gz", "mixed25_thin.scap.gz", "libs_curl_google.scap"),
    "db_queries": ("mixed_thin.scap.gz", "mixed25_thin.scap.gz"),
    "container_lifecycle": ("containers.scap.gz",),
    "docker_events": ("made/infra", "containers.scap.gz"),
    "notifications": ("made/notifications",),
    "spy_syslog": ("made/syslog",),
    **dict.fromkeys(
        ("spans_list", "spans_summary", "spectro_traces", "traces_list", "traces_summary"), ("made/spans",)
    ),
    **dict.fromkeys(
        ("kubernetes_deployments", "kubernetes_namespaces", "kubernetes_pods", "kubernetes_replicasets"),
        ("made/kubernetes", "made/cluster"),
    ),
    **dict.fromkeys(("kubernetes_services", "kubernetes_controllers"), ("made/cluster",)),
}
"""Views that not every capture can have rows of, and those that give them some."""
SMALL = ("502Error.scap", "tiny.scap", "tiny25.scap.gz")
"""Captures small enough to look at each event."""
IP = frozenset({FdKind.IPV4, FdKind.IPV6, FdKind.IPV4_SERVER, FdKind.IPV6_SERVER})
IP_SOCKETS = frozenset({FdKind.IPV4, FdKind.IPV6})
PATHS = frozenset({FdKind.FILE, FdKind.FILE_V2, FdKind.DIRECTORY})


@pytest.mark.parametrize("containers", [False, True], ids=["plain", "containers"])
@pytest.mark.parametrize(("view", "name"), [(view, name) for view in VIEWS for name in ONLY.get(view, SHARED)])
def test_every_view_has_rows(find: Find, name: str, view: str, containers: bool) -> None:
    table = run(find(name), view, containers=containers)
    assert table.total
    assert any(cell not in ("", "-") for cell in table.page(0, 1)[0].cells)


def visible(store: Store) -> Iterator[Event]:
    """Every event that is shown, one by one."""
    for segment in store.segments:
        for row in range(len(segment)):
            if not segment.flags[row] & HIDDEN:
                yield Event(store, segment, row)


def is_call(event: Event) -> bool:
    """True for the exit of a call."""
    return event.type.is_syscall and event.type.is_exit


def word(event: Event, field: str) -> str:
    """A text field of one event."""
    value = look_up(field)[0].of(event)
    assert isinstance(value, bytes)
    return value.decode()


def has_path(event: Event) -> bool:
    """True when the event is about a file or directory with a name."""
    return event.fd is not None and event.fd.kind in PATHS and event.fd.name != b""


def moved(event: Event, category: Category, kinds: frozenset[FdKind]) -> int:
    """Bytes a call moved in a direction on such an fd."""
    if not event.type.is_exit or event.type.category is not category or event.fd is None or event.result is None:
        return 0
    return max(event.result, 0) if event.fd.kind in kinds else 0


@pytest.mark.parametrize("name", SMALL)
def test_system_calls_add_up_to_the_exits_of_calls_by_name(captures: Path, read: Stores, name: str) -> None:
    store = read(captures / name)
    start, end = store.time_span
    seconds = (end - start) / 1e9
    shown = {row["SYSCALL"]: row["CALLS/S"] * seconds for row in as_rows(run(store, "syscalls"))}
    exits = Counter(event.type.name for event in visible(store) if is_call(event))
    # A call that was only begun has a row too.
    begun = {event.type.name for event in visible(store) if event.type.is_syscall}
    assert shown == pytest.approx({call: exits[call] for call in begun})


@pytest.mark.parametrize("name", SMALL)
def test_system_calls_tell_the_time_of_the_calls_whose_start_was_seen(captures: Path, read: Stores, name: str) -> None:
    store = read(captures / name)
    total: Counter[str] = Counter()
    timed: Counter[str] = Counter()
    for event in visible(store):
        if is_call(event) and event.latency is not None:
            total[event.type.name] += event.latency
            timed[event.type.name] += 1
    rows = as_rows(run(store, "syscalls"))
    assert {row["SYSCALL"]: row["TOT TIME"] for row in rows if row["TOT TIME"] is not None} == total
    averages = {row["SYSCALL"]: row["AVG TIME"] for row in rows if row["AVG TIME"] is not None}
    assert averages == pytest.approx({call: total[call] / timed[call] for call in timed})


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("OPS", lambda event: int(is_call(event))),
        ("BYTES IN", lambda event: moved(event, Category.IO_READ, PATHS - {FdKind.DIRECTORY})),
        ("BYTES OUT", lambda event: moved(event, Category.IO_WRITE, PATHS - {FdKind.DIRECTORY})),
        ("ERRORS", lambda event: int(event.type.is_exit and event.result is not None and event.result < 0)),
        ("OPENS", lambda event: int(event.type.is_exit and event.type.name in ("open", "openat", "openat2", "creat"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_and_directories_add_up_to_the_calls_on_them(
    captures: Path, read: Stores, name: str, title: str, number: Callable[[Event], int]
) -> None:
    store = read(captures / name)
    for view, field in (("files", "fd.name"), ("directories", "fd.directory")):
        expected: Counter[str] = Counter()
        for event in filter(has_path, visible(store)):
            expected[word(event, field)] += number(event)
        rows = as_rows(run(store, view))
        assert {row["FILENAME" if view == "files" else "DIRNAME"]: row[title] for row in rows} == expected


@pytest.mark.parametrize("name", SMALL)
def test_errors_add_up_to_the_failed_calls_by_errno(captures: Path, read: Stores, name: str) -> None:
    store = read(captures / name)
    failed = Counter(
        word(event, "evt.res")
        for event in visible(store)
        if event.type.is_exit and event.result is not None and event.result < 0
    )
    assert {row["ERROR"]: row["COUNT"] for row in as_rows(run(store, "errors"))} == failed


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("view", ["connections", "sports"])
def test_network_rates_are_the_bytes_moved_by_the_second(captures: Path, read: Stores, name: str, view: str) -> None:
    store = read(captures / name)
    start, end = store.time_span
    rows = as_rows(run(store, view))
    key = "fd.name" if view == "connections" else "fd.sport"
    for title, category in (("BPS IN", Category.IO_READ), ("BPS OUT", Category.IO_WRITE)):
        total = sum(
            moved(event, category, IP)
            for event in visible(store)
            if event.fd is not None
            and event.fd.kind in IP_SOCKETS
            and event.fd.name
            # Without a server's end there is no port to list.
            and look_up(key)[0].of(event) is not None
        )
        assert sum(row[title] for row in rows) * (end - start) / 1e9 == pytest.approx(total)


SAME: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "backlog": [],
    "containers_errors": [],
    "cores": [],
    "kubernetes_controllers": [],
    "kubernetes_deployments": [],
    "kubernetes_namespaces": [],
    "kubernetes_pods": [],
    "kubernetes_replicasets": [],
    "kubernetes_services": [],
    "listening": [],
    "process_tree": [],
    "file_access": [("OPS", ("CALLS",)), ("ERRORS", ("ERRORS",))],
    "errors_by_call": [("COUNT", ("ERRORS",))],
    "syscall_procs": [],
    "spans_summary": [],
    "tcp_connections": [],
    "traces_summary": [],
    "syscall_latency": [("TOTAL", ("TIME",))],
    "users": [],
    "io_by_type": [],
    "http_paths": [],
    "page_faults": [],
    "procs_cpu": [],
    "procs_fd_usage": [],
    "connections": [],
    "containers": [("FILE", ("FILE",)), ("NET", ("NET",))],
    "directories": [("OPS", ("OPS",)), ("BYTES IN", ("BYTES IN",)), ("ERRORS", ("ERRORS",))],
    "errors": [("COUNT", ("FILE", "NET", "MEMORY", "OTHER"))],
    "files": [],
    "procs": [("FILE", ("FILE",)), ("NET", ("NET",))],
    "procs_errors": [],
    "sports": [("BPS IN", ("BPS IN",)), ("BPS OUT", ("BPS OUT",))],
    "syscalls": [("CALLS/S", ("CALLS/S",)), ("TOT TIME", ("TIME",))],
    "threads": [],
}
"""By view that leads somewhere: columns, and those that say the same where it leads."""


def test_every_view_that_leads_somewhere_is_held_to_it() -> None:
    assert set(SAME) == {view.id for view in VIEWS.values() if view.drill_to}


@pytest.mark.parametrize("name", ["502Error.scap", "tiny.scap", "tiny25.scap.gz", "containers.scap.gz"])
@pytest.mark.parametrize("view", SAME)
def test_drilling_down_keeps_exactly_the_rows_events(captures: Path, read: Stores, name: str, view: str) -> None:
    store = read(captures / name)
    declared = VIEWS[view]
    table = run(store, view)
    keys = [row.key for row in table.page(0, table.total)]
    fields = [look_up(part) for part in table.key_field.split(AND)]

    def key_of(event: Event) -> Value:
        values = tuple(field.of(event, argument) for field, argument in fields)
        return values[0] if len(values) == 1 else values  # type: ignore[return-value]

    kept = Matches(store, compose("", (), declared))
    kept.update()
    expected = Counter(key_of(kept.at(index)) for index in range(len(kept)))
    for key, row in list(zip(keys, as_rows(table), strict=True))[:20]:
        level = Level(declared, table.key_field, key)
        selected = Matches(store, compose("", (level,), None))
        selected.update()
        assert len(selected) == expected[key]
        assert declared.drill_to
        deeper = as_rows(run(store, declared.drill_to, (level,)))
        for title, parts in SAME[view]:
            total = sum(each[part] or 0 for each in deeper for part in parts)
            assert total == pytest.approx(row[title] or 0)

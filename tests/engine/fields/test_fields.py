"""What fields say of events, threads, descriptors, users and containers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.decode.event import Event
from engine.events import CATALOGUE, FdKind
from engine.fields import FIELDS, look_up
from engine.fields.field import Place, Value
from engine.model.facts import Container, Group, Role, Socket, Thread, User
from engine.store.segment import NO_RESULT, UNKNOWN_LATENCY, Segment
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment, store

READ, WRITE, OPEN, CONNECT, BRK, SWITCH, ACCEPT = 7, 9, 3, 23, 105, 152, 247
INIT = Thread(tid=1, pid=1, ptid=0, leader=0, life=0, comm=b"systemd", sid=1)
SHELL = Thread(tid=50, pid=50, ptid=1, parent=0, leader=1, life=1, comm=b"bash", sid=50)
MAIN = Thread(
    tid=60,
    pid=60,
    ptid=50,
    parent=1,
    leader=2,
    life=2,
    comm=b"server",
    exe=b"/bin/server",
    args=(b"-p", b"80"),
    env=(b"A=1", b"AB=2"),
    cgroups=(b"cpu=/x", b"cpuset=/y"),
    container="c0ffee",
    uid=33,
    gid=5,
    sid=50,
    vm_size=2048,
)
WORKER = replace(MAIN, tid=61, parent=-1, life=3)


@pytest.fixture
def world() -> Store:
    """Four threads, a file and a socket; no events yet."""
    made = store(INIT, SHELL, MAIN, WORKER, files=(b"/etc/hosts",))
    ends = Socket(b"\x0a\0\0\1", 4000, b"\x0a\0\0\2", 80, 2, Role.SERVER)
    name = b"10.0.0.1:4000->10.0.0.2:80"
    made.fds.add(FdKind.IPV4, made.fds.identity(FdKind.IPV4, name, ends))
    made.fds.add(FdKind.UNIX, made.fds.identity(FdKind.UNIX, b"/run/docker.sock\n"))
    made.fds.publish()
    return made


def value(world: Store, name: str, row: Row) -> Value:
    """A field of one event."""
    made = segment([row])
    world.segments = [made]
    field, argument = look_up(name)
    return field.of(Event(world, made, 0), argument)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("proc.pid", 60),
        ("thread.tid", 61),
        ("thread.ismain", False),
        ("proc.ppid", 50),
        ("proc.pname", b"bash"),
        ("proc.aname", (b"bash", b"systemd")),
        ("proc.aname[0]", b"server"),
        ("proc.aname[2]", b"systemd"),
        ("proc.aname[3]", None),
        ("proc.apid[1]", 50),
        ("proc.loginshellid", 50),
        ("proc.sname", b"bash"),
        ("proc.args", b"-p 80"),
        ("proc.args[1]", b"80"),
        ("proc.args[2]", None),
        ("proc.env[A]", b"1"),
        ("proc.env[B]", None),
        ("proc.cmdline", b"server -p 80"),
        ("proc.exeline", b"/bin/server -p 80"),
        ("thread.cgroup.cpu", b"/x"),
        ("thread.cgroup.memory", None),
        ("thread.vmsize.b", 0),
        ("user.uid", 33),
        ("user.loginuid", -1),
        ("container.id", b"c0ffee"),
        ("container.name", None),
    ],
)
def test_threads(world: Store, name: str, expected: Value) -> None:
    assert value(world, name, Row(READ, thread=3)) == expected


def test_memory_is_told_by_the_main_thread(world: Store) -> None:
    assert value(world, "thread.vmsize.b", Row(READ, thread=2)) == 2048 * 1024


def test_ancestors_in_a_circle_end(world: Store) -> None:
    world.threads[0].parent = 2
    names = value(world, "proc.aname", Row(READ, thread=2))
    assert isinstance(names, tuple) and len(names) < 100
    world.threads[0].parent = -1


def test_nothing_is_known_of_no_thread(world: Store) -> None:
    for name, field in FIELDS.items():
        if field.place is Place.THREAD:
            argument = "1" if field.argument.value == "required" else None
            assert field.of(Event(world, segment([Row(READ)]), 0), argument) is None, name


def test_users_and_groups_of_the_container_come_first(world: Store) -> None:
    row = Row(READ, thread=2)
    assert value(world, "user.name", row) is None
    world.users["", 33] = User(33, 33, b"www-data", b"/var/www", b"/bin/false")
    world.groups["", 5] = Group(5, b"tty")
    assert (value(world, "user.name", row), value(world, "group.name", row)) == (b"www-data", b"tty")
    world.users["c0ffee", 33] = User(33, 33, b"app", b"/app", b"/bin/sh")
    assert [value(world, f"user.{name}", row) for name in ("name", "homedir", "shell")] == [b"app", b"/app", b"/bin/sh"]
    world.user_names = False
    assert (value(world, "user.name", row), value(world, "group.name", row)) == (b"33", b"5")


def test_containers(world: Store) -> None:
    row = Row(READ, thread=2)
    world.containers["c0ffee"] = Container("c0ffee", type=11, name="web", image="nginx:1", labels={"a.b": "c"})
    names = ("name", "image", "type", "label.a.b", "labels", "image.tag")
    assert [value(world, f"container.{name}", row) for name in names] == [
        *(b"web", b"nginx:1", b"podman", b"c", b"a.b:c", None),
    ]
    assert [value(world, f"container.{name}", Row(READ, thread=1)) for name in ("id", "name", "image")] == [
        *(b"host", b"host", None),
    ]


@pytest.mark.parametrize(
    ("name", "of_file", "of_socket", "of_unix", "of_none"),
    [
        ("fd.type", b"file", b"ipv4", b"unix", None),
        ("fd.typechar", b"f", b"4", b"u", None),
        ("fd.name", b"/etc/hosts", b"10.0.0.1:4000->10.0.0.2:80", b"/run/docker.sock", None),
        ("fd.directory", b"/etc", None, None, None),
        ("fd.filename", b"hosts", None, None, None),
        ("fd.cip", None, b"\x0a\0\0\1", None, None),
        ("fd.sip", None, b"\x0a\0\0\2", None, None),
        ("fd.lip", None, b"\x0a\0\0\2", None, None),
        ("fd.rport", None, 4000, None, None),
        ("fd.port", None, (4000, 80), None, None),
        ("fd.sproto", None, b"http", None, None),
        ("fd.l4proto", None, b"tcp", None, None),
        ("fd.sockfamily", None, b"ip", b"unix", None),
        ("fd.is_server", None, True, False, None),
        (
            "fd.containername",
            b"c0ffee:/etc/hosts",
            b"c0ffee:10.0.0.1:4000->10.0.0.2:80",
            b"c0ffee:/run/docker.sock",
            None,
        ),
        ("evt.category", b"file", b"net", b"ipc", b"unknown"),
        ("evt.buflen", 8, 8, 8, None),
        ("evt.buflen.file.in", 8, None, None, None),
        ("evt.buflen.net", None, 8, None, None),
        ("evt.buflen.out", None, None, None, None),
    ],
)
def test_descriptors(world: Store, name: str, of_file: Value, of_socket: Value, of_unix: Value, of_none: Value) -> None:
    found = [value(world, name, Row(READ, thread=2, fd_row=row, result=8)) for row in (0, 1, 2, -1)]
    assert found == [of_file, of_socket, of_unix, of_none]


@pytest.mark.parametrize(
    ("path", "directory", "name"),
    [(b"/x", b"/", b"x"), (b"/a/b/", b"/a/b/", b"/"), (b"x", b"/", b"x"), (b"", b"/", b"/"), (b"/", b"/", b"/")],
)
def test_directories_of_odd_paths(world: Store, path: bytes, directory: bytes, name: bytes) -> None:
    row = world.fds.add(FdKind.FILE, world.fds.identity(FdKind.FILE, path))
    world.fds.publish()
    event = Row(READ, thread=2, fd_row=row)
    assert (value(world, "fd.directory", event), value(world, "fd.filename", event)) == (directory, name)


@pytest.mark.parametrize(
    ("row", "res", "failed", "rawres"),
    [
        (Row(READ, result=8), b"SUCCESS", False, 8),
        (Row(READ, result=-2), b"ENOENT", True, -2),
        (Row(READ, result=-99999), b"99999", True, -99999),
        (Row(READ - 1), b"SUCCESS", False, None),
    ],
)
def test_results(world: Store, row: Row, res: bytes, failed: bool, rawres: int | None) -> None:
    assert [value(world, f"evt.{name}", row) for name in ("res", "failed", "rawres")] == [res, failed, rawres]


@pytest.mark.parametrize(
    ("row", "file", "net", "memory", "other"),
    [
        (Row(OPEN, result=-2), 1, 0, 0, 0),
        (Row(READ, fd_row=0, result=-5), 1, 0, 0, 0),
        (Row(READ, fd_row=1, result=-11), 0, 1, 0, 0),
        (Row(CONNECT, result=-111), 0, 1, 0, 0),
        (Row(ACCEPT, fd_row=2, result=-11), 0, 1, 0, 0),
        (Row(READ, result=-9), 0, 0, 0, 1),
        (Row(READ, fd_row=0, result=5), 0, 0, 0, 0),
    ],
)
def test_an_error_is_of_one_kind(world: Store, row: Row, file: int, net: int, memory: int, other: int) -> None:
    kinds = [value(world, f"evt.count.error.{kind}", row) for kind in ("file", "net", "memory", "other")]
    assert kinds == [file, net, memory, other]
    assert value(world, "evt.count.error", row) == sum((file, net, memory, other))


def test_a_call_counts_once(world: Store) -> None:
    counts = [value(world, "evt.count.exit", Row(code)) for code in (READ - 1, READ, SWITCH, 234)]
    assert counts == [0, 1, 0, 0]


def test_parts_of_a_measure_never_count_an_event_twice() -> None:
    kinds = [-1, *map(int, FdKind)]
    for field in FIELDS.values():
        for kind in CATALOGUE:
            parts = [measure for measure in field.measures if measure.types(kind)]
            for number in kinds:
                counting = [part for part in parts if part.fd_kinds is None or number in part.fd_kinds]
                assert len(counting) <= 1, (field.name, kind.name, number)


def test_times(world: Store) -> None:
    first = segment([Row(READ, time=1_000), Row(READ, time=1_500)])
    second = segment([Row(READ, time=4_000, latency=UNKNOWN_LATENCY), Row(READ, time=3_000, latency=9)], first=2)
    world.segments = [first, second]

    def column(name: str, of: Segment) -> list[Value]:
        field, argument = look_up(name)
        return [field.of(Event(world, of, row), argument) for row in range(len(of))]

    assert column("evt.num", second) == [3, 4]
    assert column("evt.reltime", second) == [3_000, 2_000]
    assert column("evt.deltatime", first) == [0, 500]
    assert column("evt.deltatime", second) == [2_500, -1_000]
    assert column("evt.latency", second) == [None, 9]
    assert column("evt.around[1500]", first) == [500, 0]


def test_cpu_percent_comes_from_the_sample_of_the_event(world: Store) -> None:
    made = segment([Row(234, thread=2), Row(234, thread=2)], samples=[(1, 2, 1, 300_000_000), (1, 2, 2, 200_000_000)])
    found = [[FIELDS[f"thread.cpu{part}"].of(Event(world, made, row)) for row in (0, 1)] for part in ("", ".user")]
    assert found == [[None, 50.0], [None, 30.0]]


def test_columns_without_any_descriptor_work() -> None:
    empty = store()
    for name in ("evt.category", "evt.buflen", "evt.count.error.other"):
        assert len(FIELDS[name].value(segment([Row(READ, result=-1)]), empty, None).values) == 1


def test_absent_results_are_no_numbers(world: Store) -> None:
    numbers = FIELDS["evt.rawres"].value(segment([Row(READ, result=NO_RESULT)]), world, None)
    assert not np.any(numbers.present)


def test_threads_of_the_kernel_are_shown_by_their_name_in_brackets_and_have_no_command_line() -> None:
    kernel = Thread(tid=40, pid=40, ptid=2, leader=0, life=0, comm=b"kworker/0:1")
    zombie = Thread(tid=41, pid=41, ptid=1, leader=1, life=1, comm=b"ended")
    world = store(kernel, zombie)
    assert value(world, "proc.exeline", Row(BRK, thread=0)) == b"[kworker/0:1]"
    assert value(world, "proc.exeline", Row(BRK, thread=1)) == b""
    assert value(world, "proc.cmdline", Row(BRK, thread=0)) == b"kworker/0:1"
    assert value(world, "proc.exe", Row(BRK, thread=0)) == b""

"""Relatives of processes: parents, ancestors, descendants, leaders of sessions and groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.fields import look_up
from engine.fields.field import Value
from engine.model.facts import Thread
from engine.store.store import Store
from tests.engine.query.handmade import store

INIT = Thread(tid=1, pid=1, ptid=0, leader=0, life=0, comm=b"systemd", vpid=1, sid=1, pgid=1, vpgid=1)
SHELL = Thread(
    tid=50,
    pid=50,
    ptid=1,
    parent=0,
    leader=1,
    life=1,
    comm=b"bash",
    exe=b"-bash",
    exepath=b"/bin/bash",
    args=(b"-l",),
    env=(b"TERM=xterm", b"HOME=/root"),
    vpid=50,
    sid=50,
    pgid=50,
    vpgid=50,
    started=7,
)
MAKE = replace(
    SHELL, tid=60, pid=60, ptid=50, parent=1, leader=2, life=2, comm=b"make", vpid=60, pgid=60, vpgid=60, env=()
)
CC = replace(MAKE, tid=70, pid=70, ptid=60, parent=2, leader=3, life=3, comm=b"cc", vpid=70)
ORPHAN = replace(CC, ptid=1, parent=0, leader=4)
"""What CC is after MAKE has ended."""
INSIDE = replace(INIT, tid=80, pid=80, ptid=50, parent=1, leader=5, life=4, comm=b"sleep", vpid=1)


@pytest.fixture
def world() -> Store:
    return store(INIT, SHELL, MAKE, CC, ORPHAN, INSIDE)


def of(world: Store, thread: Thread, name: str) -> Value:
    field, argument = look_up(name)
    value: Value = field.value(thread, world, argument)
    return value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("proc.pexe", b"-bash"),
        ("proc.pexepath", b"/bin/bash"),
        ("proc.pvpid", 50),
        ("proc.ppid.ts", 7),
        ("proc.aexe[1]", b"-bash"),
        ("proc.aexepath[1]", b"/bin/bash"),
        ("proc.aexepath", (b"/bin/bash", b"")),
        ("proc.acmdline[1]", b"bash -l"),
        ("proc.acmdline[0]", b"make -l"),
        ("proc.aargs[1]", b"-l"),
        ("proc.aenv[1]", b"TERM=xterm HOME=/root"),
        ("proc.aenv[TERM]", b"xterm"),
        ("proc.aenv[SHELL]", None),
        ("proc.sname", b"bash"),
        ("proc.sid.exe", b"-bash"),
        ("proc.sid.exepath", b"/bin/bash"),
        ("proc.is_sid_leader", False),
        ("proc.pgid.name", b"make"),
        ("proc.is_pgid_leader", True),
        ("proc.vpgid.name", b"make"),
        ("proc.is_vpgid_leader", True),
        ("proc.tree.pid", (60, 50, 1)),
        ("proc.tree.name", (b"make", b"bash", b"systemd")),
    ],
)
def test_relatives_of_a_process(world: Store, name: str, expected: Value) -> None:
    assert of(world, MAKE, name) == expected


def test_who_was_taken_in_by_another_still_descends_from_its_makers(world: Store) -> None:
    assert of(world, ORPHAN, "proc.apid") == (1,)
    assert of(world, ORPHAN, "proc.tree.pid") == (70, 60, 50, 1)


def test_a_group_whose_leader_is_no_ancestor_is_led_by_whoever_has_the_number(world: Store) -> None:
    assert of(world, ORPHAN, "proc.pgid.name") == b"make"
    world.threads[2].ended = 0
    orphan = replace(ORPHAN, first=9)
    assert of(world, orphan, "proc.pgid.name") == b"cc"


def test_numbers_inside_a_namespace_name_nobody_outside(world: Store) -> None:
    assert of(world, INSIDE, "proc.sname") == b"sleep"
    assert of(world, INSIDE, "proc.is_sid_leader") is True


def test_threads_without_facts_lead_nothing(world: Store) -> None:
    unknown = Thread(90)
    assert [of(world, unknown, f"proc.{name}") for name in ("sname", "is_sid_leader", "is_pgid_leader")] == [
        *(None, False, False),
    ]


def test_of_an_unknown_session_the_oldest_process_is_named(world: Store) -> None:
    for row in (1, 2):
        world.threads[row] = replace(world.threads[row], sid=-1)
    assert of(world, world.threads[2], "proc.sname") == b"bash"
    assert of(world, world.threads[2], "proc.is_sid_leader") is False


def test_a_leader_nothing_is_known_of_is_not_named(world: Store) -> None:
    world.threads.append(Thread(tid=99))
    assert of(world, replace(MAKE, sid=99), "proc.sname") == b"make"


def test_a_circle_of_ancestors_ends(world: Store) -> None:
    looped = replace(SHELL, parent=2)
    world.threads[1] = looped
    tree = of(world, MAKE, "proc.tree.pid")
    assert isinstance(tree, tuple) and len(tree) < 100

"""The blocks around events, in every version."""

from __future__ import annotations

import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from engine.events import FdKind
from engine.model.facts import NO_ID, Group, Interface, Machine, Role, Socket, Thread, User
from engine.sources.metadata import FdEntry
from tests import scapfile
from tests.engine.sources.recorder import Recorder, record
from tests.scapfile import Entry, block, event, fd_list, interfaces, machine, process_list, renumber, section, users

FULL = Thread(
    tid=4000000000,
    pid=4000000000,
    ptid=7,
    comm=b"worker \xff",
    exe=b"/opt/worker",
    exepath=b"/opt/bin/worker",
    args=(b"--name", b"", b"x y"),
    env=(b"A=1", b"B="),
    cwd=b"/srv/data/",
    root=b"/chroot",
    cgroups=(b"cpu=/a", b"memory=/b"),
    flags=0x41,
    uid=1000,
    gid=100,
    loginuid=1001,
    vtid=5,
    vpid=6,
    sid=8,
    pgid=9,
    vpgid=10,
    tty=34816,
    fdlimit=1024,
    vm_size=11,
    vm_rss=12,
    vm_swap=13,
    pf_major=14,
    pf_minor=15,
    cap_inheritable=1,
    cap_permitted=2,
    cap_effective=3,
    exe_flags=0b1111,
    exe_ino=16,
    exe_ino_ctime=17,
    exe_ino_mtime=18,
    pidns_init_start=19,
)
OTHER = Thread(tid=1, pid=1, ptid=0, comm=b"init", cwd=b"/", sid=1, vpgid=1, vtid=1, vpid=1, uid=0, gid=0)
DEFAULTS: dict[str, Any] = {each.name: each.default for each in fields(Thread) if each.name != "tid"}
SINCE = {
    2: ("vm_size", "vm_rss", "vm_swap", "pf_major", "pf_minor"),
    3: ("env",),
    4: ("vtid", "vpid", "cgroups"),
    5: ("root",),
    6: ("sid",),
    7: ("exepath",),
    8: ("vpgid",),
}
TAIL_FACTS = (
    *("loginuid", "exe_flags", "cap_inheritable", "cap_permitted", "cap_effective", "pidns_init_start", "tty"),
    *("exe_ino", "exe_ino_ctime", "exe_ino_mtime", "pgid"),
)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Read a section with these blocks in front of one event."""

    def read(*metadata: bytes) -> Recorder:
        path = tmp_path / "a.scap"
        path.write_bytes(section() + b"".join(metadata) + event(0, 1, 1, []))
        recorder = record(path)
        assert recorder.types == {0: 1}
        return recorder

    return read


def facts(thread: Thread) -> dict[str, Any]:
    return {each.name: getattr(thread, each.name) for each in fields(Thread)}


def absent(*names: str) -> dict[str, Any]:
    return {name: DEFAULTS[name] for name in names}


@pytest.mark.parametrize("version", range(1, 10))
def test_a_process_list_tells_what_its_version_knows(read: Any, version: int) -> None:
    unknown = [name for since, names in SINCE.items() if since > version for name in names]
    if version < 9:
        unknown += TAIL_FACTS
    recorder = read(process_list(version, [FULL, OTHER]))
    assert [thread.tid for thread in recorder.threads] == [FULL.tid, OTHER.tid]
    assert facts(recorder.threads[0]) == facts(replace(FULL, **absent(*unknown)))


@pytest.mark.parametrize(
    ("tail", "known"),
    [
        (0, ()),
        (4, ("loginuid",)),
        (5, ("loginuid", "writable")),
        (29, ("loginuid", "writable", "cap_inheritable", "cap_permitted", "cap_effective")),
        (66, (*TAIL_FACTS[:-1], "writable", "upper")),
        (67, (*TAIL_FACTS[:-1], "writable", "upper", "memfd")),
        (68, (*TAIL_FACTS[:-1], "writable", "upper", "memfd", "lower")),
        (76, (*TAIL_FACTS, "writable", "upper", "memfd", "lower")),
        (90, (*TAIL_FACTS, "writable", "upper", "memfd", "lower")),
    ],
)
def test_the_tail_of_an_entry_tells_as_much_as_its_writer_knew(read: Any, tail: int, known: tuple[str, ...]) -> None:
    bits = sum(1 << bit for bit, name in enumerate(("writable", "upper", "memfd", "lower")) if name in known)
    expected = replace(FULL, **absent(*(name for name in TAIL_FACTS if name not in known)))
    recorder = read(process_list(9, [FULL, OTHER], tail))
    assert facts(recorder.threads[0]) == facts(replace(expected, exe_flags=bits))
    assert recorder.threads[1].tid == OTHER.tid


def test_a_loginuid_that_was_not_told_is_no_id(read: Any) -> None:
    assert read(process_list(9, [FULL], 0)).threads[0].loginuid == NO_ID


def test_capabilities_zeroed_by_a_library_that_saved_the_file_again_are_unknown(read: Any) -> None:
    saved_again = replace(FULL, cap_inheritable=0, cap_permitted=0, cap_effective=0, pidns_init_start=0)
    native = replace(saved_again, pidns_init_start=19)
    first, second = read(process_list(9, [saved_again, native])).threads
    assert first.cap_permitted is None
    assert second.cap_permitted == 0


@pytest.mark.parametrize(
    ("raw", "args"), [(b"", ()), (b"a\0b\0", (b"a", b"b")), (b"a\0b", (b"a", b"b")), (b"\0", (b"",))]
)
def test_arguments_may_lack_their_last_nul(read: Any, raw: bytes, args: tuple[bytes, ...]) -> None:
    entry = struct.pack("<QQQHHH", 1, 1, 0, 0, 0, len(raw)) + raw + struct.pack("<HqIII", 0, 0, 0, 0, 0)
    assert read(block(0x202, entry)).threads[0].args == args


def test_a_working_directory_ends_in_a_slash(read: Any) -> None:
    threads = [replace(OTHER, cwd=cwd) for cwd in (b"/", b"/a/b", b"")]
    assert [thread.cwd for thread in read(process_list(9, threads)).threads] == [b"/", b"/a/b/", b"/"]


V4, OTHER_V4 = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
V6, OTHER_V6 = bytes(range(16)), bytes(range(16, 32))
ENTRIES = [
    Entry(3, FdKind.IPV4, b"", Socket(V4, 40000, OTHER_V4, 80, 2, Role.NONE), ino=7),
    Entry(4, FdKind.IPV6, b"", Socket(V6, 40000, OTHER_V6, 443, 3, Role.NONE)),
    Entry(5, FdKind.IPV4_SERVER, b"", Socket(b"", 0, V4, 8080, 2, Role.NONE)),
    Entry(6, FdKind.IPV6_SERVER, b"", Socket(b"", 0, V6, 8443, 2, Role.NONE)),
    Entry(7, FdKind.UNIX, b"/run/x.sock"),
    Entry(8, FdKind.FILE_V2, b"/etc/passwd", flags=4097, dev=0x801, ino=2**40),
    *(
        Entry(20 + kind, kind, b"pipe:[1]")
        for kind in FdKind
        if kind not in (FdKind.UNKNOWN, FdKind.IPV4, FdKind.IPV6, FdKind.IPV4_SERVER, FdKind.IPV6_SERVER)
        and kind not in (FdKind.UNIX, FdKind.FILE_V2)
    ),
]


@pytest.mark.parametrize("version", [1, 2])
def test_an_fd_list_tells_every_kind(read: Any, version: int) -> None:
    expected = [
        (
            77,
            FdEntry(
                *(each.number, FdKind(each.kind), each.name, each.socket, each.flags),
                each.dev if version == 2 else 0,
                each.ino,
            ),
        )
        for each in ENTRIES
    ]
    assert read(fd_list(77, ENTRIES, version)).fds == expected


def test_an_fd_of_a_kind_from_the_future_is_unsupported_and_the_next_is_read(read: Any) -> None:
    recorder = read(fd_list(1, [Entry(3, 200, b"new"), Entry(4, FdKind.FIFO, b"pipe:[2]")]))
    assert [(fd.number, fd.kind) for _, fd in recorder.fds] == [(3, FdKind.UNSUPPORTED), (4, FdKind.FIFO)]
    assert recorder.damage == []


def test_an_unknown_kind_in_an_old_fd_list_ends_that_list_only(read: Any) -> None:
    known = Entry(3, FdKind.FIFO, b"pipe:[2]")
    recorder = read(fd_list(1, [known, Entry(4, 200, b"new"), known], 1), fd_list(2, [known], 1))
    assert [(tid, fd.number) for tid, fd in recorder.fds] == [(1, 3), (2, 3)]
    (damage,) = recorder.damage
    assert damage.expected == "expected a known fd type, found 200: the rest of the list is left out"
    assert not damage.ends


def test_an_fd_list_may_hold_its_tid_only(read: Any) -> None:
    recorder = read(fd_list(1, []), fd_list(2, [Entry(0, FdKind.FIFO, b"pipe:[1]")]))
    assert [tid for tid, _ in recorder.fds] == [2]


LO = Interface(b"lo", bytes([127, 0, 0, 1]), bytes([255, 0, 0, 0]), bytes([127, 255, 255, 255]), 0)
ETH = Interface(b"eth0", V6, b"\xff" * 16, OTHER_V6, 10**10)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("speeds", [True, False])
def test_an_interface_list_tells_addresses_of_both_families(read: Any, version: int, speeds: bool) -> None:
    expected = [LO, ETH if speeds else ETH._replace(speed=0)]
    assert read(interfaces([LO, ETH], version, speeds=speeds)).interfaces == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 45])
@pytest.mark.parametrize("speeds", [True, False])
def test_an_interface_list_whose_length_is_too_small_is_read_whole(read: Any, count: int, speeds: bool) -> None:
    links = [LO._replace(name=b"veth%d" % number) for number in range(count)]
    sound = interfaces(links, speeds=speeds)
    length = struct.pack("<I", len(sound) - count * (4 if speeds else 12))
    recorder = read(sound[:4] + length + sound[8:-4] + length, users([User(0, 0, b"root", b"/root", b"/bin/sh")]))
    assert [link.name for link in recorder.interfaces] == [link.name for link in links]
    assert [user.name for user in recorder.users] == [b"root"]
    assert recorder.damage == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_user_list_tells_users_and_groups(read: Any, version: int) -> None:
    root, wheel = User(0, 1, b"root", b"/root", b"/bin/sh"), Group(10, b"wheel")
    recorder = read(users([root, wheel, root._replace(uid=5)], version))
    assert recorder.users == [root, root._replace(uid=5)]
    assert recorder.groups == [wheel]


def test_the_machine_is_told(read: Any) -> None:
    told = machine(cpus=8, memory=2**34, max_pid=2**22, hostname=b"host", boot_time=10**18)
    assert read(told).machines == [Machine(8, 2**34, 2**22, b"host", 10**18)]


def test_numbers_from_before_the_first_release_mean_the_same(read: Any) -> None:
    known = [
        machine(cpus=3),
        process_list(1, [OTHER]),
        process_list(2, [OTHER]),
        process_list(3, [OTHER]),
        fd_list(1, [Entry(0, FdKind.FIFO, b"pipe:[1]")], 1),
        interfaces([LO], 1),
        users([Group(0, b"root")], 1),
    ]
    old = read(*(renumber(each, scapfile.LEGACY[struct.unpack_from("<I", each)[0]]) for each in known))
    new = read(*known)
    assert (old.machines, old.fds, old.interfaces, old.groups) == (new.machines, new.fds, new.interfaces, new.groups)
    assert list(map(facts, old.threads)) == list(map(facts, new.threads))
    assert len(old.threads) == 3


@pytest.mark.parametrize("version", range(1, 10))
def test_threads_before_a_damaged_one_are_kept(read: Any, version: int) -> None:
    kind, lists = scapfile.PROCESS_LISTS[version], process_list(version, [OTHER, FULL])
    recorder = read(block(kind, lists[8:-12]), process_list(version, [OTHER]))
    assert [thread.tid for thread in recorder.threads] == [OTHER.tid, OTHER.tid]
    (damage,) = recorder.damage
    assert damage.expected.startswith("expected ")
    assert len(section()) + 8 < damage.offset < len(section() + lists)
    assert not damage.ends

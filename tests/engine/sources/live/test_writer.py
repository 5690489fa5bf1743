"""What is written opens again, here and in sysdig."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.decode.pairs import Pairs
from engine.events import SYSCALLS, FdKind
from engine.model.facts import Group, Interface, Machine, Role, Socket, Thread, User
from engine.sources import open_capture
from engine.sources.live.writer import Facts, ScapFile
from engine.store.segment import HIDDEN
from engine.store.store import Store
from tests import scapfile

THREAD = Thread(
    tid=10, pid=10, ptid=1, comm=b"nginx", exe=b"nginx", exepath=b"/usr/sbin/nginx", args=(b"-g", b"daemon off;"),
    env=(b"A=1", b"B=2"), cwd=b"/srv/www/", root=b"/", cgroups=(b"memory=/a", b"unified=/b"), uid=33, gid=34,
    loginuid=1000, vtid=4, vpid=4, sid=9, vpgid=8, fdlimit=1024, vm_size=100, vm_rss=50, vm_swap=1, pf_major=2,
    pf_minor=3, cap_inheritable=0, cap_permitted=5, cap_effective=6,
)  # fmt: skip
READ = scapfile.event(7, 10, 5_000, scapfile.pack(7, res=3, data=b"abc", fd=5, size=64))
DUP2 = scapfile.event(363, 10, 5_500, scapfile.pack(363, res=1, oldfd=7, newfd=1))
GENERIC = scapfile.event(1, 10, 5_500, [struct.pack("<H", 4), struct.pack("<H", 1), struct.pack("<q", -9)])
"""The exit of a generic call with the result that only events of ours have."""
EXIT = scapfile.event(186, 10, 6_000, scapfile.pack(186, status=0, ret=0, sig=0, core=0, reaper_tid=0))


def facts() -> Facts:
    told = Facts()
    told.machine(Machine(4, 1 << 30, 32768, b"host", 77))
    told.interface(Interface(b"eth0", bytes([10, 0, 0, 1]), bytes([255, 0, 0, 0]), bytes(4), 0))
    told.user(User(33, 34, b"www", b"/srv", b"/bin/sh"))
    told.group(Group(34, b"wwwg"))
    told.thread(THREAD)
    told.fd(10, 5, FdKind.FILE_V2, b"/etc/passwd", None, 1, 0x801, 99)
    ends = Socket(bytes([10, 0, 0, 1]), 4000, bytes([10, 0, 0, 2]), 80, 2, Role.NONE)
    told.fd(10, 6, FdKind.IPV4, b"", ends, 0, 0, 0)
    told.fd(10, 7, FdKind.IPV6_SERVER, b"", Socket(b"", 0, bytes(16), 443, 2, Role.NONE), 0, 0, 0)
    told.fd(10, 8, FdKind.UNIX, b"/run/x", None, 0, 0, 0)
    told.fd(10, 9, FdKind.PIDFD, b"/proc/1", None, 0, 0, 0)
    return told


def opened(path: Path) -> Store:
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    assert store.damage == []
    return store


def events(store: Store) -> list[Event]:
    return [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]


def written(path: Path, blocks: bytes, latencies: list[int], *, compress: bool = False, old: bool = False) -> Path:
    file = ScapFile(path, facts(), compress=compress, old=old)
    file.events(memoryview(blocks), np.array(latencies))
    file.close()
    return path


def test_a_call_becomes_an_enter_with_its_own_time_and_its_exit(tmp_path: Path) -> None:
    store = opened(written(tmp_path / "x.scap", READ + EXIT, [1_200, 0]))
    enter, exit_, end = events(store)
    assert (enter.type.name, enter.type.is_exit, enter.time) == ("read", False, 3_800)
    assert enter.params == (struct.pack("<q", 5), struct.pack("<I", 64))
    assert (exit_.time, exit_.latency) == (5_000, 1_200)
    assert exit_.params == tuple(scapfile.pack(7, res=3, data=b"abc", fd=5, size=64))
    assert end.type.name == "procexit"
    assert exit_.fd is not None and exit_.fd.name == b"/etc/passwd"


def test_a_call_whose_start_was_not_seen_stays_alone(tmp_path: Path) -> None:
    (event,) = events(opened(written(tmp_path / "x.scap", READ, [-1])))
    assert event.type.is_exit
    assert event.latency is None


@pytest.mark.parametrize("compress", [False, True])
def test_facts_come_back(tmp_path: Path, compress: bool) -> None:
    path = written(tmp_path / "x.scap", READ, [1], compress=compress)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == compress
    store = opened(path)
    thread = store.threads[0]
    for name in ("tid", "pid", "ptid", "comm", "exe", "exepath", "args", "env", "cwd", "root", "cgroups", "uid", "gid",
                 "loginuid", "vtid", "vpid", "sid", "vpgid", "fdlimit", "vm_size", "vm_rss", "vm_swap", "pf_major",
                 "pf_minor", "cap_permitted", "cap_effective"):  # fmt: skip
        assert getattr(thread, name) == getattr(THREAD, name), name
    assert store.machine == Machine(4, 1 << 30, 32768, b"host", 77)
    assert store.users["", 33].shell == b"/bin/sh"
    assert store.groups["", 34].name == b"wwwg"
    assert store.interfaces[0].name == b"eth0"
    kinds = {identity.kind for identity in store.fds.identities}
    assert {FdKind.FILE_V2, FdKind.IPV4, FdKind.IPV6_SERVER, FdKind.UNIX, FdKind.PIDFD} <= kinds


def test_what_is_more_than_the_format_can_tell_becomes_the_most_it_can(tmp_path: Path) -> None:
    told = Facts()
    # The address space of a program under a sanitizer has 20 TiB.
    told.thread(
        replace(THREAD, vm_size=20 << 30, vm_rss=1 << 32, pf_major=None, uid=2**64 - 1, flags=-1, fdlimit=2**64 - 1)
    )
    ScapFile(tmp_path / "x.scap", told).close()
    thread = opened(tmp_path / "x.scap").threads[0]
    assert (thread.vm_size, thread.vm_rss, thread.pf_major) == (2**32 - 1, 2**32 - 1, 0)
    assert (thread.uid, thread.flags, thread.fdlimit) == (2**32 - 1, 0, 2**63 - 1)


def test_hidden_events_are_kept_for_their_effect_only() -> None:
    blocks = Pairs(len(SYSCALLS)).blocks(
        memoryview(READ + EXIT), np.array([7, 0]), np.array([0, len(READ)]), np.array([1, 0], np.uint8)
    )
    path = bytes(blocks)
    kinds = []
    at = 0
    while at < len(path):
        kind, length = struct.unpack_from("<II", path, at)
        assert struct.unpack_from("<I", path, at + length - 4) == (length,)
        kinds.append(kind)
        at += length
    assert kinds == [0x217, 0x217, 0x216]


@pytest.mark.parametrize("hidden", [0, 1])
def test_results_of_generic_calls_stay_out_of_files(hidden: int) -> None:
    pair = bytes(
        Pairs(len(SYSCALLS)).blocks(memoryview(GENERIC), np.array([70]), np.array([0]), np.array([hidden], np.uint8))
    )
    params = [struct.pack("<H", 4), struct.pack("<H", 1)]
    flags = 1 if hidden else None
    assert pair == scapfile.event(0, 10, 5_430, params, flags=flags) + scapfile.event(1, 10, 5_500, params, flags=flags)
    # sysdig 0.29.3 does not survive codes that are too great.
    low = bytes(Pairs(3).blocks(memoryview(GENERIC), np.array([-1])))
    assert low == scapfile.event(1, 10, 5_500, [bytes(2), params[1]])


def test_calls_sysdig_0_29_does_not_know_are_written_as_older_ones() -> None:
    dup3, accept4 = 365, 389
    told = {"res": 1, "oldfd": 7, "newfd": 1, "flags": 0}
    accepted = {"fd": 5, "queuepct": 20, "queuelen": 1, "queuemax": 5, "flags": 0x80000}
    blocks = scapfile.event(dup3, 10, 5_500, scapfile.pack(dup3, **told))
    blocks += scapfile.event(accept4, 10, 5_600, scapfile.pack(accept4, **accepted))
    old = bytes(Pairs(328, old=True).blocks(memoryview(blocks), np.array([100, 50])))
    assert old == b"".join(
        (
            scapfile.event(124, 10, 5_400, scapfile.pack(124, fd=7)),
            scapfile.event(125, 10, 5_500, scapfile.pack(125, res=1)),
            scapfile.event(248, 10, 5_550, scapfile.pack(248, flags=0x80000)),
            scapfile.event(249, 10, 5_600, scapfile.pack(249, fd=5, queuepct=20, queuelen=1, queuemax=5)),
        )
    )
    assert bytes(Pairs(328).blocks(memoryview(blocks), np.array([-1, -1]))) == blocks


def test_a_start_outside_the_bytes_is_refused() -> None:
    for start in (-1, len(READ), len(READ) - 8):
        with pytest.raises(ValueError, match="no event block"):
            Pairs(0).blocks(memoryview(READ), np.array([0]), np.array([start]))


def test_lengths_that_lie_do_not_reach_beyond_their_block() -> None:
    rng = np.random.default_rng(3)
    for turn in range(4000):
        whole = (READ, GENERIC, DUP2)[turn % 3]
        wrong = bytearray(whole)
        for _ in range(3):
            wrong[int(rng.integers(8, len(wrong)))] = int(rng.integers(0, 256))
        blocks = Pairs(0, old=True).blocks(memoryview(wrong), np.array([7]))
        assert len(whole) - 12 <= len(blocks) <= 2 * len(whole) + 256


@pytest.mark.skipif(not shutil.which("sysdig"), reason="sysdig is not installed")
def test_sysdig_reads_what_is_written_for_it(tmp_path: Path) -> None:
    code = len(SYSCALLS) - 1
    unknown = scapfile.event(1, 10, 5_500, [struct.pack("<H", code), struct.pack("<H", 3)])
    path = written(tmp_path / "x.scap", READ + unknown + EXIT, [1_200, 5, 0], old=True)
    shown = "%evt.num %evt.dir %evt.type %evt.latency %proc.name %fd.name %user.loginuid"
    done = subprocess.run(["sysdig", "-r", path, "-p", f"*{shown}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "1 > read 0 nginx /etc/passwd 1000",
        "2 < read 1200 nginx /etc/passwd 1000",
        "3 > <unknown> 0 nginx <NA> 1000",
        "4 < <unknown> 5 nginx <NA> 1000",
        "5 > procexit 0 nginx <NA> 1000",
    ]


def test_what_was_flushed_opens_though_the_file_was_never_finished(tmp_path: Path) -> None:
    file = ScapFile(tmp_path / "x.scap", facts(), compress=True)
    file.events(memoryview(READ), np.array([9]))
    file.flush()
    (tmp_path / "killed.scap").write_bytes((tmp_path / "x.scap").read_bytes())
    file.close()
    with pytest.raises(EOFError):
        gzip.decompress((tmp_path / "killed.scap").read_bytes())
    source = open_capture(tmp_path / "killed.scap")
    store = Store(source.raw)
    decoder = Decoder(store, "killed")
    while source.step(decoder):
        pass
    assert [event.type.name for event in events(store) if not event.segment.flags[event.row] & HIDDEN] == ["read"] * 2


@pytest.mark.parametrize("compress", [False, True])
def test_the_size_of_a_file_is_what_it_grew_by_compressed_or_not(compress: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    file = ScapFile(path, facts(), compress=compress)
    begun = path.stat().st_size
    assert file.size == 0
    for _ in range(100):
        file.events(memoryview(READ), np.array([9]))
    file.flush()
    assert file.size == path.stat().st_size - begun > 0
    file.close()
    assert (len(READ) * 100 > file.size) == compress


def _second(line: str) -> int:
    hours, minutes, seconds = map(int, line.partition(" ")[0].split(":"))
    return (hours * 60 + minutes) * 60 + seconds


@pytest.mark.skipif(not shutil.which("sysdig"), reason="sysdig is not installed")
def test_a_long_call_makes_chisels_that_print_every_second_go_back_once_and_lose_nothing(tmp_path: Path) -> None:
    second = 10**9
    begin = 1_700_000_000 * second
    told = facts()
    told.thread(replace(THREAD, tid=20, pid=20))
    told.fd(20, 5, FdKind.FILE_V2, b"/etc/shadow", None, 1, 0, 0)

    def call(tid: int, time: int, size: int) -> bytes:
        return scapfile.event(7, tid, begin + time, scapfile.pack(7, res=size, data=b"abc", fd=5, size=64))

    short = [(10, step * second // 2, 1000, 1000) for step in range(1, 25)]
    calls = sorted([*short, (20, 11 * second + 7, 5, 10 * second)], key=lambda one: one[1])
    path = tmp_path / "x.scap"
    file = ScapFile(path, told, old=True)
    for tid, time, size, latency in calls:
        file.events(memoryview(call(tid, time, size)), np.array([latency]))
    file.close()
    done = subprocess.run(["sysdig", "-r", path, "-c", "iobytes"], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    # As at the end of any file, the interval that has just begun is not printed: the last call is not among them.
    assert sum(int(line.rpartition("tot:")[2]) for line in lines) == 23 * 1000 + 5
    seconds = [_second(line) for line in lines]
    # Where the enter of the ten seconds stands, an interval ends at its time; the next one ends where time was.
    assert [after - before for before, after in pairwise(seconds)].count(-10) == 1
    assert sorted(set(seconds)) == list(range(min(seconds), max(seconds) + 1))
    slow = subprocess.run(["sysdig", "-r", path, "-c", "fileslower", "1"], capture_output=True, text=True, check=True)
    assert [line.split()[-2:] for line in slow.stdout.splitlines()[2:]] == [["10000", "/etc/shadow"]]

"""Events become columns: whose they are, what they are about, how long they took."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.decoder import FIRST_SEGMENT, Decoder
from engine.decode.stop import Stop
from engine.events import CATALOGUE, GENERIC, SYSCALLS, UNKNOWN_TYPE, FdKind
from engine.store.segment import HIDDEN, NO_ROW, Sample
from engine.store.store import Store
from tests.engine.decode.decoded import Bytes, Machine, listed
from tests.scapfile import LEGACY, event, pack, renumber

GENERIC_ENTER, GENERIC_EXIT = 0, 1
CLOSE_ENTER, CLOSE, READ_ENTER, READ = 4, 5, 6, 7
OPEN_ENTER, OPEN, OPENAT_ENTER, OPENAT = 2, 3, 306, 307
SWITCH, PROCINFO, BRK, DUP, FCNTL_ENTER, FCNTL = 152, 234, 159, 125, 150, 151
SIGNAL, USER_ADDED, DUP_ENTER = 232, 354, 124
O_CLOEXEC, O_DIRECTORY = 4096, 1024


def test_latency_is_from_enter_to_exit_of_the_same_thread() -> None:
    seen = Machine(listed(10), listed(11))
    seen.happens(READ_ENTER, 10, fd=3, size=1)
    seen.happens(READ_ENTER, 11, fd=3, size=1)
    assert seen.happens(READ, 10, after=500, count=2, res=1).latency == 1500


def test_switches_between_enter_and_exit_do_not_disturb_the_pair() -> None:
    seen = Machine(listed(10))
    seen.happens(READ_ENTER, 10, fd=3, size=1)
    seen.happens(SWITCH, 10, next=0)
    read = seen.happens(READ, 10, count=2, res=1)
    assert (read.latency, read.fd_number) == (2000, 3)


def test_an_exit_without_any_enter_has_no_latency() -> None:
    assert Machine(listed(10)).happens(READ, 10, count=2, res=1).latency is None


def test_where_exits_tell_everything_an_enter_of_another_call_gives_no_latency() -> None:
    seen = Machine(listed(10))
    seen.happens(OPENAT_ENTER, 10, dirfd=-100, name="/a", flags=1)
    assert seen.happens(OPENAT, 10, fd=3, dirfd=-100, name="/a", flags=1).latency == 1000
    assert seen.happens(READ, 10, res=1, fd=3, size=1).latency is None


def test_an_unknown_fd_stays_unknown_when_the_enter_was_lost() -> None:
    read = Machine(listed(10)).happens(READ, 10, count=2, res=1)
    assert (read.fd_number, read.fd) == (None, None)


def test_results_keep_their_sign_and_width() -> None:
    seen = Machine(listed(10))
    assert seen.happens(READ, 10, count=2, res=-11).result == -11
    assert seen.happens(203, 10, uid=0xFFFFFFFE).result == 0xFFFFFFFE
    assert seen.happens(GENERIC_EXIT, 10, ID=5).result is None


def test_generic_calls_are_typed_by_code_else_by_native_number() -> None:
    seen = Machine(listed(10))
    code = SYSCALLS.index("rseq")
    assert seen.happens(GENERIC_ENTER, 10, ID=code, nativeID=0).type.code == GENERIC + 2 * code
    assert seen.happens(GENERIC_ENTER, 10, ID=0, nativeID=334).type.name == "rseq"
    assert seen.happens(GENERIC_EXIT, 10, count=1, ID=5000).type.code == GENERIC + 1


def test_a_generic_call_that_was_not_left_is_known_by_its_name() -> None:
    seen = Machine(listed(10))
    seen.happens(GENERIC_ENTER, 10, ID=SYSCALLS.index("epoll_pwait"), nativeID=0)
    assert [(tid, CATALOGUE[code].name) for tid, code, *_ in seen.decoder.inside()] == [(10, "epoll_pwait")]


@pytest.mark.parametrize("code", [OPEN, READ, 293, 223])
def test_old_records_have_their_parameter_count_reconstructed(code: int) -> None:
    for size in (count for count in CATALOGUE[code].counts if count <= len(CATALOGUE[code].params)):
        seen = Machine(listed(10))
        made = seen.feed(event(code, 10, 5, [b"\1" * (8 if at == 0 else 3) for at in range(size)], version=1))
        assert made.type.code == code
        assert sum(value is not None for value in made.params) == size


def test_a_record_whose_lengths_do_not_add_up_is_kept_as_unknown() -> None:
    seen = Machine(listed(10))
    broken = bytearray(event(READ, 10, 7, pack(READ, 2, res=1, data=b"xyz")))
    struct.pack_into("<H", broken, 36, 60000)
    made = seen.feed(bytes(broken))
    assert (made.type.code, made.time, made.thread.tid if made.thread else None) == (UNKNOWN_TYPE, 7, 10)


def test_types_newer_than_the_catalogue_are_counted() -> None:
    seen = Machine(listed(10))
    raw = bytearray(event(READ, 10, 7, [bytes(8)]))
    struct.pack_into("<H", raw, 30, 460)
    assert seen.feed(bytes(raw)).type.code == UNKNOWN_TYPE
    assert seen.happens(READ, 10, count=2, res=0).number == 2


@pytest.mark.parametrize("flags", [None, 0, 1])
@pytest.mark.parametrize("version", [1, 2])
def test_only_state_only_events_are_hidden(flags: int | None, version: int) -> None:
    made = Machine(listed(10)).feed(event(READ, 10, 7, pack(READ, 2, res=0), flags=flags, version=version))
    assert bool(made.segment.flags[made.row] & HIDDEN) == (flags == 1)


def test_user_events_in_front_of_the_first_real_event_are_hidden() -> None:
    seen = Machine(listed(10))
    values = {"uid": 1, "gid": 1, "name": "u", "home": "/", "shell": "/bin/sh"}
    flags = []
    for code, tid, facts in ((USER_ADDED, -1, values), (READ, 10, {"res": 0}), (USER_ADDED, -1, values)):
        made = seen.happens(code, tid, **facts)
        flags.append(int(made.segment.flags[made.row]))
    assert flags == [HIDDEN, 0, 0]


def test_blocks_of_the_oldest_numbers_are_events() -> None:
    old = renumber(event(READ, 10, 7, pack(READ, 2, res=3), version=1), LEGACY[0x204])
    assert Machine(listed(10)).feed(old).result == 3


@pytest.mark.parametrize(
    ("damage", "stop"),
    [
        (lambda block: block[:-1], Stop.MORE),
        (lambda block: block[:5], Stop.MORE),
        (lambda block: block[:-4] + b"\0\0\0\0", Stop.DAMAGE),
        (lambda block: block[:4] + struct.pack("<I", 13) + block[8:], Stop.DAMAGE),
        (lambda block: b"\1\2\0\0" + block[4:], Stop.OTHER),
    ],
)
def test_the_walk_stops_where_framing_ends(damage: object, stop: Stop) -> None:
    good = event(READ, 10, 7, pack(READ, 2, res=0))
    decoder = Decoder(Store(Bytes(b"")), "x")
    at, reason, expected = decoder.feed(bytearray(good + damage(good)), 0, 0)  # type: ignore[operator]
    assert (at, reason, bool(expected)) == (len(good), stop, stop is Stop.DAMAGE)


def test_a_limit_stops_after_that_many_events() -> None:
    decoder = Decoder(Store(Bytes(b"")), "x", limit=2)
    block = event(READ, 10, 7, pack(READ, 2, res=0))
    assert decoder.feed(bytearray(block * 3), 0, 0)[:2] == (2 * len(block), Stop.LIMIT)


def test_segments_follow_each_other_and_say_where_records_are() -> None:
    block = event(READ, 10, 7, pack(READ, 2, res=0))
    store = Store(Bytes(b""))
    decoder = Decoder(store, "x")
    decoder.feed(bytearray(block * (FIRST_SEGMENT + 5)), 100, 0)
    decoder.seal()
    first, second = store.segments
    assert (len(first), second.first, len(second), store.events) == (FIRST_SEGMENT, FIRST_SEGMENT, 5, FIRST_SEGMENT + 5)
    assert int(second.offset[0]) == 100 + FIRST_SEGMENT * len(block) == first.end
    assert not first.time.flags.writeable


def test_a_closed_fd_is_still_known_to_its_close() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    seen.happens(CLOSE_ENTER, 10, fd=3)
    close = seen.happens(CLOSE, 10, count=1, res=0)
    assert close.fd is not None and close.fd.name == b"/x"
    assert seen.happens(READ_ENTER, 10, fd=3, size=1).fd is None
    assert int(seen.store.fds.rows["last"][0]) == close.number


def test_a_failed_close_keeps_the_fd() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    seen.happens(CLOSE, 10, res=-5, fd=3)
    assert seen.happens(READ_ENTER, 10, fd=3, size=1).fd is not None


@pytest.mark.parametrize(
    ("dirfd", "name", "found"),
    [
        (-100, "notes", b"/home/notes"),
        (-100, "../etc/./x//y/", b"/etc/x/y"),
        (-100, "/abs", b"/abs"),
        (5, "below", b"/srv/below"),
        (6, "lost", b"<UNKNOWN>lost"),
    ],
)
def test_a_path_is_named_from_where_it_starts(dirfd: int, name: str, found: bytes) -> None:
    seen = Machine(listed(10))
    seen.fd(10, 5, FdKind.DIRECTORY, b"/srv")
    opened = seen.happens(OPENAT, 10, fd=7, dirfd=dirfd, name=name, flags=1)
    assert opened.fd is not None and (opened.fd.name, opened.fd_number) == (found, 7)


def test_the_enters_name_wins_over_the_exits() -> None:
    seen = Machine(listed(10))
    seen.happens(OPEN_ENTER, 10, name="/first", flags=1, mode=0)
    opened = seen.happens(OPEN, 10, count=4, fd=3, name="/second", flags=1, mode=0)
    assert opened.fd is not None and opened.fd.name == b"/first"


def test_a_failed_open_shows_the_path_it_tried_and_opens_nothing() -> None:
    seen = Machine(listed(10))
    tried = seen.happens(OPENAT, 10, fd=-2, dirfd=-100, name="gone", flags=1)
    assert tried.fd is not None and (tried.fd.name, tried.fd_number) == (b"/home/gone", None)
    again = seen.happens(OPENAT, 10, fd=-2, dirfd=-100, name="gone", flags=1)
    assert again.segment.fd_row[again.row] == tried.segment.fd_row[tried.row]


def test_directories_are_told_from_files_by_the_flag() -> None:
    seen = Machine(listed(10))
    kinds = [
        seen.happens(OPENAT, 10, fd=3, dirfd=-100, name="d", flags=flags).fd.kind  # type: ignore[union-attr]
        for flags in (1, 1 | O_DIRECTORY)
    ]
    assert kinds == [FdKind.FILE_V2, FdKind.DIRECTORY]


def test_a_duplicate_is_the_same_open_file_until_both_are_closed() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    seen.happens(DUP_ENTER, 10, fd=3)
    made = seen.happens(DUP, 10, res=8)
    assert (made.fd_number, made.fd.name if made.fd else None) == (8, b"/x")
    seen.happens(CLOSE, 10, res=0, fd=3)
    assert int(seen.store.fds.rows["last"][0]) == -1
    last = seen.happens(CLOSE, 10, res=0, fd=8)
    assert int(seen.store.fds.rows["last"][0]) == last.number


def test_fcntl_duplicates_by_the_enters_command() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    for command, result, known in ((2, 9, False), (1, 9, True)):
        seen.happens(FCNTL_ENTER, 10, fd=3, cmd=command)
        seen.happens(FCNTL, 10, count=1, res=result)
        assert (seen.happens(READ_ENTER, 10, fd=9, size=1).fd is not None) == known


def test_cpu_time_is_from_switch_in_to_switch_out() -> None:
    seen = Machine(listed(10))
    seen.happens(SWITCH, 99, next=10)
    out = seen.happens(SWITCH, 10, after=700, next=0)
    told = [(row["kind"], row["value"]) for row in out.segment.samples]
    assert (Sample.CPU, 700) in told


def test_the_idle_loop_uses_no_cpu_time_but_threads_nobody_told_of_do() -> None:
    seen = Machine(listed(10))
    seen.happens(SWITCH, 99, next=0)
    seen.happens(SWITCH, 0, after=500, next=14)
    out = seen.happens(SWITCH, 14, after=300, next=0)
    told = [(row["event"], row["thread"], row["value"]) for row in out.segment.samples if row["kind"] == Sample.CPU]
    assert told == [(out.row, -1, 300)]


def test_cpu_time_is_unknown_where_the_switch_in_was_not_seen() -> None:
    seen = Machine(listed(10), listed(11))
    seen.happens(SWITCH, 10, next=7)
    out = seen.happens(SWITCH, 11, after=700, next=0)
    assert not (out.segment.samples["kind"] == Sample.CPU).any()


def test_procinfo_tells_what_was_used_since_the_last_one() -> None:
    seen = Machine(listed(10))
    first = seen.happens(PROCINFO, 10, cpu_usr=5, cpu_sys=1)
    assert not np.isin(first.segment.samples["kind"], (Sample.CPU_USER, Sample.CPU_SYSTEM)).any()
    later = seen.happens(PROCINFO, 10, cpu_usr=7, cpu_sys=1)
    assert [(row["kind"], row["value"]) for row in later.segment.samples] == [(Sample.CPU_USER, 20_000_000)]


def test_memory_is_noted_when_it_changes_and_once_a_segment() -> None:
    seen = Machine(listed(10))
    blocks = b"".join(
        event(BRK, 10, time, pack(BRK, 4, res=0, vm_size=size, vm_rss=7, vm_swap=0))
        for time, size in ((1, 100), (2, 100), (3, 200))
    )
    seen.decoder.feed(bytearray(blocks), 0, 0)
    seen.decoder.seal()
    sizes = [(row["event"], row["value"]) for row in seen.store.segments[0].samples if row["kind"] == Sample.VM_SIZE]
    assert sizes == [(0, 100), (2, 200)]


def test_a_section_forgets_threads_and_fds_but_not_numbers() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    seen.happens(READ_ENTER, 10, fd=3, size=1)
    seen.decoder.section()
    after = seen.happens(READ_ENTER, 10, fd=3, size=1)
    assert (after.number, after.fd, after.thread.comm if after.thread else None) == (2, None, None)


def test_synthetic_events_have_no_thread() -> None:
    made = Machine().happens(SIGNAL, -1, spid=1, dpid=2, sig=9)
    assert made.segment.thread[made.row] == NO_ROW


@given(st.lists(st.tuples(st.integers(0, 453), st.integers(-3, 12), st.lists(st.binary(max_size=40), max_size=31))))
def test_no_event_can_harm_the_tables(records: list[tuple[int, int, list[bytes]]]) -> None:
    seen = Machine(listed(10))
    for number, (code, tid, params) in enumerate(records, 1):
        made = seen.feed(event(code, tid, number, params))
        segment = made.segment
        assert made.number == number
        assert -1 <= segment.thread[made.row] < len(seen.store.threads)
        assert -1 <= segment.fd_row[made.row] < len(seen.store.fds)
    for row, thread in enumerate(seen.store.threads):
        assert thread.parent < len(seen.store.threads) and thread.leader < len(seen.store.threads)
        assert thread.parent != row
    identities = seen.store.fds.rows["identity"]
    assert not len(identities) or int(identities.max()) < len(seen.store.fds.identities)

"""The ring's walk and the blocks it makes, on a ring in ordinary memory."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.decode.ring import Ring
from engine.decode.stop import Stop
from engine.events import CATALOGUE
from engine.sources.live.calls import CALLS, FACTS, SOCKET, Kind, table
from engine.sources.live.encoding import encoding
from engine.sources.raw import KeptBytes
from engine.store.store import Store

PAGE = 4096
SIZE = 1 << 16
CLOCK = 1_000_000_000_000
BUSY, DISCARDED = 1 << 31, 1 << 30
UNKNOWN = (1 << 64) - 1


class Kernel:
    """The producing end."""

    def __init__(self, start: int = 0) -> None:
        self.positions = bytearray(PAGE)
        self.data = bytearray(PAGE + 2 * SIZE)
        self.end = start
        struct.pack_into("<Q", self.positions, 0, start)
        self.ring = Ring(self.positions, self.data, SIZE, encoding(table()), CLOCK, 0)
        self._publish()

    def _publish(self) -> None:
        struct.pack_into("<Q", self.data, 0, self.end)

    def put(self, payload: bytes, mark: int = 0) -> None:
        framed = struct.pack("<II", len(payload) | mark, 0) + payload
        framed += bytes(-len(framed) % 8)
        for index, byte in enumerate(framed):
            at = (self.end + index) % SIZE
            self.data[PAGE + at] = self.data[PAGE + SIZE + at] = byte
        self.end += len(framed)
        self._publish()

    def consumed(self) -> int:
        return int(struct.unpack_from("<Q", self.positions)[0])


def record(
    kind: int, *args: int, result: int = 0, latency: int = 5, tid: int = 77, pieces: tuple[bytes | None, ...] = ()
) -> bytes:
    numbers = [value & UNKNOWN for value in args] + [0] * (6 - len(args))
    out = struct.pack("<QQ6QqIHH", 1000, latency & UNKNOWN, *numbers, result, tid, kind, 3)
    if pieces:
        out += bytes(8)
    for piece in pieces:
        out += struct.pack("<H", 0xFFFF) if piece is None else struct.pack("<H", len(piece)) + piece
    return out


def drained(kernel: Kernel) -> list[Event]:
    """What the decoder makes of everything waiting."""
    raw = KeptBytes()
    store = Store(raw)
    decoder = Decoder(store, "live")
    made, count = kernel.ring.drain(1 << 30)
    view = kernel.ring.buffer.data[:made]
    raw.append(view)
    if made:
        at, stop, expected = decoder.feed(view, 0, 0, kernel.ring.latencies[:count])
        assert (at, stop, expected) == (made, Stop.MORE, "")
    decoder.seal()
    return [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]


def only(payload: bytes) -> Event:
    kernel = Kernel()
    kernel.put(payload)
    (event,) = drained(kernel)
    return event


def values(event: Event) -> dict[str, bytes | None]:
    return {parameter.name: raw for parameter, raw in zip(event.type.params, event.params, strict=True)}


def test_a_call_becomes_a_full_exit_event_with_its_latency() -> None:
    event = only(record(0, 9, 0x7000, 64, result=5, latency=321, pieces=(b"hello",)))
    assert (event.type.name, event.type.is_exit) == ("read", True)
    assert (event.time, event.cpu, event.result, event.latency) == (1000 + CLOCK, 3, 5, 321)
    assert event.fd_number == 9
    assert values(event) == {
        "res": struct.pack("<q", 5),
        "data": b"hello",
        "fd": struct.pack("<q", 9),
        "size": struct.pack("<I", 64),
    }


def test_an_unknown_start_is_an_unknown_latency() -> None:
    assert only(record(3, 9, latency=-1)).latency is None


def test_what_could_not_be_read_is_absent() -> None:
    told = values(only(record(257, -100, 0x1000, 0, 0, result=-14, pieces=(None, None))))
    assert told["name"] is None
    assert told["dirfd"] == struct.pack("<q", -100)


def test_a_call_without_a_type_is_generic_with_its_name_and_result() -> None:
    event = only(record(221, result=-29))
    assert (event.type.name, event.result) == ("fadvise64", -29)
    assert [parameter.name for parameter in event.type.params] == ["ID", "nativeID"]
    assert len(event.params) == 2, "the format knows of no result there"


def test_a_32_bit_call_is_counted_and_not_taken_for_another() -> None:
    event = only(record(CALLS - 1, 3))
    assert event.type.name == "<unknown>"


def test_numbers_of_fds_and_pids_are_signed() -> None:
    assert values(only(record(32, 0xFFFFFFFF, result=-9)))["oldfd"] == struct.pack("<q", -1)


def test_ends_of_sockets_are_local_first_for_who_connects_and_remote_first_for_who_accepts() -> None:
    facts = np.zeros((), SOCKET)
    facts["family"], facts["local_port"], facts["remote_port"] = 2, 40000, 443
    facts["local"][:4], facts["remote"][:4] = [10, 0, 0, 1], [10, 0, 0, 2]
    facts["backlog"], facts["backlog_max"] = 3, 12
    local, remote = bytes([10, 0, 0, 1]) + struct.pack("<H", 40000), bytes([10, 0, 0, 2]) + struct.pack("<H", 443)
    address = struct.pack(">HH4s8x", 0x0200, 443, bytes([10, 0, 0, 2]))
    connected = values(only(record(42, 9, pieces=(facts.tobytes(), address))))
    assert connected["tuple"] == b"\2" + local + remote
    assert connected["addr"] == b"\2" + remote
    accepted = values(only(record(43, 9, result=10, pieces=(facts.tobytes(), facts.tobytes()))))
    assert accepted["tuple"] == b"\2" + remote + local
    assert (accepted["queuepct"], accepted["queuelen"]) == (bytes([25]), struct.pack("<I", 3))


def test_exec_tells_arguments_environment_path_and_cgroups() -> None:
    facts = np.zeros((), FACTS)
    facts["pid"], facts["parent"], facts["uid"], facts["vm_size"] = 77, 1, 1000, 5000
    pieces = (
        facts.tobytes(),
        b"cat\0",
        b"/bin/cat\0-n\0file\0",
        b"inner\0outer\0",
        b"",
        b"A=1\0B=2\0",
        b"cat\0bin\0usr\0",
        b"/bin/cat\0",
    )
    told = values(only(record(59, pieces=pieces)))
    assert (told["exe"], told["args"], told["env"]) == (b"/bin/cat\0", b"-n\0file\0", b"A=1\0B=2\0")
    assert told["cgroups"] == b"memory=/outer/inner\0unified=/\0"
    assert told["trusted_exepath"] == b"/usr/bin/cat\0"
    assert (told["pid"], told["uid"], told["vm_size"]) == (
        struct.pack("<q", 77),
        struct.pack("<I", 1000),
        struct.pack("<I", 5000),
    )


def test_what_depends_on_another_argument_is_there_only_with_it() -> None:
    named = values(only(record(157, 15, 0x7000, pieces=(b"name\0",))))
    assert (named["arg2_str"], named["arg2_int"]) == (b"name\0", None)
    other = values(only(record(157, 4, 1, pieces=(b"name\0",))))
    assert (other["arg2_str"], other["arg2_int"]) == (None, struct.pack("<q", 1))
    limits = struct.pack("<9Q", *range(11, 20))
    pieces = (b"/dev/sda1\0", b"/quota\0", limits, limits[:24], limits[:4])
    switched = values(only(record(179, 0x80000200, 0x7000, 2, 0x8000, pieces=pieces)))
    assert (switched["quotafilepath"], switched["dqb_bhardlimit"]) == (b"/quota\0", None)
    told = values(only(record(179, 0x80000701, 0x7000, 2, 0x8000, pieces=pieces)))
    assert (told["quotafilepath"], told["dqb_bhardlimit"], told["dqi_bgrace"]) == (None, struct.pack("<Q", 11), None)
    assert told["type"] == bytes([2])
    assert values(only(record(79, result=-34, pieces=(b"garbage\0",))))["path"] is None


def test_a_text_among_numbers_says_that_it_is_one() -> None:
    joined = values(only(record(250, 1, 0x7000, pieces=(b"session\0", None, None))))
    assert (joined["arg2"], joined["arg3"]) == (b"\1session\0", bytes(9))


def test_a_file_on_an_overlay_tells_its_layer() -> None:
    for layer, bit in ((0, 0), (2, 1 << 15), (8, 1 << 16)):
        inode = struct.pack("<QIIII", 7, 0, 0x100000, layer, 0)
        told = values(only(record(257, -100, 0x7000, 0, 0, result=3, pieces=(b"/f\0", inode))))
        assert told["flags"] == struct.pack("<I", 1 | 1 << 14 | bit)


def test_the_end_of_a_process_tells_status_and_signal() -> None:
    told = values(only(record(Kind.EXIT, 0x8B)))
    assert (told["sig"], told["core"]) == (bytes([11]), bytes([1]))


def test_a_name_from_another_thread_is_kept_for_its_effect_only() -> None:
    event = only(record(Kind.RENAME, *struct.unpack("<2Q", b"new name".ljust(16, b"\0"))))
    assert event.type.name == "prctl"
    assert event.segment.flags[0] == 1
    assert values(event)["arg2_str"] == b"new name\0"


def test_a_record_being_written_stops_the_walk_and_what_was_given_up_is_passed() -> None:
    kernel = Kernel()
    kernel.put(record(39), DISCARDED)
    kernel.put(record(39, result=1))
    at = kernel.end
    kernel.put(record(39), BUSY)
    kernel.put(record(39))
    assert [event.tid for event in map(lambda event: event.thread, drained(kernel)) if event] == [77]
    assert kernel.consumed() == at
    struct.pack_into("<I", kernel.data, PAGE + at, 80)
    assert len(drained(kernel)) == 2
    assert kernel.consumed() == kernel.end


def test_records_go_round_the_end_of_the_ring() -> None:
    kernel = Kernel(start=SIZE - 40)
    kernel.put(record(0, 9, 0, 100, result=100, pieces=(bytes(range(100)),)))
    (event,) = drained(kernel)
    assert values(event)["data"] == bytes(range(100))


def test_a_full_buffer_leaves_the_rest_for_the_next_time() -> None:
    kernel = Kernel()
    for number in range(12):
        kernel.put(record(0, 9, result=4000, tid=100 + number, pieces=(bytes(4000),)))
    seen = 0
    while kernel.ring.waiting:
        _, count = kernel.ring.drain(1 << 30)
        seen += count
    assert seen == 12


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        record(0)[:40],
        record(700),
        record(CALLS),
        record(0, pieces=(b"x",))[:-1],
    ],
)
def test_what_is_no_record_is_counted_and_passed(wrong: bytes) -> None:
    kernel = Kernel()
    kernel.put(wrong)
    kernel.put(record(39))
    assert len(drained(kernel)) == 1
    assert kernel.ring.malformed == 1


def test_every_call_gets_parameters_of_their_size_whatever_its_pieces_hold() -> None:
    rng = np.random.default_rng(5)
    for call in table():
        kernel = Kernel()
        for filler in (b"", b"\xff" * 8, bytes(24), b"text\0" * 40, bytes(rng.integers(0, 256, 200, np.uint8))):
            kernel.put(record(call.native, *rng.integers(0, 1 << 62, 6).tolist(), result=7, pieces=(filler,) * 9))
            # Small numbers are what conditions are about.
            kernel.put(record(call.native, *rng.integers(0, 24, 6).tolist(), pieces=(filler,) * 9))
            kernel.put(record(call.native, pieces=(None,) * 9))
        raw_made, count = kernel.ring.drain(1 << 30)
        assert (count, kernel.ring.malformed) == (15, 0), CATALOGUE[call.type].name
        assert raw_made % 4 == 0

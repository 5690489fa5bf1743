"""Damaged captures by the thousand, and what a reader of them must hold to.

A case is a number: it chooses a base capture and what is done to it, always the same. A batch of cases is read in a
process of its own (``python -m tests.engine.fuzzing FOLDER FIRST COUNT``), so that a crash, a hang or memory without
bound ends that process only; the case it was at is the last number it printed.
"""

from __future__ import annotations

import gzip
import random
import re
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.events import CATALOGUE, PARAM_SIZES, SCAP_TYPES, TYPES, FdKind, Parameter
from engine.model.facts import Group, Interface, Role, Socket, Thread, User
from engine.query.lines import LineFormat
from engine.sources import CaptureError, open_capture
from engine.store.store import Store
from tests import scapfile
from tests.scapfile import Entry, event, fd_list, interfaces, machine, process_list, renumber, section, users

SECONDS = 5
"""Longest a case may take."""
MEMORY = 2 << 30
"""Address space of a batch, bytes."""
SAMPLES = (
    *("502Error.scap", "libs_curl_google_comments.scap", "libs_sample_2023.scap", "libs_single_ipv6_conn.scap"),
    *("libs_test_ipv6_client.scap", "tiny.scap", "tiny25.scap.gz", "xxradar_docker_curl_2025.scap"),
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What must not reach a terminal."""
SAMPLE_EVENTS = 600
"""Events taken from the front of a sample."""


def blocks_of(data: bytes) -> list[bytes]:
    """A sound capture's blocks."""
    found, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        found.append(data[at : at + length])
        at += length
    return found


TEXTS = (b"/etc/passwd\0", b"a/../b\0", b"bash\0", b"\0", b"(NULL)\0", b"/\0", b'{"container":{}}\0', b"no end")
BUFFERS = (b"a\0b\0", b"cpu=/docker/" + b"0123456789abcdef" * 4 + b"\0", b"\0", bytes(range(256)))
VALUES: dict[str, tuple[bytes, ...]] = {
    "CHARBUF": TEXTS,
    "FSPATH": TEXTS,
    "FSRELPATH": TEXTS,
    "BYTEBUF": BUFFERS,
    "SOCKADDR": (scapfile.sockaddr("10.0.0.1", 80), scapfile.sockaddr("::1", 80), scapfile.sockaddr("/run/x"), b"\x10"),
    "SOCKTUPLE": (
        scapfile.socktuple("10.0.0.1", 80, "10.0.0.2", 90),
        scapfile.socktuple("::1", 80, "::ffff:1.2.3.4", 90),
        scapfile.unix_tuple("/run/x", 1, 2),
    ),
    "FDLIST": (struct.pack("<H", 0), struct.pack("<Hqhqh", 2, 3, 1, 4, 4), struct.pack("<Hqh", 9, 3, 1)),
    "DYN": (b"\0" + bytes(8), b"\1" + bytes(4), b"\2ab\0", b"\xff"),
}
"""Likely and unlikely values of parameters that are no numbers."""
NUMBERS = {
    "FD": (-100, -2, 0, 1, 3, 4, 900, 2**40),
    "FD32": (-100, -2, 0, 1, 3, 4, 900),
    "PID": (-1, 0, 1, 10, 11, 12, 13),
    "PID32": (-1, 0, 1, 10, 11, 12, 13),
    "ERRNO": (-11, -2, 0, 0, 3, 5, 12, 13),
}


def _value(parameter: Parameter, noise: random.Random) -> bytes:
    if noise.random() < 0.2:
        return noise.choice((b"", b"", b"", b"\1", b"\xff\xff", b"\xff" * 8, b"\x0a" * 40))
    size = PARAM_SIZES.get(parameter.type)
    if size is None:
        return noise.choice(VALUES.get(parameter.type, BUFFERS))
    number = noise.choice(NUMBERS.get(parameter.type, (0, 1, 2, 3, 17, 4096, noise.getrandbits(16))))
    return (number & (1 << 8 * size) - 1).to_bytes(size, "little")


def events_of_all_types(noise: random.Random, version: int, flags: int | None = None) -> Iterator[bytes]:
    """An event of every type in every parameter count that existed, in an order of chance."""
    layouts = [(kind.code, count) for kind in CATALOGUE[:SCAP_TYPES] for count in kind.counts]
    noise.shuffle(layouts)
    for number, (code, count) in enumerate(layouts):
        params = [_value(parameter, noise) for parameter in CATALOGUE[code].params[:count]]
        tid = noise.choice((1, 10, 11, 12, 13))
        yield event(code, tid, 10**18 + number * 1000, params, cpu=number % 4, version=version, flags=flags)


@cache
def made() -> tuple[bytes, ...]:
    """Captures with every version of every block."""
    threads = [
        Thread(tid=1, pid=1, ptid=0, comm=b"init", cwd=b"/", flags=0),
        Thread(tid=10, pid=10, ptid=1, comm=b"bash", args=(b"-l",), cwd=b"/root/", env=(b"A=1",), cgroups=(b"cpu=/",)),
        Thread(tid=11, pid=10, ptid=10, comm=b"bash", cwd=b"/root/"),
    ]
    fds = [
        Entry(0, FdKind.FILE_V2, b"/dev/null", flags=1),
        Entry(3, FdKind.IPV4, b"", Socket(bytes(4), 4000, bytes([1, 2, 3, 4]), 80, 2, Role.NONE)),
        Entry(4, FdKind.IPV6, b"", Socket(bytes(16), 4000, bytes(range(16)), 80, 2, Role.NONE)),
        Entry(5, FdKind.IPV4_SERVER, b"", Socket(b"", 0, bytes(4), 4000, 2, Role.NONE)),
        Entry(6, FdKind.UNIX, b"/run/x"),
        Entry(7, FdKind.FIFO, b"pipe:[7]"),
    ]
    links = [Interface(b"lo", bytes(4), bytes(4), bytes(4), 0), Interface(b"eth0", bytes(16), bytes(16), bytes(16), 1)]
    people: list[User | Group] = [User(0, 0, b"root", b"/root", b"/bin/sh"), Group(0, b"root")]
    captures = []
    for list_version in range(1, 10):
        version = 1 if list_version < 9 else 2
        noise = random.Random(list_version)
        parts = [
            section(),
            machine(cpus=2),
            interfaces(links, version, speeds=list_version > 2),
            users(people, version),
        ]
        parts += [process_list(list_version, threads), fd_list(10, fds, version)]
        if list_version < 3:
            numbers = [struct.unpack_from("<I", part)[0] for part in parts]
            parts = [
                renumber(part, scapfile.LEGACY.get(number, number)) for part, number in zip(parts, numbers, strict=True)
            ]
        parts += list(events_of_all_types(noise, version, noise.choice((None, 0))))[:SAMPLE_EVENTS]
        captures.append(b"".join(parts))
    captures.append(captures[-1] + captures[0])
    return tuple(captures)


@cache
def sample(path: Path) -> bytes:
    """The front of a sample capture."""
    data = path.read_bytes()
    blocks = blocks_of(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return b"".join(blocks[:SAMPLE_EVENTS])


def _flip(data: bytearray, noise: random.Random) -> None:
    for _ in range(noise.choice((1, 1, 2, 8, 64))):
        data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)


def _overwrite(data: bytearray, noise: random.Random) -> None:
    size = noise.choice((1, 4, 64, 1000))
    at = noise.randrange(len(data))
    data[at : at + size] = noise.randbytes(len(data[at : at + size]))


def _change_numbers(data: bytearray, noise: random.Random) -> None:
    """Put the numbers there that make arithmetic overflow, where lengths and counts are likely."""
    for _ in range(noise.choice((1, 2, 5, 50))):
        layout = noise.choice(("<H", "<I", "<Q"))
        size = struct.calcsize(layout)
        at = noise.randrange(len(data) // 2) * 2
        top = 1 << 8 * size
        value = noise.choice((0, 1, 3, 4, 12, 0xFF, 0x7FFF, 0xFFFF, top // 2 - 1, top // 2, top - 4, top - 1)) % top
        if at + size <= len(data):
            struct.pack_into(layout, data, at, value)


def _cut(data: bytearray, noise: random.Random) -> None:
    del data[noise.randrange(1, len(data)) :]


def _cut_out(data: bytearray, noise: random.Random) -> None:
    at = noise.randrange(len(data))
    del data[at : at + noise.choice((1, 4, 12, 100, 5000))]


def _put_in(data: bytearray, noise: random.Random) -> None:
    at = noise.randrange(len(data))
    data[at:at] = noise.choice((b"\0", bytes(12), noise.randbytes(100), bytes(70_000)))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip, _overwrite, _change_numbers, _change_numbers, _cut, _cut_out, _put_in),
)


def _rearrange(blocks: list[bytes], noise: random.Random) -> None:
    """Repeat, drop, move, renumber blocks, and change numbers inside them while their framing stays sound."""
    for _ in range(noise.choice((1, 3, 30))):
        at = noise.randrange(len(blocks))
        choice = noise.randrange(5)
        if choice == 0:
            blocks[at:at] = [blocks[at]] * noise.choice((1, 2, 50))
        elif choice == 1 and len(blocks) > 2:
            del blocks[at]
        elif choice == 2:
            blocks.insert(noise.randrange(len(blocks)), blocks.pop(at))
        elif choice == 3:
            other = noise.choice(blocks)
            blocks[at] = renumber(blocks[at], struct.unpack_from("<I", other)[0])
        else:
            body = bytearray(blocks[at][8:-4])
            if len(body) > 2:
                _change_numbers(body, noise)
                blocks[at] = blocks[at][:8] + bytes(body) + blocks[at][-4:]


def case(number: int, folder: Path) -> bytes:
    """The damaged capture of a case."""
    noise = random.Random(number)
    samples = [folder / name for name in SAMPLES if (folder / name).exists()]
    bases = len(made())
    chosen = noise.randrange(bases + len(samples))
    blocks = blocks_of(made()[chosen] if chosen < bases else sample(samples[chosen - bases]))
    if noise.random() < 0.5:
        _rearrange(blocks, noise)
    data = bytearray(b"".join(blocks))
    if noise.random() < 0.6:
        noise.choice(CHANGES)(data, noise)
    if noise.random() < 0.1:
        data = bytearray(gzip.compress(data, 1))
        if noise.random() < 0.7:
            noise.choice(CHANGES)(data, noise)
    return bytes(data)


def read(path: Path) -> Store | None:
    """Read a capture to its end and look at every event; None when it is refused."""
    try:
        source = open_capture(path)
    except CaptureError as refusal:
        assert str(refusal).startswith(f"{path}: ")
        return None
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    check(store)
    source.close()
    return store


def check(store: Store) -> None:
    """What holds of any store, whatever it was read from."""
    number = 0
    layout = LineFormat(containers=True)
    for segment in store.segments:
        assert segment.first == number
        number += len(segment)
        assert (np.diff(segment.offset) > 0).all()
        assert segment.offset[-1] < segment.end
        assert segment.type.max() < TYPES
        assert segment.thread.min() >= -1
        assert segment.thread.max() < len(store.threads)
        assert segment.fd_row.min() >= -1
        assert segment.fd_row.max() < len(store.fds)
        assert (segment.latency >= -1).all()
        for row in range(len(segment)):
            seen = Event(store, segment, row)
            assert sum(len(param) for param in seen.params if param is not None) < segment.end - segment.offset[row]
        made, count = layout.lines(store, segment, np.arange(len(segment)))
        lines = made.decode().split("\n")
        assert count == len(segment) == len(lines) - 1
        assert not any(CONTROLS.search(line) for line in lines)
    assert number == store.events
    for row, thread in enumerate(store.threads):
        assert -1 <= thread.parent < len(store.threads), row
        assert -1 <= thread.leader < len(store.threads), row
    for damage in store.damage:
        assert damage.offset >= 0


def main(folder: str, first: str, count: str) -> None:
    """Read a batch of cases, telling the number of each before it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "case.scap"
        for number in range(int(first), int(first) + int(count)):
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            path.write_bytes(case(number, Path(folder)))
            # Left to its default, the signal ends the process even while it loops in compiled code.
            signal.alarm(SECONDS)
            read(path)
            signal.alarm(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

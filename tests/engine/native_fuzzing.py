"""Damaged and crafted native captures by the thousand, and what a reader of them must hold to.

A case is a number, as in ``fuzzing``: it chooses a sound file and what is done to it. Half of the cases put the
checksums right again, so that what is wrong is met by whoever believes a body or a block.
"""

from __future__ import annotations

import random
import resource
import signal
import struct
import sys
import zlib
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgpack
import numpy as np

import views
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.events import TYPES
from engine.query.compose import compose
from engine.query.lines import LineFormat
from engine.query.table import TableRun
from engine.sources import CaptureError, open_capture
from engine.sources.native.segments import COLUMNS
from engine.store.store import Store
from tests.engine import fuzzing
from tests.engine.sources.native.files import converted

SECONDS = 10
MEMORY = 3 << 30
SHOWN = ("procs", "files", "connections", "containers", "syscalls")
ODD: tuple[Any, ...] = (
    *(0, 1, -1, -2, 2, 7, 63, 64, 255, 4096, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -(2**63), 2**64 - 1, 1.5),
    *(None, True, "", "name", b"", b"\xff", [], [[]], {}, {"id": 1}, [0] * 4, "\ud800"),
)
"""Values that have no business where they are put."""


@cache
def sound(folder: Path, scratch: Path) -> tuple[bytes, ...]:
    """Files to damage: of crafted captures, and of the fronts of real ones."""
    found = []
    bases = [*fuzzing.made(), *(fuzzing.sample(folder / name) for name in fuzzing.SAMPLES if (folder / name).exists())]
    for number, data in enumerate(bases):
        source, target = scratch / "base.scap", scratch / "base.syscope"
        source.write_bytes(data)
        converted(source, target, compress=number % 3 == 0, stop=number % 4 == 0)
        found.append(target.read_bytes())
    return tuple(found)


def _frames(data: bytes) -> Iterator[tuple[int, dict[str, Any], bytearray]]:
    at = 0
    while at + 32 <= len(data) and data[at : at + 4] == b"\xc1SYF":
        kind, size, _, region = struct.unpack_from("<IIIQ", data, at + 4)
        start = -(-(at + 32 + size) // 64) * 64
        yield (
            kind,
            msgpack.unpackb(data[at + 32 : at + 32 + size], strict_map_key=False, unicode_errors="surrogatepass"),
            bytearray(data[start : start + region]),
        )
        at = start + region


def _frame(kind: int, body: Any, region: bytes) -> bytes:
    packed: bytes = msgpack.packb(body, unicode_errors="surrogatepass")
    head = struct.pack("<4sIIIQI", b"\xc1SYF", kind, len(packed), zlib.crc32(packed), len(region), 0)
    front = head + struct.pack("<I", zlib.crc32(head)) + packed
    return front + bytes(-len(front) % 64) + region


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(type(one) is int for one in value)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a body with every key in it, depth first."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _change_body(body: dict[str, Any], noise: random.Random) -> None:
    """Put odd values where others were, drop some, repeat some."""
    for _ in range(noise.choice((1, 1, 1, 3, 20))):
        places = list(_places(body))
        if not places:
            return
        inside, key = noise.choice(places)
        choice = noise.randrange(10)
        if choice == 0:
            del inside[key]
        elif choice == 1 and isinstance(inside, list):
            inside[key:key] = [inside[key]] * noise.choice((1, 2, 30))
        elif choice < 4 and type(inside[key]) is int:
            inside[key] = max(-(2**63), min(2**64 - 1, inside[key] + noise.choice((-1, 1, -64, 64, 2**31))))
        else:
            inside[key] = deepcopy(noise.choice(ODD))


def _change_data(body: dict[str, Any], region: bytearray, noise: random.Random) -> None:
    """Change blocks and put their checksums right."""
    if not region:
        return
    for _ in range(noise.choice((1, 2, 10, 100))):
        at = noise.randrange(len(region) // 4) * 4
        value = noise.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, noise.getrandbits(32), 2047, 2048))
        struct.pack_into("<I", region, at, value)
    for inside, key in _places(body):
        told = inside[key]
        if _is_block(told) and 0 <= told[0] <= told[0] + told[1] <= len(region):
            told[2] = zlib.crc32(region[told[0] : told[0] + told[1]])


def case(number: int, folder: Path, scratch: Path) -> bytes:
    """The file of a case."""
    noise = random.Random(number)
    bases = sound(folder, scratch)
    data = bytearray(bases[noise.randrange(len(bases))])
    if number % 2:
        noise.choice(fuzzing.CHANGES)(data, noise)
        return bytes(data)
    made = list(_frames(bytes(data)))
    for _ in range(noise.choice((1, 1, 2, 5))):
        at = noise.randrange(len(made))
        kind, body, region = made[at]
        choice = noise.randrange(8)
        if choice < 4:
            _change_body(body, noise)
        elif choice < 6:
            _change_data(body, region, noise)
        elif choice == 6:
            made[at:at] = [made[at]] * noise.choice((1, 1, 5))
        else:
            other = noise.randrange(len(made))
            made[at], made[other] = made[other], made[at]
    out = bytearray()
    for kind, body, region in made:
        if kind == 4 and noise.random() < 0.5:
            told = struct.pack("<8sQI", b"SYSCEND\0", len(out), 0)
            out += _frame(kind, body, bytes(region)) + told + struct.pack("<I", zlib.crc32(told))
        elif kind != 4:
            out += _frame(kind, body, bytes(region))
    return bytes(out)


@cache
def _views() -> Any:
    return views.load().views


def read(path: Path) -> Store | None:
    """Read a file to its end, look at every event, and run views over it; None when it is refused."""
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
    for name in SHOWN:
        view = _views()[name]
        run = TableRun(store, view, compose("", (), view))
        run.update()
        run.table().page(0, 20)
    for damage in store.damage:
        assert damage.path == str(path)
        assert 0 <= damage.offset <= path.stat().st_size + (1 << 20)
        assert damage.expected.startswith(("expected", "could not"))
    source.close()
    return store


def check(store: Store) -> None:
    """What holds of any store, whatever it was read from."""
    number = None
    layout = LineFormat(containers=True)
    for segment in store.segments:
        assert number is None or segment.first == number
        number = segment.first + len(segment)
        columns = {name: getattr(segment, name) for name in COLUMNS}
        assert {len(columns[name]) for name, dtype in COLUMNS.items() if dtype.names is None} == {len(segment)}
        assert columns["type"].max() < TYPES
        assert columns["thread"].min() >= -1
        assert columns["thread"].max() < len(store.threads)
        assert columns["fd_row"].min() >= -1
        assert columns["fd_row"].max() < len(store.fds)
        assert (columns["latency"] >= -1).all()
        for name, dtype in COLUMNS.items():
            if dtype.names:
                assert ((columns[name]["event"] >= 0) & (columns[name]["event"] < len(segment))).all()
        for row in range(0, len(segment), 5):
            line = layout.line(Event(store, segment, row))
            assert line is None or fuzzing.CONTROLS.search(line) is None, line
        np.asarray(segment.types_present)
    for row, thread in enumerate(store.threads):
        assert -1 <= thread.parent < len(store.threads), row
        assert -1 <= thread.leader < len(store.threads), row


def main(folder: str, first: str, count: str) -> None:
    """Read a batch of cases, telling the number of each before it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "case.syscope"
        for number in range(int(first), int(first) + int(count)):
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            path.write_bytes(case(number, Path(folder), Path(scratch)))
            signal.alarm(SECONDS)
            read(path)
            signal.alarm(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

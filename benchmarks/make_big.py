"""Make a big capture from a small one: its events again and again, with shifted times.

    python -m benchmarks.make_big CAPTURE OUT [--events N]

The metadata is written once, the events as often as it takes. The result is a plain file that sysdig 0.29.3
reads to its end, so that it can be compared with: events newer than that release's table are left out, call
codes it crashes on become 0, fd entries of kinds it refuses and section options are left out (block layouts:
scap-format §2, §6, §9). Streams: memory is that of the small capture.
"""

from __future__ import annotations

import argparse
import gzip
import struct
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SECTION, FD_LIST = 0x0A0D0D0A, 0x218
WITH_COUNT = {0x216, 0x217, 0x221, 0x222}
"""Event blocks whose header has a parameter count."""
WITH_FLAGS = {0x208, 0x217, 0x222}
EVENTS = WITH_COUNT | WITH_FLAGS | {0x204}
KNOWN_TYPES, KNOWN_CALLS, KNOWN_FD_KINDS = 336, 329, 17
"""First event type, call code and fd kind that sysdig 0.29.3 does not survive."""
PAUSE = 1_000_000
"""Time between two repetitions, ns."""


def framed(kind: int, body: bytes) -> bytes:
    """A block of that body."""
    length = struct.pack("<I", len(body) + -len(body) % 4 + 12)
    return struct.pack("<I", kind) + length + body + bytes(-len(body) % 4) + length


def older_fd_list(body: bytes) -> bytes:
    """An fd list block without the entries of newer kinds."""
    kept, at = bytearray(body[:8]), 8
    while at + 21 <= len(body):
        (size,) = struct.unpack_from("<I", body, at)
        if size < 21 or at + size > len(body):
            break
        if body[at + 20] < KNOWN_FD_KINDS:
            kept += body[at : at + size]
        at += size
    return framed(FD_LIST, bytes(kept))


def older_event(kind: int, block: bytes) -> bytes:
    """An event block sysdig 0.29.3 survives; empty when it has to be left out."""
    header = 14 if kind in WITH_FLAGS else 10
    (code,) = struct.unpack_from("<H", block, header + 20)
    if code >= KNOWN_TYPES:
        return b""
    if code < 2 and kind in WITH_COUNT:
        (count,) = struct.unpack_from("<I", block, header + 22)
        place = header + 26 + 2 * count
        if count and struct.unpack_from("<H", block, place)[0] >= KNOWN_CALLS:
            return block[:place] + bytes(2) + block[place + 2 :]
    return block


def split(data: bytes) -> tuple[bytes, bytes, NDArray[np.int64]]:
    """Metadata, events, and the places of the events' times among the latter."""
    metadata, events, places, at = bytearray(), bytearray(), [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or at + length > len(data):
            break
        block = data[at : at + length]
        at += length
        if kind in EVENTS:
            kept = older_event(kind, block)
            if kept:
                places.append(len(events) + (14 if kind in WITH_FLAGS else 10))
            events += kept
        elif kind == SECTION:
            metadata += framed(kind, block[8:24])
        elif kind == FD_LIST:
            metadata += older_fd_list(block[8:-4])
        else:
            metadata += block
    return bytes(metadata), bytes(events), np.array(places, np.int64)


def make_big(capture: Path, out: Path, least: int) -> int:
    """Write the big capture; returns its number of events, ``least`` or a little more."""
    data = capture.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    metadata, events, places = split(data)
    if not places.size:
        raise ValueError(f"{capture}: no events")
    raw = np.frombuffer(events, np.uint8).copy()
    spots = places[:, None] + np.arange(8)
    times = raw[spots].view("<u8")[:, 0]
    step = times.max() - times.min() + np.uint64(PAUSE)
    repetitions = -(-least // places.size)
    with out.open("wb") as file:
        file.write(metadata)
        for _ in range(repetitions):
            file.write(raw.tobytes())
            times = times + step
            raw[spots] = times[:, None].view(np.uint8)
    return repetitions * int(places.size)


def main() -> int:
    """Command line, see the module's text."""
    parser = argparse.ArgumentParser(description="Make a big capture by repeating a small one.")
    parser.add_argument("capture", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=15_000_000, help="least number of events (15 million)")
    asked = parser.parse_args()
    print(f"{asked.out}: {make_big(asked.capture, asked.out, asked.events)} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())

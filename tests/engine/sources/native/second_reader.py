"""A reader of native captures written from docs/native-format.md alone: it shares nothing with the program."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

COLUMNS = {
    "time": "<i8", "cpu": "<u2", "type": "<u2", "flags": "<u1", "thread": "<i4", "fd": "<i4", "fd_row": "<i4",
    "result": "<i8", "latency": "<i8", "offset": "<i8",
}  # fmt: skip
FD = "<BiIIQiqq"
SAMPLE, OTHER, FRAME = "<iiBq", "<iHi", "<qIIqqqqq"
GENERIC = 1024
EVENT_BLOCKS = (0x204, 0x208, 0x216, 0x217, 0x221, 0x222)
"""Of .scap, those that hold an event; of those after the first, hidden ones have flags of 4 bytes in front."""
FLAGGED = (0x208, 0x217, 0x222)


def frames(data: bytes) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Kind, body and data region of each whole frame."""
    at = 0
    while at + 32 <= len(data) and data[at : at + 4] == b"\xc1SYF":
        kind, size, checksum, region, _, own = struct.unpack_from("<IIIQII", data, at + 4)
        assert zlib.crc32(data[at : at + 28]) == own
        packed = data[at + 32 : at + 32 + size]
        start = -(-(at + 32 + size) // 64) * 64
        if start + region > len(data):
            return
        assert zlib.crc32(packed) == checksum
        yield kind, msgpack.unpackb(packed, strict_map_key=False), data[start : start + region]
        at = start + region


def block(region: bytes, told: list[int]) -> bytes:
    """The bytes of a block."""
    offset, size, checksum, length = told
    stored = region[offset : offset + size]
    assert offset % 64 == 0
    assert zlib.crc32(stored) == checksum
    return zlib.decompress(stored) if size < length else stored


class Capture:
    """A file's columns, tables and raw stream."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.threads: list[dict[str, Any]] = []
        self.names: list[tuple[int, bytes, list[Any] | None]] = []
        self.fds: list[list[int]] = []
        self.containers: dict[str, Any] = {}
        self.users: list[Any] = []
        self.whole: dict[str, Any] = {}
        """The last of what is told whole."""
        self.more: dict[str, list[Any]] = {"sampled": [], "losses": [], "cluster": []}
        self.samples: list[tuple[int, ...]] = []
        self.others: list[tuple[int, ...]] = []
        self.segments: list[dict[str, Any]] = []
        self.columns: dict[str, Any] = {}
        self.raw = b""
        lists: list[Any] = []
        parts: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        facts: list[str] = []
        for kind, body, region in frames(data):
            if kind == 1:
                facts = body["thread"]
                self.calls = body["calls"]
            elif kind == 2:
                lists += body.get("lists", [])
                for row, like, told in body.get("threads", []):
                    made = dict(self.threads[like]) if like >= 0 else {}
                    for index, value in told.items():
                        shared = facts[index] in ("args", "env", "cgroups")
                        made[facts[index]] = tuple(lists[value]) if shared else value
                    self.threads[row : row + 1] = [made]
                first = len(self.names)
                for code, name in zip(body.get("kinds", b""), body.get("names", []), strict=True):
                    self.names.append((code, name, None))
                for index, socket in body.get("sockets", []):
                    self.names[first + index] = (*self.names[first + index][:2], socket)
                if "fds" in body:
                    self.fds += map(list, struct.iter_unpack(FD, block(region, body["fds"])))
                if "ended" in body:
                    ended = np.frombuffer(block(region, body["ended"]), "<i4")
                    for row, event in zip(ended, np.frombuffer(block(region, body["last"]), "<i8"), strict=True):
                        self.fds[row][7] = int(event)
                self.users = body.get("users", self.users)
                for name in ("groups", "interfaces", "machine", "inside", "inside_at"):
                    self.whole[name] = body.get(name, self.whole.get(name))
                for name, told in self.more.items():
                    told += body.get(name, [])
                for text in body.get("containers", []):
                    container = json.loads(text)
                    self.containers[container["id"]] = container
            elif kind == 3:
                assert body["begin"] == len(self.raw)
                for name, dtype in COLUMNS.items():
                    values = np.frombuffer(block(region, body["columns"][name]), dtype)
                    assert len(values) == body["count"]
                    parts[name].append(values)
                self.segments.append(body)
                for name, layout, rows in (("samples", SAMPLE, self.samples), ("others", OTHER, self.others)):
                    for at, *rest in struct.iter_unpack(layout, block(region, body["columns"][name])):
                        rows.append((body["first"] + at, *rest))
                self.raw += b"".join(block(region, page) for page in body["pages"])
                assert body["end"] == len(self.raw)
        self.columns = {name: np.concatenate(values) for name, values in parts.items()}
        self.index = _index(data)

    def record(self, number: int) -> tuple[int, int, int, int]:
        """Type, time, processor and thread id of an event, counted from 0, as its block in the raw stream has them."""
        at = int(self.columns["offset"][number])
        kind, _, cpu = struct.unpack_from("<IIH", self.raw, at)
        assert kind in EVENT_BLOCKS
        at += 10 + 4 * (kind in FLAGGED)
        time, tid, _, code = struct.unpack_from("<QQIH", self.raw, at)
        return code, time, cpu, tid


def _index(data: bytes) -> list[tuple[int, ...]]:
    """The rows of the index, nothing of a file that has none."""
    told = data[-24:]
    if told[:8] != b"SYSCEND\0":
        return []
    assert zlib.crc32(told[:20]) == struct.unpack("<I", told[20:])[0]
    (at,) = struct.unpack_from("<Q", told, 8)
    ((kind, body, region),) = frames(data[at:])
    assert kind == 4
    return list(struct.iter_unpack(FRAME, block(region, body["frames"])))

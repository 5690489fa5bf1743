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
        self.threads: list[dict[str, Any]] = []
        self.names: list[tuple[int, bytes, list[Any] | None]] = []
        self.fds: list[list[int]] = []
        self.containers: dict[str, Any] = {}
        self.users: list[Any] = []
        self.columns: dict[str, Any] = {}
        self.raw = b""
        lists: list[Any] = []
        parts: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        facts: list[str] = []
        for kind, body, region in frames(path.read_bytes()):
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
                for text in body.get("containers", []):
                    container = json.loads(text)
                    self.containers[container["id"]] = container
            elif kind == 3:
                assert body["begin"] == len(self.raw)
                for name, dtype in COLUMNS.items():
                    values = np.frombuffer(block(region, body["columns"][name]), dtype)
                    assert len(values) == body["count"]
                    parts[name].append(values)
                self.raw += b"".join(block(region, page) for page in body["pages"])
                assert body["end"] == len(self.raw)
        self.columns = {name: np.concatenate(values) for name, values in parts.items()}

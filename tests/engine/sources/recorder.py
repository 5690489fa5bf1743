"""A sink that writes down what a source tells, with the simplest walk over event blocks that is right."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from engine.decode.stop import Stop
from engine.events import FdKind
from engine.model.facts import Group, Interface, Machine, Socket, Thread, User
from engine.sources import open_capture
from engine.sources.blocks import EVENTS
from engine.sources.metadata import FdEntry
from engine.sources.raw import BUDGET
from engine.store.store import Damage, RawBytes, Store


class Recorder:
    """Takes everything down."""

    def __init__(self, raw: RawBytes, limit: int | None = None) -> None:
        self.store = Store(raw)
        self.limit = limit
        self.told: list[str] = []
        """Names of the calls in their order, runs of the same made one."""
        self.sections = 0
        self.machines: list[Machine] = []
        self.threads: list[Thread] = []
        self.fds: list[tuple[int, FdEntry]] = []
        self.interfaces: list[Interface] = []
        self.users: list[User] = []
        self.groups: list[Group] = []
        self.offsets: list[int] = []
        """Stream offsets of the events."""
        self.times: list[int] = []
        self.types: Counter[int] = Counter()
        self.seals = 0

    @property
    def damage(self) -> list[Damage]:
        return self.store.damage

    def _tell(self, what: str) -> None:
        if self.told[-1:] != [what]:
            self.told.append(what)

    def section(self) -> None:
        self._tell("section")
        self.sections += 1

    def machine(self, machine: Machine) -> None:
        self._tell("machine")
        self.machines.append(machine)

    def thread(self, thread: Thread) -> None:
        self._tell("thread")
        self.threads.append(thread)

    def former(self, threads: Mapping[int, Thread]) -> None:
        self._tell("former")

    def fd(
        self, tid: int, number: int, kind: FdKind, name: bytes, socket: Socket | None, flags: int, dev: int, ino: int
    ) -> None:
        self._tell("fd")
        self.fds.append((tid, FdEntry(number, kind, name, socket, flags, dev, ino)))

    def interface(self, interface: Interface) -> None:
        self._tell("interface")
        self.interfaces.append(interface)

    def user(self, user: User) -> None:
        self._tell("user")
        self.users.append(user)

    def group(self, group: Group) -> None:
        self._tell("group")
        self.groups.append(group)

    def feed(self, buffer: memoryview, base: int, start: int) -> tuple[int, Stop, str]:
        while True:
            if self.limit is not None and len(self.offsets) >= self.limit:
                return start, Stop.LIMIT, ""
            if len(buffer) - start < 8:
                return start, Stop.MORE, ""
            kind, length = struct.unpack_from("<II", buffer, start)
            if kind not in EVENTS:
                return start, Stop.OTHER, ""
            if start + length > len(buffer):
                return start, Stop.MORE, ""
            header = 14 if kind in (0x208, 0x217, 0x222) else 10
            if length < header + 22 + 4 or length % 4:
                return start, Stop.DAMAGE, f"expected the length of an event, found {length}"
            (trailer,) = struct.unpack_from("<I", buffer, start + length - 4)
            if trailer != length:
                return start, Stop.DAMAGE, f"expected the block's length {length} again at its end, found {trailer}"
            time, _tid, _len, code = struct.unpack_from("<QQIH", buffer, start + header)
            self._tell("event")
            self.offsets.append(base + start)
            self.times.append(time)
            self.types[code] += 1
            start += length

    def seal(self) -> None:
        self.seals += 1


def record(path: Path, *, limit: int | None = None, budget: int = BUDGET) -> Recorder:
    """Read a file to its end; every event must be found again in the raw bytes."""
    source = open_capture(path, budget=budget)
    recorder = Recorder(source.raw, limit)
    progress = [source.progress]
    while source.step(recorder):
        progress.append(source.progress)
    assert progress == sorted(progress)
    assert source.progress == 1.0
    assert recorder.seals == 1
    for offset, time in zip(recorder.offsets, recorder.times, strict=True):
        block = source.raw.read(offset, offset + 22)
        at = 14 if struct.unpack_from("<I", block)[0] in (0x208, 0x217, 0x222) else 10
        assert struct.unpack_from("<Q", block, at) == (time,)
    source.close()
    return recorder

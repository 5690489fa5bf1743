"""Events fed straight to a decoder, and what it made of them."""

from __future__ import annotations

from typing import Any

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.decode.stop import Stop
from engine.events import FdKind
from engine.model.facts import Socket, Thread
from engine.store.store import Store
from tests.scapfile import event, pack


class Bytes:
    """A stream that is all in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.nbytes = len(data)

    def read(self, start: int, end: int) -> memoryview:
        return memoryview(self._data)[start:end]


class Machine:
    """A decoder whose events are written one by one, a microsecond apart."""

    def __init__(self, *threads: Thread) -> None:
        self.stream = b""
        self.store = Store(Bytes(b""))
        self.decoder = Decoder(self.store, "a test")
        self._time = 1_000_000_000
        for thread in threads:
            self.decoder.thread(thread)

    def fd(self, tid: int, number: int, kind: FdKind, name: bytes = b"", socket: Socket | None = None) -> None:
        """An fd of the fd list."""
        self.decoder.fd(tid, number, kind, name, socket, 0, 0, 0)

    def happens(self, code: int, tid: int, /, *, after: int = 1000, count: int | None = None, **values: Any) -> Event:
        """Feed an event of a type; the event as decoded."""
        self._time += after
        return self.feed(event(code, tid, self._time, pack(code, count, **values)))

    def feed(self, block: bytes) -> Event:
        """Feed a block that holds one event; the event as decoded."""
        at, stop, expected = self.decoder.feed(bytearray(block), len(self.stream), 0)
        assert (at, stop, expected) == (len(block), Stop.MORE, "")
        self.stream += block
        self.decoder.seal()
        self.store.raw = Bytes(self.stream)
        segment = self.store.segments[-1]
        return Event(self.store, segment, len(segment) - 1)


def listed(tid: int, comm: bytes = b"app", **facts: Any) -> Thread:
    """A thread of a process list, a process of its own unless facts say otherwise."""
    given: dict[str, Any] = {"pid": tid, "ptid": 1, "exe": comm, "cwd": b"/home/", "vtid": tid, "vpid": tid, **facts}
    return Thread(tid, comm=comm, **given)

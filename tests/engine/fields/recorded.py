"""A capture made of event blocks, read back: events as fields see them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.model.facts import Thread
from engine.sources import open_capture
from engine.store.segment import Segment
from engine.store.store import Store
from tests.engine.query.handmade import Row, segment
from tests.scapfile import machine, process_list, section

CAT = Thread(
    tid=10,
    pid=10,
    ptid=1,
    comm=b"cat",
    exe=b"/bin/cat",
    exepath=b"/usr/bin/cat",
    args=(b"-n", b"/etc/passwd"),
    env=(b"HOME=/root", b"EMPTY="),
    cwd=b"/root/",
    cgroups=(b"cpu=/", b"memory=/system"),
    uid=0,
    gid=0,
    vtid=10,
    vpid=10,
)
"""The process the events of these tests belong to, unless they say otherwise."""
INIT = Thread(tid=1, pid=1, ptid=0, comm=b"systemd", exe=b"/sbin/init", cwd=b"/", vtid=1, vpid=1)


def recorded(folder: Path, *blocks: bytes, threads: tuple[Thread, ...] = (INIT, CAT)) -> Store:
    """The store of a capture with these threads in its process list and these further blocks."""
    path = folder / "made.scap"
    path.write_bytes(section() + machine(cpus=2) + process_list(9, threads) + b"".join(blocks))
    with closing(open_capture(path)) as source:
        kept = Kept(path.read_bytes())
        store = Store(kept)
        decoder = Decoder(store, str(path))
        while source.step(decoder):
            pass
    return store


def events(store: Store) -> list[Event]:
    """Every event of a store."""
    return [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]


def only(store: Store) -> tuple[Segment, Event]:
    """The segment and the last event of a small store."""
    segment = store.segments[-1]
    return segment, Event(store, segment, len(segment) - 1)


def alone(block: bytes, code: int) -> Event:
    """The event in a block, of the thread ``CAT``, without decoding: any bytes do."""
    store = Store(Kept(block))
    store.threads.append(CAT)
    made = segment([Row(code, thread=0)])
    made.offset[0] = 0
    return Event(store, replace(made, end=len(block)), 0)


class Kept:
    """Raw bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.nbytes = len(data)

    def read(self, start: int, end: int) -> memoryview:
        """Bytes ``start`` to ``end``."""
        return memoryview(self._data)[start:end]

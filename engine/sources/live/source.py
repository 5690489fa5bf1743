"""The live kernel as a source: what the kernel side emits, drained, encoded and handed to a sink.

Owns the life of a capture: attach, take the picture of the machine, drain; and what the kernel side is told while it
runs. Bytes are kept as those of an inflated file are.
"""

from __future__ import annotations

import mmap
import os
import time
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.decode.ring import Ring
from engine.decode.stop import Stop
from engine.events import CATALOGUE, GENERIC
from engine.model.facts import Thread
from engine.sources.live import picture
from engine.sources.live.calls import CALL, DATA_MAX, TASK_NOW, kernel_table, table
from engine.sources.live.encoding import encoding
from engine.sources.live.loader import Loaded, LoadError, Options, load
from engine.sources.live.narrowing import MAX_CGROUPS, Narrower, Narrowing
from engine.sources.live.sampling import Sampler
from engine.sources.raw import BUDGET, KeptBytes
from engine.sources.runtimes.naming import Naming
from engine.sources.sink import FactSink
from engine.store.segment import NO_FD
from engine.store.store import Store

__all__ = ["LiveSource", "LoadError", "Narrowing", "Options"]

INTERVAL = 0.02
"""Seconds between two looks at the ring. The kernel side never wakes us up: that costs it more than a record."""
EVERYTHING = 1 << 62
"""More calls than there are."""
ROOM = 4 << 20
"""Bytes of event blocks made at once."""
_CONFIG = np.dtype(
    [("enabled", "<u4"), ("self", "<u4"), ("snaplen", "<u4"), ("only", "<u4"), ("by_process", "<u4"),
     ("by_cgroup", "<u4"), ("unwanted", "<u4"), ("unused", "<u4"), ("unified", "<u8", MAX_CGROUPS),
     ("memory", "<u8", MAX_CGROUPS)]
)  # fmt: skip
_LOST = np.dtype([("count", "<u8"), ("unused", "<u8", 7)])


def clock() -> int:
    """ns from the monotonic clock's zero to the epoch's."""
    best, offset = 1 << 62, 0
    for _ in range(5):
        before = time.monotonic_ns()
        now = time.time_ns()
        after = time.monotonic_ns()
        if after - before < best:
            best, offset = after - before, now - (before + after) // 2
    return offset


@cache
def _on_fd() -> NDArray[np.bool_]:
    """By type code of an exit: whether the call's first argument is a descriptor."""

    def is_on(code: int) -> bool:
        told = [*CATALOGUE[code & ~1].params[:1], *CATALOGUE[code].params[1:2]]
        return any(parameter.type == "FD" for parameter in told)

    return np.array([is_on(code) for code in range(len(CATALOGUE))])


class EventSink(Protocol):
    """Takes the live machine's events."""

    @property
    def store(self) -> Store:
        """Where they end up."""

    def feed(self, buffer: memoryview, base: int, start: int, latencies: NDArray[np.int64], /) -> tuple[int, Stop, str]:
        """Take the event blocks in ``buffer[start:]`` with the latency of each (``Decoder.feed``)."""

    def seal(self) -> None:
        """The last event was fed."""


class LiveSink(FactSink, EventSink, Protocol):
    """Takes facts and events."""


class LiveSource:
    """The running machine. Nothing is captured of our own process."""

    progress = 1.0
    single = True

    def __init__(
        self, options: Options | None = None, *, snaplen: int = 80, budget: int = BUDGET, room: int = ROOM
    ) -> None:
        """Compile and attach; a look at the ring makes up to ``room`` bytes of event blocks. Raises LoadError when
        the kernel cannot be watched.
        """
        options = options or Options()
        self.raw = KeptBytes(budget)
        self._loaded: Loaded = load(options)
        maps, page = self._loaded.maps, mmap.PAGESIZE
        positions = mmap.mmap(maps["events"], page)
        data = mmap.mmap(maps["events"], page + 2 * options.ring, prot=mmap.PROT_READ, offset=page)
        calls = table()
        encoded, self._offset = encoding(calls), clock()
        self._size = options.ring
        self._ring = Ring(positions, data, options.ring, encoded, self._offset, room)
        self._lost = np.frombuffer(self._map("lost", _LOST.itemsize * self._loaded.cpus), _LOST, self._loaded.cpus)
        told = kernel_table(calls)
        self._calls = np.frombuffer(self._map("calls", told.nbytes), CALL, len(told))
        self._calls[:] = told
        self._config = np.frombuffer(self._map("config", _CONFIG.itemsize), _CONFIG, 1)[0]
        words = self._loaded.pid_max // 64 + 1
        chosen = np.frombuffer(self._map("chosen", 8 * words), np.uint64, words)
        self._types = np.where(encoded.types == 1, GENERIC + 2 * encoded.generic.astype(np.int64) + 1, encoded.types)
        self._narrower = Narrower(encoded, self._calls, self._config, chosen, self._offset)
        # In a namespace we have another number than the kernel's.
        self._config["self"] = self._tasks()["reader"][0]
        self._config["snaplen"] = min(snaplen, DATA_MAX)
        self._naming = Naming()
        self._sampler = Sampler(self._offset, self._tasks)
        self.samples = True
        """Whether ``drain`` samples the threads' CPU time when that is due; else ``sample`` is to be called."""
        self._started = False
        self._stopping = False
        self.received = 0
        """Records drained."""

    def _map(self, name: str, size: int) -> mmap.mmap:
        return mmap.mmap(self._loaded.maps[name], -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)

    @property
    def losses(self) -> NDArray[np.uint64]:
        """Events the kernel side could not hand over since the start, by processor."""
        return self._lost["count"].copy()

    @property
    def lost(self) -> int:
        """Events the kernel side could not hand over since the start."""
        return int(self.losses.sum())

    @property
    def waiting(self) -> int:
        """Bytes of records not yet handed on."""
        return self._ring.waiting

    @property
    def crowded(self) -> bool:
        """So much waits that events will be lost soon."""
        return self._ring.waiting > self._size // 2

    @property
    def malformed(self) -> int:
        """Records that were none of the kernel side's; 0 unless something is broken."""
        return int(self._ring.malformed)

    def stop(self) -> None:
        """Record nothing more; the next steps hand on what is still in the ring, then end."""
        self._config["enabled"] = 0
        self._stopping = True

    def begin(self, sink: FactSink) -> None:
        """Record from now on, and hand on the machine as it is.

        What happens meanwhile is in the ring already, and comes with the steps. Who ends before the picture gets to
        it is known from looks at all threads right before, the last two of which are short: only at those that are new.
        """
        self._started = True
        before: dict[int, Thread] = {}
        for enabled in (0, 0, 1):
            self._config["enabled"] = enabled
            before |= {thread.tid: thread for thread in picture.threads(before)}
        picture.take(sink)
        sink.former(before)

    def step(self, sink: LiveSink) -> bool:
        """``begin`` the first time, then ``drain``."""
        if not self._started:
            self.begin(sink)
            return True
        return self.drain(sink)

    def drain(self, sink: EventSink, most: int = EVERYTHING) -> bool:
        """Hand on what there is, at most a few MB and so many calls, waiting a moment when there is nothing.

        False when the capture was stopped and all was handed on.
        """
        stopping = self._stopping
        if self.samples:
            self.sample(sink)
        if named := self._naming.blocks(sink.store):
            self._hand_on(sink, memoryview(b"".join(named)), np.zeros(len(named), np.int64))
        made, events = self._ring.drain(most)
        if made:
            self.received += events
            self._hand_on(sink, self._ring.buffer.data[:made], self._ring.latencies[:events])
            return True
        if stopping:
            sink.seal()
            return False
        time.sleep(INTERVAL)
        return True

    def now(self) -> int:
        """The time now on the clock of the events, ns since the epoch."""
        return time.monotonic_ns() + self._offset

    def sample(self, sink: EventSink) -> int:
        """Hand on the CPU time threads took since the last sample; the time of this one, ns since the epoch.

        0 when it is too early for another one.
        """
        before = self._sampler.stamp
        blocks = self._sampler.blocks() if self.samples else self._sampler.blocks(0.0)
        if len(blocks):
            self._hand_on(sink, memoryview(blocks.tobytes()), np.zeros(len(blocks), np.int64))
        return self._sampler.stamp if self._sampler.stamp != before else 0

    def _hand_on(self, sink: EventSink, view: memoryview, latencies: NDArray[np.int64]) -> None:
        base = self.raw.size
        self.raw.append(view)
        sink.feed(view, base, 0, latencies)

    def follow(self, pid: int) -> None:
        """Record only this process and what it starts. To be said before ``begin``."""
        self._config["only"] = pid

    @property
    def narrowing(self) -> Narrowing:
        """What the kernel side leaves out is what does not meet this."""
        return self._narrower.now

    def narrow(self, asked: Narrowing) -> int:
        """Leave out in the kernel what is not asked for, from now on; ``Narrowing()`` leaves out nothing.

        Returns the time (ns, as events have it) from which on it holds; ``narrowing`` tells what of it could be
        done. Costs a few µs and no system call worth the name, at any time.
        """
        return self._narrower.narrow(asked)

    def watch_switches(self, on: bool) -> None:
        """Context switches come, or come no more. Raises LoadError."""
        self._loaded.switch("switches", on)

    def watch_page_faults(self, on: bool) -> None:
        """Page faults come, or come no more. Raises LoadError."""
        self._loaded.switch("faults", on)

    def _tasks(self) -> NDArray[np.void]:
        return np.frombuffer(self._loaded.tasks(), TASK_NOW)

    def in_progress(self) -> NDArray[np.void]:
        """The calls threads are inside of right now, our own threads' too; dtype TASK_NOW, ``since`` in ns since
        the epoch, 0 where it began before we did. ``NATIVE_X86_64`` names the number; with COMPAT it is one of a
        32-bit program. Arguments are registers: what they point at is not read. Raises LoadError.
        """
        tasks = self._tasks()
        found = tasks[tasks["number"] >= 0].copy()
        found["since"][found["since"] > 0] += np.uint64(self._offset)
        return found

    def inside(self) -> list[tuple[int, int, int, int]]:
        """The same as tid, type code, since when (0: unknown) and number of the fd it is on, NO_FD of none."""
        found = self.in_progress()
        found = found[(found["number"] < len(self._types)) & (found["pid"] != os.getpid())]
        codes = self._types[found["number"]]
        fds = np.where(_on_fd()[codes], found["args"][:, 0].astype(np.int32), NO_FD)
        return list(zip(*(one.tolist() for one in (found["tid"], codes, found["since"], fds)), strict=True))

    def close(self) -> None:
        """Detach. ``raw`` cannot be read any more."""
        self._naming.close()
        self._loaded.close()
        self.raw.close()

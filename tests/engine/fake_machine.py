"""A live source made by hand: a machine whose clock and calls are told by the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.events import SCAP_TYPES, codes_by_name
from engine.model.facts import Thread
from engine.sources.live.source import EVERYTHING, LiveSink, Narrowing
from engine.sources.raw import KeptBytes
from tests.scapfile import event, pack

READ, CLONE, EXECVE, EXIT = (
    max(code for code in codes_by_name()[name] if code < SCAP_TYPES) for name in ("read", "clone", "execve", "procexit")
)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class FakeMachine:
    """Events are put in by ``happen`` and drained as from a kernel; time stands still until ``pass_time``."""

    def __init__(self, *threads: Thread) -> None:
        self.raw = KeptBytes(1 << 40)
        self.samples = True
        self.lost = 0
        self.narrowing = Narrowing()
        self.narrowed: list[Narrowing] = []
        self.closed = self.stopped = False
        self.failing: Exception | None = None
        self.calls: list[tuple[int, int, int, int]] = []
        """Tid, type code, since when, fd number."""
        self.crowded = False
        self.stuck = False
        """True while nothing is handed on, though there is something."""
        self._threads = threads
        self._time = START
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()
        self.looked = threading.Semaphore(0)
        """Released after every look."""
        self.on_drain: Callable[[], None] = lambda: None

    def happen(self, code: int = READ, tid: int = 10, /, **values: Any) -> None:
        """An event happens now."""
        if code == READ:
            values = {"res": 5, "data": b"hello"} | values
        with self._lock:
            self._waiting.append(event(code, tid, self._time, pack(code, None, **values)))

    def pass_time(self, ns: int) -> None:
        """Let the clock go on."""
        self._time += ns

    @property
    def waiting(self) -> int:
        with self._lock:
            return 100 * sum(map(len, self._waiting))

    def now(self) -> int:
        return self._time

    def begin(self, sink: LiveSink) -> None:
        for thread in self._threads:
            sink.thread(replace(thread))

    def sample(self, sink: LiveSink) -> int:
        return 0

    def drain(self, sink: LiveSink, most: int = EVERYTHING) -> bool:
        self.on_drain()
        if self.failing is not None:
            raise self.failing
        with self._lock:
            most = 0 if self.stuck else most
            blocks, self._waiting = self._waiting[:most], self._waiting[most:]
        if blocks:
            data = memoryview(b"".join(blocks))
            base = self.raw.size
            self.raw.append(data)
            sink.feed(data, base, 0, np.full(len(blocks), 5, np.int64))
        self.looked.release()
        if not blocks:
            time.sleep(0.001)
        return bool(blocks) or not self.stopped

    def inside(self) -> list[tuple[int, int, int, int]]:
        return self.calls

    def stop(self) -> None:
        self.stopped = True

    def narrow(self, asked: Narrowing) -> int:
        self.narrowing = asked
        self.narrowed.append(asked)
        return self._time

    def close(self) -> None:
        self.closed = True

"""Ingest of the live machine: drains the kernel, ends an interval after another, forgets what there is no room for.

Owns when an interval ends and which events are forgotten. What the kernel side leaves out is ``pushdown``'s business.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.decode.decoder import Decoder
from engine.ingest import Ingest, look_inside
from engine.pace import Pace
from engine.pushdown import Pushdown
from engine.query.snapshots import Live, Status
from engine.recording.following import Recording
from engine.sources.live.source import LiveSink, LoadError, Narrowing
from engine.sources.raw import KeptBytes
from engine.store.segment import Window
from engine.store.store import Loss, Store

FIRST_INTERVAL = 500_000_000
"""ns after which there is something to see, however long intervals are."""
MOST_MEMORY = 2 << 30
"""Bytes kept unless told otherwise, if a quarter of the free memory is not less."""
SLACK = 1 / 8
"""Part of the budget that is made free at once."""
URGENT, FULL = 1.1, 1.3
"""Parts of the budget from which on work on the store has to make room, and from which on nothing more is taken in."""
REST = 0.9
"""Share of one core from which on work on the store has to wait."""
LONGEST_REST = 1.0
"""Seconds it waits at most."""
_SETTLED = 4096
"""Bytes waiting in the ring that are no sign of events still to come for the interval that ends."""
_OVERDUE = 2_000_000_000
"""ns after which an interval ends though events of it may still be to come."""
_MEASURED = 0.25
"""Seconds between two looks at our own share of a core and at memory."""


class Source(Protocol):
    """What is drained: ``LiveSource``, or one made by hand in tests."""

    raw: KeptBytes
    samples: bool

    @property
    def lost(self) -> int:
        """Events the kernel side could not hand over since the start."""

    @property
    def waiting(self) -> int:
        """Bytes of records not yet handed on."""

    def now(self) -> int:
        """The time now on the clock of the events."""

    def begin(self, sink: LiveSink) -> None:
        """Record from now on, and hand on the machine as it is."""

    def sample(self, sink: LiveSink) -> int:
        """Hand on the CPU time threads took since the last sample; the time of this one, 0 when it is too early."""

    def drain(self, sink: LiveSink) -> bool:
        """Hand on what there is, waiting a moment when there is nothing; False at the end."""

    def stop(self) -> None:
        """Record nothing more."""

    def narrow(self, asked: Narrowing) -> int:
        """Leave out what is not asked for."""

    @property
    def narrowing(self) -> Narrowing:
        """What is left out is what does not meet this."""

    def inside(self) -> list[tuple[int, int, int, int]]:
        """The calls threads are inside of now: tid, type code, since when (0: unknown), fd number."""

    def close(self) -> None:
        """Detach."""


def free_memory() -> int:
    """Bytes of memory that could be used without swapping."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 8 << 30


def resident() -> int:
    """Bytes of memory this process has, those it shares with nobody."""
    pages, shared = (int(word) for word in Path("/proc/self/statm").read_text("ascii").split()[1:3])
    return (pages - shared) * os.sysconf("SC_PAGESIZE")


class LiveIngest(Ingest):
    """Watches the machine."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        interval: int = 2_000_000_000,
        budget: int | None = None,
        port_names: bool = False,
        user_names: bool = True,
        begun: Callable[[], None] = lambda: None,
        over: Callable[[], bool] = lambda: False,
        limit: int | None = None,
    ) -> None:
        """Prepare; ``open_source`` is called by ``run`` and may raise LoadError.

        ``interval``: ns. ``budget``: bytes kept, the oldest events are forgotten beyond. ``begun`` is called when
        events are being captured, and when ``over`` says so, or after ``limit`` events, capture ends.
        """
        super().__init__(Store(KeptBytes(0), port_names=port_names, user_names=user_names), os.uname().nodename)
        self._open = open_source
        self._begun, self._over = begun, over
        self._limit = limit
        self.budget = min(free_memory() // 4, MOST_MEMORY) if budget is None else budget
        self._pace = Pace(interval)
        self._pushdown = Pushdown(self.store)
        self._source: Source | None = None
        self._decoder = Decoder(self.store, self._name)
        self._started = self._from = self._due = 0
        self._end: int | None = None
        """Where the interval ends whose last events are awaited."""
        self._share = 0.0
        self._lost = self._lost_now = 0
        self._resident = resident()
        self._measured = (time.monotonic(), time.process_time())
        self._interval_cpu = (time.monotonic(), time.process_time())
        self._interval_share = 0.0
        self._ended = False
        self._recording = Recording(self.store, self._decoder, single=True)

    def run(self, tell: Callable[[Status], None]) -> None:
        """Attach, then watch until closed."""
        try:
            self._attach()
            tell(self.status())
            while not self._closing and self._step():
                if self._finished_interval():
                    tell(self.status())
            self._stop()
        except LoadError as error:
            self.failure = error
            self._error = str(error)
        except Exception as error:  # the screen must say why rows stop; what was captured keeps answering
            self.failure = error
            self._error = f"capture stopped: {type(error).__name__}: {error}"
        self._recording.close()
        if self._source is not None:
            self._lost = self._source.lost
            self._source.stop()
        self._ended = True
        self.latest = None
        tell(self.status())

    def release(self) -> None:
        """Detach."""
        if self._source is not None:
            self._source.close()

    def _attach(self) -> None:
        source = self._source = self._open()
        self.store.raw = source.raw
        source.samples = False
        self._pushdown.update(source)
        source.begin(self._decoder)
        # Nothing to decode, but whoever is there is known from now on.
        self._decoder.feed(b"", 0, 0)
        # What was used before the first interval is no part of it.
        self._sample()
        self._started = self._from = source.now()
        self._due = self._from + min(self._pace.interval, FIRST_INTERVAL)
        self._begun()
        # Nor is what it took to get here.
        self._measured = self._interval_cpu = (time.monotonic(), time.process_time())

    def _sample(self) -> None:
        assert self._source is not None
        if stamp := self._source.sample(self._decoder):
            self.store.sampled.append(stamp)

    def _step(self) -> bool:
        """Take in what there is; False at the end of the capture."""
        assert self._source is not None
        self._measure()
        self._pushdown.update(self._source)
        # What is not yet in the file cannot be forgotten.
        self._recording.step()
        if self.store.memory.total > self.budget:
            self._forget()
        if self.store.memory.total > FULL * self.budget:
            # What the kernel cannot hand over it counts.
            time.sleep(0.02)
            return True
        if self._over() or (self._limit is not None and self.store.events >= self._limit):
            self._source.stop()
        return self._source.drain(self._decoder)

    def _stop(self) -> None:
        """Take in nothing more, but for a recording what already happened."""
        assert self._source is not None
        if self._recording.state is not None and self._recording.state.open:
            self._source.stop()
            while self._source.drain(self._decoder):
                pass
        self._decoder.seal()

    def record(self, path: Path | None) -> None:
        """Record to a file what comes from now on, and before it what is kept; None finishes the recording."""
        if path is None:
            self._recording.stop()
        else:
            self._recording.start(path)

    def narrow(self, filter_text: str) -> None:
        """Only what passes a filter matters from now on."""
        self._pushdown.ask(filter_text)

    def left_out(self, filter_text: str) -> int:
        """Time (ns since epoch) until which events that a filter keeps were left out; 0 when none were."""
        return self._pushdown.left_out(filter_text, self._source.now() if self._source else 0)

    def _measure(self) -> None:
        now = time.monotonic()
        then, used = self._measured
        if now - then >= _MEASURED:
            self._measured = (now, time.process_time())
            self._share = (self._measured[1] - used) / (now - then)

    def rest(self) -> None:
        """Wait while the program takes all it may take of a core."""
        if self.latest is None:  # the first picture is not to wait
            return
        until = time.monotonic() + LONGEST_REST
        while self._share > REST and not self._closing and time.monotonic() < until:
            time.sleep(0.02)

    # intervals

    def _finished_interval(self) -> bool:
        """Whether an interval has just ended with all its events taken in."""
        source = self._source
        assert source is not None
        now = source.now()
        if self._end is None:
            if now < self._due:
                return False
            self._sample()
            # Samples are of the interval that ends.
            self._end = source.now()
            return False
        # A look at the ring that began after the end has brought all before it, unless there was too much to bring.
        if source.waiting > _SETTLED and now < self._due + _OVERDUE:
            self._decoder.seal()
            if not self.store.segments or self.store.segments[-1].time_span[1] <= self._end:
                return False
        self._decoder.seal()
        self._finish((self._from, self._end), now)
        self._from, self._end = self._end + 1, None
        return True

    def _finish(self, window: Window, now: int) -> None:
        assert self._source is not None
        lost = self._source.lost
        self._lost_now, self._lost = lost - self._lost, lost
        if self._lost_now:
            self.store.losses.append(Loss(window, self._lost_now))
        moment, used = self._interval_cpu
        self._interval_cpu = (time.monotonic(), time.process_time())
        self._interval_share = (self._interval_cpu[1] - used) / max(self._interval_cpu[0] - moment, 0.001)
        self._pace.ended(max(now - self._due, 0), self._interval_share)
        # At even distances, as long as that leaves the next one most of its length.
        self._due = max(self._due, window[1] - self._pace.interval // 4) + self._pace.interval
        self._resident = resident()
        look_inside(self.store, self._decoder, self._source.inside(), window[1])
        self.latest = window

    # room

    def _forget(self) -> None:
        """Forget the oldest segments until the budget is met, with some room to spare; later if somebody reads."""
        assert self._source is not None
        if not self.reading.acquire(blocking=False):
            self.wants_room = self.store.memory.total > URGENT * self.budget
            return
        try:
            self._decoder.seal()
            segments = self.store.segments
            excess = self.store.memory.total - (1 - SLACK) * self.budget
            count = 0
            before = segments[0].offset[0] if segments else 0
            needed = self._recording.needed_from
            while count < len(segments) and excess > 0 and segments[count].first + len(segments[count]) < needed:
                excess -= segments[count].nbytes + segments[count].end - before
                before = segments[count].end
                count += 1
            self._decoder.forget(count, int(SLACK * self.budget))
            self._source.raw.drop(before)
            self._pushdown.forget(self.store.time_span[0])
        finally:
            self.wants_room = False
            self.reading.release()

    @property
    def live(self) -> Live:
        """What there is to say of the capture."""
        return Live(
            started=self._started,
            window=self.latest,
            interval=self._pace.interval,
            behind=self._pace.behind,
            lost=self._lost,
            lost_now=self._lost_now,
            forgotten=self.store.forgotten,
            share=self._interval_share,
            resident=self._resident,
            narrowed=str(self._pushdown),
            ended=self._ended,
            recorded=self._recording.state,
        )

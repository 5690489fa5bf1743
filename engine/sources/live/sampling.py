"""CPU time of every thread, sampled as the format's procinfo events.

Owns when a sample is due and which threads it tells of: those whose time changed. What a sample costs decides how
often there is one.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator

INTERVAL = 1.0
"""Seconds between samples, if not asked otherwise."""
SHARE = 0.02
"""Most of a core that sampling may take; with many threads samples come less often."""
_PROCINFO = 234
_BLOCK = struct.Struct("<IIHQQIHIHHQQI")


class Sampler:
    """Samples all threads there are."""

    def __init__(self, clock: int) -> None:
        """``clock``: ns from the monotonic clock's zero to the epoch's."""
        self._clock = clock
        self._last: dict[int, tuple[int, int]] = {}
        self._due = 0.0
        self.stamp = 0
        """Time of the last sample, ns since the epoch."""

    def blocks(self, interval: float = INTERVAL) -> list[bytes]:
        """Event blocks for threads whose CPU time changed; nothing while no sample is due, ``interval`` seconds after
        the last or later."""
        began = time.monotonic()
        if began < self._due:
            return []
        now = {tid: times for pid in _numbers("/proc") for tid, times in _times(pid)}
        stamp = self.stamp = time.monotonic_ns() + self._clock
        size = _BLOCK.size
        made = [
            _BLOCK.pack(0x216, size, 0, stamp, tid, 46, _PROCINFO, 2, 8, 8, *times, size)
            for tid, times in now.items()
            if self._last.get(tid) != times
        ]
        self._last = now
        taken = time.monotonic() - began
        self._due = began + max(interval, taken / SHARE)
        return made


def _numbers(folder: str) -> list[int]:
    try:
        return [int(name) for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return []


def _times(pid: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """User and system time so far of each thread, in clock ticks."""
    folder = f"/proc/{pid}/task"
    for tid in _numbers(folder):
        try:
            with open(f"{folder}/{tid}/stat", "rb", buffering=0) as file:
                stat = file.read().rpartition(b")")[2].split()
            yield tid, (int(stat[11]), int(stat[12]))
        except (OSError, IndexError):
            continue

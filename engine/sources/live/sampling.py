"""CPU time of every thread, sampled as the format's procinfo events.

Owns when a sample is due and which threads it tells of: those whose time changed. What a sample costs decides how
often there is one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

INTERVAL = 1.0
"""Seconds between samples, if not asked otherwise."""
SHARE = 0.02
"""Most of a core that sampling may take; with many threads samples come less often."""
BLOCK = np.dtype(
    [("kind", "<u4"), ("length", "<u4"), ("cpu", "<u2"), ("time", "<u8"), ("tid", "<u8"), ("event_length", "<u4"),
     ("type", "<u2"), ("params", "<u4"), ("lengths", "<u2", 2), ("user", "<u8"), ("system", "<u8"), ("again", "<u4")]
)  # fmt: skip
"""The block of a procinfo event (scap-format §9)."""
_EV_V2, _PROCINFO = 0x216, 234
_TIMES = np.dtype([("tid", "<u8"), ("user", "<u8"), ("system", "<u8")])


class Sampler:
    """Samples all threads there are."""

    def __init__(self, clock: int, tasks: Callable[[], NDArray[np.void]]) -> None:
        """``clock``: ns from the monotonic clock's zero to the epoch's; ``tasks`` tells all, as ``TASK_NOW``."""
        self._clock = clock
        self._tasks = tasks
        self._tick = 10**9 // os.sysconf("SC_CLK_TCK")
        self._last = np.empty(0, _TIMES)
        """In ns, ordered by tid."""
        self._due = 0.0
        self.stamp = 0
        """Time of the last sample, ns since the epoch."""

    def blocks(self, interval: float = INTERVAL) -> NDArray[np.void]:
        """Event blocks (``BLOCK``) for threads whose CPU time changed; none while no sample is due, ``interval``
        seconds after the last or later."""
        began = time.monotonic()
        if began < self._due:
            return np.empty(0, BLOCK)
        tasks = self._tasks()
        self.stamp = time.monotonic_ns() + self._clock
        tasks = tasks[np.argsort(tasks["tid"])]
        before, known = self._before(tasks)
        now = _divided(tasks, before)
        changed = ~known
        for name in ("user", "system"):
            changed |= now[name] // self._tick != before[name] // self._tick
        made = np.zeros(int(changed.sum()), BLOCK)
        made["kind"], made["length"], made["again"] = _EV_V2, BLOCK.itemsize, BLOCK.itemsize
        made["time"], made["tid"] = self.stamp, now["tid"][changed]
        made["event_length"], made["type"], made["params"], made["lengths"] = 46, _PROCINFO, 2, 8
        for name in ("user", "system"):
            made[name] = now[name][changed] // self._tick
        self._last = now
        self._due = began + max(interval, (time.monotonic() - began) / SHARE)
        return made

    def _before(self, tasks: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.bool_]]:
        """The last times of these tasks, zeros where there are none, and where there are."""
        before, tids = np.zeros(len(tasks), _TIMES), tasks["tid"].astype(np.uint64)
        at = np.searchsorted(self._last["tid"], tids)
        known = at < len(self._last)
        known[known] = self._last["tid"][at[known]] == tids[known]
        before[known] = self._last[at[known]]
        # A number may have been given to another thread, which has used less.
        known &= before["user"] + before["system"] <= tasks["runtime"]
        before[~known] = 0
        return before, known


def _divided(tasks: NDArray[np.void], before: NDArray[np.void]) -> NDArray[np.void]:
    """What was used in all, divided as the ticks are, and neither part less than before."""
    now = np.empty(len(tasks), _TIMES)
    now["tid"] = tasks["tid"]
    ticks = tasks["user"] + tasks["system"]
    share = np.divide(tasks["system"], ticks, out=np.zeros(len(tasks)), where=ticks > 0)
    system = np.maximum((tasks["runtime"] * share).astype(np.uint64), before["system"])
    user = np.maximum(tasks["runtime"] - system, before["user"])
    # Where the system's part would take from the user's, or the other way round, it is left as it was.
    user = np.where(system + before["user"] > tasks["runtime"], before["user"], user)
    now["user"], now["system"] = user, tasks["runtime"] - user
    return now

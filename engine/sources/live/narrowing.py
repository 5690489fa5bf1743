"""Tells the running program what not to send: processes, containers and types of events nobody asked for.

Owns what may be left out without making the tables untrue, and the writing of it into the kernel's maps, which the
program reads at every event. What of a filter can be said this way is for others to derive.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.decode.layout import Action, layouts
from engine.events import CATALOGUE, GENERIC
from engine.model.live import Live
from engine.model.model import Model
from engine.sources.live.calls import CALLS, Kind
from engine.sources.live.encoding import Encoding
from engine.sources.raw import KeptBytes
from engine.store.store import Store

MAX_CGROUPS = 4
"""Cgroups of one hierarchy that can be narrowed to at once."""
KEPT_ALWAYS, KEPT_ASKED, KEPT_NEVER = 0, 1, 2
"""Values of ``kept`` of the kernel's table of calls."""
_ADDRESS_TELLS = ("sendto", "recvfrom")
_KINDS = {"signaldeliver": Kind.SIGNAL, "page_fault": Kind.FAULT}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is asked for; what does not meet all that is given may be left out by the kernel side.

    Left out is never sent and not counted as lost. Whatever is asked, these always come, of everybody:

    * calls that change what is known of threads and descriptors (every call for which the model has a rule or the
      decoder an action: clone, exec, open, close, dup, socket, bind, connect, accept, chdir, setuid, mmap …), and
      those of sendto and recvfrom that are given an address, and sendmsg, recvmsg and their many-message forms,
    * ends of threads and processes, names given by other threads, samples of CPU time.

    So a filter still has to be applied to what comes; and the tables are as they would be had all been sent.
    """

    processes: frozenset[int] | None = None
    """Process ids (``Thread.pid``); None: of every process. Children do not belong to their parent's."""
    cgroups: frozenset[bytes] | None = None
    """Cgroups as ``Thread.cgroups`` has them, those named ``memory=`` and ``unified=``: what runs in any of them or
    below. Only those that tell the container's own: ``unified=/`` is the whole machine. None: wherever it runs."""
    types: frozenset[str] | None = None
    """Names of event types (``evt.type``). Context switches come as long as they are attached: they are how a
    thread's memory and faults are known."""


@cache
def changing_types() -> frozenset[int]:
    """Type codes of events that change what is known of threads and descriptors."""
    store = Store(KeptBytes(0))
    known = layouts(set(Model(store, Live(store.fds)).rules))
    return frozenset(code for code, layout in enumerate(known) if layout.action is not Action.NOTHING)


class Narrower:
    """The kernel's maps about what to leave out. Every change holds from the next event on."""

    def __init__(
        self,
        encoding: Encoding,
        calls: NDArray[np.void],
        config: NDArray[np.void],
        chosen: NDArray[np.uint64],
        clock: int,
    ) -> None:
        """``calls``: the kernel's table (``CALL``); ``config``: one row; ``chosen``: a bit a process id.

        ``clock``: ns from the monotonic clock's zero to the epoch's.
        """
        self._calls, self._config, self._chosen, self._clock = calls, config, chosen, clock
        self._codes = np.where(encoding.types == 1, GENERIC + 2 * encoding.generic + 1, encoding.types)
        self.now = Narrowing()
        """What is in force."""

    def narrow(self, asked: Narrowing) -> int:
        """Leave out what is not asked for; returns the time (ns, as events have it) from which on it does.

        What happened earlier was narrowed as before. Of cgroups that cannot be found, or are more than the kernel
        side can compare with, and of process ids out of range, nothing is left out; ``now`` tells what is in force.
        """
        processes, cgroups = asked.processes, asked.cgroups
        if processes is not None and not all(0 <= pid < 64 * len(self._chosen) for pid in processes):
            processes = None
        found = _numbers(cgroups) if cgroups is not None else None
        if found is None:
            cgroups = None
        # Whatever is between two writes leaves out only what one of both leaves out.
        if processes is not None:
            bits = np.zeros(len(self._chosen), np.uint64)
            for pid in processes:
                bits[pid // 64] |= np.uint64(1 << pid % 64)
            self._chosen |= bits
            self._config["by_process"] = 1
            self._chosen &= bits
        else:
            self._config["by_process"] = 0
        self._config["by_cgroup"] = 0
        if found is not None:
            for name in ("unified", "memory"):
                self._config[name] = (found[name] + [0] * MAX_CGROUPS)[:MAX_CGROUPS]
            self._config["by_cgroup"] = 1
        everything = processes is None and cgroups is None
        names = np.array([CATALOGUE[code].name for code in self._codes])
        telling = np.isin(names, _ADDRESS_TELLS)
        kept = np.full(CALLS, KEPT_ALWAYS if everything else KEPT_ASKED, np.uint8)
        unwanted = 0
        if asked.types is not None:
            kept[~np.isin(names, list(asked.types))] = KEPT_NEVER
            unwanted = sum(1 << kind - Kind.EXIT for name, kind in _KINDS.items() if name not in asked.types)
        kept[np.isin(self._codes, list(changing_types())) & ~telling] = KEPT_ALWAYS
        self._calls["telling"] = telling
        self._calls["kept"] = kept
        self._config["unwanted"] = unwanted
        self.now = Narrowing(processes, cgroups, asked.types)
        # The clock of events, which the one on the wall may leave behind.
        return time.monotonic_ns() + self._clock


def _numbers(cgroups: Collection[bytes]) -> dict[str, list[int]] | None:
    """Numbers of cgroups by hierarchy; None when one is not found or there are too many."""
    numbers: dict[str, list[int]] = {"unified": [], "memory": []}
    mounts = _mounts()
    for item in cgroups:
        name, _, path = os.fsdecode(item).partition("=")
        if name not in numbers:
            continue
        try:
            numbers[name].append(os.stat(mounts[name] + path).st_ino)
        except (KeyError, OSError):
            return None
    most = max(map(len, numbers.values()))
    return numbers if 0 < most <= MAX_CGROUPS else None


def _mounts() -> dict[str, str]:
    """Where the two hierarchies are mounted."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        place = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), before.split()[4])
        if kind == "cgroup2":
            found["unified"] = place
        elif kind == "cgroup" and "memory" in options.split(","):
            found["memory"] = place
    return found

"""Chisels that list what there is at a moment: processes, descriptors, connections, containers.

The moment is that of the first event the command line's filter keeps. The tables are those of the model; a filter given
to the chisel is asked of each descriptor of each thread as of an event about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine import filters, text
from engine.chisels.chisel import SECOND, Argument, Chisel, Mask, Reader, cell, size
from engine.events import CONTAINER_TYPES
from engine.filters import combine
from engine.query.standing import Opened, Standing, alone, in_force, stand_ins, with_descriptors
from engine.store.segment import Segment
from engine.store.store import Store

_FILTER = Argument("filter", "which, e.g. proc.name=nginx and fd.port=80", "filter", optional=True)


_PATIENCE = 1.0
"""Seconds within which runtimes tell of their containers."""


class _State(Chisel):
    category = "System State"
    arguments = (_FILTER,)
    base = ""
    """Filter of what is listed."""

    def start(self) -> None:
        """Nothing was seen."""
        self._seen: tuple[Store, int] | None = None
        self._wanted = filters.compile(combine(self.base, self.argument("filter")))

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Note the first event."""
        rows = np.flatnonzero(mask)
        if len(rows):
            self._seen = (store, segment.first + int(rows[0]) + 1)
            self.done = True

    def end(self) -> None:
        """List what there was."""
        if self._seen is None:
            self.say("empty capture or no event matching the filter")
            return
        store, fds = self.settings.tables(*self._seen)
        self.table(store, in_force(store, self._seen[1]), fds)

    def table(self, store: Store, threads: dict[int, int], fds: Opened) -> None:
        """Print; ``threads`` are rows by thread id, ``fds`` the thread id, number and row of descriptors."""
        raise NotImplementedError

    def kept(self, store: Store, standing: Standing, names: tuple[str, ...]) -> Iterator[list[Any]]:
        """The fields of those that the filter keeps."""
        told = stand_ins(standing)
        reader = Reader(names)
        reader.begin(store, told)
        for row in np.flatnonzero(self._wanted.mask(store, told)).tolist():
            yield reader.values(row)


class Lsof(_State):
    """Open descriptors."""

    name = "lsof"
    summary = "List (and optionally filter) the open file descriptors."
    description = "The open descriptors of every process when the first event happened, like lsof."

    def table(self, store: Store, threads: dict[int, int], fds: Opened) -> None:
        """A line each."""
        heads = (("COMMAND", 20), ("PID", 8), ("TID", 8), ("USER", 8), ("FD", 8), ("TYPE", 12))
        self.say("".join(cell(*head) for head in heads) + "NAME")
        pairs = with_descriptors(store, threads, fds)
        fields = ("proc.name", "proc.pid", "thread.tid", "user.name", "fd.num", "fd.type", "fd.name")
        for *values, name in self.kept(store, pairs, fields):
            cells = (cell(_told(value), width) for value, (_, width) in zip(values, heads, strict=True))
            self.say("".join(cells) + (name or ""))


class Netstat(_State):
    """Connections and listening sockets."""

    name = "netstat"
    summary = "List (and optionally filter) network connections."
    description = "IPv4 and IPv6 sockets of every process when the first event happened, like netstat."
    base = "(fd.type=ipv4 or fd.type=ipv6)"

    def table(self, store: Store, threads: dict[int, int], fds: Opened) -> None:
        """A line each."""
        heads = (("Proto", 6), ("Server Address", 25), ("Client Address", 25), ("State", 15))
        self.say("".join(cell(*head) for head in heads) + "TID/PID/Program Name")
        pairs = with_descriptors(store, threads, fds)
        names = ("fd.l4proto", "fd.sip", "fd.sport", "fd.cip", "fd.cport", "thread.tid", "proc.pid", "proc.name")
        rows = [row for row in self.kept(store, pairs, names) if row[1] is not None]
        for protocol, server, server_port, client, client_port, tid, pid, name in rows:
            there = f"{client}:{client_port}" if client is not None else "0.0.0.0:*"
            state = "LISTEN" if client is None else "ESTABLISHED"
            cells = (_told(protocol), f"{server}:{server_port}", there, state)
            shown = (cell(value, width) for value, (_, width) in zip(cells, heads, strict=True))
            self.say("".join(shown) + f"{tid}/{pid}/{_told(name)}")


class Ps(_State):
    """Processes and threads."""

    name = "ps"
    summary = "List (and optionally filter) the machine processes."
    description = "The threads of every process when the first event happened, like ps."

    def table(self, store: Store, threads: dict[int, int], fds: Opened) -> None:
        """A line each."""
        heads = (("TID", 8), ("PID", 8), ("USER", 12), ("VIRT", 11), ("RES", 11), ("FDLIMIT", 10))
        self.say("".join(cell(*head) for head in (*heads, ("CMD", 20))))
        pairs = alone(threads) + with_descriptors(store, threads, fds)
        names = ("thread.tid", "proc.pid", "user.name", "proc.vmsize", "proc.vmrss", "proc.fdlimit", "proc.name")
        shown: dict[int, list[Any]] = {}
        for values in self.kept(store, pairs, names):
            shown.setdefault(values[0], values)
        for tid, pid, user, virtual, resident, limit, name in (shown[tid] for tid in sorted(shown)):
            cells = (tid, pid, user, size(1024 * (virtual or 0)), size(1024 * (resident or 0)), limit)
            told = (cell(_told(value), width) for value, (_, width) in zip(cells, heads, strict=True))
            self.say("".join(told) + _told(name))


class LsContainers(Chisel):
    """Containers."""

    name = "lscontainers"
    category = "System State"
    summary = "List the running containers"
    description = "The containers a capture tells of, with type, image, name and id."
    arguments = (Argument("desc", "desc for everything that is known of each", optional=True),)

    def start(self) -> None:
        """Nothing was seen; of a machine, wait until runtimes have told what their containers are called."""
        self._store: Store | None = None
        self._begun: int | None = None
        if self.settings.live:
            self.interval = _PATIENCE / 4

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Note where they are."""
        self._store = store

    def tick(self, moment: int, now: int) -> None:
        """Long enough?"""
        self._begun = moment if self._begun is None else self._begun
        self.done = self._store is not None and moment - self._begun >= _PATIENCE * SECOND

    def end(self) -> None:
        """A line each."""
        containers = sorted(self._store.containers.items()) if self._store is not None else []
        if self.argument("desc") == "desc":
            for _, one in containers:
                self.say(f"{one.id}: {one}")
            return
        widths = (15, 16, 20, 13)
        heads = ("container.type", "container.image", "container.name", "container.id")
        self.say("".join(map(cell, heads, widths)))
        self.say("".join(cell("-" * width, width) if width < 15 else "-" * (width - 1) + " " for width in widths))
        for _, one in containers:
            kind = CONTAINER_TYPES.get(one.type, "") if one.type is not None else ""
            self.say("".join(map(cell, (kind.lower(), one.image, one.name, one.id), widths)))


def _told(value: Any) -> str:
    return text.ABSENT if value is None else str(value)


CHISELS: tuple[type[Chisel], ...] = (Lsof, Netstat, Ps, LsContainers)

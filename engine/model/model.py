"""The model: what is known of the machine at the point decoding has reached.

Brings the rules together: which rule is asked about which event type, and the lists in front of the events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.events import CATALOGUE, FLAG_TABLES, SCAP_TYPES, FdKind, codes_by_name
from engine.model.call import Call
from engine.model.cgroups import container_of, renamed
from engine.model.changes import Changes
from engine.model.descriptors import Descriptors
from engine.model.facts import Group, Interface, Machine, Socket, Thread, User
from engine.model.live import Live
from engine.model.people import People
from engine.model.sockets import Sockets
from engine.model.threads import Threads
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.sources.sink import FactSink

_O_CLOEXEC = dict(FLAG_TABLES["file_flags"])["O_CLOEXEC"]
_SERVERS = (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER)

Rule = Callable[[Call], None]


class Model:
    """Tables of a store, kept true."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._threads = Threads(store, live)
        self._listed: list[Thread] = []
        self._listed_fds: list[tuple[int, int, FdKind, bytes, Socket | None, int, int, int]] = []
        self.rules: dict[int, Rule] = {}
        self._sockets = Sockets(store, live)
        changes = Changes(store, live, self._threads)
        for part in (self._threads, self._sockets, Descriptors(store, live), changes, People(store)):
            for name, rule in part.rules().items():
                self._rule(name, rule)
        for code in codes_by_name()["connect"]:
            if not CATALOGUE[code].is_exit:
                self.rules[code] = self._sockets.connecting

    def _rule(self, name: str, rule: Rule) -> None:
        """Ask a rule about the exits of a call, or about happenings that have no exit."""
        for code in codes_by_name()[name]:
            if code < SCAP_TYPES and ((code % 2 and CATALOGUE[code].params) or CATALOGUE[code + 1].name == "NA"):
                self.rules[code] = rule

    def section(self, number: int) -> None:
        """A section begins after an event: lists and tables of the last one no longer hold."""
        self._threads.clear()
        self._store.threads.end_all(number)
        self._listed.clear()
        self._listed_fds.clear()

    def machine(self, machine: Machine) -> None:
        """The machine of this section."""
        self._store.machine = machine

    def thread(self, thread: Thread) -> None:
        """A listed thread; complete when the first event comes."""
        self._listed.append(thread)

    def former(self, threads: Mapping[int, Thread]) -> None:
        """Threads that are listed no more, by number: known should they turn up after all."""
        self._threads.former.update(threads)

    def fd(
        self, tid: int, number: int, kind: FdKind, name: bytes, socket: Socket | None, flags: int, dev: int, ino: int
    ) -> None:
        """A listed fd; complete when the first event comes."""
        self._listed_fds.append((tid, number, kind, name, socket, flags, dev, ino))

    def interface(self, interface: Interface) -> None:
        """A network interface."""
        self._store.interfaces.append(interface)
        self._store.revision += 1

    def user(self, user: User) -> None:
        """A user of the machine."""
        if self._store.user_names:
            self._store.users["", user.uid] = user
            self._store.revision += 1

    def group(self, group: Group) -> None:
        """A group of the machine."""
        if self._store.user_names:
            self._store.groups["", group.gid] = group
            self._store.revision += 1

    def placeholder(self, tid: int, number: int) -> bool:
        """Make room for a thread nobody told of; False when there are too many."""
        return self._threads.placeholder(tid, number)

    def begin(self, number: int) -> None:
        """Take in the lists, before an event."""
        for thread in sorted(self._listed, key=lambda one: not one.is_main):
            thread.cgroups = renamed(thread.cgroups)
            thread.container = container_of(thread.cgroups)
            thread.first = number
            self._threads.add(thread, sharing=-1 if thread.is_main else thread.pid)
        if self._listed:
            self._threads.link()
        self._listed.clear()
        served = {listed[4].destination_port for listed in self._listed_fds if listed[4] and listed[2] in _SERVERS}
        fds = self._store.fds
        for tid, descriptor, kind, name, socket, flags, dev, ino in self._listed_fds:
            row = self._live.row(tid)
            if row < 0:
                continue
            if socket is not None:
                kind, name, socket = self._sockets.listed(kind, socket, served)
            made = fds.add(
                kind, fds.identity(kind, name, socket), flags=flags, dev=dev, ino=ino, thread=row, first=number
            )
            self._live.put_fd(tid, descriptor, made, bool(flags & _O_CLOEXEC), number)
        self._listed_fds.clear()

    def tell(self, sink: FactSink) -> None:
        """Tell another what is known now, as a capture that began here would."""
        store = self._store
        if store.machine is not None:
            sink.machine(store.machine)
        for interface in store.interfaces:
            sink.interface(interface)
        for (container, _), user in store.users.items():
            if not container:
                sink.user(user)
        for (container, _), group in store.groups.items():
            if not container:
                sink.group(group)
        alive = [store.threads[self._live.row(tid)] for tid in self._live.tids()]
        for thread in alive:
            if thread.pid >= 0:
                sink.thread(replace(thread))
        opened = self.open_fds()
        rows, identities = store.fds.rows, store.fds.identities
        for tid, number, row, cloexec in opened:
            entry = rows[row]
            kind, name, socket = identities[entry["identity"]]
            flags = int(entry["flags"]) & ~_O_CLOEXEC | (_O_CLOEXEC if cloexec else 0)
            sink.fd(tid, number, kind, name, socket, flags, int(entry["dev"]), int(entry["ino"]))

    def open_fds(self) -> list[tuple[int, int, int, bool]]:
        """What the descriptors of main threads stand for: tid, number, fd row, whether exec closes it."""
        self._store.fds.publish()
        return [
            (tid, *found)
            for tid in self._live.tids()
            if self._store.threads[self._live.row(tid)].is_main
            for found in self._live.fds(tid)
        ]

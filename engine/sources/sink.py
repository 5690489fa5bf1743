"""What a source tells, and to whom: the decoder stands behind this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.decode.stop import Stop
from engine.events import FdKind
from engine.model.facts import Group, Interface, Machine, Socket, Thread, User
from engine.store.store import Store


class FactSink(Protocol):
    """Takes what a capture begins with."""

    def machine(self, machine: Machine) -> None:
        """The machine of this section."""

    def thread(self, thread: Thread) -> None:
        """A thread that was there when the section began."""

    def former(self, threads: Mapping[int, Thread]) -> None:
        """Threads, by number, that were there right before; those not told of since may yet turn up in events."""

    def fd(
        self, tid: int, number: int, kind: FdKind, name: bytes, socket: Socket | None, flags: int, dev: int, ino: int
    ) -> None:
        """An fd that was open when the section began.

        Sockets of IPv4 and IPv6 have no name; a server's socket has a destination only, its own address.
        """

    def interface(self, interface: Interface) -> None:
        """A network interface of the machine."""

    def user(self, user: User) -> None:
        """A user of the machine."""

    def group(self, group: Group) -> None:
        """A group of the machine."""


class Sink(FactSink, Protocol):
    """Takes a capture's facts and events, in the order of the file."""

    @property
    def store(self) -> Store:
        """Where events and facts end up, and damage."""

    @property
    def limit(self) -> int | None:
        """How many events are taken at most."""

    def section(self) -> None:
        """A section begins: what was known of threads, fds and the machine no longer holds."""

    def feed(self, buffer: memoryview, base: int, start: int) -> tuple[int, Stop, str]:
        """Take the events in ``buffer[start:]``; where that ended, why, and for damage what was expected.

        ``base`` is the stream offset of ``buffer[0]``. The buffer is overwritten after the call.
        """

    def seal(self) -> None:
        """The last event was fed."""

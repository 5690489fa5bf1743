"""Which events make up the conversation on a connection or pipe, both directions, each byte once."""

from __future__ import annotations

from dataclasses import dataclass

from engine import filters
from engine.decode.event import Event
from engine.events import FdKind
from engine.filters import quote
from engine.model.facts import Role
from engine.query.compose import compose
from engine.query.matches import event_at
from engine.query.snapshots import Level
from engine.query.texts import ECHOED
from engine.query.work import PanelRequest, PanelSnapshot, Work
from engine.store.segment import Window
from engine.text import safe

TALKED = f"fd.type in (ipv4, ipv6, unix, pipe) and {ECHOED}"
"""Filter of the events of conversations."""


@dataclass(frozen=True)
class StreamSnapshot(PanelSnapshot):
    """A conversation."""

    filter: str = ""
    """Keeps its events."""
    name: str = ""
    """What it was on; safe."""


@dataclass(frozen=True, slots=True)
class StreamRequest(PanelRequest):
    """The conversation that an event is part of, or else the first of what the rest keeps; where there is none, what
    was first read from a file or written to it."""

    number: int = 0
    levels: tuple[Level, ...] = ()
    filter: str = ""
    window: Window | None = None

    def answer(self, work: Work) -> StreamSnapshot:
        """Find what was talked on, and from whose side it is told.

        Of a connection whose two ends were captured every byte was seen twice: it is told from the side of the
        event's process, or of the event's end where one process has both. A pipe is told by what was written to it,
        by what was read where no writing was seen.
        """
        event = self._event(work)
        fd = None if event is None else event.fd
        if event is None or fd is None or not fd.name:
            return self.failed("nothing was read or written there on a descriptor with a name")
        term = f"fd.name={quote(fd.name)}"
        if fd.kind is FdKind.FIFO:
            written = f"{term} and evt.io_dir=write"
            return StreamSnapshot(self, "", True, written if self._any(work, written) else term, safe(fd.name))
        thread = event.thread
        side = term if thread is None else f"{term} and proc.pid={thread.pid}"
        serves = fd.socket is not None and fd.socket.role is Role.SERVER
        own, other = (f"{side} and fd.is_server={str(end).lower()}" for end in (serves, not serves))
        return StreamSnapshot(self, "", True, own if self._any(work, other) else side, safe(fd.name))

    def _event(self, work: Work) -> Event | None:
        store = work.store
        if self.number:
            return event_at(store, self.number - 1) if store.forgotten < self.number <= store.events else None
        kept = compose(self.filter, self.levels, None)
        for text in (TALKED, ECHOED):
            if len(matches := work.matches(filters.combine(kept, text), self.window)):
                return matches.at(0)
        return None

    def _any(self, work: Work, text: str) -> bool:
        return bool(len(work.matches(filters.combine(text, ECHOED))))

    def failed(self, message: str) -> StreamSnapshot:
        """There is none."""
        return StreamSnapshot(self, message)

"""Questions among the events of a store, with their answers.

A connection's protocol is told by how its first message begins, or by the port or path of its socket. An answer is put
to the oldest question without one; DNS tells which by a number. Times are between the ends of the two calls. Looked at
once, segment by segment, when first asked for; payloads that neither begin a message nor are of a connection of
interest cost a look at their first bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np
from sortedcontainers import SortedKeyList

from engine.decode.records import contents
from engine.events import L4_NAMES, FdKind
from engine.model.facts import Role
from engine.model.fds import Identity
from engine.protocols.dns import Dns
from engine.protocols.http import Http
from engine.protocols.message import Question, Reader
from engine.protocols.mysql import Mysql
from engine.protocols.payloads import MOVES, WRITES, located, payload_of
from engine.protocols.postgres import Postgres
from engine.protocols.redis import Redis
from engine.protocols.sniff import sniff
from engine.store.by_row import ByFdRow
from engine.store.segment import Segment
from engine.store.store import Store

MOST = 1 << 18
"""Exchanges kept of a store; beyond, the older half is forgotten."""
_MOST_CONNECTIONS = 1 << 16
_MOST_WAITING = 64
"""Questions of one connection that wait for an answer."""
_SOCKETS = [
    int(kind)
    for kind in (FdKind.IPV4, FdKind.IPV6, FdKind.UNIX, FdKind.IPV4_SERVER, FdKind.IPV6_SERVER)
]  # fmt: skip
_REQUEST, _RESPONSE, _COMMAND = 1, 2, 3
_DNS, _POSTGRES, _MYSQL, _REDIS = 1, 2, 3, 4
_READERS: dict[int, Callable[[], Reader]] = {_DNS: Dns, _POSTGRES: Postgres, _MYSQL: Mysql, _REDIS: Redis}
"""By hint."""
_TCP_PORTS = {5432: _POSTGRES, 3306: _MYSQL, 6379: _REDIS}
_UDP_PORTS = {53: _DNS, 5353: _DNS}
_PATHS = ((b".s.PGSQL.", _POSTGRES), (b"mysql", _MYSQL), (b"redis", _REDIS))


@dataclass(slots=True)
class Exchange:
    """A question and what came of it."""

    number: int
    """Number of the event that asked."""
    time: int
    protocol: bytes
    client: bool
    """True when the event's process asked, False when it was asked."""
    question: Question
    status: bytes | None = None
    failed: bool | None = None
    took: int | None = None
    """ns until the answer; None without one."""


@dataclass(slots=True)
class _Connection:
    reader: Reader
    asks: bool | None = None
    """True when writes ask, False when reads do; None when either may, or it is not known yet."""
    waiting: deque[tuple[int, Exchange]] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))


def hint(identity: Identity) -> int:
    """The protocol a socket's port or path stands for, 0 for none."""
    ends = identity.socket
    if ends is not None:
        ports = _UDP_PORTS if L4_NAMES.get(ends.l4) == "udp" else _TCP_PORTS
        return ports.get(ends.destination_port, 0) or ports.get(ends.source_port, 0)
    if identity.kind is FdKind.UNIX:
        return next((number for part, number in _PATHS if part in identity.name), 0)
    return 0


def _begun(payload: bytes) -> int:
    found = np.zeros(1, np.uint8)
    sniff(payload or b"\0", np.zeros(1, np.int64), np.array([len(payload)], np.int32), found)
    return int(found[0])


class Exchanges:
    """What was found of a store so far."""

    def __init__(self, store: Store) -> None:
        """Begin with nothing looked at."""
        self._store = store
        self._taken = store.forgotten
        self._compactions = store.compactions
        self._hints = ByFdRow(np.uint8, 0)
        """What fd rows' names make one expect."""
        self._connections: dict[int, _Connection] = {}
        """By fd row."""
        self._found = SortedKeyList(key=lambda each: each.number)
        self.late = 0
        """Answers that came in a later segment than their questions."""
        self._lock = RLock()

    def update(self) -> None:
        """Look at the segments sealed since."""
        with self._lock:
            store = self._store
            if self._compactions != store.compactions:
                # Rows have moved: what they were about begins anew.
                self._compactions = store.compactions
                self._connections.clear()
                self._hints = ByFdRow(np.uint8, 0)
            for segment in store.since(self._taken):
                self._take(segment)
                self._taken = segment.first + len(segment)
            if len(self._found) > MOST:
                del self._found[: MOST // 2]

    def of(self, segment: Segment, protocols: frozenset[bytes]) -> list[tuple[int, Exchange]]:
        """Row and exchange of each event of a segment that asks in one of these protocols, ascending."""
        self.update()
        with self._lock:
            mine = list(self._found.irange_key(segment.first + 1, segment.first + len(segment)))
        return [(each.number - segment.first - 1, each) for each in mine if each.protocol in protocols]

    def _take(self, segment: Segment) -> None:
        store = self._store
        moves = MOVES[segment.type] & (segment.result > 0) & (segment.fd_row >= 0) & (segment.offset >= 0)
        rows = np.flatnonzero(moves)
        if len(rows):
            kinds = store.fds.rows["kind"]
            rows = rows[np.isin(kinds[segment.fd_row[rows]], _SOCKETS)]
        if not len(rows):
            return
        data, starts, lengths = located(store, segment, rows)
        if not len(data):
            # The file was cut since.
            return
        begun = np.zeros(len(rows), np.uint8)
        sniff(data, starts, lengths, begun)
        fd_rows = segment.fd_row[rows]
        hints = self._hints.of_fds(store.fds, segment.fd_row, segment.fd_span, lambda fds: map(hint, fds))[fd_rows]
        # Replies of Redis do not tell themselves: all that goes over a connection that had a command is looked at.
        others = (row for row, each in self._connections.items() if not isinstance(each.reader, Http))
        known = np.append(np.fromiter(others, np.int64), fd_rows[begun == _COMMAND])
        chosen = np.flatnonzero((begun > 0) | (hints > 0) | np.isin(fd_rows, known) | (lengths == -2))
        payloads = contents(data, starts[chosen], lengths[chosen])
        for place, payload in zip(chosen.tolist(), payloads, strict=True):
            row, kind, hinted = int(rows[place]), int(begun[place]), int(hints[place])
            captured = payload
            if captured is None:
                captured = payload_of(store, segment, row)
                kind = _begun(captured or b"")
            if captured and (
                kind or hinted or payload is not None or self._key(segment, row, hinted) in self._connections
            ):
                self._message(segment, row, captured, kind, hinted)

    def _key(self, segment: Segment, row: int, hinted: int) -> int:
        """What tells the connection of an event: its fd row; of DNS, whose sockets talk to many, process and number."""
        if hinted == _DNS:
            thread = int(segment.thread[row])
            pid = self._store.threads[thread].pid if thread >= 0 else -1
            return -2 - ((pid & 0xFFFFFFFF) << 32 | (int(segment.fd[row]) & 0xFFFFFFFF))
        return int(segment.fd_row[row])

    def _message(self, segment: Segment, row: int, data: bytes, begun: int, hinted: int) -> None:
        connection = self._connection(segment, row, begun, hinted)
        if connection is None:
            return
        writes = bool(WRITES[segment.type[row]])
        size, time = int(segment.result[row]), int(segment.time[row])
        reader = connection.reader
        if connection.asks is None or connection.asks is writes:
            question = reader.question(data, size)
            if question is not None:
                if not isinstance(reader, Dns | Http):
                    connection.asks = writes
                exchange = Exchange(segment.first + row + 1, time, reader.name, writes, question)
                connection.waiting.append((time, exchange))
                self._found.add(exchange)
                return
        if connection.asks is writes:
            return
        answer = reader.answer(data, size)
        waiting = connection.waiting
        if answer is None or not waiting:
            return
        place = 0
        if isinstance(reader, Dns):
            numbers = [each.question.key for _, each in waiting]
            if answer.key not in numbers:
                return
            place = numbers.index(answer.key)
        since, exchange = waiting[place]
        if exchange.client is writes:
            # An end does not answer itself.
            return
        del waiting[place]
        if exchange.number <= segment.first:
            self.late += 1
        exchange.status, exchange.failed, exchange.took = answer.status, answer.failed, max(time - since, 0)

    def _connection(self, segment: Segment, row: int, begun: int, hinted: int) -> _Connection | None:
        key = self._key(segment, row, hinted)
        known = self._connections.get(key)
        reader: Reader
        if known is not None:
            return known
        if hinted:
            reader = _READERS[hinted]()
        elif begun == _REQUEST:
            reader = Http()
        elif begun == _COMMAND:
            reader = Redis()
        else:
            return None
        if len(self._connections) >= _MOST_CONNECTIONS:
            self._connections.clear()
        made = self._connections[key] = _Connection(reader)
        fds = self._store.fds
        ends = fds.identities[int(fds.rows["identity"][segment.fd_row[row]])].socket
        # That a process serves is known when it was seen to listen or accept; that it is a client may be a guess.
        if ends is not None and ends.role is Role.SERVER and not isinstance(reader, Dns | Http):
            made.asks = False
        return made


_kept: WeakKeyDictionary[Store, Exchanges] = WeakKeyDictionary()


def exchanges_of(store: Store) -> Exchanges:
    """What is found of a store; the same object again."""
    found = _kept.get(store)
    if found is None:
        found = _kept[store] = Exchanges(store)
    return found

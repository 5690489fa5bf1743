"""Rows of a store's tables as bodies of frames, and back.

Owns their encoding, which follows from the dataclasses of ``model.facts``: a new fact there is a new column here.
Rows are told once, and again when they changed since.
"""

from __future__ import annotations

import json
import math
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from engine.events import FdKind
from engine.model.facts import Container, Group, Interface, Machine, Role, Socket, Thread, User
from engine.model.fds import FD, Identity
from engine.sources.native.frames import Data
from engine.store.store import Loss, Store

MOST_ROWS = 1 << 24
"""Rows of a table."""
_LISTS = tuple[bytes, ...]
_HINTS = get_type_hints(Thread)
THREAD = tuple(one.name for one in fields(Thread))
"""The facts of a thread in their order."""
_FACTS = attrgetter(*THREAD)
_SHARED = tuple(_HINTS[name] == _LISTS for name in THREAD)
"""Which of them are lists of texts, told once for all threads that share one."""
_ROWS = tuple(THREAD.index(name) for name in ("parent", "leader"))
"""Which of them are rows of threads."""
_ENDED = THREAD.index("ended")
_NUMBERED = frozenset(at for at, one in enumerate(fields(Thread)) if one.default == -1 or one.name in ("tid", "first"))
"""Ids, rows and numbers of events: what a file claims beyond 63 bits is cut to them."""
_MOST = 2**63 - 1
_LEAST = Thread(0)
_CHUNK = 1 << 20
"""Bytes of texts, about, after which another body begins."""
_ROWS_AT_ONCE = 1 << 14
_KNOWN_LISTS = 1 << 16
"""Lists of texts that are told once only; past that all are forgotten, and told again when they come again."""
_LOOK = 2.0
"""Seconds between two looks at the threads that live: whether anything that was told of them has changed."""
_KINDS = {int(kind): kind for kind in FdKind}
_N = TypeVar("_N", bound=NamedTuple)


class TableError(Exception):
    """A body tells rows that cannot be."""


def _is_text_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple) and all(type(one) is bytes for one in value)


_CHECKS: dict[Any, Callable[[Any], bool]] = {
    int: lambda value: type(value) is int,
    int | None: lambda value: value is None or type(value) is int,
    bytes: lambda value: type(value) is bytes,
    bytes | None: lambda value: value is None or type(value) is bytes,
    str: lambda value: type(value) is str,
    bool | None: lambda value: value is None or type(value) is bool,
    Role: lambda value: value in (0, 1, 2),
    dict[str, str]: _is_text_map,
    dict[str, Any]: lambda value: isinstance(value, dict),
    _LISTS: _is_list,
}
"""What values of a fact's type may be. A fact of another type needs an entry here."""
_OF_THREAD = tuple(_CHECKS[_HINTS[name]] for name in THREAD)
_OF_CONTAINER = {one: _CHECKS[hint] for one, hint in get_type_hints(Container).items()}


_OF_ROW: dict[type, list[tuple[str, Callable[[Any], bool]]]] = {
    kind: [(name, _CHECKS[hint]) for name, hint in get_type_hints(kind).items()]
    for kind in (Machine, Interface, User, Group, Socket)
}
"""Names and checks of the values of a named tuple."""


def _row(kind: type[_N], values: Any) -> _N:
    """A named tuple from what a body has. Raises TableError."""
    hints = _OF_ROW[kind]
    if not isinstance(values, list) or len(values) != len(hints):
        raise TableError(f"expected the {len(hints)} values of a {kind.__name__.lower()}")
    for value, (name, holds) in zip(values, hints, strict=True):
        if not holds(value):
            raise TableError(f"expected the {name} of a {kind.__name__.lower()}, found {type(value).__name__}")
    return kind(*values)


class Written:
    """What of a store's tables was told, and what there is to tell."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lists: dict[_LISTS, int] = {}
        self._told_lists = 0
        self._looked = -math.inf
        self._compactions = store.compactions
        self.threads = self.fds = self._names = 0
        """Where in the file's tables the store's begin: behind those of before rows moved in the store."""
        self._hashes = array("q")
        """Of the facts of each thread row when it was told."""
        self._lives: dict[int, int] = {}
        """The last row of each life that has not ended."""
        self._fds = 0
        self._ends: NDArray[np.int64] = np.empty(0, np.int64)
        self._identities = 0
        self._revision = -1
        self._containers: dict[str, str] = {}
        self._rest: dict[str, Any] = {}
        self._sampled = self._lost = -1
        """The last moment told of, ns."""

    def changes(self, compress: bool, *, every: bool = False) -> Iterator[tuple[dict[str, Any], Data]]:
        """Bodies and data that tell what is new; of old rows those that may well have changed, or ``every`` one."""
        if self._compactions != self._store.compactions:
            self._begin_anew()
        if len(self._lists) > _KNOWN_LISTS:
            self._lists.clear()
        now = time.monotonic()
        look = every or now - self._looked > _LOOK
        self._looked = now if look else self._looked
        known = range(len(self._hashes)) if every else list(self._lives.values()) if look else ()
        yield from self._of_threads(compress, known)
        yield from self._of_fds(compress)
        rest = self._of_others()
        if rest:
            yield rest, Data(compress)

    def _begin_anew(self) -> None:
        """Rows have moved: all are told again, as rows that follow the ones told so far."""
        self._compactions = self._store.compactions
        self.threads += len(self._hashes)
        self.fds += self._fds
        self._names += self._identities
        self._fds = self._identities = 0
        self._ends = np.empty(0, np.int64)
        del self._hashes[:]
        self._lives.clear()

    def _moved(self, facts: tuple[Any, ...]) -> tuple[Any, ...]:
        """A thread's facts with the rows of the file."""
        if not self.threads:
            return facts
        moved = list(facts)
        for at in _ROWS:
            moved[at] += self.threads if moved[at] >= 0 else 0
        return tuple(moved)

    def _of_threads(self, compress: bool, known: Iterable[int]) -> Iterator[tuple[dict[str, Any], Data]]:
        """New rows, and those of ``known`` ones that changed."""
        threads = self._store.threads
        lists: list[_LISTS] = []
        rows: list[list[Any]] = []
        size = 0
        for row in range(len(self._hashes), len(threads)):
            thread = threads[row]
            facts = self._moved(_FACTS(thread))
            like = self._lives.get(thread.life, thread.parent if 0 <= thread.parent < row else -1)
            if like < 0:
                told = dict(enumerate(facts))
            else:
                others = self._moved(_FACTS(threads[like]))
                told = {at: one for at, one in enumerate(facts) if one is not others[at] and one != others[at]}
            self._hashes.append(hash(facts))
            if thread.ended < 0:
                self._lives[thread.life] = row
            else:
                self._lives.pop(thread.life, None)
            size += self._tell(rows, lists, row, like, facts, told)
            if size > _CHUNK:
                yield {"lists": lists, "threads": rows}, Data(compress)
                lists, rows, size = [], [], 0
        # After the new ones, which old ones may now point at.
        for row in known:
            facts = self._moved(_FACTS(threads[row]))
            if hash(facts) != self._hashes[row]:
                self._hashes[row] = hash(facts)
                self._tell(rows, lists, row, -1, facts, dict(enumerate(facts)))
                if threads[row].ended >= 0:
                    self._lives.pop(threads[row].life, None)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            yield {"lists": lists, "threads": rows[start : start + _ROWS_AT_ONCE]}, Data(compress)
            lists = []

    def _tell(
        self,
        rows: list[list[Any]],
        lists: list[_LISTS],
        row: int,
        like: int,
        facts: tuple[Any, ...],
        told: dict[int, Any],
    ) -> int:
        """Add a row; about how many bytes that are."""
        size = 16 + 8 * len(told)
        for at, value in told.items():
            if _SHARED[at]:
                index = self._lists.get(value)
                if index is None:
                    index = self._lists[value] = self._told_lists
                    self._told_lists += 1
                    lists.append(value)
                    size += sum(map(len, value)) + 4 * len(value)
                told[at] = index
            elif type(value) is bytes:
                size += len(value)
        rows.append([row + self.threads, like + self.threads if like >= 0 else -1, told])
        return size

    def _of_fds(self, compress: bool) -> Iterator[tuple[dict[str, Any], Data]]:
        table = self._store.fds
        identities = table.identities
        while self._identities < len(identities):
            kinds, names, sockets = bytearray(), [], []
            size = 0
            while self._identities < len(identities) and size < _CHUNK:
                one = identities[self._identities]
                kinds.append(one.kind)
                names.append(one.name)
                size += len(one.name) + 4
                if one.socket is not None:
                    sockets.append([len(names) - 1, list(one.socket)])
                self._identities += 1
            yield {"kinds": bytes(kinds), "names": names, "sockets": sockets}, Data(compress)
        rows = table.rows
        ended = np.flatnonzero(rows["last"][: self._fds] != self._ends)
        new = rows[self._fds :]
        if len(ended) or len(new):
            data = Data(compress)
            body: dict[str, Any] = {}
            if len(new):
                if self.fds or self.threads:
                    new = new.copy()
                    new["identity"] += self._names
                    new["thread"][new["thread"] >= 0] += self.threads
                body["fds"] = data.add(np.ascontiguousarray(new).view(np.uint8).data)
            if len(ended):
                body["ended"] = data.add((ended + self.fds).astype("<i4").view(np.uint8).data)
                body["last"] = data.add(rows["last"][ended].astype("<i8").view(np.uint8).data)
            self._fds, self._ends = len(rows), rows["last"].copy()
            yield body, data

    def _of_others(self) -> dict[str, Any]:
        store = self._store
        body: dict[str, Any] = {}
        if store.revision != self._revision:
            self._revision = store.revision
            containers = {name: _container(one) for name, one in list(store.containers.items())}
            told = [text for name, text in containers.items() if self._containers.get(name) != text]
            if told:
                body["containers"] = told
            self._containers = containers
        rest = {
            "machine": None if store.machine is None else list(store.machine),
            "interfaces": [list(one) for one in store.interfaces],
            "users": [[container, list(user)] for (container, _), user in store.users.items()],
            "groups": [[container, list(group)] for (container, _), group in store.groups.items()],
        }
        for name, value in rest.items():
            if value and value != self._rest.get(name):
                body[name] = value
        self._rest = rest
        sampled = [moment for moment in store.sampled if moment > self._sampled]
        losses = [[*loss.window, loss.count] for loss in store.losses if loss.window[1] > self._lost]
        if sampled:
            body["sampled"], self._sampled = sampled, sampled[-1]
        if losses:
            body["losses"], self._lost = losses, losses[-1][1]
        return body


def _container(container: Container) -> str:
    """A container as JSON, whatever its labels hold."""
    told = {one.name: getattr(container, one.name) for one in fields(Container)}
    try:
        return json.dumps(told)
    except (ValueError, RecursionError):
        return json.dumps({**told, "details": {}})


class Loaded:
    """Tables of a store filled from bodies, in their order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lists: list[_LISTS] = []
        self._linked = 0

    def take(self, body: dict[str, Any], schema: list[Any], block: Callable[[Any], memoryview]) -> None:
        """Take in what a body tells. ``schema`` are the facts of a thread by index; ``block`` reads one.

        Raises TableError; what was taken in before stays.
        """
        for name, take in (
            ("lists", self._take_lists),
            ("threads", lambda rows: self._take_threads(rows, schema)),
            ("names", lambda names: self._take_identities(names, body.get("kinds"), body.get("sockets"))),
            ("machine", self._take_machine),
            ("interfaces", self._take_interfaces),
            ("users", self._take_users),
            ("groups", self._take_groups),
            ("containers", self._take_containers),
            ("sampled", self._take_sampled),
            ("losses", self._take_losses),
        ):
            if body.get(name) is not None:
                if name != "machine" and not isinstance(body[name], list):
                    raise TableError(f"expected a list of {name}")
                take(body[name])
        if "fds" in body:
            self._take_fds(block(body["fds"]))
        if "ended" in body:
            self._take_ends(block(body["ended"]), block(body.get("last")))

    def link(self) -> None:
        """See to it that the rows told so far point at rows told so far. Raises TableError; they do then, too."""
        threads = self._store.threads
        wrong = -1
        for row in range(self._linked, len(threads)):
            thread = threads[row]
            if not (-1 <= thread.parent < len(threads) and -1 <= thread.leader < len(threads)):
                thread.parent = thread.leader = -1
                wrong = row
        self._linked = len(threads)
        if wrong >= 0:
            raise TableError(f"expected thread {wrong} to point at threads below {len(threads)}")

    def _take_lists(self, lists: list[Any]) -> None:
        made = [tuple(one) if isinstance(one, list) else () for one in lists]
        if not all(map(_is_list, made)) or len(self._lists) + len(made) > MOST_ROWS:
            raise TableError("expected lists of texts")
        self._lists += made

    def _take_threads(self, rows: list[Any], schema: list[Any]) -> None:
        threads = self._store.threads
        places = [THREAD.index(name) if name in THREAD else -1 for name in schema]
        for told in rows:
            if not (isinstance(told, list) and len(told) == 3 and isinstance(told[2], dict)):
                raise TableError("expected a thread's row, the row it is like, and its facts")
            row, like, facts = told
            if type(row) is not int or type(like) is not int or not (0 <= row <= len(threads) < MOST_ROWS):
                raise TableError(f"expected thread {len(threads)} or one told before, found {row}")
            if not -1 <= like < len(threads):
                raise TableError(f"expected thread {row} to be like one told before, found {like}")
            values = list(_FACTS(_LEAST if like < 0 else threads[like]))
            for index, value in facts.items():
                if type(index) is not int or not 0 <= index < len(schema):
                    raise TableError(f"expected facts of thread {row} by their index")
                place = places[index]
                if place < 0:
                    continue
                if _SHARED[place]:
                    if type(value) is not int or not 0 <= value < len(self._lists):
                        raise TableError(f"expected the {schema[index]} of thread {row} among {len(self._lists)} lists")
                    value = self._lists[value]
                elif not _OF_THREAD[place](value):
                    raise TableError(f"expected the {schema[index]} of thread {row}, found {type(value).__name__}")
                elif type(value) is int and value > _MOST and place in _NUMBERED:
                    value = _MOST
                values[place] = value
            if row == len(threads):
                threads.append(Thread(*values))
            else:
                if not all(-1 <= values[at] < len(threads) for at in _ROWS):
                    raise TableError(f"expected thread {row} to point at threads below {len(threads)}")
                thread = threads[row]
                ended = values[_ENDED]
                if ended != thread.ended:
                    threads.end(row, ended)
                for name, value in zip(THREAD, values, strict=True):
                    setattr(thread, name, value)

    def _take_identities(self, names: list[Any], kinds: Any, sockets: Any) -> None:
        if not (type(kinds) is bytes and len(kinds) == len(names) and all(type(name) is bytes for name in names)):
            raise TableError("expected names of fds, and as many kinds")
        table = self._store.fds
        if len(table.identities) + len(names) > MOST_ROWS or not set(kinds) <= _KINDS.keys():
            raise TableError("expected known kinds of fds")
        made = list(map(Identity, map(_KINDS.__getitem__, kinds), names, repeat(None)))
        for entry in sockets if isinstance(sockets, list) else ():
            if not (
                isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int and 0 <= entry[0] < len(made)
            ):
                raise TableError("expected sockets of names")
            socket = _row(Socket, entry[1])
            if {len(socket.source), len(socket.destination)} - {0, 4, 16}:
                raise TableError("expected addresses of 4 or 16 bytes")
            made[entry[0]] = made[entry[0]]._replace(socket=socket._replace(role=Role(socket.role)))
        table.identities.extend(made)

    def _take_fds(self, block: memoryview) -> None:
        table = self._store.fds
        if len(block) % FD.itemsize or len(block) // FD.itemsize + len(table) > MOST_ROWS:
            raise TableError(f"expected rows of fds of {FD.itemsize} bytes, found {len(block)}")
        rows = np.frombuffer(block, FD)
        known = np.isin(rows["kind"], list(_KINDS)).all()
        named = ((rows["identity"] >= 0) & (rows["identity"] < len(table.identities))).all()
        made = ((rows["thread"] >= -1) & (rows["thread"] < len(self._store.threads))).all()
        if not (known and named and made):
            raise TableError("expected rows of fds with a known kind, name and thread")
        table.extend(rows)

    def _take_ends(self, ended: memoryview, last: memoryview) -> None:
        if len(ended) % 4 or len(last) != 2 * len(ended):
            raise TableError("expected rows of fds, and where they ended")
        rows = np.frombuffer(ended, "<i4")
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self._store.fds)):
            raise TableError(f"expected rows of fds below {len(self._store.fds)}")
        self._store.fds.rows["last"][rows] = np.frombuffer(last, "<i8")

    def _take_machine(self, values: Any) -> None:
        self._store.machine = _row(Machine, values)

    def _take_interfaces(self, rows: list[Any]) -> None:
        self._store.interfaces = [_row(Interface, one) for one in rows]
        self._store.revision += 1

    def _take_users(self, rows: list[Any]) -> None:
        if self._store.user_names:
            users = [(self._owner(one), _row(User, one[1])) for one in rows]
            self._store.users = {(container, user.uid): user for container, user in users}
            self._store.revision += 1

    def _take_groups(self, rows: list[Any]) -> None:
        if self._store.user_names:
            groups = [(self._owner(one), _row(Group, one[1])) for one in rows]
            self._store.groups = {(container, group.gid): group for container, group in groups}
            self._store.revision += 1

    def _owner(self, entry: Any) -> str:
        """The container a user or group is of."""
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
            return entry[0]
        raise TableError("expected a container's id and its user or group")

    def _take_sampled(self, moments: list[Any]) -> None:
        if not all(type(moment) is int and 0 <= moment < 2**63 for moment in moments):
            raise TableError("expected moments of samples")
        self._store.sampled = sorted({*self._store.sampled, *moments})

    def _take_losses(self, losses: list[Any]) -> None:
        for loss in losses:
            if not (isinstance(loss, list) and len(loss) == 3 and all(type(one) is int for one in loss)):
                raise TableError("expected losses: first and last moment, count")
            if not 0 <= loss[0] <= loss[1] < 2**63 or not 0 <= loss[2] < 2**63:
                raise TableError("expected losses of some moments")
            self._store.losses.append(Loss((loss[0], loss[1]), loss[2]))

    def _take_containers(self, texts: list[Any]) -> None:
        for text in texts:
            try:
                told = json.loads(text) if isinstance(text, str) else None
            except (ValueError, RecursionError):
                told = None
            if not isinstance(told, dict) or type(told.get("id")) is not str:
                raise TableError("expected a container as JSON")
            facts = {name: value for name, value in told.items() if name in _OF_CONTAINER}
            for name, value in facts.items():
                if not _OF_CONTAINER[name](value):
                    raise TableError(f"expected the {name} of a container, found {type(value).__name__}")
            self._store.containers[told["id"]] = Container(**facts)
        self._store.revision += 1

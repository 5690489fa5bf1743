"""Bodies of frames as rows of a store's tables. Whatever a body holds is looked at before it becomes a row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from itertools import repeat
from typing import Any

import numpy as np

from engine.events import TYPES, FdKind
from engine.model.facts import Container, Group, Inside, Interface, Machine, Role, Socket, Thread, User
from engine.model.fds import FD, Identity
from engine.sources.native.schema import (
    FACTS,
    OF_CONTAINER,
    OF_THREAD,
    ROWS,
    SHARED,
    TEXTS,
    THREAD,
    TableError,
    is_texts,
    row_of,
)
from engine.store.store import Loss, Store

MOST_ROWS = 1 << 24
"""Rows of a table."""
_ENDED = THREAD.index("ended")
_NUMBERED = frozenset(at for at, one in enumerate(fields(Thread)) if one.default == -1 or one.name in ("tid", "first"))
"""Ids, rows and numbers of events: what a file claims beyond 63 bits is cut to them."""
_MOST = 2**63 - 1
_LEAST = Thread(0)
_KINDS = {int(kind): kind for kind in FdKind}


class Taken:
    """Tables of a store filled from bodies, in their order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lists: list[TEXTS] = []
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
            ("cluster", self._take_cluster),
            ("inside", lambda calls: self._take_inside(calls, body.get("inside_at"))),
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
        if not all(map(is_texts, made)) or len(self._lists) + len(made) > MOST_ROWS:
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
            values = list(FACTS(_LEAST if like < 0 else threads[like]))
            for index, value in facts.items():
                if type(index) is not int or not 0 <= index < len(schema):
                    raise TableError(f"expected facts of thread {row} by their index")
                place = places[index]
                if place < 0:
                    continue
                if SHARED[place]:
                    if type(value) is not int or not 0 <= value < len(self._lists):
                        raise TableError(f"expected the {schema[index]} of thread {row} among {len(self._lists)} lists")
                    value = self._lists[value]
                elif not OF_THREAD[place](value):
                    raise TableError(f"expected the {schema[index]} of thread {row}, found {type(value).__name__}")
                elif type(value) is int and value > _MOST and place in _NUMBERED:
                    value = _MOST
                values[place] = value
            if row == len(threads):
                threads.append(Thread(*values))
            else:
                if not all(-1 <= values[at] < len(threads) for at in ROWS):
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
            socket = row_of(Socket, entry[1])
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
        self._store.machine = row_of(Machine, values)

    def _take_interfaces(self, rows: list[Any]) -> None:
        self._store.interfaces = [row_of(Interface, one) for one in rows]
        self._store.revision += 1

    def _take_users(self, rows: list[Any]) -> None:
        if self._store.user_names:
            users = [(self._owner(one), row_of(User, one[1])) for one in rows]
            self._store.users = {(container, user.uid): user for container, user in users}
            self._store.revision += 1

    def _take_groups(self, rows: list[Any]) -> None:
        if self._store.user_names:
            groups = [(self._owner(one), row_of(Group, one[1])) for one in rows]
            self._store.groups = {(container, group.gid): group for container, group in groups}
            self._store.revision += 1

    def _owner(self, entry: Any) -> str:
        """The container a user or group is of."""
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
            return entry[0]
        raise TableError("expected a container's id and its user or group")

    def _take_inside(self, calls: list[Any], now: Any) -> None:
        found = {}
        for call in calls:
            if not (isinstance(call, list) and len(call) == 2 and type(call[0]) is int):
                raise TableError("expected lives, and the calls they are inside of")
            found[call[0]] = row_of(Inside, call[1])
        if type(now) is not int or not all(0 <= call.type < TYPES for call in found.values()):
            raise TableError("expected calls of known types, and when threads were inside of them")
        self._store.inside, self._store.inside_at = found, now
        self._store.revision += 1

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
            facts = {name: value for name, value in told.items() if name in OF_CONTAINER}
            for name, value in facts.items():
                if not OF_CONTAINER[name](value):
                    raise TableError(f"expected the {name} of a container, found {type(value).__name__}")
            self._store.containers[told["id"]] = Container(**facts)
        self._store.revision += 1

    def _take_cluster(self, texts: list[Any]) -> None:
        for text in texts:
            if not isinstance(text, bytes) or not self._store.cluster.told(text):
                raise TableError("expected an object of a cluster as JSON")
        self._store.revision += 1

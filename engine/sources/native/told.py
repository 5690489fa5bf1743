"""Rows of a store's tables as bodies of frames: each told once, and again when it changed since."""

from __future__ import annotations

import json
import math
import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.model.cluster import Component
from engine.model.facts import Container
from engine.sources.native.frames import Data
from engine.sources.native.schema import FACTS, ROWS, SHARED, TEXTS
from engine.store.store import Store

_CHUNK = 1 << 20
"""Bytes of texts, about, after which another body begins."""
_ROWS_AT_ONCE = 1 << 14
_KNOWN_LISTS = 1 << 16
"""Lists of texts that are told once only; past that all are forgotten, and told again when they come again."""
_LOOK = 2.0
"""Seconds between two looks at the threads that live: whether anything that was told of them has changed."""


class Told:
    """What of a store's tables was told, and what there is to tell."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lists: dict[TEXTS, int] = {}
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
        self._cluster: dict[str, Component] = {}
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
        if every and self._store.inside_at:
            inside = [[life, list(call)] for life, call in self._store.inside.items()]
            rest |= {"inside": inside, "inside_at": self._store.inside_at}
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
        for at in ROWS:
            moved[at] += self.threads if moved[at] >= 0 else 0
        return tuple(moved)

    def _of_threads(self, compress: bool, known: Iterable[int]) -> Iterator[tuple[dict[str, Any], Data]]:
        """New rows, and those of ``known`` ones that changed."""
        threads = self._store.threads
        lists: list[TEXTS] = []
        rows: list[list[Any]] = []
        size = 0
        for row in range(len(self._hashes), len(threads)):
            thread = threads[row]
            facts = self._moved(FACTS(thread))
            like = self._lives.get(thread.life, thread.parent if 0 <= thread.parent < row else -1)
            if like < 0:
                told = dict(enumerate(facts))
            else:
                others = self._moved(FACTS(threads[like]))
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
            facts = self._moved(FACTS(threads[row]))
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
        lists: list[TEXTS],
        row: int,
        like: int,
        facts: tuple[Any, ...],
        told: dict[int, Any],
    ) -> int:
        """Add a row; about how many bytes that are."""
        size = 16 + 8 * len(told)
        for at, value in told.items():
            if SHARED[at]:
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
            if cluster := store.cluster.since(self._cluster):
                body["cluster"] = cluster
            self._cluster = store.cluster.known()
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

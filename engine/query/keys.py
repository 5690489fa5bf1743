"""What makes the rows of a table: the key of every event as a small number, a code.

A key lives where its field lives. Fields of types, threads and fds give a table of codes, computed once a
row of those tables and looked up for every event; numbers of events are numbered as they come, and so are
combinations of keys; what stands in an event's record is read event by event. Totals are kept by code. An event
without a key has code -1 and is in no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.kernels import Distinct
from engine.events import CATALOGUE
from engine.fields import look_up
from engine.fields.container import HOST
from engine.fields.field import Field, Numbers, Place, Value
from engine.model.facts import Thread
from engine.model.fds import Identity
from engine.query.view import AND
from engine.store.by_row import ByFdRow, ByRow
from engine.store.segment import Segment
from engine.store.store import Store

IN_CONTAINER = {"fd.containername": "fd.name", "fd.containerdirectory": "fd.directory"}
"""Fields of the form container id, colon, other field: such a key is a pair, not a text of its own."""

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Codes of a segment's events: of event i ``table[index[i]]``, -1 where the index is negative."""

    index: Codes
    table: Codes


class Key(Protocol):
    """A way from events to codes, which number distinct values from 0 on."""

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """Codes of the events of a sealed segment that ``mask`` keeps."""

    def __len__(self) -> int:
        """How many codes there are by now."""

    def value(self, code: int) -> Value:
        """The value a code stands for."""


class _Coded:
    """Values by code."""

    def __init__(self) -> None:
        self.values: list[tuple[Value, ...]] = []
        self._codes: dict[tuple[Value, ...], int] = {}

    def __len__(self) -> int:
        return len(self.values)

    def value(self, code: int) -> Value:
        return self.values[code][0]

    def codes_for(self, combinations: Iterable[tuple[Value, ...]]) -> list[int]:
        """The code of each combination, -1 where a part is absent."""
        codes = []
        known = self._codes
        for values in combinations:
            code = known.get(values)
            if code is None:
                if None in values:
                    code = -1
                else:
                    code = known[values] = len(self.values)
                    self.values.append(values)
            codes.append(code)
        return codes


class ThreadKey(_Coded):
    """Keyed by fields of threads; the second and further ones only tell rows of equal keys apart."""

    def __init__(self, store: Store, *names: str) -> None:
        """Key by the first of the named fields."""
        super().__init__()
        self._store = store
        self._fields = [look_up(name) for name in names]
        self._table = ByRow(np.int32, -1)

    def _codes_of(self, threads: Sequence[Thread]) -> list[int]:
        store = self._store
        read = [[field.value(thread, store, argument) for thread in threads] for field, argument in self._fields]
        return self.codes_for(zip(*read, strict=True))

    def codes(self, rows: NDArray[np.intp]) -> Codes:
        """Codes of thread rows."""
        codes: Codes = self._table.at(self._store.threads, rows, self._codes_of)[rows]
        return codes

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """By thread row."""
        threads = self._store.threads
        return Lookup(
            segment.thread, self._table.of(threads, segment.thread, segment.thread_span, self._codes_of, mask)[:-1]
        )

    def group(self, code: int) -> Value:
        """The last field's value of a code."""
        return self.values[code][-1]


class FdKey(_Coded):
    """Keyed by a field of fd identities."""

    def __init__(self, store: Store, name: str) -> None:
        """Key by the named field."""
        super().__init__()
        self._store = store
        self._field, self._argument = look_up(name)
        self._table = ByFdRow(np.int32, -1)

    def _codes_of(self, identities: Sequence[Identity]) -> list[int]:
        value, store, argument = self._field.value, self._store, self._argument
        return self.codes_for([(value(identity, store, argument),) for identity in identities])

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """By fd row."""
        fds = self._store.fds
        return Lookup(
            segment.fd_row, self._table.of_fds(fds, segment.fd_row, segment.fd_span, self._codes_of, mask)[:-1]
        )


class TypeKey(_Coded):
    """Keyed by a field of event types."""

    def __init__(self, name: str) -> None:
        """Key by the named field."""
        super().__init__()
        field, argument = look_up(name)
        self._table = np.array(self.codes_for([(field.value(kind, argument),) for kind in CATALOGUE]), np.int32)

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """By type code."""
        return Lookup(segment.type.astype(np.int32), self._table)


class _Numbered:
    """Codes given to 64-bit numbers as they come; each is its own index."""

    def __init__(self) -> None:
        self._distinct = Distinct()

    def __len__(self) -> int:
        return len(self._distinct.values)

    def _number(self, values: NDArray[np.int64], present: NDArray[np.bool_]) -> Lookup:
        index = self._distinct.number(values, present)
        return Lookup(index, np.arange(len(self), dtype=np.int32))


class NumberKey(_Numbered):
    """Keyed by a number of each event."""

    def __init__(self, store: Store, name: str) -> None:
        """Key by the named field."""
        super().__init__()
        self._store = store
        self._field, self._argument = look_up(name)

    def value(self, code: int) -> Value:
        """The number, or the text it stands for."""
        return self._field.pick(Numbers(self._distinct.values), code)

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """By number."""
        numbers = self._field.value(segment, self._store, self._argument)
        present = mask if numbers.present is None else mask & numbers.present
        return self._number(numbers.values.astype(np.int64, copy=False), present)


class LateKey(_Coded):
    """Keyed by a field of the event's record: the filter is to leave few events."""

    def __init__(self, store: Store, name: str) -> None:
        """Key by the named field."""
        super().__init__()
        self._store = store
        self._field, self._argument = look_up(name)

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """Event by event."""
        index = np.full(len(segment), -1, np.int32)
        rows = np.flatnonzero(mask)
        events = (Event(self._store, segment, row) for row in rows.tolist())
        index[rows] = self.codes_for((self._field.of(event, self._argument),) for event in events)
        return Lookup(index, np.arange(len(self), dtype=np.int32))


class PairKey(_Numbered):
    """Keyed by the combination of two keys, of which the first may itself be a combination."""

    def __init__(self, first: Key, second: Key) -> None:
        """Combine two keys."""
        super().__init__()
        self.first = first
        self.second = second

    def parts(self, code: int) -> tuple[int, int]:
        """The codes of the two."""
        return divmod(int(self._distinct.values[code]), 1 << 32)

    def value(self, code: int) -> Value:
        """The values of all fields, one after the other."""
        first, second = self.parts(code)
        before = self.first.value(first)
        return (*(before if isinstance(before, tuple) else (before,)), self.second.value(second))

    def look_up(self, segment: Segment, mask: NDArray[np.bool_]) -> Lookup:
        """By both."""
        first = codes_of(self.first.look_up(segment, mask)).astype(np.int64)
        second = codes_of(self.second.look_up(segment, mask))
        return self._number((first << 32) | second, mask & (first >= 0) & (second >= 0))


class GroupedKey(PairKey):
    """Keyed by a field, told apart by what it is grouped by."""

    def value(self, code: int) -> Value:
        """The key."""
        return self.first.value(self.parts(code)[0])

    def group(self, code: int) -> Value:
        """What the key's rows come together by."""
        return self.second.value(self.parts(code)[1])


class ContainerFdKey(PairKey):
    """Keyed by container and a field of fd identities, as one text."""

    def __init__(self, container: Key, fd: Key) -> None:
        """Key by ``container.id`` and the field of fds that one of ``IN_CONTAINER`` names."""
        super().__init__(container, fd)

    def value(self, code: int) -> Value:
        """Container id, nothing for the host, a colon and the other field's value."""
        container, fd = self.parts(code)
        return in_container(self.first.value(container), self.second.value(fd))


def codes_of(found: Lookup) -> Codes:
    """The code of each event, -1 where there is none."""
    # Index -1 falls on the entry of absence added at the end.
    codes: Codes = np.append(found.table, np.int32(-1))[np.where(found.index < len(found.table), found.index, -1)]
    return codes


def in_container(container: Value, value: Value) -> bytes:
    """The text of a key in a container."""
    assert isinstance(container, bytes) and isinstance(value, bytes)
    return (b"" if container == HOST else container) + b":" + value


def out_of_container(text: bytes) -> tuple[bytes, bytes]:
    """Container id and value of such a text."""
    container, _, value = text.partition(b":")
    return container or HOST, value


def groupable(field: Field) -> bool:
    """True when a table may be keyed by this field: it has one value."""
    return not (field.multiple or field.is_list or field.filter_only)


def is_late(field: Field) -> bool:
    """True when the key is read from each event's record."""
    return field.place is Place.LATE and field.name not in IN_CONTAINER


def make_key(store: Store, name: str, group: str | None = None, *, shared: bool = True) -> Key:
    """The way from events to codes for a key; with a group it is a ``ThreadKey`` or a ``GroupedKey``.

    Views, and one view under many filters, have codes in common: which of them occur is told by totals. A key that is
    not ``shared`` has codes only for what it is asked about.
    """
    make = _Making(store, shared)
    return make.grouped(name, group) if group else make.key(name)


class _Making:
    """Keys of a store, each made once or for one who asks alone."""

    def __init__(self, store: Store, shared: bool) -> None:
        self._store = store
        self._shared = shared

    def grouped(self, name: str, group: str) -> Key:
        names = [*name.split(AND), group]
        if all(look_up(each)[0].place is Place.THREAD for each in names):
            return self._of_threads(*names)
        return GroupedKey(self.key(name), self.key(group))

    def key(self, name: str) -> Key:
        return reduce(PairKey, map(self._single, name.split(AND)))

    def _of_threads(self, *names: str) -> ThreadKey:
        store = self._store
        if self._shared:
            moment = store.inside_at if any(look_up(name)[0].passing for name in names) else 0
            return store.keep((ThreadKey, moment, *names), lambda: ThreadKey(store, *names))
        return ThreadKey(store, *names)

    def _of_fds(self, name: str) -> FdKey:
        store = self._store
        return store.keep((FdKey, name), lambda: FdKey(store, name)) if self._shared else FdKey(store, name)

    def _single(self, name: str) -> Key:
        field, _ = look_up(name)
        if field.name in IN_CONTAINER:
            return ContainerFdKey(self._of_threads("container.id"), self._of_fds(IN_CONTAINER[field.name]))
        match field.place:
            case Place.THREAD:
                return self._of_threads(name)
            case Place.FD:
                return self._of_fds(name)
            case Place.TYPE:
                return TypeKey(name)
            case Place.EVENT:
                return NumberKey(self._store, name)
            case _:
                return LateKey(self._store, name)

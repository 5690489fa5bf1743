"""Native captures for tests: made of any other capture, and opened again."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.ingest import look_inside
from engine.sources import open_capture
from engine.sources.native.segments import COLUMNS
from engine.sources.native.writer import NativeWriter
from engine.store.store import Loss, Store


def opened(path: Path, *, limit: int | None = None) -> Store:
    """A capture read to its end; its file stays open for the test."""
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path), limit=limit)
    while source.step(decoder):
        pass
    decoder.seal()
    if calls := decoder.inside():
        look_inside(store, decoder, calls, store.time_span[1])
    return store


def converted(
    path: Path, target: Path, *, compress: bool = False, stop: bool = False, losses: Sequence[Loss] = ()
) -> Store:
    """Follow a capture into a native file, step by step; ``stop`` leaves it as a kill would. The capture's store.

    ``losses``: as if there had been some.
    """
    source = open_capture(path)
    store = Store(source.raw)
    store.losses.extend(losses)
    decoder = Decoder(store, str(path))
    writer = NativeWriter(target, store, compress=compress)
    more = True
    while more:
        more = source.step(decoder)
        decoder.seal()
        writer.follow()
    if calls := decoder.inside():
        look_inside(store, decoder, calls, store.time_span[1])
    if not stop:
        writer.close()
    return store


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing fails beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def reads(path: Path) -> list[bytes]:
    """The data of the reads in a whole file."""
    store = opened(path)
    assert store.damage == []
    events = [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]
    return [event.params[1] or b"" for event in events if event.type.is_exit]


def column(store: Store, name: str) -> NDArray[Any]:
    """A column over all segments; events inside segments count from the first one's."""
    parts = [getattr(segment, name).copy() for segment in store.segments]
    if COLUMNS[name].names:
        for segment, part in zip(store.segments, parts, strict=True):
            part["event"] += segment.first
    return np.concatenate(parts)


def assert_same(one: Store, other: Store) -> None:
    """Two stores hold the same events, tables and bytes."""
    assert one.events == other.events
    for name in COLUMNS:
        assert (column(one, name) == column(other, name)).all(), name
    assert len(one.threads) == len(other.threads)
    for mine, theirs in zip(one.threads, other.threads, strict=True):
        for fact in fields(mine):
            assert getattr(mine, fact.name) == getattr(theirs, fact.name), fact.name
    assert (one.fds.rows == other.fds.rows).all()
    assert one.fds.identities == other.fds.identities
    assert (one.users, one.groups, one.interfaces, one.machine) == (
        other.users, other.groups, other.interfaces, other.machine,
    )  # fmt: skip
    assert one.containers == other.containers
    assert (one.inside, one.inside_at) == (other.inside, other.inside_at)
    assert one.time_span == other.time_span
    end = one.segments[-1].end
    assert bytes(one.raw.read(0, end)) == bytes(other.raw.read(0, end))

"""Which events of a segment go into a file: those chosen, and hidden those that tell what chosen ones are about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.layout import Action, layouts
from engine.events import CATALOGUE, SCAP_TYPES, TYPES, Trait
from engine.filters import Filter
from engine.model.cluster import Cluster
from engine.model.facts import Container
from engine.model.live import Live
from engine.model.model import Model
from engine.query.standing import Opened, alone, in_force, stand_ins, with_descriptors
from engine.recording.outputs import Output
from engine.sources.blocks import FRAME, SHORTEST_EVENT
from engine.sources.live.writer import Facts
from engine.sources.raw import KeptBytes
from engine.sources.runtimes.events import cluster_event, container_event
from engine.store.segment import Segment
from engine.store.store import Store

_MEASURES = (Action.NOTHING, Action.MEMORY, Action.SWITCH, Action.PROCINFO)


@cache
def _tells_state() -> NDArray[np.bool_]:
    """By type code: whether a reader needs such events to know who and what later ones are about."""
    store = Store(KeptBytes())
    told = np.zeros(TYPES, np.bool_)
    for code, layout in enumerate(layouts(set(Model(store, Live(store.fds)).rules))):
        changes = bool(CATALOGUE[code].traits & Trait.MODIFIES_STATE)
        told[code] = code < SCAP_TYPES and (changes or layout.keep or layout.action not in _MEASURES)
    return told


def block_sizes(view: memoryview, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes of the event blocks at those places of a part of a stream; 0 where no whole block lies."""
    octets = np.frombuffer(view, np.uint8)
    there = places + SHORTEST_EVENT <= len(octets)
    # A block's size stands behind its number (scap-format §1).
    at = np.where(there, places, 0) + FRAME.size - 4
    sizes = sum(octets[at + byte].astype(np.int64) << (8 * byte) for byte in range(4)) if there.any() else 0
    whole: NDArray[np.int64] = np.where(there & (sizes >= SHORTEST_EVENT) & (places + sizes <= len(octets)), sizes, 0)
    return whole


def write(
    output: Output, store: Store, segment: Segment, kept: NDArray[np.bool_], start: int, end: int
) -> NDArray[np.intp]:
    """Write the events of ``segment[start:end]`` that are ``kept``, and hidden others that tell state.

    Returns the rows among them whose bytes are damaged: they are left out. Raises OSError.
    """
    rows = np.flatnonzero((kept | _tells_state()[segment.type])[start:end]) + start
    if not len(rows):
        return rows
    first = int(segment.offset[rows[0]])
    following = int(rows[-1]) + 1
    last = int(segment.offset[following]) if following < len(segment) else segment.end
    view = store.raw.read(first, last)
    whole = block_sizes(view, segment.offset[rows] - first) > 0
    rows, damaged = rows[whole], rows[~whole]
    hidden = (~kept[rows]).astype(np.uint8)
    output.events(view, segment.latency[rows], segment.offset[rows] - first, hidden)
    return damaged


def kept_threads(store: Store, opened: Opened, kept: Filter, number: int) -> set[int]:
    """Ids of the threads there are at an event of which the filter holds; ``opened`` is what is open then."""
    threads = in_force(store, number)
    standing = alone(threads) + with_descriptors(store, threads, opened)
    rows = np.flatnonzero(kept.mask(store, stand_ins(standing))).tolist() if standing else []
    return {store.threads[standing[row][0]].tid for row in rows}


def narrow(facts: Facts, kept: Filter) -> None:
    """Leave out the threads of which the filter does not hold."""
    store = Store(KeptBytes())
    model = Model(store, Live(store.fds))
    facts.repeat(model)
    model.begin(1)
    tids = kept_threads(store, [(tid, fd, row) for tid, fd, row, _ in model.open_fds()], kept, 1)
    facts.threads = [thread for thread in facts.threads if thread.tid in tids]


def container_blocks(containers: Iterable[Container], time: int) -> list[bytes]:
    """Events of a time, ns, that tell what is known of containers."""
    return [container_event(container.details or _details(container), time) for container in containers]


def cluster_blocks(cluster: Cluster, time: int) -> list[bytes]:
    """Events of a time, ns, that tell what is known of a cluster."""
    made = (cluster_event(text, time) for text in cluster.since({}))
    return [block for block in made if block is not None]


def _details(container: Container) -> dict[str, Any]:
    """What an oldest container event told, as JSON has it."""
    told = {"id": container.id, "name": container.name, "image": container.image, "type": container.type}
    return {name: value for name, value in told.items() if value is not None}

"""Which events of a segment go into a file: those chosen, and hidden those that tell what chosen ones are about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.layout import Action, layouts
from engine.events import CATALOGUE, SCAP_TYPES, TYPES, Trait
from engine.model.facts import Container
from engine.model.live import Live
from engine.model.model import Model
from engine.recording.outputs import Output
from engine.sources.raw import KeptBytes
from engine.sources.runtimes.events import container_event
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


def write(output: Output, store: Store, segment: Segment, kept: NDArray[np.bool_], start: int, end: int) -> None:
    """Write the events of ``segment[start:end]`` that are ``kept``, and hidden others that tell state.

    Raises OSError.
    """
    rows = np.flatnonzero((kept | _tells_state()[segment.type])[start:end]) + start
    if len(rows):
        first = int(segment.offset[rows[0]])
        following = int(rows[-1]) + 1
        last = int(segment.offset[following]) if following < len(segment) else segment.end
        view = store.raw.read(first, last)
        hidden = (~kept[rows]).astype(np.uint8)
        output.events(view, segment.latency[rows], segment.offset[rows] - first, hidden)


def container_blocks(containers: Iterable[Container], time: int) -> list[bytes]:
    """Events of a time, ns, that tell what is known of containers."""
    return [container_event(container.details or _details(container), time) for container in containers]


def _details(container: Container) -> dict[str, Any]:
    """What an oldest container event told, as JSON has it."""
    told = {"id": container.id, "name": container.name, "image": container.image, "type": container.type}
    return {name: value for name, value in told.items() if value is not None}

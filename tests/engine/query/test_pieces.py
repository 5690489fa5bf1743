"""Lines made in compiled code say the same as the slow, obvious way, of every event of real captures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import text
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.fields.render import arguments
from engine.query.lines import LineFormat
from engine.sources import open_capture
from engine.store.store import Store

SOME = 40_000
"""Events of a capture that are compared."""


def read(path: Path) -> Store:
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    return store


@pytest.mark.parametrize(
    "name",
    [
        "502Error.scap",
        "tiny.scap",
        "tiny25.scap.gz",
        "containers.scap.gz",
        "libs_curl_google.scap",
        "libs_sample_2023.scap",
        "xxradar_docker_curl_2025.scap",
    ],
)
def test_parameters_are_those_of_the_renderers(captures: Path, name: str) -> None:
    store = read(captures / name)
    layout = LineFormat("%evt.num %evt.info")
    for segment in store.segments:
        rows = np.arange(min(len(segment), SOME))
        made, count = layout.lines(store, segment, rows)
        assert count == len(rows)
        for row, line in zip(rows.tolist(), made.decode().splitlines(), strict=True):
            event = Event(store, segment, row)
            assert line == f"{event.number} {text.safe(arguments(event))}", event.type.name


def test_rows_far_apart_are_read_as_those_side_by_side(captures: Path) -> None:
    store = read(captures / "containers.scap.gz")
    segment = store.segments[0]
    layout = LineFormat("*%evt.num %fd.name %proc.name %evt.info")
    rows = np.arange(0, len(segment), 997)
    made, _ = layout.lines(store, segment, rows)
    assert made.decode().splitlines() == [layout.line(Event(store, segment, row)) for row in rows.tolist()]

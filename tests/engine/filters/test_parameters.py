"""Terms about parameters keep the same as looking at each event, and their contraries the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.fields import look_up
from engine.filters import compile  # noqa: A004
from engine.sources import open_capture
from engine.store.segment import HIDDEN
from engine.store.store import Store


@pytest.fixture(scope="module", params=["502Error.scap", "tiny.scap", "libs_sample_2023.scap"])
def store(captures: Path, request: pytest.FixtureRequest) -> Store:
    path = captures / request.param
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    return store


@pytest.mark.parametrize(
    ("field", "operator", "literal"),
    [
        ("evt.buffer", "contains", b"e"),
        ("evt.buffer", "startswith", b"HTTP"),
        ("evt.arg.fd", "contains", b"etc"),
        ("evt.arg.name", "contains", b"/etc"),
        ("evt.arg.flags", "contains", b"O_RDONLY"),
        ("evt.arg.data", "contains", b"e"),
        ("evt.arg[1]", "contains", b"0"),
        ("evt.rawarg.name", "startswith", b"/"),
    ],
)
def test_parameters_decide_as_their_events_do(field: str, operator: str, literal: bytes, store: Store) -> None:
    declared, argument = look_up(field)
    text = f"{field} {operator} {literal.decode()}"
    asked, contrary = compile(text), compile(f"not {text}")
    for segment in store.segments:
        values = [declared.of(Event(store, segment, row), argument) for row in range(len(segment))]
        expected = np.array(
            [
                isinstance(value, bytes) and (literal in value if operator == "contains" else value.startswith(literal))
                for value in values
            ]
        )
        visible = segment.flags & HIDDEN == 0
        assert (asked.mask(store, segment) == (expected & visible)).all()
        assert (contrary.mask(store, segment) == (~expected & visible)).all()

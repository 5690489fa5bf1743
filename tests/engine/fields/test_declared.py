"""What fields declare to save work is true: which event types have them, and which events share their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.fields import FIELDS, look_up
from engine.fields.field import Argument, Field, FieldType, Place
from engine.filters import compile, quote  # noqa: A004
from engine.sources import open_capture
from engine.store.segment import HIDDEN
from engine.store.store import Store

CAPTURES = ("502Error.scap", "tiny.scap.gz", "xxradar_docker_curl_2025.scap")
SHARED = [name for name, field in FIELDS.items() if field.same is not None]
TYPED = [name for name, field in FIELDS.items() if field.types is not None]


@pytest.fixture(scope="module", params=CAPTURES)
def store(request: pytest.FixtureRequest, captures: Path) -> Store:
    path = captures / request.param
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    return store


def spellings(field: Field) -> list[str]:
    """The field without and with an argument."""
    bare = [] if field.argument is Argument.REQUIRED else [field.name]
    return bare if field.argument is Argument.NONE else [*bare, f"{field.name}[1]"]


def test_only_late_fields_declare_such_things() -> None:
    assert SHARED and TYPED
    assert all(FIELDS[name].place is Place.LATE and FIELDS[name].parameter is None for name in {*SHARED, *TYPED})


@pytest.mark.parametrize("name", TYPED)
def test_events_of_other_types_do_not_have_it(store: Store, name: str) -> None:
    field = FIELDS[name]
    assert field.types is not None
    segment = store.segments[0]
    for row in range(len(segment)):
        event = Event(store, segment, row)
        if not field.types(event.type):
            assert field.of(event) is None, event.type.name


@pytest.mark.parametrize("name", SHARED)
def test_events_of_one_key_have_one_value(store: Store, name: str) -> None:
    for spelling in spellings(FIELDS[name]):
        field, argument = look_up(spelling)
        assert field.same is not None
        segment = store.segments[0]
        values: dict[int, object] = {}
        for row, key in enumerate(field.same(segment, store, argument).tolist()):
            value = field.of(Event(store, segment, row), argument)
            assert values.setdefault(key, value) == value, (spelling, row)


@pytest.mark.parametrize("name", sorted({*SHARED, *TYPED} - {"evt.abspath", "fd.types"}))
def test_filters_keep_what_they_would_event_by_event(store: Store, name: str) -> None:
    field = FIELDS[name]
    for segment in store.segments[:2]:
        events = [Event(store, segment, row) for row in range(min(len(segment), 4096))]
        visible = [not segment.flags[row] & HIDDEN for row in range(len(events))]
        values = [field.of(event) for event in events]
        present = next((value for value in values if isinstance(value, bytes) and value.isascii()), b"nothing")
        held = {
            f"{name} exists": [value is not None for value in values],
            f"not {name} exists": [value is None for value in values],
        }
        if field.type is FieldType.TEXT:
            held |= {
                f"{name} = {quote(present)}": [value == present for value in values],
                f"not {name} != {quote(present)} and evt.num > 100": [
                    value in (None, present) and event.number > 100 for event, value in zip(events, values, strict=True)
                ],
            }
        for text, wanted in held.items():
            mask = compile(text).mask(store, segment)[: len(events)]
            assert mask.tolist() == [one and shown for one, shown in zip(wanted, visible, strict=True)], text

"""Random filters over real captures keep what looking at each event by itself keeps."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from engine import text
from engine.decode.event import Event
from engine.events import CATALOGUE
from engine.fields import FIELDS, look_up
from engine.fields.field import Argument, Field, FieldType
from engine.filters import FilterError, compile, parse  # noqa: A004
from engine.filters.operators import ALLOWED, ALLOWED_LIST
from engine.filters.syntax import (
    LIST_OPERATORS,
    ORDERINGS,
    QUANTIFIERS,
    Comparison,
    Exists,
    Expression,
    FieldName,
    Text,
    Transform,
    Values,
)
from engine.store.segment import HIDDEN
from tests.engine.filters.machine import obvious
from tests.engine.filters.oracle import loaded
from tests.engine.filters.trees import expressions

CAPTURES = (
    *("libs_sample_2023.scap", "libs_curl_google.scap", "xxradar_docker_curl_2025.scap", "tiny.scap"),
    *(pytest.param(name, marks=pytest.mark.long) for name in ("502Error.scap", "mixed_thin.scap.gz")),
)
LOOKED_AT = 100
"""Events of a capture that are looked at one by one."""
SLOW = frozenset({"evt.around"})
NAMES = ("evt.type", "syscall.type")
"""Fields whose values are names of event types."""
_ARGUMENTS = ("evt.arg[0]", "evt.arg[1]", "proc.aname[1]", "proc.aname[2]", "proc.apid[1]", "evt.type.is[3]")


class Looked:
    """Some events of a capture, and the values they have."""

    def __init__(self, path: Path) -> None:
        self.store = loaded(path)
        chance = random.Random(1)
        self.events = []
        for segment in self.store.segments:
            shown = np.flatnonzero((segment.flags & HIDDEN) == 0).tolist()
            self.events += [Event(self.store, segment, row) for row in chance.sample(shown, min(LOOKED_AT, len(shown)))]
        present = {name for event in self.events for name in (parameter.name for parameter in event.type.params)}
        arguments = [f"{field}.{name}" for name in sorted(present) for field in ("evt.arg", "evt.rawarg")]
        plain = [name for name, field in FIELDS.items() if field.argument is not Argument.REQUIRED and name not in SLOW]
        self.fields = [*plain, *arguments, *_ARGUMENTS]
        self.valued = cache(self._valued)

    def _valued(self, name: FieldName, event: Event) -> tuple[Field, Any]:
        field, argument = look_up(str(name))
        value = field.of(event, argument)
        if field.name == "evt.rawarg":
            field = replace(field, type=self.kind(str(name)))
            value = value if isinstance(value, int if field.type is FieldType.INTEGER else bytes) else None
        return field, value

    def kind(self, name: str) -> FieldType:
        """The type a field has in filters."""
        field, argument = look_up(name)
        if field.name != "evt.rawarg":
            return field.type
        types = {parameter.type for kind in CATALOGUE for parameter in kind.params if parameter.name == argument}
        texts = {"CHARBUF", "FSPATH", "FSRELPATH", "BYTEBUF", "SOCKADDR", "SOCKTUPLE", "FDLIST", "DYN"}
        texts |= {"CHARBUFARRAY", "CHARBUF_PAIR_ARRAY", "IPV6ADDR"}
        return FieldType.INTEGER if types - texts else FieldType.BYTES if types == {"BYTEBUF"} else FieldType.TEXT

    @cache  # noqa: B019 - as long as the tests
    def literals(self, name: str) -> list[bytes]:
        """Values of a field as filters write them, whole and in part."""
        found: set[bytes] = set()
        kind = self.kind(name)
        for event in self.events:
            _, value = self.valued(_node(name), event)
            for one in value if isinstance(value, tuple) else () if value is None else (value,):
                # Parts of these are no values of theirs, and refused.
                found.update([one] if name in NAMES else _written(one, kind))
        return sorted(found)[:: max(1, len(found) // 40)]


def _written(value: Any, kind: FieldType) -> list[bytes]:
    match value:
        case bool():
            return [b"true", b"false"]
        case bytes() if kind is FieldType.ADDRESS:
            return [text.address(value).encode()]
        case bytes() if kind is FieldType.NETWORK:
            prefix = 24 if len(value) == 4 else 64
            return [str(ipaddress.ip_network((value, prefix), strict=False)).encode()]
        case bytes():
            return [one.replace(b"\0", b"") for one in (value[:200], value[:3], value[-3:], value[1:4])]
        case float():
            return [b"%d" % value]
        case _:
            return [b"%d" % value] if -(2**63) <= value < 2**63 else []


def _node(name: str) -> FieldName:
    base, bracket, argument = name.rstrip("]").partition("[")
    return FieldName(base, argument if bracket else None)


@pytest.fixture(scope="module", params=CAPTURES)
def looked(captures: Path, request: pytest.FixtureRequest) -> Looked:
    return Looked(captures / request.param)


@st.composite
def comparisons(draw: st.DrawFn, looked: Looked) -> Expression:
    """A comparison of a field with values it has."""
    name = draw(st.sampled_from(looked.fields))
    field = look_up(name)[0]
    kind = looked.kind(name)
    node = _node(name)
    literals = looked.literals(name)
    allowed = sorted(ALLOWED_LIST if field.is_list else ALLOWED[kind] - {"regex"})
    operator = draw(st.sampled_from(allowed))
    if operator == "exists":
        return Exists(node)
    if operator not in LIST_OPERATORS and not field.is_list and draw(st.integers(0, 9)) == 0:
        others = [other for other in looked.fields if looked.kind(other) is kind]
        other = draw(st.sampled_from(others))
        return Comparison(node, operator, Transform("val", (_node(other),)))
    assume(literals)
    values = st.sampled_from(literals)
    if kind is FieldType.TEXT and name not in NAMES:
        values |= st.sampled_from([b"", b"x", b"/etc", b"/"])
    if operator in ("glob", "iglob"):
        values = values.map(lambda value: value.translate(None, b"*?[]\\!")).map(lambda value: b"*" + value + b"?*")
    if operator.startswith("b"):
        values = values.map(lambda value: value.hex().encode())
    if operator in LIST_OPERATORS:
        return Comparison(node, operator, Values(tuple(map(Text, draw(st.lists(values, max_size=4))))))
    if operator not in ORDERINGS and draw(st.integers(0, 5)) == 0:
        chosen = Values(tuple(map(Text, draw(st.lists(values, max_size=3)))))
        return Comparison(node, operator, chosen, draw(st.sampled_from(QUANTIFIERS)))
    return Comparison(node, operator, Text(draw(values)))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_the_plan_keeps_what_looking_at_each_event_keeps(looked: Looked, data: st.DataObject) -> None:
    tree = data.draw(expressions(comparisons(looked), 5))
    try:
        asked = compile(str(tree))
    except FilterError as error:
        # Sides whose types do not fit, which only val() can have here.
        assert "val(" in str(tree), f"{tree}: {error}"
        return
    assert parse(str(tree)) == tree
    masks: dict[int, Any] = {}
    for event in looked.events:
        segment = event.segment
        if segment.first not in masks:
            masks[segment.first] = asked.mask(looked.store, segment)
        kept = bool(masks[segment.first][event.row])
        assert kept == obvious(tree, event, looked.valued), f"{tree} about event {event.number}"


def test_every_parameter_decides_as_its_event_does(looked: Looked) -> None:
    for name in looked.fields:
        if not name.startswith(("evt.arg.", "evt.rawarg.")):
            continue
        kind, literals = looked.kind(name), looked.literals(name)
        middle = literals[len(literals) // 2] if literals else b"0"
        operators = ["<", "=", "!="] if kind is not FieldType.BYTES else ["=", "!=", "contains"]
        operators += ["contains", "startswith"] if kind is FieldType.TEXT else []
        trees: list[Expression] = [Exists(_node(name))]
        trees += (Comparison(_node(name), one, Text(middle)) for one in operators)
        for tree in trees:
            asked = compile(str(tree))
            for segment in looked.store.segments:
                mask = asked.mask(looked.store, segment)
                for event in looked.events:
                    if event.segment is segment:
                        assert bool(mask[event.row]) == obvious(tree, event, looked.valued), f"{tree}: {event.number}"

"""What commands let the kernel side leave out."""

from __future__ import annotations

import itertools
from typing import cast

import pytest

from engine.model.facts import Thread
from engine.query.lines import LineFormat
from engine.sources.live.source import LiveSource, Narrowing
from tests.engine.fake_machine import FakeMachine
from tui.digging import Machine


class Stepped(FakeMachine):
    """Begun already."""

    step = FakeMachine.drain


@pytest.mark.parametrize(
    ("filter_text", "told"),
    [
        ("", []),
        ("proc.pid=10 and evt.type=read", [Narrowing(frozenset({10}), None, frozenset({"read"}))]),
        ("proc.pid=10 and http.status=200", []),
    ],
)
def test_what_a_filter_implies_is_told_to_the_kernel_side(filter_text: str, told: list[Narrowing]) -> None:
    source = Stepped(Thread(10, 10, ptid=0, comm=b"busy", exe=b"busy", cwd=b"/"))
    machine = Machine(cast(LiveSource, source), filter_text, user_names=True)
    source.happen()
    stops = iter(itertools.chain([False] * 3, itertools.repeat(True)))
    assert sum(len(segment) for _, segment in machine.segments(lambda: next(stops), lambda: None)) == 1
    assert source.narrowed == told


def test_fields_told_from_other_events_are_known_of_a_format() -> None:
    assert LineFormat("%evt.num %evt.deltatime").asks_of_others
    assert not LineFormat("%evt.num %evt.latency").asks_of_others

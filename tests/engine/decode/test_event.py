"""An event's record is found and cut into parameters, whatever the generation of the writer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.event import Event
from tests.engine.fields.recorded import alone, events, only, recorded
from tests.engine.query.handmade import Row, segment, store
from tests.scapfile import event, pack

READ_EXIT, EXECVE_13_ENTER, CONTAINER_JSON, SETNS_ENTER = 7, 154, 324, 280


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("flags", [None, 0])
def test_parameters_are_cut_from_records_of_every_block_kind(tmp_path: Path, version: int, flags: int | None) -> None:
    params = pack(READ_EXIT, 2, res=5, data=b"hello")
    made = recorded(tmp_path, event(READ_EXIT, 10, 1_000, params, version=version, flags=flags))
    assert only(made)[1].params == ((5).to_bytes(8, "little"), b"hello")


def test_an_empty_parameter_is_none(tmp_path: Path) -> None:
    made = recorded(tmp_path, event(READ_EXIT, 10, 1_000, pack(READ_EXIT, 2, res=0)))
    assert only(made)[1].params == (bytes(8), None)


def test_parameters_newer_than_the_catalogue_are_left_out(tmp_path: Path) -> None:
    params = [*pack(READ_EXIT, res=1, data=b"x"), b"newer"]
    made = recorded(tmp_path, event(READ_EXIT, 10, 1_000, params))
    assert len(only(made)[1].params) == len(params) - 1


def test_long_parameters_have_wide_lengths(tmp_path: Path) -> None:
    told = b'{"container":{"id":"%s"}}' % (b"a" * 70_000)
    made = recorded(tmp_path, event(READ_EXIT, 10, 1, pack(READ_EXIT, res=0)), event(CONTAINER_JSON, -1, 2, [told]))
    assert only(made)[1].params == (told,)


def test_each_event_has_its_own_record(tmp_path: Path) -> None:
    blocks = [event(READ_EXIT, 10, time, pack(READ_EXIT, 2, res=time, data=b"x" * time)) for time in range(1, 9)]
    made = recorded(tmp_path, *blocks)
    assert [each.params[1] for each in events(made)] == [b"x" * time for time in range(1, 9)]


def test_an_event_without_a_record_has_no_parameters() -> None:
    made = store()
    assert Event(made, segment([Row(READ_EXIT)]), 0).params == ()


@given(st.integers(0, 80), st.sampled_from([1, 2]))
def test_a_record_cut_since_it_was_decoded_gives_what_is_left(length: int, version: int) -> None:
    block = event(READ_EXIT, 10, 1_000, pack(READ_EXIT, 2, res=5, data=b"hello"), version=version)
    assert len(alone(block[:length], READ_EXIT).params) in (0, 2)


@given(st.binary(max_size=120))
def test_no_bytes_break_the_cutting_of_records(data: bytes) -> None:
    assert len(alone(data, READ_EXIT).params) <= 64

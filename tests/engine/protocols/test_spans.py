"""Spans as programs tell them, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.events import FdKind
from engine.protocols import spans
from engine.protocols.spans import spans_of
from tests.engine.protocols.test_exchanges import opened
from tests.scapfile import Entry, fd_list, machine, process_list, section
from tests.views.made import MS, START, process, written


def told(tmp_path: Path, *payloads: bytes, path: bytes = b"/dev/null") -> list[tuple[int, bytes, bytes, int]]:
    """Id, tags, arguments and ms of the spans of a process that writes these, every ms one."""
    file = tmp_path / "spans"
    file.write_bytes(
        section()
        + machine(cpus=1)
        + process_list(9, [process(10, b"app")])
        + fd_list(10, [Entry(4, FdKind.FILE_V2, path)])
        + b"".join(written(10, 4, START + at * MS, data) for at, data in enumerate(payloads))
    )
    with opened(file) as store:
        found = [span for segment in store.segments for span in spans_of(store).of(segment)]
    return [(span.id, b".".join(span.tags), span.arguments, span.took // MS) for span in found]


def test_an_end_is_put_to_the_beginning_of_the_same_id_and_tags(tmp_path: Path) -> None:
    found = told(tmp_path, b">:1:a:x=1:", b">:2:a::", b">:1:a.b:y=2,z=3:", b"<:1:a.b::", b"<:2:a::", b"<:1:a::")
    assert found == [(1, b"a.b", b"y=2,z=3", 1), (2, b"a", b"", 3), (1, b"a", b"x=1", 5)]


def test_an_id_may_stand_for_the_thread_or_process(tmp_path: Path) -> None:
    assert told(tmp_path, b">:t:a::", b"<:p:a::", b">:pp:b::", b"<:1:b::") == [(10, b"a", b"", 1), (1, b"b", b"", 1)]


@pytest.mark.parametrize(
    "payloads", [(b"<:1:a::",), (b">:1:a::",), (b">:1:::", b"<:1:::"), (b">:x:a::", b"<:x:a::"), (b"> 1", b"<html>")]
)
def test_what_has_no_beginning_or_end_or_is_no_tracer_is_no_span(tmp_path: Path, payloads: tuple[bytes, ...]) -> None:
    assert told(tmp_path, *payloads) == []


def test_only_what_goes_to_the_null_device_is_looked_at(tmp_path: Path) -> None:
    assert told(tmp_path, b">:1:a::", b"<:1:a::", path=b"/tmp/null") == []


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "_MOST_OPEN", 2)
    monkeypatch.setattr(spans, "MOST", 4)
    assert told(tmp_path, b">:1:a::", b">:2:a::", b">:3:a::", b"<:1:a::", b"<:2:a::") == [(2, b"a", b"", 3)]
    many = [payload for number in range(9) for payload in (b">:%d:a::" % number, b"<:%d:a::" % number)]
    assert [each[0] for each in told(tmp_path, *many)] == [2, 3, 4, 5, 6, 7, 8]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([b">:1:", b"<:1:", b"a", b".", b":", b"=", b"t", b"\0", b"\xff"]), max_size=12))
def test_no_payload_does_harm(tmp_path: Path, pieces: list[bytes]) -> None:
    told(tmp_path, b"".join(pieces) or b"x", b"<:" + b"".join(pieces))

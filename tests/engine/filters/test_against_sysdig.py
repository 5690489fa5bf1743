"""Hundreds of filters on nine captures keep the very events that sysdig 0.29.3 keeps, or others for a reason told.

What sysdig keeps was written down by ``tests.engine.filters.oracle``; the long test asks it again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.filters import parse
from engine.filters.syntax import fields_of
from tests.engine.filters.oracle import CAPTURES, EVENTS, EXPRESSIONS, copied, expressions, loaded, ours, theirs, told
from tests.engine.filters.oracle_reasons import FIELDS, FILTERS
from tests.engine.filters.test_oracle import LINES
from tests.engine.oracle_count import DOWNGRADE

ANSWERS: dict[str, dict[str, Any]] = json.loads(EVENTS.read_text("utf-8"))


@pytest.fixture
def copy(capture: str, captures: Path, tmp_path: Path) -> Path:
    if not (captures / DOWNGRADE).exists():
        pytest.skip(f"needs {DOWNGRADE} beside the shared captures, which makes copies that sysdig reads to their end")
    return copied(captures / capture, tmp_path)


def differing() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Captures, filters and answers where ours are not sysdig's."""
    for capture, answers in ANSWERS.items():
        for text, answer in answers.items():
            if isinstance(answer, dict):
                yield capture, text, answer


def test_all_filters_of_the_reference_and_three_hundred_more_are_asked_of_eight_captures() -> None:
    assert set(LINES) < set(EXPRESSIONS)
    assert len(EXPRESSIONS) == len(set(EXPRESSIONS)) > len(LINES) + 300
    assert tuple(ANSWERS) == CAPTURES
    assert [len(expressions(capture)) for capture in CAPTURES].count(len(EXPRESSIONS)) == 8
    assert all(list(answers) == list(expressions(capture)) for capture, answers in ANSWERS.items())


def test_each_sixth_is_asked_of_a_long_capture_of_containers() -> None:
    assert expressions("containers.scap.gz") == EXPRESSIONS[::6]


@pytest.mark.parametrize("capture", CAPTURES)
def test_filters_keep_the_listed_events(capture: str, copy: Path) -> None:
    store = loaded(copy)
    others = {}
    for text, answer in ANSWERS[capture].items():
        expected = answer["ours"] if isinstance(answer, dict) else answer
        found = told(ours(store, text))
        if found != expected:
            others[text] = (found, expected)
    assert not others


def test_other_events_are_kept_for_a_reason() -> None:
    for capture, text, answer in differing():
        assert answer["ours"] != answer["theirs"], text
        for fields in answer["by"]:
            reasons = [FIELDS.get(field) for field in fields.split()]
            if not fields:
                reasons = [FILTERS[name] for name in _names(text) if name in FILTERS] or [None]
            assert all(reasons), f"{capture}: {text}: {fields or 'same values'}"


def test_every_reason_is_needed() -> None:
    by = {field for _, _, answer in differing() for fields in answer["by"] for field in fields.split()}
    assert by == FIELDS.keys()
    same = {name for _, text, answer in differing() if "" in answer["by"] for name in _names(text)}
    assert FILTERS.keys() <= same


def _names(text: str) -> list[str]:
    return [str(field) for field in fields_of(parse(text))]


@pytest.mark.long
@pytest.mark.parametrize("capture", CAPTURES)
def test_sysdig_keeps_what_was_written_down(capture: str, copy: Path) -> None:
    if shutil.which("sysdig") is None:
        pytest.skip("needs sysdig 0.29.3")
    for text, answer in ANSWERS[capture].items():
        assert told(theirs(copy, text)) == (answer["theirs"] if isinstance(answer, dict) else answer), text

"""`tui fields`: what it lists, finds and says of fields that are not available."""

from __future__ import annotations

import json

import pytest

from engine.fields import FIELDS
from engine.fields.unavailable import UNAVAILABLE
from tests.conftest import ROOT
from tui.cli import main
from tui.exit_codes import Exit


def test_every_field_is_listed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields"]) == Exit.OK
    names = [line.split()[0].partition("(")[0].partition("[")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [*FIELDS, *UNAVAILABLE]


def test_every_word_searched_for_occurs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "server", "port"]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("fd.sport ") for line in lines)
    assert all("server" in line.lower() and "port" in line.lower() for line in lines)


def test_a_search_without_result_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "nothing-like-this"]) == Exit.FAILED
    assert "no field has nothing-like-this" in capsys.readouterr().err
    assert capsys.readouterr().out == ""


def test_what_is_not_available_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "mesos.task.name"]) == Exit.OK
    assert "not available" in capsys.readouterr().out


def test_json_has_everything_that_is_declared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "--json", "evt.latency"]) == Exit.OK
    (latency,) = (one for one in json.loads(capsys.readouterr().out) if one["name"] == "evt.latency")
    assert (latency["type"], latency["unit"], latency["group"], latency["place"]) == (
        *("duration", "ns", "event", "event"),
    )
    assert latency["example"] == "evt.latency > 5ms"


def test_the_page_of_fields_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "--markdown"]) == Exit.OK
    assert (ROOT / "docs" / "fields.md").read_text("utf-8") == capsys.readouterr().out

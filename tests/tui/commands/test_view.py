"""`tui view` on the bundled capture."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import tui
from tui.cli import main
from views import load

DEMO = str(Path(tui.__file__).with_name("demo.scap.gz"))


def test_json_csv_and_the_table_have_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "procs", "-r", DEMO, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert main(["view", "procs", "-r", DEMO, "--csv"]) == 0
    comma = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert main(["view", "procs", "-r", DEMO]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(rows) == len(comma) == len(lines) - 1 > 5
    assert [str(row["PID"]) for row in rows] == [row["PID"] for row in comma] == [x.split()[0] for x in lines[1:]]


def test_sort_top_and_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "files", "-r", DEMO, "--json", "--sort", "bytes in", "--top", "3", "evt.type=read"]) == 0
    sizes = [row["BYTES IN"] for row in json.loads(capsys.readouterr().out)]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)


NOT_THERE = {
    *("container_lifecycle", "docker_events", "notifications", "port_bindings", "spy_syslog"),
    *("kubernetes_deployments", "kubernetes_namespaces", "kubernetes_pods", "kubernetes_replicasets"),
}
"""Views of what does not happen in the bundled capture; ``tests/views`` has captures in which it does."""


@pytest.mark.parametrize("view", load().views)
def test_every_view_shows_what_happens_in_the_capture(view: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", view, "-r", DEMO, "--json", "-pc"]) == 0
    assert bool(json.loads(capsys.readouterr().out)) is (view not in NOT_THERE)


@pytest.mark.parametrize(
    "words", [["nosuch", "-r", DEMO], ["procs"], ["procs", "-r", DEMO, "--sort", "NO"], ["procs", "-r", DEMO, "a.b="]]
)
def test_wrong_words_are_told_and_nothing_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err


def test_the_list_names_every_view(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "--list", "--json"]) == 0
    assert [view["id"] for view in json.loads(capsys.readouterr().out)] == list(load().views)

"""`tui view` on the bundled capture."""

from __future__ import annotations

import csv
import json
from collections import Counter
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest

import tui
from tui.cli import main
from views import json_schema, load

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


@pytest.mark.parametrize("view", ["procs", "files", "syscalls", "connections", "syscall_latency"])
def test_rows_are_sorted_by_any_column_texts_up_and_amounts_down(view: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", view, "--schema"]) == 0
    titles = list(json.loads(capsys.readouterr().out)["items"]["properties"])
    assert len(titles) >= 4
    for title in titles:
        assert main(["view", view, "-r", DEMO, "--json", "--sort", title]) == 0
        shown = [row[title] for row in json.loads(capsys.readouterr().out)]
        known = [value for value in shown if value is not None]
        assert len(shown) > 1 and shown[: len(known)] == known
        if title in ("LIP", "RIP"):
            known = [ip_address(value).packed for value in known]
        if not any(isinstance(value, list) for value in known):
            assert known == sorted(known, reverse=any(isinstance(value, int | float) for value in known))


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch", "-r", DEMO],
        ["procs", "--from", "10:00"],
        ["procs", "-r", DEMO, "--sort", "NO"],
        ["procs", "-r", DEMO, "a.b="],
    ],
)
def test_wrong_words_are_told_and_nothing_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err


def test_the_list_names_every_view(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "--list", "--json"]) == 0
    assert [view["id"] for view in json.loads(capsys.readouterr().out)] == list(load().views)


def test_a_range_of_time_is_as_given(capsys: pytest.CaptureFixture[str]) -> None:
    def counts(*words: str) -> dict[str, float]:
        assert main(["view", "syscall_latency", "-r", DEMO, "--json", *words]) == 0
        return {row["SYSCALL"]: row["CALLS"] for row in json.loads(capsys.readouterr().out)}

    whole = Counter(counts())
    parts = Counter(counts("--to", "7s")) + Counter(counts("--from", "7.000000001s", "--to=-2s"))
    parts += Counter(counts("--from=-1.999999999s"))
    assert parts == whole


def test_a_stream_has_a_table_for_each_interval(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "syscall_latency", "-r", DEMO, "--json", "--every", "3s"]) == 0
    intervals = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(later["from"] == sooner["to"] + 1 for sooner, later in pairwise(intervals))
    assert {each["to"] - each["from"] + 1 for each in intervals[:-1]} == {3 * 10**9}
    assert main(["view", "syscall_latency", "-r", DEMO, "--json"]) == 0
    assert {each["lost"] for each in intervals} == {0}
    whole = sum(row["CALLS"] for row in json.loads(capsys.readouterr().out))
    assert sum(row["CALLS"] for each in intervals for row in each["rows"]) == whole

    assert main(["view", "syscall_latency", "-r", DEMO, "--csv", "--every", "3s"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {int(row["from"]) for row in rows} == {each["from"] for each in intervals if each["rows"]}

    assert main(["view", "syscalls", "-r", DEMO, "--every", "3s", "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 * len(intervals) - 1
    assert lines[3] == ""


@pytest.mark.parametrize(
    "words", [["--every", "10ms"], ["--every", "soon"], ["--from", "yesterday"], ["--from", "3s", "--to", "x"]]
)
def test_times_that_are_none_are_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "procs", "-r", DEMO, *words]) == 2
    assert capsys.readouterr().err


def test_units_are_told_of_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "procs", "--schema"]) == 0
    columns = json.loads(capsys.readouterr().out)["items"]["properties"]
    assert columns["RES"]["unit"] == "bytes"
    assert columns["NET"]["unit"] == "bytes/s"
    assert columns["CPU"]["unit"] == "percent"
    assert "unit" not in columns["PID"]


def test_a_check_tells_mistakes_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "procs"\nodd = 1\n')
    assert main(["view", "--check", str(path)]) == 1
    assert capsys.readouterr().out == f"{path}:2: odd: unknown key\n"
    path.write_text('extends = "procs"\n')
    assert main(["view", "--check", str(path)]) == 0
    assert main(["view", "--check", str(tmp_path / "none.toml")]) == 2


def test_the_schema_of_view_files_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_how_a_filter_was_answered_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "procs", "-r", DEMO, "--explain", "--csv", "evt.type=read"]) == 0
    assert "once per event type: evt.type = read" in capsys.readouterr().err

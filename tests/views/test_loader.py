"""View files: what is right of them works, what is wrong is told with its line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import views
from engine.query.view import Aggregation
from tests.conftest import ROOT
from views import check, json_schema, load
from views.declared import ACTION, BEFORE, COLUMN, EXTENDING, TOP
from views.schema import read

GOOD = """name = "Mine"
description = "My own."
key = "proc.pid"

[[columns]]
title = "PID"
field = "proc.pid"
width = 8
description = "Process id."
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    views = tmp_path / "syscope" / "views"
    views.mkdir(parents=True)
    return views


def test_the_projects_own_views_are_right(folder: Path) -> None:
    library = load()
    assert library.problems == ()
    assert {"procs", "threads", "containers", "files", "directories", "connections"} <= set(library.views)
    assert all(view.drill_to in library.views for view in library.views.values() if view.drill_to)


def test_a_users_file_adds_a_view_or_takes_the_place_of_one(folder: Path) -> None:
    for name in ("mine", "procs"):
        (folder / f"{name}.toml").write_text(GOOD)
    library = load()
    assert library.problems == ()
    assert library.views["mine"].name == library.views["procs"].name == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ('name = "Mine"', 'name = "Mine', 1, "not TOML"),
        ('key = "proc.pid"', 'key = "proc.pdi"', 3, "unknown field proc.pdi"),
        ('key = "proc.pid"', 'key = "fd.port"', 3, "rows cannot be made of fd.port"),
        ('key = "proc.pid"', 'key = "evt.args"', 3, "evt.args is read from each"),
        ('key = "proc.pid"', 'applies_to = ["fd.dport"]\nkey = "proc.pid"', 3, "unknown field fd.dport"),
        ('key = "proc.pid"', "", 1, "expected the key key"),
        ('name = "Mine"', 'name = "\\u001b[31m"', 1, "name: expected a text"),
        ("width = 8", 'width = "8"', 8, "expected cells"),
        ("width = 8", "width = 1001", 8, "at most 1000"),
        (
            "width = 8",
            'width = 8\ndescription = "One."\n[[columns]]\ntitle = "PID"\nfield = "proc.pid"\nwidth = 8',
            11,
            "two columns are called PID",
        ),
        ("width = 8", "widht = 8", 8, "did you mean width"),
        ("width = 8", 'width = 8\naggregation = "summ"', 9, "one of first, last"),
        ("width = 8", 'width = 8\naggregation = "sum"', 9, "nothing to add up"),
        ('description = "My own."', 'description = "My own."\nfilter = "proc.pid ="', 3, "filter"),
        ('description = "My own."', 'description = "My own."\nsort = "TID"', 3, "one of PID"),
        ('description = "My own."', 'description = "My own."\ndrill_to = "nowhere"', 3, "there is no nowhere"),
        ('description = "My own."', 'description = "My own."\nkeyy = 1', 3, "did you mean key"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_rest_works(
    folder: Path, old: str, new: str, line: int, expected: str
) -> None:
    assert old in GOOD
    (folder / "procs.toml").write_text(GOOD.replace(old, new))
    library = load()
    assert any(f"procs.toml:{line}: " in problem and expected in problem for problem in library.problems)
    assert library.views["procs"].name == "Processes"


def extending(text: str) -> str:
    return 'extends = "procs"\n' + text


def test_a_users_view_may_begin_with_a_shipped_one_and_change_columns_by_title(folder: Path) -> None:
    (folder / "mine.toml").write_text(
        extending(
            """name = "Mine"
without = ["VIRT", "RES"]

[[columns]]
title = "FAILED"
field = "evt.count.error"
width = 8
aggregation = "sum"
merge = "sum"
description = "Failed calls."

[[columns]]
title = "USER"
width = 20
before = "PID"

[[actions]]
key = "k"
label = "ask to end"
"""
        )
    )
    library = load()
    assert library.problems == ()
    mine, shipped = library.views["mine"], library.views["procs"]
    assert (mine.name, mine.id, mine.filter, mine.keys) == ("Mine", "mine", shipped.filter, shipped.keys)
    titles = [column.title for column in shipped.columns]
    titles = ["USER", *(title for title in titles[:-1] if title not in ("USER", "VIRT", "RES")), "FAILED", titles[-1]]
    assert [column.title for column in mine.columns] == titles
    assert mine.columns[0].field == "user.name"
    assert mine.columns[0].width == 20
    (changed,) = (action for action in mine.actions if action.key == "k")
    assert (changed.label, changed.command) == ("ask to end", ("kill", "%proc.pid"))


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ('name = "Mine"\nwithout = ["NO"]', 3, "there is no column NO"),
        ('\n[[columns]]\ntitle = "USER"\nbefore = "NO"', 5, "there is no column NO"),
        ('\n[[columns]]\ntitle = "NEW"\nwidth = 3', 3, "expected the key field"),
        ('group = "evt.cpu"\nsort = "NO"', 3, "one of PID"),
    ],
)
def test_a_mistake_in_what_extends_a_view_is_told_at_its_line(
    folder: Path, text: str, line: int, expected: str
) -> None:
    (folder / "mine.toml").write_text(extending(text))
    problems = load().problems
    assert any(f"mine.toml:{line}: " in problem and expected in problem for problem in problems), problems


def test_only_shipped_views_can_be_extended(folder: Path) -> None:
    (folder / "mine.toml").write_text('extends = "nothing"')
    assert "mine.toml:1: extends: expected the id of a shipped view" in load().problems[0]


def test_a_check_tells_every_mistake_with_its_line(folder: Path) -> None:
    path = folder / "bad.toml"
    path.write_text(GOOD.replace('"proc.pid"\nwidth = 8', '"proc.pdi"\nwidth = "8"').replace('"My own."', "3\nodd = 1"))
    told = [mistake.removeprefix(f"{path}:").split(": ")[:2] for mistake in check(path)]
    assert told == [
        ["2", "description"],
        ["3", "odd"],
        ["8", "field"],
        ["9", "width"],
    ]
    path.write_text(GOOD)
    assert check(path) == ()
    path.write_bytes(b"\xff")
    assert "expected UTF-8" in check(path)[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("width = 8", 'width = 8\naggregation = "sum"\nwhere = "evt.type ="', "where"),
        ("width = 8", 'width = 8\nwhere = "evt.type=read"', "expected an aggregation"),
        ('"proc.pid"\nwidth', '"thread.vmrss.b"\nwhere = "evt.type=read"\naggregation = "max"\nwidth', "not of events"),
        ('"proc.pid"\nwidth', '"evt.rawarg.size"\naggregation = "sum"\nwidth', "expected a filter"),
        ("width = 8", "width = 8\nsubtree = true", "expected a tree"),
        ('description = "My own."', 'description = "My own."\ntree = "NO"', "one of PID"),
        ('key = "proc.pid"', 'key = "fd.name+proc.vmrss"\ntree = "PID"', "expected rows of processes"),
        ('key = "proc.pid"', 'key = "fd.name+nothing"', "unknown field nothing"),
        ('key = "proc.pid"', 'key = "evt.cpu"', ""),
        ('key = "proc.pid"\n\n', 'key = "fd.name"\n\n[[columns]]\nfield = "thread.vmrss.b"\n', "known of threads"),
    ],
)
def test_what_does_not_fit_together_is_told(folder: Path, old: str, new: str, expected: str) -> None:
    if new.startswith('key = "fd.name"'):
        new = new.replace("[[columns]]", '[[columns]]\ntitle = "RSS"\nwidth = 3\naggregation = "max"\ndescription = ""')
    assert old in GOOD
    (folder / "mine.toml").write_text(GOOD.replace(old, new))
    problems = load().problems
    assert not problems if not expected else any(expected in problem for problem in problems), problems


def test_the_schema_is_made_of_what_is_read() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {item.name for item in (*TOP, *EXTENDING)} | {"columns", "actions"}
    column = schema["properties"]["columns"]["items"]
    assert set(column["properties"]) == {item.name for item in (*COLUMN, BEFORE)}
    assert set(schema["properties"]["actions"]["items"]["properties"]) == {item.name for item in ACTION}
    assert column["properties"]["aggregation"]["enum"] == [each.value for each in Aggregation if each.value != "count"]


def test_every_shipped_view_meets_the_schema() -> None:
    for file in Path(views.__file__).parent.glob("*.toml"):
        meets(json_schema(), tomllib.loads(file.read_text()), file.name)


@pytest.mark.parametrize("wrong", [{}, {"name": 1}, {"odd": ""}, {"columns": []}, {"columns": [{"title": "A"}]}])
def test_what_is_wrong_does_not_meet_the_schema(wrong: dict[str, Any]) -> None:
    right = tomllib.loads(GOOD)
    with pytest.raises(AssertionError):
        meets(json_schema(), {**right, **wrong} if wrong else {}, "wrong")


def meets(schema: dict[str, Any], value: Any, where: str) -> None:
    """Asserts that a value meets a schema, as far as our schemas go."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), where
    if "enum" in schema:
        assert value in schema["enum"], where
    if isinstance(value, dict):
        known = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), where
        assert schema.get("additionalProperties", True) or set(value) <= set(known), where
        for key, part in value.items():
            meets(known.get(key, {}), part, f"{where}, {key}")
    if isinstance(value, list):
        assert len(value) >= schema.get("minItems", 0), where
        for part in value:
            meets(schema.get("items", {}), part, where)
    choices = schema.get("oneOf", schema.get("anyOf", []))
    assert not choices or any(_meets(choice, value) for choice in choices), where


def _meets(schema: dict[str, Any], value: Any) -> bool:
    try:
        meets(schema, value, "")
    except AssertionError:
        return False
    return True


def test_the_examples_of_the_page_are_right(folder: Path) -> None:
    page = (ROOT / "docs" / "views.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert len(examples) == 2
    for number, example in enumerate(examples):
        (folder / f"example{number}.toml").write_text(example)
    library = load()
    assert library.problems == ()
    assert {"example0", "example1"} <= set(library.views)


SHIPPED = {path.stem: path.read_text() for path in Path(views.__file__).parent.glob("*.toml")}
PIECES = st.sampled_from(
    [
        "\n",
        "[[columns]]",
        "[[actions]]",
        "=",
        '"',
        "[",
        "]",
        "{",
        "key",
        "title",
        "field",
        "extends",
        "procs",
        "\0",
        "1",
        "é",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SHIPPED)), st.integers(0, 4000), st.integers(0, 60), st.lists(PIECES, max_size=6))
def test_whatever_a_file_says_it_is_a_view_or_mistakes_with_lines(
    name: str, start: int, length: int, pieces: list[str]
) -> None:
    text = SHIPPED[name]
    text = text[:start] + "".join(pieces) + text[start + length :]
    made = read("garbled", text, {*SHIPPED, "garbled"}, SHIPPED)
    assert (made.view is None) is bool(made.mistakes)
    assert all(1 <= mistake.line <= text.count("\n") + 2 for mistake in made.mistakes)


def test_times_of_day_are_shown_whole() -> None:
    columns = [column for view in load().views.values() for column in view.columns if column.field == "evt.time"]
    assert min(column.width for column in columns) > len("00:44:29.904921005")

"""View files: what is right of them works, what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from views import load

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
        ("width = 8", "widht = 8", 5, "expected the key width"),
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
    (problem,) = library.problems
    assert f"procs.toml:{line}: " in problem
    assert expected in problem
    assert library.views["procs"].name == "Processes"

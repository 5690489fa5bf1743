"""What users are told agrees with the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.conftest import ROOT
from tests.demo.keys_page import PAGE, page
from tui.cli import COMMANDS, main
from tui.declared import command, parser_of
from tui.exit_codes import Exit
from tui.screens.keys import BINDINGS

DEMO = str(ROOT / "tui" / "demo.scap.gz")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


CAPTURES = {"FILE", "trace.scap", "mixed.scap.gz"}
"""What captures are called in commands of the pages."""


def blocks(page: Path, kind: str = "") -> list[str]:
    """The fenced blocks of a page that are of a kind."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)
    return [text for told, text in found if told == kind]


def commands() -> list[str]:
    """What the pages tell people to type; lines of results have figures."""
    found = [
        line for page in PAGES for kind in ("", "sh") for block in blocks(page, kind) for line in block.split("\n")
    ]
    lines = [line.removeprefix("sudo ") for line in found if not re.search(r" \d+\.\d\d ", line)]
    return sorted({re.split(r" {2,}| #", line)[0] for line in lines if re.match(r"tui( |$)", line)})


def words(text: str) -> set[str]:
    return set(re.split(r"[\s`|,;]+", text))


def test_the_page_of_keys_is_made_of_the_bindings() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tests.demo.keys_page"


def test_no_two_actions_have_the_same_id() -> None:
    ids = [binding.id for binding in BINDINGS if isinstance(binding, Binding) and binding.id]
    assert len(ids) == len(set(ids))


def test_every_shipped_view_is_told() -> None:
    told = words((ROOT / "docs" / "views.md").read_text("utf-8"))
    assert {path.stem for path in (ROOT / "views").glob("*.toml")} <= told


def test_every_exit_status_and_command_is_told() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    assert {f"| {status.value} |" for status in Exit} <= set(re.findall(r"\| \d+ \|", text))
    assert all(f"`tui {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["", "dig"])
def test_every_option_of_the_explorer_and_of_dig_is_told(name: str) -> None:
    text = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    section = text.split("\n## ")[2 if name else 1]
    told = set(re.findall(r"(?<![\w-])(--[a-zA-Z][\w-]*|-[a-zA-Z])", section))
    for option in command(name).options:
        assert not option.names or told & set(option.names), option.names


@pytest.mark.parametrize("line", commands())
def test_what_the_pages_tell_to_type_is_understood_and_done(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    typed = [DEMO if word in CAPTURES else word for word in shlex.split(line)[1:]]
    of_capture = "-r" in typed or typed[:1] == ["fields"] or {"-cl", "-i"} & set(typed)
    if of_capture and typed[0] in COMMANDS:
        assert main(typed) == 0
        out, err = capsys.readouterr()
        assert out or err or "spy_users" in typed, "there are no users in the bundled capture"
        return
    name = typed.pop(0) if typed and typed[0] in COMMANDS else ""
    # What watches this machine is not started here.
    parser_of(name).parse_intermixed_args(typed[: typed.index("--")] if "--" in typed else typed)


def test_the_pages_have_commands() -> None:
    assert {line.split()[1] for line in commands() if len(line.split()) > 1} >= {
        "dig",
        "view",
        "record",
        "export",
        "-d",
    }


def test_chisels_and_views_that_the_pages_show_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "syscope" / "chisels"
    folder.mkdir(parents=True)
    page = ROOT / "docs" / "chisels.md"
    table, lines = blocks(page, "toml")
    (written,) = blocks(page, "python")
    for name, text in (("table.toml", table), ("lines.toml", lines), ("big.py", written)):
        (folder / name).write_text(text)
    for asked, expected in (
        (["-c", "table", "nginx"], "/var/log/nginx"),
        (["-pc", "-c", "table", "nginx"], "Container"),
        (["-c", "lines"], "/srv/www"),
        (["-c", "big", "1000"], " writes\n"),
    ):
        assert main(["dig", "-r", DEMO, *asked]) == 0
        assert expected in capsys.readouterr().out, asked
    shown = [block for block in blocks(ROOT / "docs" / "views.md", "toml") if "[[columns]]" in block]
    (tmp_path / "mine.toml").write_text(shown[0])
    assert main(["view", "--check", str(tmp_path / "mine.toml")]) == 0

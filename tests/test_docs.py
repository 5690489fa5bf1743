"""What users are told agrees with the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.conftest import ROOT
from tests.demo.keys_page import PAGE, page
from tui.cli import COMMANDS
from tui.declared import command
from tui.exit_codes import Exit
from tui.screens.keys import BINDINGS

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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

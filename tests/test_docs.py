"""What users are told agrees with the program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.binding import Binding, BindingType

from tests.conftest import ROOT
from tui.app import KEY_NAMES, Syscope
from tui.cli import COMMANDS
from tui.exit_codes import Exit
from tui.screens.explorer import Explorer

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def first_keys(bindings: Iterable[BindingType]) -> set[str]:
    """The key each binding is known by, as keyboards have it; a group of keys is told as one."""
    single = [binding for binding in bindings if isinstance(binding, Binding) and binding.group is None]
    keys = {binding.key.partition(",")[0] for binding in single}
    return {KEY_NAMES.get(key, key if len(key) == 1 else key.capitalize()) for key in keys}


def words(text: str) -> set[str]:
    return set(re.split(r"[\s`|,;]+", text))


def test_every_key_is_told() -> None:
    told = words((ROOT / "docs" / "keys.md").read_text("utf-8"))
    spelled = {"Bksp": "Backspace", "Ctrl+s": "S"}
    keys = {spelled.get(key, key) for key in first_keys([*Explorer.BINDINGS, *Syscope.BINDINGS])}
    assert keys <= told


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

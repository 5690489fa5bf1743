"""Manual pages say what is declared, in a language man understands."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tui.cli import COMMANDS, main
from tui.declared import command
from tui.exit_codes import Exit


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    assert main(["man", "--write", str(tmp_path / "man")]) == Exit.OK
    return tmp_path / "man"


def test_there_is_a_page_of_every_command(pages: Path) -> None:
    assert {path.name for path in pages.iterdir()} == {"tui.1", *(f"tui-{name}.1" for name in COMMANDS)}


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_pages_are_formatted_without_a_warning_and_hold_every_option(pages: Path) -> None:
    for name in ("", *COMMANDS):
        path = pages / f"{f'tui-{name}' if name else 'tui'}.1"
        done = subprocess.run(
            ["groff", "-man", "-Tascii", "-ww", "-P-c", path], capture_output=True, text=True, timeout=30, check=True
        )
        assert done.stderr == ""
        shown = _plain(done.stdout)
        assert "NAME" in shown and "EXIT STATUS" in shown
        for option in command(name).options:
            assert all(each in shown for each in option.names)


def _plain(text: str) -> str:
    """Without the overstrikes of bold letters."""
    plain: list[str] = []
    for character in text:
        if character == "\b":
            plain.pop()
        else:
            plain.append(character)
    return "".join(plain)


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
def test_mandoc_finds_no_mistake(pages: Path) -> None:
    for path in pages.iterdir():
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True, timeout=30
        )
        found = [line for line in done.stdout.splitlines() if "missing date" not in line]
        assert found == []


def test_one_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "dig"]) == Exit.OK
    assert capsys.readouterr().out.startswith(".TH TUI\\-DIG 1")

"""Who may import whom, and what a command may load before it has something to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DEMO = str(ROOT / "tui" / "demo.scap.gz")


def modules_loaded(program: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a program ran (its exit is swallowed)."""
    wrapped = (
        "import io, sys\n"
        "out, sys.stdout = sys.stdout, io.TextIOWrapper(io.BytesIO())\n"
        "try:\n"
        f"    {program}\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=out)\n"
    )
    done = subprocess.run([sys.executable, "-c", wrapped], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_neither_screen_nor_engine(option: str) -> None:
    loaded = modules_loaded(f"from tui.cli import main; main(['{option}'])")
    assert "tui" in loaded
    assert not loaded & {"textual", "rich", "numpy", "engine", "views"}


@pytest.mark.parametrize("words", [["dig", "-r", DEMO, "-n", "1"], ["view", "procs", "-r", DEMO], ["fields"]])
def test_printing_commands_load_no_screen(words: list[str]) -> None:
    loaded = modules_loaded(f"from tui.cli import main; main({words})")
    assert "engine" in loaded
    assert not loaded & {"textual", "rich"}


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr

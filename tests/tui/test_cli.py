"""The command line: what is picked, what is refused, what the exit status says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tui import __version__
from tui.cli import COMMANDS, main
from tui.exit_codes import Exit


def tui(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "tui.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, stdin=subprocess.DEVNULL)


def test_help_names_every_option_and_command() -> None:
    done = tui("--help")
    assert done.returncode == Exit.OK
    for word in ("-r", "-v", "-n", "-pc", "-E", "-R", "-d", "-s", "FILTER", *(f"tui {name}" for name in COMMANDS)):
        assert word in done.stdout


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == Exit.OK
    assert capsys.readouterr().out == f"syscope {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-d", "99"], "99 is too small, the least is 100"),
        (["-n", "0"], "0 is too small, the least is 1"),
        (["-n", "many"], "expected a whole number, not 'many'"),
        (["-px"], "invalid choice: 'x'"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["-r"], "expected one argument"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_starts(words: list[str], told: str) -> None:
    done = tui(*words)
    assert done.returncode == Exit.USAGE
    assert told in done.stderr
    assert done.stdout == ""


def test_without_a_terminal_the_explorer_points_to_the_commands_that_print() -> None:
    done = tui("-r", "any.scap")
    assert done.returncode == Exit.USAGE
    assert "needs a terminal" in done.stderr
    assert "tui view" in done.stderr

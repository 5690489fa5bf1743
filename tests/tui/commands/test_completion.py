"""Real shells complete commands, options, values and names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tui.cli import COMMANDS, main
from tui.declared import command
from tui.exit_codes import Exit

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script for bash, and beside it a `tui` to run."""
    assert main(["completion", "bash"]) == Exit.OK
    path = tmp_path / "completion.bash"
    path.write_text(capsys.readouterr().out)
    return path


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of some words."""
    asked = f"""
        export PATH={ROOT / ".venv" / "bin"}:$PATH
        source {script}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _tui_words
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", asked, "bash", *words], capture_output=True, text=True, timeout=30, check=True, cwd=script.parent
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices(script: Path) -> None:
    assert completed(script, "tui", "d") == ["dig", "doctor"]
    assert set(completed(script, "tui", "")) == set(COMMANDS)
    assert completed(script, "tui", "dig", "--print-h") == ["--print-hex", "--print-hex-ascii"]
    assert completed(script, "tui", "dig", "-t", "") == ["h", "a", "r", "d", "D"]
    assert completed(script, "tui", "dig", "-n", "") == []
    assert completed(script, "tui", "--page") == ["--page-faults"]


def test_bash_completes_files_and_names(script: Path) -> None:
    (script.parent / "trace.scap").touch()
    assert completed(script, "tui", "dig", "-r", "tra") == ["trace.scap"]
    assert completed(script, "tui", "dig", "-c", "topfiles_") == ["topfiles_bytes", "topfiles_errors", "topfiles_time"]
    assert completed(script, "tui", "dig", "-r", "x", "proc.name=a", "and", "fd.spo") == ["fd.sport"]
    assert "connections" in completed(script, "tui", "view", "conn")


def test_every_declared_option_is_completed(script: Path) -> None:
    for name in COMMANDS:
        offered = set(completed(script, "tui", name, "-"))
        assert {each for option in command(name).options for each in option.names} == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == Exit.OK
    path = tmp_path / f"tui.{shell}"
    path.write_text(capsys.readouterr().out)
    assert "topfiles" not in path.read_text() and "--print-hex" in path.read_text().replace(
        "-l print-hex", "--print-hex"
    )
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    words = {
        "zsh": "compadd() { print -rl -- $@ }; words=(tui dig --print-h); CURRENT=3; _tui_words",
        "fish": "complete -C 'tui dig --print-h'",
    }[shell]
    command_line = [shell, *(["-f"] if shell == "zsh" else ["-N"]), "-c", f"source {path}; {words}"]
    done = subprocess.run(
        command_line, capture_output=True, text=True, timeout=30, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert "--print-hex" in done.stdout, done.stderr


def test_names_are_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("fields", "views", "chisels"):
        assert main(["completion", "--names", kind]) == Exit.OK
        names = capsys.readouterr().out.split("\n")
        assert len(names) > 20 and all(name.replace("_", "").replace(".", "").isalnum() for name in names if name)

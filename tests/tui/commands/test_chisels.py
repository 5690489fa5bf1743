"""`tui dig -c`: the words of the command line, users' chisels, and what goes wrong in them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.engine.chisels.test_library import CLASS, TABLE
from tests.tui.commands.test_dig import capture  # noqa: F401
from tui.chiselling import joined
from tui.cli import main
from tui.exit_codes import Exit


@pytest.fixture
def folder() -> Path:
    made = Path(os.environ["XDG_CONFIG_HOME"]) / "syscope" / "chisels"
    made.mkdir(parents=True, exist_ok=True)
    for old in made.iterdir():
        old.unlink()
    return made


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("-r F -c topconns fd.port=80", "-r F|-c|topconns|fd.port=80"),
        ("-c fileslower 10 proc.name=x", "-c|fileslower\x1f10|proc.name=x"),
        ("-cfileslower 10", "-c|fileslower\x1f10"),
        ("--chisel=fileslower 10", "-c|fileslower\x1f10"),
        ("-c spy_users proc.name=x", "-c|spy_users|proc.name=x"),
        ("-c spy_users 2 proc.name=x", "-c|spy_users\x1f2|proc.name=x"),
        ("-c netstat fd.port=80 and proc.name=x -n 3", "-c|netstat\x1ffd.port=80 and proc.name=x|-n|3"),
        ("-c netstat.lua -r F", "-c|netstat.lua|-r|F"),
        ("-c spy_users -q", "-c|spy_users|-q"),
        ("-cl", "-c|l"),
        ("-c nosuch x", "-c|nosuch|x"),
    ],
)
def test_arguments_are_the_words_a_chisel_takes(words: str, made: str) -> None:
    assert joined(words.split(" ")) == made.replace("-r F", "-r|F").split("|")


def test_chisels_are_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dig", "-cl"]) == Exit.OK
    out = capsys.readouterr().out
    assert "Category: I/O\n-------------\n" in out and "\ntopfiles_bytes  Top files by R+W bytes\n" in out
    assert main(["dig", "-i", "spy_port"]) == Exit.OK
    assert "[port] host_port" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-c", "nosuch"], "there is no chisel nosuch"),
        (["-i", "nosuch"], "there is no chisel nosuch"),
        (["-c", "fileslower", "abc"], "min_ms must be a number"),
        (["-c", "fdbytes_by"], "needs key"),
        (["-c", "around", "/tmp/x"], "around needs a filter"),
        (["-c", "spectrogram"], "draws on terminals only"),
    ],
)
def test_mistakes_are_told(capture: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert main(["dig", "-r", str(capture), *words]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert told in err and out == ""


def test_a_users_chisels_run(folder: Path, captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "by_directory.toml").write_text(TABLE)
    (folder / "opens.py").write_text(CLASS)
    path = str(captures / "502Error.scap")
    assert main(["dig", "-r", path, "-c", "by_directory", "curl"]) == Exit.OK
    assert "/etc\n" in capsys.readouterr().out
    assert main(["dig", "-r", str(captures / "tiny.scap"), "-c", "opens"]) == Exit.OK
    assert capsys.readouterr().out == "642 opens\n"


@pytest.mark.parametrize("method", ["start", "event", "end"])
def test_an_error_in_a_users_chisel_is_told_and_others_go_on(
    folder: Path, captures: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = f"""
from engine.chisels.chisel import Chisel
class Broken(Chisel):
    def {method}(self, *values):
        1 / 0
"""
    (folder / "broken.py").write_text(broken)
    status = main(["dig", "-r", str(captures / "tiny.scap"), "-c", "broken", "-c", "topscalls"])
    out, err = capsys.readouterr()
    assert status == (Exit.USAGE if method == "start" else Exit.FAILED)
    assert "chisel broken: ZeroDivisionError" in err and "Traceback" not in err
    if method != "start":
        assert "openat" in out


def test_tables_are_json_when_asked_for(captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dig", "-r", str(captures / "502Error.scap"), "-c", "topprocs_net", "-j"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["data"] == [["haproxy", "13969", 24060], ["python", "13700", 9324]]
    assert told["info"][2] == {"desc": "Bytes", "is_key": False, "name": "evt.rawarg.res"}


def test_what_processes_are_called_cannot_harm_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    from tests.engine.fields.recorded import CAT, INIT
    from tests.scapfile import event, machine, pack, process_list, section

    evil = replace(CAT, comm=b"a\x1b[2J\nb")
    path = tmp_path / "evil.scap"
    blocks = [section(), machine(), process_list(9, [INIT, evil])]
    blocks += [event(6, 10, 1_000 + number, pack(6, 2, fd=3, size=1)) for number in range(3)]
    path.write_bytes(b"".join(blocks))
    shown = ""
    for name in ("topscalls", "topprocs_errors", "ps", "lsof", "bottlenecks", "fdcount_by proc.name", "spy_users"):
        assert main(["dig", "-r", str(path), "-c", *name.split(" ")]) == Exit.OK
        shown += capsys.readouterr().out
    assert "\x1b" not in shown and "a␛[2J␊b" in shown

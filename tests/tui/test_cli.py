"""The command line: what is picked, what is refused, what the exit status says."""

from __future__ import annotations

import os
import pty
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


def in_terminal(
    *words: str, before: tuple[str, ...] = (), typed: tuple[tuple[bytes, bytes], ...] = ()
) -> tuple[int, bytes]:
    """Exit status and everything written by the program in a pseudo-terminal; of each pair in ``typed``, in turn, the
    second is typed once the first was written."""
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(PYTHONPATH=str(ROOT), TERM="xterm-256color", COLUMNS="120", LINES="40")
        command = [*before, sys.executable, "-m", "tui.cli", *words]
        os.execvp(command[0], command)
    written = b""
    keys = list(typed)
    try:
        while piece := os.read(terminal, 1 << 16):
            written += piece
            if keys and keys[0][0] in written:
                os.write(terminal, keys.pop(0)[1])
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written


NEEDED = "bpf,-perfmon,-sys_admin"
WITHOUT_PERMISSION = ("setpriv", f"--bounding-set=-{NEEDED}", f"--inh-caps=-{NEEDED}") if os.geteuid() == 0 else ()
"""In front of a command: it may not watch the kernel."""


def test_without_permission_the_explorer_says_so_and_offers_the_bundled_capture() -> None:
    status, written = in_terminal(before=WITHOUT_PERMISSION, typed=((b"CAP_BPF", b"o"), (b"gunicorn", b"q")))
    assert status == Exit.OK
    assert b"tui doctor" in written


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["-r", "no-such-file.scap"], Exit.FAILED, b"no-such-file.scap"),
        (["-r", __file__], Exit.FAILED, b"test_cli.py"),
        (["-v", "no-such-view"], Exit.USAGE, b"no-such-view"),
        (["proc.nmae=x"], Exit.USAGE, b"proc.name"),
    ],
)
def test_what_cannot_be_opened_is_told_and_no_screen_starts(words: list[str], status: Exit, told: bytes) -> None:
    ended, written = in_terminal(*words)
    assert ended == status
    assert told in written
    assert b"\x1b[?1049h" not in written  # the alternate screen


@pytest.mark.parametrize("command", [["dig"], ["view", "procs"]])
def test_a_file_that_is_no_capture_fails_in_every_command(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty.scap").write_bytes(b"")
    done = tui(*command, "-r", str(tmp_path / "empty.scap"))
    assert done.returncode == Exit.FAILED
    assert "empty.scap" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_ends_early_is_no_error() -> None:
    command = [sys.executable, "-m", "tui.cli", "dig", "-r", str(ROOT / "tui" / "demo.scap.gz")]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == Exit.OK


DEMO = ROOT / "tui" / "demo.scap.gz"


@pytest.mark.parametrize("words", [["dig", "-r", DEMO], ["view", "procs", "-r", DEMO], ["fields"]])
def test_a_full_disk_below_the_output_is_told_in_one_line(words: list[str | Path]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tui.cli", *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert (done.returncode, done.stderr) == (Exit.FAILED, "tui: No space left on device\n")


@pytest.mark.parametrize("path", ["/nonexistent/x.scap", "/dev/full"])
def test_a_file_that_cannot_be_written_is_named(path: str) -> None:
    done = tui("dig", "-r", str(DEMO), "-w", path)
    assert done.returncode == Exit.FAILED
    assert done.stderr.startswith(f"tui: {path}: No ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "zz"], "tui view: 'zz' is no time: expected one as in "),
        (["--from", "1h"], "tui view: there is nothing from "),
        (["--sort", "zz"], "tui view: --sort: expected the title of a column, one of PID, "),
        (["--every", "zz"], "tui view: --every: expected a duration such as 2s or 500ms, at least 100ms, not zz\n"),
    ],
)
def test_a_wrong_option_of_a_view_is_told_as_one_and_not_as_a_filter(words: list[str], told: str) -> None:
    done = tui("view", "procs", "-r", str(DEMO), *words)
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith(told)


def test_a_closed_output_is_told() -> None:
    shell = f"{sys.executable} -m tui.cli dig -r {DEMO} >&-"
    done = subprocess.run(shell, shell=True, stderr=subprocess.PIPE, text=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert done.returncode == Exit.FAILED
    assert done.stderr == "tui: standard output is closed: there is nowhere to print to\n"


def test_what_the_encoding_of_the_output_lacks_is_spelt_out() -> None:
    environment = dict(os.environ, PYTHONIOENCODING="ascii")
    command = [sys.executable, "-m", "tui.cli", "view", "procs", "-r", str(DEMO), "--every", "1m"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert " \\u2013 " in done.stdout.splitlines()[0]

"""A live recording opened by sysdig 0.29.3: its lines are ours, and its views and chisels read it to the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.oracle_count import DOWNGRADE, compare
from tests.live.observing import Observer
from tests.live.scenario import SCRIPT
from tests.views import csysdig
from tests.views.test_against_csysdig import THEIRS

pytestmark = pytest.mark.skipif(not shutil.which("sysdig"), reason="needs sysdig 0.29.3")
INTERVAL_CHISELS = ("iobytes", "iobytes_file", "iobytes_net", "topprocs_cpu", "topcontainers_cpu")
DRAWN_CHISELS = ("spectrogram", "subsecoffset")
"""Draw on a terminal, every interval."""


@pytest.fixture(scope="module")
def recording(observer: Observer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    (folder / "place").mkdir()
    path = folder / "live.scap"
    script = [sys.executable, "-I", "-S", "-c", SCRIPT, str(folder / "place")]
    record = [sys.executable, "-m", "tui.cli", "record", "-w", str(path), "--compat", "0.29", "--", *script]
    done = subprocess.run(record, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "lost" not in done.stderr
    return path


def test_every_cell_of_every_line_is_equal_or_differs_by_a_listed_rule(
    recording: Path, captures: Path, tmp_path: Path
) -> None:
    tool = captures / DOWNGRADE
    if not tool.exists():
        pytest.skip(f"needs {DOWNGRADE} beside the shared captures: events newer than sysdig 0.29.3 count for us only")
    lines, _, unexplained = compare(recording, tmp_path, tool)
    assert lines > 2000
    assert not unexplained, f"{len(unexplained)} without a rule:\n" + "\n".join(unexplained[:20])


@pytest.mark.long
def test_the_same_holds_of_the_whole_machine(captures: Path, tmp_path: Path) -> None:
    path = tmp_path / "live.scap"
    # Whoever prints events just now writes what looks like parameters: hardly any data is kept.
    command = [sys.executable, "-m", "tui.cli", "record", "-w", str(path), "-s", "1", "--compat", "0.29", "-M", "3"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    lines, _, unexplained = compare(path, tmp_path, captures / DOWNGRADE)
    assert lines > 1000
    assert not unexplained, f"{len(unexplained)} without a rule:\n" + "\n".join(unexplained[:20])


def sysdig(recording: Path, *words: str) -> str:
    done = subprocess.run(
        ["sysdig", "-r", str(recording), *words], capture_output=True, timeout=60, env=os.environ | {"TZ": "UTC"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "replace")


def test_it_is_read_to_its_end_as_it_is(recording: Path) -> None:
    last = sysdig(recording, "-p", "%evt.type %proc.name %proc.exe").splitlines()[-1]
    assert last == f"procexit python {sys.executable}"


@pytest.mark.parametrize("chisel", INTERVAL_CHISELS)
def test_interval_chisels_read_it_to_the_end(recording: Path, chisel: str) -> None:
    told = sysdig(recording, "-c", chisel)
    assert told or not chisel.startswith("iobytes"), "a second of it has passed"


@pytest.mark.parametrize("chisel", DRAWN_CHISELS)
def test_chisels_that_draw_read_it_to_the_end(recording: Path, chisel: str) -> None:
    command = f"stty cols 100 rows 30; sysdig -r {recording} -c {chisel}"
    environment = os.environ | {"TERM": "xterm-256color"}
    done = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout[-300:]
    assert len(done.stdout) > 100


OTHER_CHISELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("bottlenecks", "echo_fds", "httplog", "httptop", "list_login_shells", "lscontainers", "lsof"), ()),
    **dict.fromkeys(("memcachelog", "netstat", "proc_exec_time", "ps", "spy_file", "spy_logs", "spy_syslog"), ()),
    **dict.fromkeys(("spy_users", "stderr", "stdin", "stdout", "topconns", "topcontainers_error"), ()),
    **dict.fromkeys(("topcontainers_file", "topcontainers_net", "topfiles_bytes", "topfiles_errors"), ()),
    **dict.fromkeys(("topfiles_time", "topports_server", "topprocs_errors", "topprocs_file", "topprocs_net"), ()),
    **dict.fromkeys(("topscalls", "topscalls_time", "tracers_2_statsd"), ()),
    **dict.fromkeys(("fdbytes_by", "fdcount_by", "fdtime_by"), ("fd.name",)),
    **dict.fromkeys(("fileslower", "netlower", "scallslower"), ("1",)),
    "spy_ip": ("127.0.0.1",),
    "spy_port": ("80",),
}
"""All others but shellshock_detect, whose filter sysdig 0.29.3 refuses, and those that write files."""


@pytest.mark.long
@pytest.mark.parametrize("chisel", OTHER_CHISELS)
def test_other_chisels_read_it_to_the_end(recording: Path, chisel: str) -> None:
    words = OTHER_CHISELS[chisel]
    sysdig(recording, "-c", chisel, *words)


@pytest.mark.parametrize("view", THEIRS)
def test_csysdigs_views_read_it_to_the_end(recording: Path, view: str) -> None:
    rows = csysdig.rows(recording, view)
    assert rows or view not in ("procs", "files", "threads", "connections", "errors", "syscalls", "directories")

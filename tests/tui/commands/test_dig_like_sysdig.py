"""Each option of `tui dig` prints what sysdig 0.29.3 prints with it, byte for byte, but for what is known to differ.

What differs, and why ours is right:

* ``domain=1(AF_LOCAL)``: the table of today has both names of the number.
* The datagram socket of haproxy: sysdig overlays its destination with the bytes of another field and prints
  192.168.128.156 and 145.216.3.255 for 127.0.0.1 (``reference: decode-oracle.md`` §4).
* Hex with text beside it: of a last line with an odd number of bytes sysdig moves the text two columns to the left.
* ``-t d`` of a context switch: sysdig prints the latency of the thread's last call; a switch has none.
* ``-t a``: sysdig leaves out zeros behind the point.
* ``-U`` of a capture: sysdig does not count the events it ignores, so its numbers are not those of the capture.
* ``--progress``: sysdig takes the next word for its value, and prints nothing; ours is ``-P``.
* Without ``-d`` sysdig filters before it learns from events; ours always does what ``-d`` says.
* What a failed connect was about is its fd, not the address it asked for.
* ``-n``: sysdig counts internal events, which it does not print; and it counts anew in each of several files.
* ``-S``: sysdig lists accept twice, once for each of its numbers, and equal counts in any order.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.cli import main
from tui.exit_codes import Exit

ENVIRONMENT = os.environ | {"TZ": "UTC", "LC_ALL": "C.UTF-8"}
RULES = (
    (rb"AF_LOCAL\|AF_UNIX", b"AF_LOCAL"),
    (rb"127\.0\.0\.1:55441->127\.0\.0\.1:", b"192.168.128.156:55441->145.216.3.255:"),
)
"""What ours is changed by before it is compared."""

Dig = Callable[..., bytes]

pytestmark = pytest.mark.skipif(shutil.which("sysdig") is None, reason="needs sysdig 0.29.3")


def sysdig(*words: str | Path) -> bytes:
    done = subprocess.run(["sysdig", *map(str, words)], capture_output=True, env=ENVIRONMENT, timeout=60)
    return done.stdout


@pytest.fixture(autouse=True)
def universal_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def dig(capsysbinary: pytest.CaptureFixture[bytes]) -> Dig:
    """Runs `tui dig` in this process; what it printed, brought to what sysdig would."""

    def run(*words: str | Path) -> bytes:
        assert main(["dig", *map(str, words)]) == 0
        return expected(capsysbinary.readouterr().out)

    return run


def expected(out: bytes) -> bytes:
    for ours, theirs in RULES:
        out = re.sub(ours, theirs, out)
    return out


@pytest.fixture
def capture(captures: Path) -> Path:
    return captures / "502Error.scap"


@pytest.mark.parametrize(
    "words",
    [
        "",
        "-n 5",
        "--numevents=5 evt.type=open",
        "-M 2",
        "-d proc.name=curl",
        "--displayflt proc.name=haproxy and evt.type=recvfrom",
        "-p %evt.num|%evt.type|%10proc.name|%fd.num evt.type=read",
        "-p *%evt.num|%evt.type|%10proc.name|%fd.num evt.type=read",
        r"-p %evt.num\t%evt.time\n\e[1m%proc.name\\",
        "-p%evt.arg.name proc.name=curl or evt.type=open",
        "-p %evt.num%evt.arg[0]%evt.arg.fd evt.type=close",
        "--print=%evt.rawtime",
        "-pc",
        "-pcontainer proc.name=python",
        "-pp",
        "-t h",
        "-t r",
        "-t r proc.name=python",
        "-t D",
        "-t D proc.name=python",
        "--timetype=D -n 3",
        "-A",
        "-x",
        "-b",
        "--print-ascii -d evt.type=read",
        "--print-hex -d evt.type=read",
        "--print-base64 -d evt.type=read",
        "-j",
        "--json -n 10",
        "-j -p %proc.name,%evt.rawres,%evt.failed,%evt.latency evt.type=read and evt.dir=<",
        "-j -p *%proc.name%fd.sport%evt.rawres%evt.is_io evt.type=recvfrom",
        "-j -X",
        "-j -A",
        "-j -b",
        "-j -x",
        "-v",
        "--verbose -n 1",
        "-q",
        "--quiet -j",
        "-R",
        "-E",
        "--exclude-users",
        "-P",
        "-s 10",
        "--snaplen=10",
        "--unbuffered",
        "--page-faults",
        "evt.type=read -q",
        "proc.name=curl and evt.type=open --print-hex",
        "-S -q evt.type=open",
        "--summary -q evt.type=epoll_pwait",
        "-S evt.type=kill",
    ],
)
def test_an_option_prints_the_same(dig: Dig, capture: Path, words: str) -> None:
    given = words.split(" ") if words else []
    theirs = sysdig("-r", capture, *given)
    ours = dig("-r", capture, *given)
    if words == "-j -X":
        theirs, ours = _even(theirs), _even(ours)
    if "-S" in words or "--summary" in words:
        theirs, ours = _sorted(theirs), _sorted(ours)
    assert ours == theirs
    assert theirs or any(option in words for option in ("-q", "--quiet"))


def _sorted(text: bytes) -> bytes:
    return b"\n".join(sorted(text.splitlines()))


def _even(dump: bytes) -> bytes:
    """Hex and text with one blank between them."""
    return re.sub(rb"(0x[0-9a-f]{4}: (?:[0-9a-f]{4} )*[0-9a-f]{2,4}) +", rb"\1 ", dump)


def test_seconds_since_1970_are_the_same_but_for_zeros_sysdig_leaves_out(dig: Dig, capture: Path) -> None:
    theirs = re.sub(
        rb"\.(\d+) ", lambda found: b".%09d " % int(found[1]), sysdig("-r", capture, "-t", "a", "-p*%evt.outputtime ")
    )
    assert dig("-r", capture, "-t", "a", "-p*%evt.outputtime ") == theirs


def test_processes_to_be_ignored_are_but_their_events_keep_their_numbers(dig: Dig, capture: Path) -> None:
    words = ("-r", capture, "-U", "curl", "-p*%evt.rawtime %evt.type %proc.name")
    assert dig(*words) == sysdig(*words)
    assert dig("-r", capture, "--suppress-comm=curl", "-n1", "-p%evt.num") == b"124\n"


def test_progress_is_told_to_terminals_only(dig: Dig, capture: Path) -> None:
    assert dig("-r", capture, "-q", "--progress") == dig("-r", capture, "-q", "-P") == b""


@pytest.mark.parametrize("option", ["-X", "--print-hex-ascii"])
def test_hex_and_text_are_the_same_but_for_the_column_of_odd_lines(dig: Dig, capture: Path, option: str) -> None:
    words = ("-r", capture, "evt.type=read and evt.is_io=true", option)
    theirs = sysdig(*words)
    assert _even(dig(*words)) == _even(theirs)
    assert b"\t0x0010: 636f 6e66 0a23 0a23 2045 7861 6d70 6c65  conf.#.# Example\n" in theirs


def test_latency_as_time_is_the_same_but_for_switches(dig: Dig, capture: Path) -> None:
    assert dig("-r", capture, "-t", "d", "evt.type!=switch") == sysdig("-r", capture, "-t", "d", "evt.type!=switch")
    assert set(dig("-r", capture, "-t", "d", "-p%evt.outputtime", "evt.type=switch").split()) == {b"0.000000000"}


def test_internal_events_are_shown_the_same_but_for_names_sysdig_does_not_tell(dig: Dig, capture: Path) -> None:
    words = ("-r", capture, "-D", "-p", "*%evt.num %evt.type %evt.dir %evt.args")
    assert dig(*words) == sysdig(*words)
    assert dig("-r", capture, "--debug", "evt.num<30") == dig("-r", capture, "-D", "evt.num<30")


def test_a_number_of_events_is_a_number_of_those_shown(dig: Dig, capture: Path) -> None:
    everything = sysdig("-r", capture).splitlines()
    assert len(sysdig("-r", capture, "-n", "400").splitlines()) == 219
    assert dig("-r", capture, "-n", "400").splitlines() == everything[:400]
    assert dig("-r", capture, "-D", "-n", "400", "-p%evt.num") == sysdig("-r", capture, "-D", "-n", "400", "-p%evt.num")


def test_the_summary_of_everything_is_the_same(dig: Dig, capture: Path) -> None:
    theirs = sysdig("-r", capture, "-S", "-q").splitlines()
    ours = dig("-r", capture, "-S", "-q").splitlines()
    assert ours[:3] == theirs[:3]
    summed = {line for line in theirs if b" accept " not in line} | {b"< accept          111", b"> accept          111"}
    assert set(ours) == summed
    counts = [int(line[18:]) for line in ours[3:]]
    assert counts == sorted(counts, reverse=True)


def test_several_captures_are_read_one_after_the_other(dig: Dig, capture: Path, captures: Path) -> None:
    words = ("-r", capture, "-r", captures / "libs_single_ipv6_conn.scap", "-d", "evt.type=read", "-p%evt.num %fd.name")
    assert dig(*words) == sysdig(*words)


def test_a_capture_may_come_through_standard_input(dig: Dig, captures: Path) -> None:
    for name in ("libs_curl_google.scap", "502Error.scap"):
        command = [sys.executable, "-m", "tui.cli", "dig", "-r", "-", "-n", "200"]
        data = (captures / name).read_bytes()
        done = subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=60, input=data, check=True)
        assert expected(done.stdout) == dig("-r", captures / name, "-n", "200") != b""


@pytest.mark.parametrize("word", ["proc.nmae=x", "evt.type=opne", "fd.num=abc"])
def test_a_wrong_filter_is_refused_by_both(capture: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = subprocess.run(["sysdig", "-r", str(capture), word], capture_output=True, timeout=60)
    assert theirs.returncode and main(["dig", "-r", str(capture), word]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert not out and err

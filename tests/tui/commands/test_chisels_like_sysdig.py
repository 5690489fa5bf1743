"""Each chisel that sysdig 0.29.3 can run gives the same rows on the same captures, but for the differences listed here.

Colours, blanks and the order of lines are not compared; of a table that ends among equal amounts, which of the equal
ones are shown is anyone's choice.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.chisels.library import load
from tests.conftest import OWN
from tui.cli import main

CAPTURES = (
    *("502Error.scap", "libs_curl_google.scap", "tiny.scap"),
    *("own/services.scap.gz", "own/shells.scap.gz", "own/containers.scap.gz"),
)
CHISELS = (
    *("topcontainers_cpu", "topprocs_cpu", "topcontainers_error", "topfiles_errors", "topprocs_errors", "echo_fds"),
    *("fdbytes_by fd.sport", "fdbytes_by fd.type", "fdcount_by fd.type", "fdtime_by fd.type", "iobytes"),
    *("iobytes_file", "spy_file", "spy_file R", "spy_file RW /etc/hosts", "stderr", "stdin", "stdout"),
    *("topcontainers_file", "topfiles_bytes", "topfiles_time", "topprocs_file", "spy_logs", "spy_syslog"),
    *("iobytes_net", "spy_ip 192.168.0.2", "spy_port 80", "topconns", "topcontainers_net", "topports_server"),
    *("topprocs_net", "bottlenecks", "fileslower 0", "netlower 0", "scallslower 10", "proc_exec_time", "topscalls"),
    *("topscalls_time", "list_login_shells", "spy_users", "lscontainers", "lsof", "netstat", "ps", "httplog"),
    *("httptop", "httptop bytes", "httptop time", "memcachelog"),
)
NOT_COMPARED = {
    "spectrogram": "draws on terminals",
    "subsecoffset": "draws on terminals",
    "around": "sysdig writes a capture that cannot be read again",
    "udp_extract": "sysdig runs a command through the shell; what is written is tested beside",
    "shellshock_detect": "sysdig's filter does not compile",
    "tracers_2_statsd": "sends to a server; sysdig's ignores its arguments",
}
"""Chisels of sysdig that cannot be compared, and why."""
SHORTEST = 10
"""Rows of the shortest table that is cut."""
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that differ, and why ours are right."""

    chisels: str
    """Pattern of chisels it is about."""
    theirs: str
    """Pattern of lines of sysdig's that ours has not, empty for none."""
    ours: str
    reason: str
    captures: str = "."
    most: int = 1 << 30
    """Lines of ours it explains at most."""


DIFFERENCES = (
    Difference(
        "spy_ip|spy_port",
        r"------ (Read|Write)",
        r"------ (Read|Write)",
        "sysdig takes the size in the heading only when the direction changes, and calls writes of spy_ip reads",
    ),
    Difference("scallslower", r"\bswitch$", "", "sysdig gives switches the latency of the call before"),
    Difference("topscalls_time", r"\bswitch$", ".", "likewise, and so has room for one row less of calls", most=1),
    Difference(
        "topcontainers_cpu", r"% host$", "", "the host is no container; sysdig's other container tables leave it out"
    ),
    Difference("topfiles_errors", "", r"^\d+ /", "failed opens are about the file they name", "tiny|curl|own"),
    Difference(
        "fdcount_by", r"^unix|^ipv4", r"^unix|^ipv4", "sysdig names a socket by where a failed connect wanted to"
    ),
    Difference("proc_exec_time", "", r"timeout -k 2 40", "its start is the exec the capture begins with", "tiny"),
    Difference("topscalls$", r"<unknown>$", r"rseq$|statx$", "sysdig does not know the call", "tiny|own"),
    Difference("topscalls$", r"sigreturn$", r"sigreturn$", "sysdig has the old name of the call", "tiny|own"),
    Difference(
        "topscalls$", r"^\d+ (accept|writev)$", r"^\d+ (accept|rt_sigprocmask)$", "sysdig counts accept twice", "502"
    ),
    Difference(
        "ps", r"^842 842 <NA>", r"^842 842 bencer", "sysdig does not know the main thread of the first process", "502"
    ),
    Difference(
        "lsof",
        r"^sshd .*:22$",
        r"^sshd .*:22->",
        "of connections that were there already ours names the own end first, like those without a known server",
        "libs_",
    ),
    Difference(
        "topcontainers_(file|error)|lscontainers",
        r"\bshop-(web|job)\b",
        r"\bshop-(web|job)\b",
        "sysdig knows a container from when the capture names it, we from its first event",
        "own/containers",
    ),
    Difference(
        "httplog|httptop", r"web\.\./page", r"web/page", "sysdig takes what ends the line for part of the host", "own"
    ),
    Difference("httptop time", r"us GET", r"us GET", "sysdig rounds times to the 256 ns its numbers can tell", "own"),
    Difference(
        "memcachelog", r"set size=0B|get .*\.\.$", r"set size=\d+B|get ", "sysdig reads on behind the line", "own"
    ),
)

pytestmark = pytest.mark.skipif(shutil.which("sysdig") is None, reason="needs sysdig 0.29.3")


@pytest.fixture(scope="module")
def copies(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the captures that sysdig reads to the end."""
    folder = tmp_path_factory.mktemp("copies")
    for name in CAPTURES:
        tool = captures.parent / "tools" / "downgrade_scap"
        source = OWN / name.removeprefix("own/") if name.startswith("own/") else captures / name
        (folder / name).parent.mkdir(exist_ok=True)
        subprocess.run([tool, source, folder / name], check=True, stderr=subprocess.DEVNULL, timeout=60)
    return folder


@pytest.fixture(autouse=True)
def universal_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def told(out: str) -> list[str]:
    """The lines there are, their blanks made alike, and the addresses sysdig mixes up put right."""
    out = out.replace("192.168.128.156:55441->145.216.3.255", "127.0.0.1:55441->127.0.0.1")
    out = out.replace("AF_LOCAL|AF_UNIX", "AF_LOCAL")
    lines = (" ".join(_ANSI.sub("", line).split()) for line in out.split("\n"))
    kept = (line.replace(" <NA> (", " (") for line in lines if line.strip(" ."))
    return sorted(kept)


def compared(
    chisel: str, capture: str, theirs: list[str], ours: list[str], ends: set[str]
) -> tuple[list[str], list[str]]:
    """The lines without what is known to differ, and of tables without the amounts they end with."""
    for difference in DIFFERENCES:
        if re.search(difference.chisels, chisel) and re.search(difference.captures, capture):
            only_theirs, only_ours = set(theirs) - set(ours), set(ours) - set(theirs)
            if difference.theirs:
                theirs = [line for line in theirs if line not in only_theirs or not re.search(difference.theirs, line)]
            if difference.ours:
                assert sum(1 for line in only_ours if re.search(difference.ours, line)) <= difference.most
                ours = [line for line in ours if line not in only_ours or not re.search(difference.ours, line)]
            if chisel.startswith("spy_"):
                theirs = [line for line in theirs if not re.search(difference.theirs, line)]
                ours = [line for line in ours if not re.search(difference.ours, line)]
    if chisel.startswith(("top", "httptop", "fd")):
        theirs = [line for line in theirs if line.split(" ")[0] not in ends]
        ours = [line for line in ours if line.split(" ")[0] not in ends]
    if chisel == "list_login_shells":
        # sysdig prints each three times.
        theirs, ours = sorted(set(theirs)), sorted(set(ours))
    return theirs, ours


def last(out: str) -> str:
    """The amount a table ends with, which may be that of more rows than are shown; empty of a short one."""
    lines = [line for line in out.split("\n") if line.strip()]
    return lines[-1].split()[0] if len(lines) >= SHORTEST + 2 else ""


def alike(chisel: str, capture: str, lines: list[str]) -> list[str]:
    """Of recordings of our own what sysdig's chisels can know.

    An enter is written right before its exit, with the time it had: sysdig's seconds begin and end with each. And
    parameters there were none of in its time are not shown by it.
    """
    if not capture.startswith("own/"):
        return lines
    if chisel.startswith("iobytes"):
        amounts = [[int(each) for each in re.findall(r"(?:in|out|tot):(\d+)", line)] for line in lines]
        return [str(sum(column)) for column in zip(*amounts, strict=True)]
    if chisel == "bottlenecks":
        return [re.sub(r"( [<>] \S+).*", r"\1", line) for line in lines]
    return lines


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("chisel", CHISELS)
def test_a_chisel_has_the_same_rows(
    copies: Path, capture: str, chisel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _, arguments = chisel.partition(" ")
    words = ["-r", str(copies / capture), "-c", name, *([arguments] if arguments else [])]
    done = subprocess.run(["sysdig", *words], capture_output=True, timeout=60, env=os.environ | {"TZ": "UTC"})
    assert main(["dig", *words]) == 0
    # Ours makes control characters visible.
    their_text, our_text = done.stdout.decode(), capsys.readouterr().out.replace("␊", "\n").replace("␀", "\0")
    ends = {last(their_text), last(our_text)}
    their_lines, our_lines = (alike(chisel, capture, told(text)) for text in (their_text, our_text))
    theirs, ours = compared(chisel, capture, their_lines, our_lines, ends)
    assert ours == theirs


def test_every_chisel_of_sysdig_is_compared_or_said_why_not() -> None:
    assert {chisel.partition(" ")[0] for chisel in CHISELS} | set(NOT_COMPARED) == set(load().chisels)

"""One run observed by strace and by us at once: every call of every thread, in order, with its result."""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.live.observing import Observer

SCRIPT = """
import os, socket, subprocess, sys, tempfile, threading
place = sys.argv[1]
for number in range(20):
    path = f"{place}/f{number}"
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    os.write(fd, b"x" * number); os.pread(fd, 9, 0); os.fsync(fd); os.close(fd); os.rename(path, path + "r")
os.mkdir(f"{place}/d"); os.rmdir(f"{place}/d"); os.getcwd(); os.umask(0o22); os.getpgrp()
a, b = socket.socketpair(); a.send(b"one"); b.recv(9)
if os.fork() == 0:
    os._exit(0)
os.wait()
for path in os.listdir(place): os.unlink(f"{place}/{path}")
"""
OURS = {
    "pread": "pread64", "pwrite": "pwrite64", "umount2": "umount2", "prlimit": "prlimit64", "signaldeliver": None,
    "procexit": None,
}  # fmt: skip
"""What the format calls a call otherwise than Linux; None: no call."""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_strace_sees_the_same_calls_with_the_same_results(observer: Observer, tmp_path: Path) -> None:
    log = tmp_path / "log"
    place = tmp_path / "place"
    place.mkdir()
    strace = shutil.which("strace")
    assert strace
    run = observer.run(strace, "-f", "-qq", "-o", str(log), sys.executable, "-I", "-S", "-c", SCRIPT, str(place))
    assert run.status == 0
    theirs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for line in log.read_text("latin-1").splitlines():
        # A call that another thread's interrupted has its result on the line that resumes it.
        found = re.match(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>).*\) += (-?\w+)", line)
        if found:
            theirs[int(found[1])].append((found[2], found[3]))
    ours: dict[int, list[tuple[str, int | None]]] = defaultdict(list)
    for event in run.events:
        name = OURS.get(event.event, event.event)
        if name is None or not event.is_exit or event.thread.tid not in theirs:
            continue
        ours[event.thread.tid].append((name, event.result))
    assert theirs.keys() <= ours.keys()
    for thread, calls in theirs.items():
        mine = ours[thread]
        # The first calls of strace's child, before it is traced, are strace's own.
        names = [name for name, _ in mine]
        start = names.index(calls[0][0]) if calls[0][0] != "execve" else names.index("execve")
        wanted = [name for name, _ in calls]
        assert names[start : start + len(wanted)] == wanted
        for (call, answer), (_, told) in zip(calls, mine[start:], strict=False):
            if told is not None and re.fullmatch(r"\d+", answer):
                assert int(answer) == told, call
            elif told is not None and answer == "-1":
                assert told < 0, call

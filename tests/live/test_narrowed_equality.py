"""Two watch one run, one of them narrowed to what a filter asks for: what the filter keeps is the same for both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.sources.live.source import LiveSource, Narrowing, Options
from engine.store.store import Store
from tests.live.observing import Observer
from tests.live.scenario import SCRIPT

STOPPED = "import os, signal, sys; os.kill(os.getpid(), signal.SIGSTOP); exec(sys.argv.pop(1))"
Told = tuple[object, ...]


class Watch:
    """One of the two."""

    def __init__(self, pid: int, narrowing: Narrowing) -> None:
        self.source = LiveSource(Options(ring=32 << 20))
        self.source.follow(pid)
        self.source.narrow(narrowing)
        self.store = Store(self.source.raw)
        self.decoder = Decoder(self.store, "live")
        self.source.begin(self.decoder)

    def end(self) -> list[Event]:
        self.source.stop()
        while self.source.drain(self.decoder):
            pass
        assert self.source.lost == 0
        return [Event(self.store, segment, row) for segment in self.store.segments for row in range(len(segment))]


def told(events: list[Event], types: frozenset[str], pids: frozenset[int] | None) -> dict[int, list[Told]]:
    """By thread, all that is known of each event that is asked for."""
    found: dict[int, list[Told]] = defaultdict(list)
    for event in events:
        thread = event.thread
        if thread is None or event.type.name not in types or (pids is not None and thread.pid not in pids):
            continue
        who = (thread.pid, thread.ptid, thread.comm, thread.args, thread.cwd, thread.uid, thread.gid, thread.exepath)
        fd = event.fd.name if event.fd else None
        found[thread.tid].append((event.type.name, event.result, event.fd_number, fd, event.params, who))
    return found


@pytest.mark.parametrize(
    ("types", "only_parent"),
    [
        (frozenset(["read", "write", "pwrite", "readv", "writev", "close", "fstat", "sendto", "recvfrom"]), False),
        (frozenset(["recvfrom", "procexit", "signaldeliver", "getuid", "getcwd"]), False),
        (frozenset(["read", "write", "close", "sendto", "fsync", "poll"]), True),
    ],
)
def test_what_a_filter_keeps_is_the_same_with_and_without_the_kernels_help(
    observer: Observer, tmp_path: Path, types: frozenset[str], only_parent: bool
) -> None:
    words = [sys.executable, "-I", "-S", "-c", STOPPED, SCRIPT, str(tmp_path)]
    with subprocess.Popen(words) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        pids = frozenset([process.pid]) if only_parent else None
        wide = Watch(process.pid, Narrowing())
        narrow = Watch(process.pid, Narrowing(processes=pids, types=types))
        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 0
    all_events, fewer = wide.end(), narrow.end()
    ours, theirs = told(fewer, types, pids), told(all_events, types, pids)
    assert ours == theirs
    assert sum(map(len, ours.values())) > 20
    assert len(fewer) < len(all_events) * 0.8
    for watch in (wide, narrow):
        watch.source.close()

"""What the kernel side is told to leave out while it runs, and what it tells of calls that have not ended."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.events import NATIVE_X86_64, SYSCALLS
from engine.sources.live.source import LiveSource, Narrowing, Options
from tests.live.observing import Observer, Run

CALLS = """
import os, sys
def work(times):
    for _ in range(times):
        os.getppid(); os.getpgid(0)
"""


@pytest.fixture
def narrowed(observer: Observer) -> Iterator[Observer]:
    yield observer
    observer.source.narrow(Narrowing())


def count(run: Run, name: str, pid: int | None = None) -> int:
    return sum(pid in (None, event.thread.pid) for event in run.calls(name))


def test_only_types_asked_for_come_and_nothing_is_lost(narrowed: Observer) -> None:
    lost = narrowed.source.lost
    narrowed.source.narrow(Narrowing(types=frozenset(["getppid", "write"])))
    run = narrowed.python(CALLS + "work(30); open('/etc/hostname').read(); print('x')")
    assert (count(run, "getppid"), count(run, "getpgid"), count(run, "read"), count(run, "write")) == (30, 0, 0, 1)
    assert run.calls("openat", name=b"/etc/hostname"), "what opens a file comes whatever is asked"
    assert run.calls("execve") and run.calls("procexit")
    assert narrowed.source.lost == lost


def test_only_processes_asked_for_come_and_the_others_calls_that_change_the_tables(narrowed: Observer) -> None:
    run = narrowed.python(
        CALLS + "child = os.fork()\nwork(7 if child else 5)\nif child: os.waitpid(child, 0)\nelse: os.chdir('/usr')",
        before=lambda pid: narrowed.source.narrow(Narrowing(frozenset([pid]))),
    )
    (moved,) = run.calls("chdir")
    assert moved.thread.pid != run.pid
    assert (count(run, "getppid", run.pid), count(run, "getppid")) == (7, 7)
    assert (count(run, "getpgid", run.pid), count(run, "getpgid")) == (7, 7)
    assert len(run.calls("procexit")) == 2


@pytest.mark.parametrize("hierarchy", ["memory", "unified"])
def test_only_what_runs_in_or_below_a_cgroup_comes(narrowed: Observer, hierarchy: str) -> None:
    root = Path("/sys/fs/cgroup")
    place = (root if (root / "cgroup.controllers").exists() else root / hierarchy) / f"syscope-test-{os.getpid()}"
    try:
        (place / "below").mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        narrowed.source.narrow(Narrowing(cgroups=frozenset([f"{hierarchy}=/{place.name}".encode()])))
        assert narrowed.source.narrowing.cgroups
        run = narrowed.python(
            CALLS
            + """
work(3)
for folder in (sys.argv[1], sys.argv[1] + "/below"):
    with open(folder + "/cgroup.procs", "w") as file: file.write("0")
    work(4)
with open(sys.argv[1] + "/../cgroup.procs", "w") as file: file.write("0")
work(9)
""",
            str(place),
        )
    finally:
        (place / "below").rmdir()
        place.rmdir()
    assert count(run, "getppid") == 8


def test_a_cgroup_that_cannot_be_found_leaves_nothing_out(narrowed: Observer) -> None:
    narrowed.source.narrow(Narrowing(cgroups=frozenset([b"memory=/no/such/cgroup"])))
    assert narrowed.source.narrowing == Narrowing()
    assert count(narrowed.python(CALLS + "work(3)"), "getppid") == 3


def test_the_tables_are_those_of_a_run_of_which_everything_came(narrowed: Observer, tmp_path: Path) -> None:
    narrowed.source.narrow(Narrowing(types=frozenset(["getppid"])))
    run = narrowed.python(
        """
import ctypes, os, socket, sys
os.chdir(sys.argv[1])
ctypes.CDLL(None).prctl(15, b"renamed")
fd = os.open("file", os.O_CREAT | os.O_RDWR)
os.dup2(fd, 40)
os.close(fd)
a, b = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
b.bind(("127.0.0.1", 0))
a.sendto(b"told", b.getsockname())
b.recv(9)
os.getppid()
os.close(40)
os.close(a.detach())
""",
        str(tmp_path),
    )
    caller = run.call("getppid").thread
    assert (caller.comm, caller.cwd) == (b"renamed", bytes(tmp_path) + b"/")
    assert run.call("close", fd=40).fd_name == bytes(tmp_path / "file")
    assert run.call("sendto").data == b"told", "an address tells what the socket is"
    assert run.calls("recvfrom") == []
    last = run.calls("close")[-1].fd_name
    assert last is not None and last.startswith(b"127.0.0.1:")


def test_it_can_change_at_any_time_and_tells_from_when(narrowed: Observer) -> None:
    times: list[int] = []

    def alternate(wanted: str, other: str) -> None:
        time.sleep(0.02)
        times.append(narrowed.source.narrow(Narrowing(types=frozenset([wanted]))))

    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", CALLS + "while True: work(100)"])
    narrowed.source.follow(process.pid)
    first = len(narrowed.store.segments)
    try:
        for _ in range(5):
            alternate("getppid", "getpgid")
            alternate("getpgid", "getppid")
            narrowed.step()
    finally:
        process.kill()
        process.wait()
    seen, told = narrowed.seen(first), set[str]()
    for index, (start, end) in enumerate(itertools.pairwise(times)):
        # Narrowing takes a moment, and a call that was being looked at when the word changed is told later.
        quiet = range(start + 2_000_000, end - 2_000_000)
        between = {event.event for event in seen if event.time in quiet} & {"getppid", "getpgid"}
        assert between <= {("getppid", "getpgid")[index % 2]}
        told |= between
    assert told == {"getppid", "getpgid"}


def test_switches_and_page_faults_come_while_they_are_watched(narrowed: Observer) -> None:
    script = "import mmap, os, time\nm = mmap.mmap(-1, 1 << 20)\nfor i in range(256): m[4096 * i] = 1\ntime.sleep(.05)"
    assert not narrowed.python(script).calls("page_fault")
    narrowed.source.watch_page_faults(True)
    narrowed.source.watch_switches(True)
    try:
        run = narrowed.python(script)
        assert len(run.calls("page_fault")) >= 256
        assert run.calls("switch")
        narrowed.source.narrow(Narrowing(types=frozenset(["read"])))
        run = narrowed.python(script)
        assert not run.calls("page_fault")
        assert run.calls("switch")
        narrowed.source.narrow(Narrowing())
    finally:
        narrowed.source.watch_page_faults(False)
        narrowed.source.watch_switches(False)
    run = narrowed.python(script)
    assert not run.calls("page_fault") and not run.calls("switch")


def number_of(call: str) -> int:
    return next(native for native, code in NATIVE_X86_64.items() if SYSCALLS[code] == call)


def test_calls_in_progress_tell_thread_number_start_and_arguments(observer: Observer) -> None:
    ready, told = os.pipe()
    before = time.time_ns()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import os; os.write(1, b'x'); os.read(0, 77)"],
        stdin=subprocess.PIPE, stdout=told,
    ) as process:  # fmt: skip
        os.read(ready, 1)
        time.sleep(0.2)
        observer.source.follow(process.pid)
        entries = observer.source.in_progress()
        now = time.time_ns()
        (entry,) = entries[entries["tid"] == process.pid]
        process.kill()
    os.close(ready)
    os.close(told)
    assert (entry["pid"], entry["number"], entry["reader"]) == (process.pid, number_of("read"), os.getpid())
    assert (entry["args"][0], entry["args"][2]) == (0, 77)
    assert before < entry["since"] < now - 100_000_000


def test_a_call_that_began_before_us_is_told_without_its_start() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        time.sleep(0.1)
        source = LiveSource(Options(ring=1 << 20))
        try:
            entries = source.in_progress()
        finally:
            source.close()
            process.kill()
    (entry,) = entries[entries["tid"] == process.pid]
    assert (entry["since"], entry["number"]) == (0, number_of("clock_nanosleep"))

"""`tui record`, run as a user runs it."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.sources import open_capture
from engine.store.segment import HIDDEN
from engine.store.store import Store
from tests.engine.sources.native.files import opened
from tests.live.observing import Observer

pytestmark = pytest.mark.usefixtures("observer")
TUI = (sys.executable, "-m", "tui.cli", "record")


def recorded(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TUI, *words], capture_output=True, text=True, timeout=timeout)


def visible(path: Path) -> list[Event]:
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    assert store.damage == []
    return [
        Event(store, segment, row)
        for segment in store.segments
        for row in range(len(segment))
        if not segment.flags[row] & HIDDEN
    ]


def test_a_command_is_recorded_from_its_first_call_to_its_end_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    done = recorded("-w", str(path), "--", "sh", "-c", "echo recorded; cat /etc/hostname >/dev/null")
    assert (done.returncode, done.stdout) == (0, "recorded\n")
    events = visible(path)
    done_by_it = [event for event in events if event.type.name != "procinfo"]
    assert [event.type.name for event in done_by_it[:2]] == ["execve", "execve"]
    assert {event.thread.comm for event in done_by_it[1:] if event.thread} == {b"sh", b"cat"}
    assert done_by_it[-1].type.name == "procexit"
    calls = sum(event.type.is_exit for event in events)
    enters = sum(event.type.is_syscall and not event.type.is_exit for event in events)
    # A forked child's first exit has no enter of its own.
    assert 0 <= calls - enters <= 2
    assert f"{calls + sum(not event.type.is_syscall for event in events)} events" in done.stderr
    assert "lost" not in done.stderr


def test_a_filter_keeps_what_it_names_and_who_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    script = "cat /etc/hostname /etc/passwd >/dev/null"
    assert recorded("-w", str(path), "proc.name=cat", "and", "evt.type=read", "--", "sh", "-c", script).returncode == 0
    events = visible(path)
    assert {event.type.name for event in events} == {"read"}
    names = {event.fd.name for event in events if event.fd and event.thread and event.thread.comm == b"cat"}
    assert {b"/etc/hostname", b"/etc/passwd"} <= names


def test_an_address_space_larger_than_the_format_has_room_for_is_as_large_as_it_can_tell(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    # 5 TiB that nobody may touch, as sanitizers take them; then one page more while it is watched.
    reserve = (
        "import ctypes; m = ctypes.CDLL(None).mmap; m.argtypes = [ctypes.c_size_t] * 6; m(0, 5 << 40, 0, 0x4022, -1, 0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{reserve}; print(flush=True); input()"], stdin=-1, stdout=-1
    ) as large:
        assert large.stdout and large.stdout.readline()
        done = recorded("-w", str(path), "-M", "0.5", f"proc.pid={large.pid}", "--", sys.executable, "-c", reserve)
        assert done.returncode == 0, done.stderr
        large.communicate(b"\n")
    found = opened(path)
    (there,) = {thread.vm_size for thread in found.threads if thread.pid == large.pid}
    assert there == 2**32 - 1
    path = tmp_path / "y.scap"
    assert recorded("-w", str(path), "--", sys.executable, "-c", reserve).returncode == 0
    sizes = [event.params[1] for event in visible(path) if event.type.name == "mmap" and event.type.is_exit]
    assert struct.pack("<I", 2**32 - 1) in sizes


def test_a_number_of_events_is_kept_to(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    done = recorded("-w", str(path), "-n", "50", "--", "sh", "-c", "ls -lR /etc >/dev/null")
    assert "50 events" in done.stderr
    events = visible(path)
    assert sum(event.type.is_exit or not event.type.is_syscall for event in events) == 50


def test_time_ends_a_recording_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    began = time.monotonic()
    assert recorded("-w", str(path), "-M", "1", "-z").returncode == 0
    assert time.monotonic() - began >= 1
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    # Waiting for us is what the test itself does meanwhile.
    assert visible(path)


def test_every_file_of_a_rotation_opens_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    script = "for i in $(seq 40); do ls -lR /etc >/dev/null; done"
    done = recorded("-w", str(path), "-C", "0.2", "-W", "3", "--", "sh", "-c", script)
    assert done.returncode == 0
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["x.scap0", "x.scap1", "x.scap2"]
    for file in files:
        comms = [event.thread.comm for event in visible(file) if event.thread]
        # Who runs the command is itself at first; on a busy machine the first file may be among the last.
        assert set(comms) <= {b"sh", b"ls", b"seq", b"python"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_stopped_the_file_opens(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "x.scap"
    process = subprocess.Popen([*TUI, "-w", str(path)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    while time.monotonic() < deadline and path.stat().st_size == 0:
        time.sleep(0.01)
    begun = path.stat().st_size
    while time.monotonic() < deadline and path.stat().st_size < begun + 10_000:
        Path("/etc/hostname").read_text()
        time.sleep(0.001)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    assert store.events > 0


def test_a_bad_filter_is_told_before_anything_is_attached(tmp_path: Path) -> None:
    done = recorded("-w", str(tmp_path / "x"), "proc.nam=x")
    assert done.returncode == 2
    assert "proc.name" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("words", "status"), [(("-w", "/no/such/folder/x"), 1), (("-w", "x", "--", "no-such-command-at-all"), 2)]
)
def test_what_cannot_be_done_is_one_message(words: tuple[str, ...], status: int, tmp_path: Path) -> None:
    done = recorded(*(word if word != "x" else str(tmp_path / "x") for word in words))
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not shutil.which("sysdig"), reason="sysdig is not installed")
def test_sysdig_names_the_same_calls(tmp_path: Path) -> None:
    path = tmp_path / "x.scap"
    script = "cat /etc/hostname | wc -c; mkdir $0/d; rmdir $0/d; exec true"
    done = recorded("-w", str(path), "--compat", "0.29", "--", "sh", "-c", script, str(tmp_path))
    assert done.returncode == 0
    shown = "*%evt.rawtime %evt.dir %evt.type %thread.tid %proc.name %evt.latency"
    told = subprocess.run(["sysdig", "-r", path, "-p", shown], capture_output=True, text=True, check=True)
    theirs = told.stdout.splitlines()
    ours = [
        f"{event.time} {'<' if event.type.is_exit else '>'} {event.type.name} {event.thread.tid} "
        f"{event.thread.comm.decode()} {event.latency}"
        for event in visible(path)
        if event.type.code < 336 or event.type.code >= 1024
        if event.thread and event.thread.comm and event.latency is not None
        if event.type.name not in ("rt_sigreturn", "procinfo")
    ]
    missing = [line for line in ours if line not in theirs and "<unknown>" not in line]
    differing = [line for line in missing if not any(line.split()[0] in other for other in theirs)]
    assert differing == []
    assert len(missing) < len(ours) / 20


def test_what_the_kernel_handed_over_and_what_it_lost_add_up(observer: Observer) -> None:
    before = observer.source.lost
    run = observer.python("import os\nfor _ in range(20000): os.getppid()")
    assert observer.source.lost == before
    assert len(run.calls("getppid")) == 20000

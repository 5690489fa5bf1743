"""Processes, threads, users and signals, as real processes have them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from engine.events import FLAG_TABLES
from tests.live.observing import Observer

CLONE = dict(FLAG_TABLES["clone_flags"])


def test_a_command_is_told_from_its_first_call_with_arguments_environment_and_path(observer: Observer) -> None:
    os.environ["SYSCOPE_TEST_WORD"] = "seen"
    try:
        run = observer.run("/bin/echo", "one", "two words")
    finally:
        del os.environ["SYSCOPE_TEST_WORD"]
    first = run.events[0]
    assert (first.event, first.result) == ("execve", 0)
    assert first.args == b"one\0two words\0"
    assert first.exe == b"/bin/echo"
    assert first.comm == b"echo"
    assert b"SYSCOPE_TEST_WORD=seen" in first.env.split(b"\0")
    assert first.trusted_exepath == os.fsencode(os.path.realpath("/bin/echo"))
    assert first.filename == b"/bin/echo"
    assert first.exe_ino == Path("/bin/echo").stat().st_ino
    assert (first.pid, first.ptid) == (run.pid, os.getpid())
    assert (first.uid, first.gid) == (os.geteuid(), os.getegid())
    assert run.call("write", fd=1).data == b"one two words\n"
    ended = run.call("procexit")
    assert (ended.status, ended.ret, ended.sig) == (0, 0, 0)


def test_a_chain_of_processes_has_its_parents_and_command_lines(observer: Observer) -> None:
    run = observer.run("/bin/sh", "-c", "sh -c 'cat /etc/hostname >/dev/null; exit 3'; true")
    (read,) = [event for event in run.calls("openat", name=b"/etc/hostname")]
    cat = read.thread
    assert cat.comm == b"cat"
    threads = {event.thread.tid: event.thread for event in run.events}
    middle = threads[cat.ptid]
    assert middle.args[0] == b"-c"
    assert middle.ptid == run.pid
    exits = {event.thread.tid: event.ret for event in run.calls("procexit")}
    assert exits[middle.tid] == 3


def test_a_failing_exec_tells_what_was_tried_and_who_tried(observer: Observer) -> None:
    run = observer.python(
        "import os\ntry: os.execv('/no/such/program', ['x', 'y'])\nexcept FileNotFoundError: pass",
    )
    failed = [event for event in run.calls("execve") if event.result != 0]
    assert [(event.result, event.filename) for event in failed] == [(-2, b"/no/such/program")]
    assert failed[0].exe == os.fsencode(sys.executable)


def test_a_child_by_vfork_is_told_by_itself_and_its_parent(observer: Observer) -> None:
    run = observer.python("import subprocess; subprocess.run(['/bin/true'])")
    child, parent = sorted(run.calls("vfork"), key=lambda event: event.result or 0)
    assert (child.result, parent.result) == (0, child.tid)
    assert (child.pid, child.ptid, parent.tid) == (child.tid, run.pid, run.pid)
    for event in (child, parent):
        assert event.flags == CLONE["CLONE_VM"] | CLONE["CLONE_VFORK"]
    (replaced,) = [event for event in run.calls("execve") if event.thread.tid == child.tid]
    assert (replaced.exe, replaced.ptid, replaced.thread.comm) == (b"/bin/true", run.pid, b"true")


def test_arguments_may_be_long_and_hold_anything(observer: Observer) -> None:
    hostile = b"\x1b]0;title\x07 \xff\xfe\n\ttail \xe2\x80\xae"
    words = [b"/bin/true", hostile, b"", *(b"%d" % number * 50 for number in range(100)), b"never reached"]
    run = observer.run(*map(os.fsdecode, words), environment={"HOSTILE": os.fsdecode(hostile), "EMPTY": ""})
    told = run.events[0]
    assert told.event == "execve"
    everything = b"".join(word + b"\0" for word in words)
    # As much is kept as of an environment, and what is cut is cut cleanly.
    assert told.exe + b"\0" + told.args == everything[:4096]
    assert told.thread.args[:2] == (hostile, b"")
    assert set(told.env.split(b"\0")) >= {b"HOSTILE=" + hostile, b"EMPTY="}
    assert told.filename == b"/bin/true" or told.filename is None


def test_a_path_is_relative_to_where_its_process_is_then(observer: Observer, tmp_path: Path) -> None:
    (tmp_path / "one/two").mkdir(parents=True)
    run = observer.python(
        """
import os, sys
os.chdir(sys.argv[1])
def make(path): os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
make("a")
os.chdir("one")
make("../b")
if os.fork() == 0:
    os.chdir("two")
    make("c")
    os._exit(0)
os.wait()
os.fchdir(os.open(sys.argv[1], os.O_RDONLY))
make("./one//d")
""",
        str(tmp_path),
    )
    opened = {event.name: event.fd_name for event in run.calls("openat") if event.flags & 4}
    assert {name: path.removeprefix(bytes(tmp_path)) for name, path in opened.items() if path} == {
        b"a": b"/a",
        b"../b": b"/b",
        b"c": b"/one/two/c",
        b"./one//d": b"/one/d",
    }


def test_threads_are_told_with_their_flags_and_their_process(observer: Observer) -> None:
    run = observer.python(
        "import os, threading; t = threading.Thread(target=lambda: os.rmdir('/nowhere')); "
        "threading.excepthook = lambda *_: None; t.start(); t.join()"
    )
    made = [event for event in run.calls("clone3") + run.calls("clone") if event.result == 0]
    assert len(made) == 1
    for name in ("CLONE_THREAD", "CLONE_VM", "CLONE_FILES", "CLONE_SIGHAND"):
        assert made[0].flags & CLONE[name]
    removed = run.call("rmdir")
    assert removed.thread.tid == made[0].tid != run.pid
    assert removed.thread.pid == run.pid


def test_an_exec_by_a_thread_goes_on_under_the_number_of_the_process(observer: Observer) -> None:
    run = observer.python(
        "import os, threading, time\n"
        "threading.Thread(target=os.execv, args=('/bin/echo', ['echo', 'from a thread'])).start()\ntime.sleep(9)"
    )
    replaced = run.calls("execve", comm=b"echo")
    assert [(event.tid, event.pid) for event in replaced] == [(run.pid, run.pid)]
    assert 0 < replaced[0].latency < 5_000_000_000
    assert run.call("write", data=b"from a thread\n").thread.tid == run.pid


def test_signals_tell_sender_receiver_and_number(observer: Observer) -> None:
    run = observer.python(
        """
import os, signal, time
signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
ready, tell = os.pipe()
child = os.fork()
if not child:
    os.write(tell, b"x")
while not child:
    time.sleep(0.01)
os.read(ready, 1)
os.kill(child, signal.SIGUSR1)
os.waitpid(child, 0)
"""
    )
    killed = run.call("kill")
    assert (killed.sig, killed.result) == (signal.SIGUSR1, 0)
    (delivered,) = [event for event in run.calls("signaldeliver") if event.sig == signal.SIGUSR1]
    assert (delivered.spid, delivered.dpid) == (run.pid, killed.pid)


def test_a_process_killed_by_a_signal_tells_which(observer: Observer) -> None:
    run = observer.python(
        "import os, signal, time\nchild = os.fork()\nwhile not child: time.sleep(9)\n"
        "os.kill(child, signal.SIGTERM); os.waitpid(child, 0)"
    )
    (died,) = [event for event in run.calls("procexit") if event.thread.tid == run.call("kill").pid]
    assert (died.sig, died.core) == (signal.SIGTERM, 0)


def test_changing_users_is_seen_and_who_it_was_then(observer: Observer) -> None:
    if os.geteuid():
        pytest.skip("needs root to become somebody else")
    run = observer.python("import os; os.setgid(65534); os.setuid(65534); os.getuid()")
    assert run.call("setuid").uid == 65534
    assert run.call("setgid").gid == 65534
    after = run.calls("getuid")[-1]
    assert after.uid == 65534
    assert (after.thread.uid, after.thread.gid) == (65534, 65534)


def test_latency_is_how_long_the_call_took(observer: Observer) -> None:
    run = observer.python("import time; time.sleep(0.2)")
    slept = [event for event in run.calls("clock_nanosleep") if event.latency > 100_000_000]
    assert len(slept) == 1
    assert 200_000_000 <= slept[0].latency < 1_000_000_000


def test_times_are_those_of_the_clock_on_the_wall(observer: Observer) -> None:
    run = observer.python("import os, time\ntry: os.rmdir(f'/nowhere/{time.time_ns()}')\nexcept OSError: pass")
    removed = run.call("rmdir")
    assert abs(removed.time - int(removed.path.rpartition(b"/")[2])) < 50_000_000


def test_a_name_given_to_another_thread_is_followed(observer: Observer) -> None:
    run = observer.python(
        """
import os, threading
ready, go = threading.Event(), threading.Event()
tids = []
def work():
    tids.append(threading.get_native_id())
    ready.set()
    go.wait()
    try: os.rmdir("/after-the-new-name")
    except OSError: pass
worker = threading.Thread(target=work)
worker.start()
ready.wait()
with open(f"/proc/self/task/{tids[0]}/comm", "w") as file:
    file.write("renamed")
go.set()
worker.join()
"""
    )
    removed = run.call("rmdir", path=b"/after-the-new-name")
    assert removed.thread.comm == b"renamed"


def test_what_is_started_has_nothing_of_what_is_attached(observer: Observer) -> None:
    run = observer.python(
        "import os; names = [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if int(fd) > 2 "
        "and os.path.exists(f'/proc/self/fd/{fd}')]; assert not [name for name in names if 'bpf' in name], names"
    )
    assert run.status == 0

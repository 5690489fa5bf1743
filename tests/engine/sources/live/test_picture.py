"""The picture of the machine, taken of this very process."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.events import FdKind
from engine.model.facts import Thread
from engine.sources.live import picture
from engine.sources.live.writer import Facts

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


class Picture(Facts):
    """The facts as told."""

    def own(self) -> Thread:
        (thread,) = [thread for thread in self.threads if thread.tid == os.getpid()]
        return thread

    def fds(self) -> dict[int, tuple[FdKind, bytes, object, int, int, int]]:
        return {number: rest for number, *rest in self._fds[os.getpid()]}  # type: ignore[misc]

    def names(self) -> set[bytes]:
        return {user.name for user in self._users}


def taken() -> Picture:
    told = Picture()
    picture.take(told)
    return told


def test_this_process_is_there_with_its_facts() -> None:
    thread = taken().own()
    assert (thread.pid, thread.ptid) == (os.getpid(), os.getppid())
    assert thread.args == tuple(os.fsencode(word) for word in sys.orig_argv[1:])
    assert thread.exepath == os.fsencode(os.readlink("/proc/self/exe"))
    assert thread.cwd == os.fsencode(os.getcwd()) + b"/"
    assert (thread.uid, thread.gid) == (os.geteuid(), os.getegid())
    assert thread.vm_rss is not None and thread.vm_rss > 1000
    assert all(b"=/" in cgroup for cgroup in thread.cgroups)


@pytest.mark.parametrize("name", [b"a) R 1 (b", b"(", b")", b" \n\\ \xff\x1b["])
def test_a_thread_may_have_any_name_and_has_the_rest_of_its_process(name: bytes) -> None:
    ready, stop = threading.Event(), threading.Event()

    def work() -> None:
        ctypes.CDLL(None).prctl(15, ctypes.c_char_p(name))  # PR_SET_NAME
        ready.set()
        stop.wait()

    worker = threading.Thread(target=work)
    worker.start()
    ready.wait()
    told = taken()
    stop.set()
    worker.join()
    (thread,) = [thread for thread in told.threads if thread.tid == worker.native_id]
    own = told.own()
    assert thread.comm == name
    assert (thread.pid, thread.ptid, thread.cgroups, thread.args) == (own.pid, own.pid, own.cgroups, own.args)
    assert (thread.loginuid, thread.sid) == (own.loginuid, own.sid)


def test_open_files_pipes_and_sockets_are_there(tmp_path: Path) -> None:
    path = tmp_path / "open"
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    left, right = os.pipe()
    with path.open("w") as file, server, client:
        fds = taken().fds()
        kind, name, _, flags, _, ino = fds[file.fileno()]
        assert (kind, name, ino) == (FdKind.FILE_V2, os.fsencode(path), path.stat().st_ino)
        assert flags & 3 == 2, "opened for writing"
        assert fds[left][0] == fds[right][0] == FdKind.FIFO
        assert fds[left][1] == fds[right][1]
        assert fds[server.fileno()][0] == FdKind.IPV4_SERVER
        ends = fds[client.fileno()][2]
        port = client.getsockname()[1], server.getsockname()[1]
        assert (ends.source_port, ends.destination_port) == port  # type: ignore[attr-defined]
        assert ends.source == bytes([127, 0, 0, 1])  # type: ignore[attr-defined]
    os.close(left)
    os.close(right)


def test_sockets_are_known_however_many_there_are() -> None:
    """The kernel hands out lists of sockets a page at a time."""
    with ExitStack() as kept:
        servers = [kept.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(100)]
        clients = [kept.enter_context(socket.create_connection(server.getsockname())) for server in servers]
        fds = taken().fds()
        assert {fds[server.fileno()][0] for server in servers} == {FdKind.IPV4_SERVER}
        ports = [fds[client.fileno()][2].destination_port for client in clients]  # type: ignore[attr-defined]
        assert ports == [server.getsockname()[1] for server in servers]


def test_users_and_the_machine_are_there() -> None:
    assert b"root" in taken().names()
    machine = picture.machine()
    assert machine.hostname == os.fsencode(os.uname().nodename)
    assert machine.cpus == os.cpu_count()
    assert any(interface.address == bytes([127, 0, 0, 1]) for interface in picture.interfaces())

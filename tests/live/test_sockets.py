"""Sockets, pipes and waiting, as real processes use them."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from engine.events import FLAG_TABLES
from tests.live.observing import Observer, Seen

_TCP = """
import socket, sys, threading
family = getattr(socket, sys.argv[1])
server = socket.socket(family)
server.bind((sys.argv[2], 0))
server.listen(7)
def serve():
    other, _ = server.accept()
    other.sendall(other.recv(100).upper())
    other.close()
thread = threading.Thread(target=serve)
thread.start()
client = socket.create_connection(server.getsockname()[:2])
client.sendall(b"hello over tcp")
client.recv(100)
thread.join()
"""


def ends(raw: bytes) -> tuple[str, int, str, int]:
    """Source and destination of a SOCKTUPLE."""
    size = 4 if raw[0] == socket.AF_INET else 16
    assert len(raw) == 1 + 2 * (size + 2)
    first, second = raw[1 : 1 + size], raw[3 + size : 3 + 2 * size]
    ports = struct.unpack("<H", raw[1 + size : 3 + size])[0], struct.unpack("<H", raw[3 + 2 * size :])[0]
    return socket.inet_ntop(raw[0], first), ports[0], socket.inet_ntop(raw[0], second), ports[1]


def address(raw: bytes) -> tuple[str, int]:
    """Address and port of a SOCKADDR."""
    return socket.inet_ntop(raw[0], raw[1:-2]), struct.unpack("<H", raw[-2:])[0]


@pytest.mark.parametrize(("family", "host"), [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")])
def test_a_tcp_connection_is_told_with_both_ends_on_both_sides(observer: Observer, family: str, host: str) -> None:
    run = observer.python(_TCP, family, host)
    (connected,) = [event for event in run.calls("connect") if event.addr and event.addr[0] == getattr(socket, family)]
    source, source_port, destination, port = ends(connected.tuple)
    assert (source, destination) == (host, host)
    assert address(connected.addr) == (host, port)
    assert connected.result == 0
    accepted: Seen = (run.calls("accept4") + run.calls("accept"))[0]
    assert ends(accepted.tuple) == (host, source_port, host, port)
    assert accepted.queuemax == 7
    bound = run.call("bind")
    assert address(bound.addr) == (host, 0)
    assert run.call("listen").backlog == 7
    sent = run.call("sendto", data=b"hello over tcp")
    assert sent.fd == connected.fd
    assert sent.fd_name is not None and str(port).encode() in sent.fd_name
    assert run.call("recvfrom", data=b"HELLO OVER TCP").fd_name == sent.fd_name


def test_a_refused_connection_tells_its_address_and_error(observer: Observer) -> None:
    run = observer.python(
        "import socket\ntry: socket.create_connection(('127.0.0.1', 1))\nexcept ConnectionRefusedError: pass"
    )
    (refused,) = [event for event in run.calls("connect") if event.addr and event.addr[0] == socket.AF_INET]
    assert (refused.result, address(refused.addr)) == (-111, ("127.0.0.1", 1))
    assert refused.tuple is None


def test_an_address_of_a_family_without_ends_is_none(observer: Observer) -> None:
    run = observer.python(
        "import socket\ns = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\ns.bind((0, 0))\ns.send(bytes(16))"
    )
    bound = run.call("bind")
    assert (bound.result, bound.addr) == (0, None)


@pytest.mark.parametrize(("family", "host"), [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")])
def test_datagrams_tell_both_ends_though_nothing_is_connected(observer: Observer, family: str, host: str) -> None:
    run = observer.python(
        """
import socket, sys
family = getattr(socket, sys.argv[1])
a, b = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
a.bind((sys.argv[2], 0))
b.bind((sys.argv[2], 0))
a.sendto(b"datagram", b.getsockname())
b.recvfrom(100)
b.sendmsg([b"data", b"gram2"], [], 0, a.getsockname())
a.recvmsg(100)
""",
        family,
        host,
    )
    sent, received = run.call("sendto"), run.call("recvfrom")
    assert (sent.data, received.data) == (b"datagram", b"datagram")
    assert ends(sent.tuple) == ends(received.tuple)
    source, source_port, destination, port = ends(sent.tuple)
    assert (source, destination) == (host, host)
    message, taken = run.call("sendmsg"), run.call("recvmsg")
    assert ends(message.tuple) == (destination, port, source, source_port) == ends(taken.tuple)
    assert (message.data, message.size, taken.data) == (b"datagram2", 9, b"datagram2")


def test_unix_sockets_tell_their_path(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    run = observer.python(
        """
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
other, _ = server.accept()
left, right = socket.socketpair()
left.send(b"pair")
""",
        str(path),
    )
    name = bytes(path)
    assert run.call("bind").addr == b"\1" + name + b"\0"
    connected = run.call("connect")
    assert connected.addr == b"\1" + name + b"\0"
    assert connected.tuple[0] == 1 and connected.tuple[17:] == name + b"\0"
    accepted = (run.calls("accept4") + run.calls("accept"))[0]
    assert accepted.tuple[17:] == name + b"\0"
    assert accepted.tuple[1:9] == connected.tuple[1:9], "both name the client's end as the source"
    pair = run.call("socketpair")
    assert pair.fd1 > 2 and pair.fd2 == pair.fd1 + 1
    assert run.call("sendto", data=b"pair").fd == pair.fd1


def test_options_of_sockets_are_told_by_name_and_value(observer: Observer) -> None:
    run = observer.python(
        "import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
        "s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)"
    )
    options = dict(FLAG_TABLES["sockopt_options"])
    changed = run.call("setsockopt")
    assert (changed.level, changed.optname, changed.val) == (1, options["SO_REUSEADDR"], b"\2\1\0\0\0")
    asked = run.call("getsockopt")
    assert (asked.optname, asked.val) == (options["SO_ERROR"], b"\1" + bytes(8))


def test_pipes_tell_their_two_fds_and_inode(observer: Observer) -> None:
    run = observer.python(
        "import os; r, w = os.pipe(); os.write(w, f'{r} {w} {os.fstat(r).st_ino}'.encode())",
    )
    piped = run.calls("pipe2")[-1]
    (told,) = [event.data for event in run.calls("write", fd=piped.fd2)]
    assert told.split() == [str(number).encode() for number in (piped.fd1, piped.fd2, piped.ino)]


def test_waiting_tells_what_for_and_how_long(observer: Observer) -> None:
    run = observer.python(
        """
import os, select
r, w = os.pipe()
poll = select.poll()
poll.register(r, select.POLLIN)
poll.poll(30)
os.write(w, b"x")
poll.poll(30)
epoll = select.epoll()
epoll.register(r, select.EPOLLIN)
epoll.poll(1, 8)
"""
    )
    nothing, ready = [event for event in run.calls("poll") if event.timeout == 30]
    assert (nothing.result, nothing.fds) == (0, b"\0\0")
    assert nothing.latency >= 30_000_000
    fd = run.calls("pipe2")[-1].fd1
    assert ready.fds == struct.pack("<HqH", 1, fd, dict(FLAG_TABLES["poll_flags"])["POLLIN"])
    assert run.call("epoll_create1").flags == 1
    assert [event.maxevents for event in run.calls("epoll_wait")] == [8]

"""What calls tell of sockets (state-tracking §1, §4)."""

from __future__ import annotations

from pathlib import Path

from engine.decode.event import Event
from engine.events import FdKind
from engine.ingest import CaptureIngest
from engine.model.facts import Interface, Role, Socket, Thread
from engine.model.fds import Identity
from engine.model.sockets import TCP, UDP
from tests import scapfile as scap
from tests.engine.decode.decoded import Machine, listed
from tests.scapfile import sockaddr, socktuple, unix_tuple

SOCKET, BIND, CONNECT_ENTER, CONNECT, ACCEPT, PAIR = 19, 21, 22, 23, 389, 43
SENDTO, RECVFROM, READ_ENTER, PIPE, EPOLL, CLOSE_RANGE = 31, 35, 6, 61, 375, 451
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
STREAM, DATAGRAM, SOCK_CLOEXEC = 1, 2, 0o2000000


def identity(event: Event) -> Identity:
    assert event.fd is not None
    return event.fd


def ends(event: Event) -> Socket:
    socket = identity(event).socket
    assert socket is not None
    return socket


def opens(seen: Machine, number: int, domain: int = AF_INET, kind: int = STREAM) -> Event:
    return seen.happens(SOCKET, 10, fd=number, domain=domain, type=kind, proto=0)


def test_a_new_socket_knows_its_protocol_only() -> None:
    seen = Machine(listed(10))
    made = opens(seen, 3)
    assert (identity(made).kind, identity(made).name, ends(made).l4) == (FdKind.IPV4, b"", TCP)
    assert ends(opens(seen, 4, AF_INET6, DATAGRAM)).l4 == UDP
    assert identity(opens(seen, 5, AF_UNIX)).kind is FdKind.UNIX


def test_connect_tells_both_ends_and_makes_a_client() -> None:
    seen = Machine(listed(10))
    opens(seen, 3)
    made = seen.happens(CONNECT, 10, res=0, tuple=socktuple("10.0.0.1", 4000, "10.0.0.2", 80), fd=3)
    assert identity(made).name == b"10.0.0.1:4000->10.0.0.2:80"
    assert (ends(made).role, ends(made).l4, ends(made).destination_port) == (Role.CLIENT, TCP, 80)


def test_a_connection_in_progress_counts_a_refused_one_does_not() -> None:
    seen = Machine(listed(10))
    opens(seen, 3)
    told = socktuple("10.0.0.1", 4000, "10.0.0.2", 80)
    assert identity(seen.happens(CONNECT, 10, res=-111, tuple=told, fd=3)).name == b""
    assert identity(seen.happens(CONNECT, 10, res=-115, tuple=told, fd=3)).name != b""


def test_an_old_version_of_an_fd_is_not_altered() -> None:
    seen = Machine(listed(10))
    before = opens(seen, 3)
    seen.happens(CONNECT, 10, res=0, tuple=socktuple("10.0.0.1", 4000, "10.0.0.2", 80), fd=3)
    assert identity(before).name == b""


def test_addresses_dressed_as_ipv6_are_ipv4() -> None:
    seen = Machine(listed(10))
    opens(seen, 3, AF_INET6)
    made = seen.happens(CONNECT, 10, res=0, tuple=socktuple("::ffff:10.0.0.1", 1, "::ffff:10.0.0.2", 2), fd=3)
    assert (identity(made).kind, identity(made).name) == (FdKind.IPV4, b"10.0.0.1:1->10.0.0.2:2")


def test_unix_connections_are_named_by_their_path() -> None:
    seen = Machine(listed(10))
    opens(seen, 3, AF_UNIX)
    made = seen.happens(CONNECT, 10, res=0, tuple=unix_tuple("/run/x", 0xABC, 0xDEF), fd=3)
    assert identity(made).name == b"abc->def /run/x"


def test_a_refused_unix_connection_keeps_the_path_tried() -> None:
    seen = Machine(listed(10))
    opens(seen, 3, AF_UNIX)
    seen.happens(CONNECT_ENTER, 10, fd=3, addr=sockaddr("/run/x"))
    assert identity(seen.happens(CONNECT, 10, count=2, res=-2)).name == b"/run/x"


def test_bind_to_a_port_makes_a_server() -> None:
    seen = Machine(listed(10))
    opens(seen, 3)
    made = seen.happens(BIND, 10, res=0, addr=sockaddr("0.0.0.0", 80), fd=3)
    assert (identity(made).kind, identity(made).name, ends(made).role) == (
        FdKind.IPV4_SERVER,
        b"0.0.0.0:80",
        Role.SERVER,
    )


def test_accept_makes_the_servers_end_of_a_connection() -> None:
    seen = Machine(listed(10))
    made = seen.happens(ACCEPT, 10, fd=7, tuple=socktuple("10.0.0.9", 5000, "10.0.0.1", 80))
    assert (made.fd_number, identity(made).name, ends(made).role) == (7, b"10.0.0.9:5000->10.0.0.1:80", Role.SERVER)


def test_a_failed_accept_has_no_fd() -> None:
    made = Machine(listed(10)).happens(ACCEPT, 10, fd=-11)
    assert (made.fd_number, made.fd) == (None, None)


def test_datagrams_tell_the_ends_of_their_socket() -> None:
    seen = Machine(listed(10))
    opens(seen, 3, AF_INET, DATAGRAM)
    sent = seen.happens(SENDTO, 10, res=4, fd=3, tuple=socktuple("10.0.0.1", 999, "10.0.0.2", 53))
    assert (identity(sent).name, ends(sent).role) == (b"10.0.0.1:999->10.0.0.2:53", Role.CLIENT)
    answer = seen.happens(RECVFROM, 10, res=4, tuple=socktuple("10.0.0.2", 53, "10.0.0.1", 999), fd=3)
    assert answer.segment.fd_row[answer.row] == sent.segment.fd_row[sent.row]


def test_data_on_a_named_tcp_connection_changes_nothing() -> None:
    seen = Machine(listed(10))
    opens(seen, 3)
    seen.happens(CONNECT, 10, res=0, tuple=socktuple("10.0.0.1", 4000, "10.0.0.2", 80), fd=3)
    told = seen.happens(SENDTO, 10, res=4, fd=3, tuple=socktuple("9.9.9.9", 1, "8.8.8.8", 2))
    assert identity(told).name == b"10.0.0.1:4000->10.0.0.2:80"


def test_sending_by_an_unknown_fd_tells_of_a_udp_socket() -> None:
    made = Machine(listed(10)).happens(SENDTO, 10, res=4, fd=9, tuple=socktuple("10.0.0.1", 9, "10.0.0.2", 53))
    assert ends(made).l4 == UDP


def test_a_source_that_is_zero_is_the_interface_towards_the_far_end() -> None:
    seen = Machine(listed(10))
    mask, address = b"\xff\xff\xff\0", b"\x0a\0\0\x05"
    seen.decoder.interface(Interface(b"eth0", address, mask, b"\x0a\0\0\xff", 0))
    opens(seen, 3, AF_INET, DATAGRAM)
    sent = seen.happens(SENDTO, 10, res=4, fd=3, tuple=socktuple("0.0.0.0", 999, "10.0.0.2", 53))
    assert ends(sent).source == address


def test_listed_connections_of_served_ports_are_the_servers() -> None:
    seen = Machine(listed(10))
    here, far = b"\x0a\0\0\1", b"\x0a\0\0\2"
    seen.fd(10, 3, FdKind.IPV4_SERVER, socket=Socket(b"", 0, bytes(4), 80, TCP, Role.NONE))
    seen.fd(10, 4, FdKind.IPV4, socket=Socket(here, 80, far, 5000, TCP, Role.NONE))
    seen.fd(10, 5, FdKind.IPV4, socket=Socket(here, 4000, far, 443, TCP, Role.NONE))
    served, used = (seen.happens(READ_ENTER, 10, fd=number, size=1) for number in (4, 5))
    assert (identity(served).name, ends(served).role) == (b"10.0.0.2:5000->10.0.0.1:80", Role.SERVER)
    assert (identity(used).name, ends(used).role) == (b"10.0.0.1:4000->10.0.0.2:443", Role.CLIENT)


def test_a_server_listed_after_its_connections_is_a_server_all_the_same(tmp_path: Path) -> None:
    here, far = b"\x0a\0\0\1", b"\x0a\0\0\2"
    connection = scap.Entry(4, FdKind.IPV4, socket=Socket(here, 80, far, 5000, TCP, Role.NONE))
    server = scap.Entry(3, FdKind.IPV4_SERVER, socket=Socket(b"", 0, bytes(4), 80, TCP, Role.NONE))
    threads = scap.process_list(9, [Thread(tid, tid, ptid=1, comm=b"x", exe=b"x", cwd=b"/") for tid in (10, 20)])
    lists = scap.section() + threads + scap.fd_list(10, [connection]) + scap.fd_list(20, [server])
    path = tmp_path / "a.scap"
    path.write_bytes(lists + scap.event(READ_ENTER, 10, 1, scap.pack(READ_ENTER, None, fd=4, size=1)))
    ingest = CaptureIngest(path)
    ingest.run(lambda status: None)
    (segment,) = ingest.store.segments
    assert identity(Event(ingest.store, segment, 0)).name == b"10.0.0.2:5000->10.0.0.1:80"
    ingest.release()


def test_listed_connections_over_ipv6_are_told_apart_in_the_same_way() -> None:
    near, far = b"\x20\1" + b"\0" * 13 + b"\1", b"\x20\1" + b"\0" * 13 + b"\2"
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.IPV6_SERVER, socket=Socket(b"", 0, bytes(16), 80, TCP, Role.NONE))
    seen.fd(10, 4, FdKind.IPV6, socket=Socket(near, 80, far, 5000, TCP, Role.NONE))
    seen.fd(10, 5, FdKind.IPV6, socket=Socket(near, 6000, far, 443, TCP, Role.NONE))
    served, used = (seen.happens(READ_ENTER, 10, fd=number, size=1) for number in (4, 5))
    assert (identity(served).name, ends(served).role) == (b"2001::2:5000->2001::1:80", Role.SERVER)
    assert (identity(used).name, ends(used).role) == (b"2001::1:6000->2001::2:443", Role.CLIENT)


def test_pairs_and_pipes_are_two_descriptors() -> None:
    seen = Machine(listed(10))
    seen.happens(PAIR, 10, res=0, fd1=3, fd2=4, source=0, peer=0, domain=1, type=1, proto=0)
    seen.happens(PIPE, 10, res=0, fd1=5, fd2=6, ino=77)
    kinds = [identity(seen.happens(READ_ENTER, 10, fd=number, size=1)).kind for number in (3, 4, 5, 6)]
    assert kinds == [FdKind.UNIX, FdKind.UNIX, FdKind.FIFO, FdKind.FIFO]


def test_event_descriptors_have_a_kind_and_no_name() -> None:
    made = Machine(listed(10)).happens(EPOLL, 10, res=9, size=1)
    assert (made.fd_number, identity(made)) == (9, Identity(FdKind.EVENTPOLL, b"", None))


def test_close_range_closes_what_lies_between() -> None:
    seen = Machine(listed(10))
    for number in (3, 4, 5):
        seen.fd(10, number, FdKind.FILE, b"/x")
    seen.happens(CLOSE_RANGE, 10, res=0, first=4, last=0xFFFFFFFF, flags=0)
    known = [seen.happens(READ_ENTER, 10, fd=number, size=1).fd is not None for number in (3, 4, 5)]
    assert known == [True, False, False]

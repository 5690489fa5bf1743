"""Sockets: what calls tell of their ends (state-tracking §4).

Owns the reading of addresses and tuples as the format stores them, the text that names a socket, and the rules of
socket, bind, connect, accept, socketpair and of calls that send or receive. The number behind which a socket stands
and its row are kept in ``live`` and ``Fds``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from engine.events import L4_NAMES, FdKind
from engine.model.call import NO_NUMBER, Call
from engine.model.facts import Interface, Role, Socket
from engine.model.fds import Identity
from engine.model.live import Live
from engine.store.store import Store

_L4 = {name: number for number, name in L4_NAMES.items()}
UNKNOWN, TCP, UDP, ICMP, RAW = (_L4[name] for name in ("unknown", "tcp", "udp", "icmp", "raw"))
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_MAPPED = b"\0" * 10 + b"\xff\xff"
_LOOPBACK = b"\0" * 15 + b"\1"
_EINPROGRESS = -115
_CLOEXEC = 0o2000000
"""SOCK_CLOEXEC as the kernel has it: socket types are recorded raw."""


class Ends(NamedTuple):
    """Both ends of a recorded tuple, or the one of an address (as destination)."""

    kind: FdKind
    source: bytes = b""
    source_port: int = 0
    destination: bytes = b""
    destination_port: int = 0
    name: bytes = b""
    """Of unix sockets."""


def read_address(raw: bytes | None) -> Ends | None:
    """A SOCKADDR parameter (scap-format §10); None when it is absent, cut or of a family without ends."""
    if not raw:
        return None
    if raw[0] == _UNIX:
        return Ends(FdKind.UNIX, name=raw[1:].partition(b"\0")[0])
    for family, size, kind in ((_INET, 4, FdKind.IPV4), (_INET6, 16, FdKind.IPV6)):
        if raw[0] == family and len(raw) >= 3 + size:
            port = int.from_bytes(raw[1 + size : 3 + size], "little")
            return _unmapped(Ends(kind, destination=raw[1 : 1 + size], destination_port=port))
    return None


def read_tuple(raw: bytes | None) -> Ends | None:
    """A SOCKTUPLE parameter (scap-format §10); None as for addresses."""
    if not raw:
        return None
    if raw[0] == _UNIX and len(raw) >= 17:
        source, destination = (int.from_bytes(raw[at : at + 8], "little") for at in (1, 9))
        path = raw[17:].partition(b"\0")[0]
        return Ends(FdKind.UNIX, name=b"%x->%x %s" % (source, destination, path))
    for family, size, kind in ((_INET, 4, FdKind.IPV4), (_INET6, 16, FdKind.IPV6)):
        if raw[0] == family and len(raw) >= 5 + 2 * size:
            far = 3 + size
            return _unmapped(
                Ends(
                    kind,
                    raw[1 : 1 + size],
                    int.from_bytes(raw[1 + size : far], "little"),
                    raw[far : far + size],
                    int.from_bytes(raw[far + size : far + size + 2], "little"),
                )
            )
    return None


def _unmapped(ends: Ends) -> Ends:
    """IPv4 addresses dressed as IPv6, and nothing else, become IPv4."""
    if ends.kind is not FdKind.IPV6:
        return ends
    both = [address for address in (ends.source, ends.destination) if address]
    if not any(address.startswith(_MAPPED) for address in both):
        return ends
    if not all(address.startswith(_MAPPED) or not any(address) for address in both):
        return ends
    return ends._replace(kind=FdKind.IPV4, source=ends.source[12:], destination=ends.destination[12:])


def _end(address: bytes, port: int) -> bytes:
    shown = IPv4Address(address) if len(address) == 4 else IPv6Address(address)
    return b"%s:%d" % (str(shown).encode(), port)


def name_of(socket: Socket) -> bytes:
    """Text of a socket's ends: ``source->destination``, or the one address of a server."""
    destination = _end(socket.destination, socket.destination_port) if socket.destination else b""
    if not socket.source:
        return destination
    return b"%s->%s" % (_end(socket.source, socket.source_port), destination)


def _protocol(kind: int, protocol: int) -> int:
    if protocol == 6:
        return TCP
    if protocol == 17:
        return RAW if kind & 0xFF == 3 else UDP
    if protocol == 0:
        return {1: TCP, 2: UDP}.get(kind & 0xFF, UNKNOWN)
    if protocol == 1:
        return RAW if kind & 0xFF == 3 else ICMP
    return RAW if protocol == 255 else UNKNOWN


class Sockets:
    """The rules of socket calls."""

    def __init__(self, store: Store, live: Live) -> None:
        self._fds = store.fds
        self._interfaces = store.interfaces
        self._live = live

    def rules(self) -> Mapping[str, Callable[[Call], None]]:
        """Rules by the name of the calls they are for."""
        sends = dict.fromkeys(("send", "sendto", "sendmsg", "sendmmsg"), self.send)
        receives = dict.fromkeys(("recv", "recvfrom", "recvmsg", "recvmmsg"), self.receive)
        own = {"socket": self.socket, "bind": self.bind, "connect": self.connect, "socketpair": self.pair}
        return own | dict.fromkeys(("accept", "accept4"), self.accept) | sends | receives

    def _put(
        self, call: Call, kind: FdKind, name: bytes, socket: Socket | None, *, cloexec: bool | None = None
    ) -> None:
        """Let the event's fd be that socket from now on; without ``cloexec`` the number was open before."""
        row = self._fds.add(
            kind,
            self._fds.identity(kind, name, socket),
            thread=self._live.row(call.tid),
            first=call.number,
        )
        if cloexec is None:
            self._live.change_fd(call.tid, call.fd, row, call.number)
        else:
            self._live.put_fd(call.tid, call.fd, row, cloexec, call.number)

    def _known(self, call: Call) -> Identity | None:
        row = self._live.fd_row(call.tid, call.fd)
        return self._fds.of(row) if row >= 0 else None

    def listed(self, kind: FdKind, socket: Socket, served: set[int]) -> tuple[FdKind, bytes, Socket]:
        """A socket of the fd list with its role, ports that are served being known (state-tracking §1)."""
        ends = _unmapped(Ends(kind, *socket[:4]))
        socket = Socket(*ends[1:5], socket.l4, Role.NONE)
        if kind in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER):
            return kind, name_of(socket), socket._replace(role=Role.SERVER)
        if ends.kind is FdKind.IPV4:
            socket = self._patched(socket)
        if ends.kind in (FdKind.IPV4, FdKind.IPV6):
            if socket.source_port in served:
                socket = _swapped(socket)._replace(role=Role.SERVER)
            else:
                socket = socket._replace(role=Role.CLIENT)
        return ends.kind, name_of(socket), socket

    def _patched(self, socket: Socket) -> Socket:
        """A connection with one end zero, that end taken from the interfaces."""
        if any(socket.source) == any(socket.destination):
            return socket
        known = socket.source if any(socket.source) else socket.destination
        local = self.local(known, b"")
        if not local or (local == known and socket.source_port == socket.destination_port):
            return socket
        return socket._replace(destination=local) if any(socket.source) else socket._replace(source=local)

    def socket(self, call: Call) -> None:
        """A socket without ends."""
        call.fd = call.result if call.result >= 0 else NO_NUMBER
        if call.result < 0:
            return
        domain, kind, protocol = (call.unsigned(name) or 0 for name in ("domain", "type", "proto"))
        made = {_UNIX: FdKind.UNIX, _INET: FdKind.IPV4, _INET6: FdKind.IPV6, _NETLINK: FdKind.NETLINK}.get(
            domain, FdKind.UNKNOWN
        )
        socket = None
        if made in (FdKind.IPV4, FdKind.IPV6):
            socket = Socket(b"", 0, b"", 0, _protocol(kind, protocol), Role.NONE)
        self._put(call, made, b"", socket, cloexec=bool(kind & _CLOEXEC))

    def pair(self, call: Call) -> None:
        """Two unix sockets talking to each other."""
        if call.result < 0:
            return
        for name in ("fd1", "fd2"):
            number = call.signed(name)
            if number is not None:
                call.fd = number
                self._put(call, FdKind.UNIX, b"", None, cloexec=bool((call.unsigned("type") or 0) & _CLOEXEC))

    def bind(self, call: Call) -> None:
        """A socket got an address of its own: with a port it is a server's."""
        known = self._known(call)
        ends = read_address(call.raw("addr"))
        if call.result < 0 or known is None or ends is None:
            return
        if ends.kind is FdKind.UNIX:
            self._put(call, FdKind.UNIX, ends.name, None)
            return
        l4 = known.socket.l4 if known.socket is not None else UNKNOWN
        role = Role.SERVER if ends.destination_port else Role.NONE
        socket = Socket(b"", 0, ends.destination, ends.destination_port, l4, role)
        kind = ends.kind
        if ends.destination_port:
            kind = FdKind.IPV4_SERVER if kind is FdKind.IPV4 else FdKind.IPV6_SERVER
        self._put(call, kind, name_of(socket), socket)

    def connecting(self, call: Call) -> None:
        """A unix socket is about to be connected: whatever comes of it, that is what was tried."""
        ends = read_address(call.raw("addr"))
        known = self._known(call)
        if (
            ends is not None
            and known is not None
            and known.kind is FdKind.UNIX is ends.kind
            and ends.name != known.name
        ):
            self._put(call, FdKind.UNIX, ends.name, None)

    def connect(self, call: Call) -> None:
        """A socket has both ends, or will have in a moment."""
        known = self._known(call)
        if known is None:
            return
        if call.result < 0 and call.result != _EINPROGRESS:
            self.connecting(call)
            return
        ends = read_tuple(call.raw("tuple")) or read_address(call.raw("addr"))
        if ends is None:
            return
        if ends.kind is FdKind.UNIX:
            self._put(call, FdKind.UNIX, ends.name, None)
            return
        old = known.socket
        socket = Socket(*ends[1:5], old.l4 if old is not None else UNKNOWN, Role.CLIENT)
        if old is not None and old.role is Role.SERVER:
            socket = socket._replace(role=Role.SERVER)
            if socket.l4 == UDP:
                socket = _swapped(socket)
        self._put(call, ends.kind, name_of(socket), socket)

    def accept(self, call: Call) -> None:
        """A server got a connection."""
        call.fd = call.result if call.result >= 0 else NO_NUMBER
        ends = read_tuple(call.raw("tuple"))
        if call.result < 0:
            return
        cloexec = bool((call.unsigned("flags") or 0) & _CLOEXEC)
        if ends is None or ends.kind is FdKind.UNIX:
            self._put(call, FdKind.UNIX if ends else FdKind.UNKNOWN, ends.name if ends else b"", None, cloexec=cloexec)
            return
        socket = Socket(*ends[1:5], TCP, Role.SERVER)
        self._put(call, ends.kind, name_of(socket), socket, cloexec=cloexec)

    def send(self, call: Call) -> None:
        """Data left by a socket; the tuple's source is this end."""
        self._talk(call, outwards=True)

    def receive(self, call: Call) -> None:
        """Data came in; the tuple's source is the far end."""
        self._talk(call, outwards=False)

    def _talk(self, call: Call, outwards: bool) -> None:
        ends = read_tuple(call.raw("tuple"))
        known = self._known(call)
        if ends is None or call.fd < 0:
            return
        if known is None:
            if not outwards or ends.kind is FdKind.UNIX:
                return
            known = Identity(ends.kind, b"", Socket(b"", 0, b"", 0, UDP, Role.NONE))
            self._put(call, ends.kind, b"", known.socket, cloexec=False)
        kind, name, old = known
        if ends.kind is FdKind.UNIX:
            if kind is FdKind.UNIX and ends.name != name:
                self._put(call, kind, ends.name, None)
            return
        if old is None or (name and kind is FdKind.IPV4 and old.l4 == TCP):
            return
        serves = kind in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER)
        told = Socket(*ends[1:5], old.l4 or UDP, Role.NONE if serves else old.role)
        if not any(told.source):
            told = told._replace(source=self.local(told.destination, told.source))
        if old.source and kind is ends.kind and _ends(old) in (_ends(told), _ends(_swapped(told))):
            return
        if told.role is Role.NONE:
            told = told._replace(role=self._guess(call, told, outwards))
        if (told.role is Role.CLIENT) != outwards:
            told = _swapped(told)
        self._put(call, ends.kind, name_of(told), told)

    def _guess(self, call: Call, told: Socket, outwards: bool) -> Role:
        """Which end a socket is, by the ports other sockets of the process use."""
        sources: set[int] = set()
        destinations: set[int] = set()
        for number, row, _cloexec in self._live.fds(call.tid):
            other = self._fds.of(row).socket
            if other is not None and number != call.fd:
                sources.add(other.source_port)
                destinations.add(other.destination_port)
        if told.destination_port not in destinations:
            return Role.CLIENT
        if told.source_port not in sources:
            return Role.SERVER
        return Role.SERVER if not outwards else Role.CLIENT

    def local(self, far: bytes, unknown: bytes) -> bytes:
        """The address this machine has towards a far one (state-tracking §1.5); ``unknown`` when nothing tells."""
        own = [one for one in self._interfaces if len(one.address) == len(far)]
        for interface in own:
            if interface.address == far:
                return interface.address
        for interface in own:
            if _network(interface, far) == _network(interface, interface.address):
                return interface.address
        return next((one.address for one in own if one.address[0] != 127 and one.address != _LOOPBACK), unknown)


def _network(interface: Interface, address: bytes) -> int:
    return int.from_bytes(address, "big") & int.from_bytes(interface.netmask, "big")


def _ends(socket: Socket) -> tuple[bytes, int, bytes, int]:
    return socket.source, socket.source_port, socket.destination, socket.destination_port


def _swapped(socket: Socket) -> Socket:
    return Socket(
        socket.destination, socket.destination_port, socket.source, socket.source_port, socket.l4, socket.role
    )

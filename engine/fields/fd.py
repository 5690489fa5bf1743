"""Fields of files, sockets and other descriptors: of the fd identity an event is about.

Which end of a socket is the client's is the decoder's finding; here source is the client.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.events import FD_TYPE_CHARS, FD_TYPE_NAMES, FLAG_TABLES, L4_NAMES, FdKind
from engine.fields.columns import OPENS, TALKS, by_type, of_fd_rows, thread_and_fd, truth
from engine.fields.container import container_id
from engine.fields.field import Field, FieldType, Numbers, Place, Value
from engine.fields.index import Index
from engine.fields.resolve import event_of
from engine.model.facts import Role, Socket
from engine.model.fds import Identity
from engine.store.segment import Segment
from engine.store.store import Store
from engine.text import without_controls

FILES = frozenset({FdKind.FILE, FdKind.FILE_V2})
"""Kinds of regular files."""
PATHS = FILES | {FdKind.DIRECTORY}
"""Kinds whose name is a path."""
NET = frozenset({FdKind.IPV4, FdKind.IPV6, FdKind.IPV4_SERVER, FdKind.IPV6_SERVER})
"""Kinds of IPv4 and IPv6 sockets."""
SOCKETS = NET | {FdKind.UNIX}

End = Callable[[Identity, Store], tuple[bytes, int] | None]
"""Address and port of one end of a socket; None when there is no such end."""


def directory_of(identity: Identity) -> bytes | None:
    """The directory part of a file's path; a directory is its own."""
    name = without_controls(identity.name)
    if identity.kind is FdKind.DIRECTORY:
        return name
    if identity.kind not in FILES:
        return None
    head, slash, tail = name.rpartition(b"/")
    return (head or b"/" if tail else name) if slash else b"/"


def _filename(identity: Identity, *_: object) -> Value:
    if identity.kind not in FILES:
        return None
    return without_controls(identity.name).rpartition(b"/")[2] or b"/"


def _client(identity: Identity, _: Store) -> tuple[bytes, int] | None:
    ends = identity.socket
    return (ends.source, ends.source_port) if ends is not None and ends.source else None


def _server(identity: Identity, _: Store) -> tuple[bytes, int] | None:
    ends = identity.socket
    return (ends.destination, ends.destination_port) if ends is not None and ends.destination else None


def _is_local_source(ends: Socket, store: Store) -> bool:
    if ends.role is not Role.NONE:
        return ends.role is Role.CLIENT
    return any(interface.address == ends.source for interface in store.interfaces)


def _local(identity: Identity, store: Store) -> tuple[bytes, int] | None:
    ends = identity.socket
    if ends is None:
        return None
    return (_client if _is_local_source(ends, store) else _server)(identity, store)


def _remote(identity: Identity, store: Store) -> tuple[bytes, int] | None:
    ends = identity.socket
    if ends is None:
        return None
    return (_server if _is_local_source(ends, store) else _client)(identity, store)


@lru_cache(1024)
def service(port: int, protocol: str) -> bytes | None:
    """The name of a service by its port, from the machine's own list."""
    try:
        return socket.getservbyport(port, protocol).encode()
    except (OSError, OverflowError):
        return None


def _address(end: End) -> Callable[..., Value]:
    def value(identity: Identity, store: Store, _: str | None) -> Value:
        found = end(identity, store)
        return None if found is None else found[0]

    return value


def _port(end: End) -> Callable[..., Value]:
    def value(identity: Identity, store: Store, _: str | None) -> Value:
        found = end(identity, store)
        return None if found is None else found[1]

    return value


def _service(end: End) -> Callable[..., Value]:
    def value(identity: Identity, store: Store, _: str | None) -> Value:
        found, ends = end(identity, store), identity.socket
        if found is None or ends is None:
            return None
        return service(found[1], "udp" if L4_NAMES.get(ends.l4) == "udp" else "tcp") or b"%d" % found[1]

    return value


def _both_addresses(identity: Identity, store: Store, _: str | None) -> Value:
    return tuple(end[0] for end in (_client(identity, store), _server(identity, store)) if end is not None) or None


def _both_ports(identity: Identity, store: Store, _: str | None) -> Value:
    return tuple(end[1] for end in (_client(identity, store), _server(identity, store)) if end is not None) or None


def _protocol(identity: Identity, *_: object) -> Value:
    if identity.socket is None:
        return None
    name = L4_NAMES.get(identity.socket.l4)
    return name.encode() if name in ("tcp", "udp", "icmp", "raw") else None


def _family(identity: Identity, *_: object) -> Value:
    return b"ip" if identity.kind in NET else b"unix" if identity.kind is FdKind.UNIX else None


def _is_server(identity: Identity, *_: object) -> Value:
    if identity.kind not in SOCKETS:
        return None
    return identity.kind in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER) or (
        identity.socket is not None and identity.socket.role is Role.SERVER
    )


def _kind(names: dict[FdKind, str]) -> Callable[..., Value]:
    encoded = {kind: name.encode() for kind, name in names.items()}
    return lambda identity, *_: encoded.get(identity.kind)


def _number(segment: Segment, _: Store, __: str | None) -> Numbers:
    # Negative numbers are errors and AT_FDCWD, not descriptors.
    return Numbers(segment.fd.astype(np.int64), segment.fd >= 0)


def _fact(
    column: str, present: Present, read: Callable[[NDArray[np.int64]], NDArray[Any]] = np.asarray
) -> Callable[..., Numbers]:
    """What the fd table's column says, of the kinds that have it."""
    kinds = list(map(int, present))

    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        values, known = of_fd_rows(segment, store, column)
        known &= np.isin(of_fd_rows(segment, store, "kind")[0], kinds)
        return Numbers(read(values).astype(np.int64), known)

    return value


Present = frozenset[FdKind]
_OPEN = dict(FLAG_TABLES["file_flags"])


def _is_layer(flag: str) -> Callable[..., Numbers]:
    return _fact("flags", PATHS, lambda flags: flags & _OPEN[flag] != 0)


_NAMES_FD = by_type(
    lambda kind: kind.name == "connect" or (kind.is_exit and kind.name in OPENS | TALKS | {"accept", "accept4", "bind"})
)


def _renamed(segment: Segment, store: Store, _: str | None) -> Numbers:
    first, known = of_fd_rows(segment, store, "first")
    number = np.arange(segment.first + 1, segment.first + 1 + len(segment))
    made = (first == number) & _NAMES_FD[segment.type]
    identities = of_fd_rows(segment, store, "identity")[0][made].tolist()
    made[made] = [bool(store.fds.identities[identity].name) for identity in identities]
    return truth(made, known)


def _is_connected(identity: Identity, *_: object) -> Value:
    ends = identity.socket
    if ends is None:
        return identity.kind is FdKind.UNIX and b"->" in identity.name
    return bool(ends.source) and bool(ends.destination)


_passed: Index[dict[int, bytes]] = Index(dict)
"""Of each store the names of fd rows as they were passed."""
_MOST_PASSED = 1 << 17


def _name_as_passed(event: Event, _: str | None) -> Value:
    row = int(event.segment.fd_row[event.row])
    if row < 0:
        return None
    known = _passed.of(event.store)
    if row not in known:
        if len(known) >= _MOST_PASSED:
            known.clear()
        known[row] = _passed_name(event.store, row)
    return known[row]


def _passed_name(store: Store, row: int) -> bytes:
    """The path the open that made an fd row was given; its name when no open did."""
    identity = store.fds.identities[int(store.fds.rows["identity"][row])]
    maker = event_of(store, int(store.fds.rows["first"][row])) if identity.kind in PATHS else None
    if maker is not None and maker.type.name in OPENS and int(maker.segment.fd_row[maker.row]) == row:
        place = maker.type.index("path" if maker.type.name == "open_by_handle_at" else "name")
        raw = maker.params[place] if place is not None and place < len(maker.params) else None
        if raw is not None:
            return raw.partition(b"\0")[0]
    return without_controls(identity.name)


def _with_container(text: Callable[[Identity], bytes | None]) -> Callable[[Event, str | None], Value]:
    """A name made unique on a machine with containers: the container's id, a colon, the name."""

    def value(event: Event, _: str | None) -> Value:
        thread, identity = event.thread, event.fd
        found = None if identity is None else text(identity)
        if thread is None or found is None:
            return None
        return (container_id(thread) if thread.container else b"") + b":" + found

    return value


def _uid(event: Event, _: str | None) -> Value:
    thread, number = event.thread, event.fd_number
    return None if thread is None or number is None or number < 0 else b"%d%d" % (thread.tid, number)


def _thread_and_number(segment: Segment, *_: object) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = (segment.thread.astype(np.int64) << 32) | (segment.fd.astype(np.int64) & 0xFFFFFFFF)
    return keys


_fd = partial(Field, place=Place.FD, group="fd")
_event = partial(Field, place=Place.EVENT, group="fd")
_late = partial(Field, place=Place.LATE, group="fd")
TEXT, ID, PORT, BOOL = FieldType.TEXT, FieldType.ID, FieldType.PORT, FieldType.BOOL
ADDRESS, NETWORK = FieldType.ADDRESS, FieldType.NETWORK
FIELDS = (
    _event("fd.num", ID, "descriptor number", _number, example="fd.num in (0, 1, 2)"),
    _fd(
        "fd.type",
        TEXT,
        "file, directory, ipv4, ipv6, unix, pipe, event …",
        _kind(FD_TYPE_NAMES),
        example="fd.type in (ipv4, ipv6)",
    ),
    _fd("fd.typechar", TEXT, "fd.type as one character", _kind(FD_TYPE_CHARS)),
    _fd(
        "fd.name",
        TEXT,
        "path of a file, client->server of a connection",
        lambda fd, *_: without_controls(fd.name),
        example="fd.name startswith /etc",
    ),
    _fd("fd.directory", TEXT, "directory of a file", lambda fd, *_: directory_of(fd)),
    _fd("fd.filename", TEXT, "last component of a file's path", _filename),
    _fd(
        "fd.ip",
        ADDRESS,
        "either end's address",
        _both_addresses,
        filter_only=True,
        multiple=True,
        example="fd.ip = 127.0.0.1",
    ),
    _fd("fd.cip", ADDRESS, "client address", _address(_client)),
    _fd("fd.sip", ADDRESS, "server address", _address(_server)),
    _fd("fd.lip", ADDRESS, "address of the process's own end", _address(_local)),
    _fd("fd.rip", ADDRESS, "address of the other end", _address(_remote)),
    _fd("fd.port", PORT, "either end's port", _both_ports, filter_only=True, multiple=True),
    _fd("fd.cport", PORT, "client port", _port(_client)),
    _fd("fd.sport", PORT, "server port", _port(_server), example="fd.sport in (80, 443)"),
    _fd("fd.lport", PORT, "port of the process's own end", _port(_local)),
    _fd("fd.rport", PORT, "port of the other end", _port(_remote)),
    _fd(
        "fd.net",
        NETWORK,
        "either end's network",
        _both_addresses,
        filter_only=True,
        multiple=True,
        example="fd.net = 10.0.0.0/8",
    ),
    _fd("fd.cnet", NETWORK, "client's network", _address(_client), filter_only=True),
    _fd("fd.snet", NETWORK, "server's network", _address(_server), filter_only=True),
    _fd("fd.lnet", NETWORK, "network of the process's own end", _address(_local), filter_only=True),
    _fd("fd.rnet", NETWORK, "network of the other end", _address(_remote), filter_only=True),
    _fd(
        "fd.proto",
        PORT,
        "either end's port, by number or name of the service",
        _both_ports,
        filter_only=True,
        multiple=True,
        example="fd.proto = http",
    ),
    _fd("fd.cproto", TEXT, "service name of the client port, else the port", _service(_client)),
    _fd("fd.sproto", TEXT, "service name of the server port, else the port", _service(_server)),
    _fd("fd.lproto", TEXT, "service name of the process's own port, else the port", _service(_local)),
    _fd("fd.rproto", TEXT, "service name of the other end's port, else the port", _service(_remote)),
    _fd("fd.l4proto", TEXT, "tcp, udp, icmp or raw", _protocol),
    _fd("fd.sockfamily", TEXT, "ip or unix", _family),
    _fd("fd.is_server", BOOL, "true when the process is the server's end", _is_server),
    _fd("fd.connected", BOOL, "true for a socket with both ends", _is_connected),
    _event("fd.name_changed", BOOL, "true when the event gave the descriptor its name", _renamed),
    _late(
        "fd.nameraw",
        TEXT,
        "path as it was passed when the file was opened; else fd.name",
        _name_as_passed,
        same=lambda segment, *_: segment.fd_row.astype(np.int64),
    ),
    _event("fd.ino", ID, "inode of a file", _fact("ino", PATHS), example="fd.ino = 1835266"),
    _event("fd.dev", ID, "device of a file", _fact("dev", PATHS)),
    _event("fd.dev.major", ID, "major number of a file's device", _fact("dev", PATHS, lambda dev: dev >> 8 & 0xFFF)),
    _event(
        "fd.dev.minor",
        ID,
        "minor number of a file's device",
        _fact("dev", PATHS, lambda dev: dev & 0xFF | dev >> 12 & 0xFFF00),
    ),
    _event(
        "fd.is_upper_layer",
        BOOL,
        "true for a file in the upper layer of an overlay: written after the image was made",
        _is_layer("FD_UPPER_LAYER"),
    ),
    _event(
        "fd.is_lower_layer",
        BOOL,
        "true for a file in the lower layer of an overlay: part of the image",
        _is_layer("FD_LOWER_LAYER"),
    ),
    _late("fd.uid", TEXT, "thread id and descriptor number in one", _uid, same=_thread_and_number),
    _late(
        "fd.containername",
        TEXT,
        "container id, colon, fd.name",
        _with_container(lambda fd: without_controls(fd.name)),
        same=thread_and_fd,
    ),
    _late(
        "fd.containerdirectory",
        TEXT,
        "container id, colon, fd.directory",
        _with_container(directory_of),
        same=thread_and_fd,
    ),
)

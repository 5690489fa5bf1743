"""Text of one raw parameter value, by its type, as sysdig prints it.

A value has two texts: the number or string itself, and what it stands for when that says more: flag names, an
errno's name, the file behind an fd, a pid's command. Encodings are those of scap-format §10.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from engine.decode.event import Event
from engine.events import DYN_TABLES, ERRNO, FD_TYPE_CHARS, FLAG_TABLES, L4_NAMES, SIGNALS, SYSCALLS, FdKind, Parameter
from engine.fields.family import process_of
from engine.fields.fd import NET
from engine.fields.resolve import fd_at, thread_at
from engine.model.facts import NO_ID, Role
from engine.model.fds import Identity
from engine.model.paths import joined
from engine.store.segment import LISTED
from engine.text import ABSENT, address, dotted, without_controls

Rendered = tuple[bytes, bytes]
"""A value's own text and what it stands for, empty when there is nothing to add."""
Renderer = Callable[[Event, bytes], Rendered]
"""Renders a raw value that is there."""

LIMIT = 80
"""Payload is cut to this many characters, an ellipsis included."""
NULL = b"NULL"
"""An address or tuple that is not there."""
CURRENT_DIRECTORY = -100
"""The fd number that stands for the working directory (AT_FDCWD)."""
UNKNOWN_BASE = b"<UNKNOWN>"
"""Stands for an unknown directory that a path starts from."""
_SIGNED = frozenset({"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "FD32", "PID", "PID32"})
NOTHING = ABSENT.encode()
"""Text of a string or number that is not there."""
_INET, _INET6, _UNIX = 2, 10, 1
_KIND_CHARS = {kind: char.encode() for kind, char in FD_TYPE_CHARS.items()}
_L4_CHARS = {number: name[:1].encode() for number, name in L4_NAMES.items() if name in ("tcp", "udp", "icmp", "raw")}


# numbers


def _decimal(raw: bytes, signed: bool) -> int:
    # Eight bytes are shown signed whatever their type says: -1 stands for "no limit".
    return int.from_bytes(raw[:8], "little", signed=signed or len(raw) >= 8)


def _number(parameter: Parameter) -> Renderer:
    if parameter.format == "HEX":
        return lambda _, raw: (b"%X" % int.from_bytes(raw[:8], "little"), b"")
    if parameter.format == "OCT":
        return lambda _, raw: (octal(int.from_bytes(raw[:8], "little")), b"")
    signed = parameter.type in _SIGNED
    return lambda _, raw: (b"%d" % _decimal(raw, signed), b"")


def octal(number: int) -> bytes:
    """Octal with a leading zero."""
    return b"0%o" % number if number else b"0"


@lru_cache(4096)
def flag_names(table: str, value: int, exact: bool) -> bytes:
    """Names of a flag value joined by bars: of all its bits, or the names that stand for just this value."""
    entries = FLAG_TABLES.get(table, ())
    if exact or not value:
        return "|".join(name for name, flag in entries if flag == value).encode()
    names = []
    left = value
    for name, flag in entries:
        if flag and left & flag == flag:
            names.append(name)
            left &= ~flag
    return "|".join(names).encode()


def _flags(parameter: Parameter) -> Renderer:
    table, exact = parameter.table or "", parameter.type.startswith("ENUM")
    show = octal if parameter.format == "OCT" else b"%d".__mod__

    def render(_: Event, raw: bytes) -> Rendered:
        value = int.from_bytes(raw, "little")
        return show(value), flag_names(table, value, exact)

    return render


def _errno(parameter: Parameter) -> Renderer:
    if parameter.format == "HEX":
        return _number(parameter)

    def render(_: Event, raw: bytes) -> Rendered:
        value = _decimal(raw, True)
        return b"%d" % value, ERRNO.get(-value, "").encode() if value < 0 else b""

    return render


def _time(_: Event, raw: bytes) -> Rendered:
    ns = _decimal(raw, True)
    return b"%d" % ns, b"%gs" % (ns / 1e9)


def _signal(_: Event, raw: bytes) -> Rendered:
    number = raw[0]
    return b"%d" % number, SIGNALS.get(number, "").encode()


def _signals(_: Event, raw: bytes) -> Rendered:
    mask = int.from_bytes(raw, "little")
    return b" ".join(SIGNALS.get(bit + 1, str(bit + 1)).encode() for bit in range(32) if mask >> bit & 1), b""


def _call(_: Event, raw: bytes) -> Rendered:
    code = int.from_bytes(raw, "little")
    return b"%d" % code, SYSCALLS[code].encode() if code < len(SYSCALLS) else b""


# threads and users


def _pid(event: Event, raw: bytes) -> Rendered:
    tid = _decimal(raw, True)
    thread = thread_at(event, tid) if tid > 0 else None
    return b"%d" % tid, (thread.comm or b"") if thread is not None else b""


def _id(event: Event, raw: bytes, group: bool) -> Rendered:
    number = int.from_bytes(raw, "little")
    if number == NO_ID:
        return b"-1", b""
    thread = event.thread
    container = thread.container if thread is not None else ""
    table = event.store.groups if group else event.store.users
    found = table.get((container, number)) or table.get(("", number))
    return b"%d" % number, found.name if found is not None else b""


# descriptors and paths


def tagged(identity: Identity) -> bytes:
    """``<f>/path``, ``<4t>client->server`` …: kind and name of what is behind an fd."""
    kind, ends = identity.kind, identity.socket
    # Of a connection without a known role only raw sockets tell their protocol.
    told = ends is not None and (
        ends.role is not Role.NONE or L4_NAMES.get(ends.l4) == "raw" or kind in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER)
    )
    protocol = _L4_CHARS.get(ends.l4, b"") if ends is not None and told and kind in NET else b""
    return b"<%s%s>%s" % (_KIND_CHARS.get(kind, b"o"), protocol, without_controls(identity.name))


def numbered(number: int, identity: Identity | None) -> Rendered:
    """A descriptor's number, and what it stood for; of a negative one the error or directory it means."""
    if number >= 0:
        return b"%d" % number, b"" if identity is None else tagged(identity)
    if number == CURRENT_DIRECTORY:
        return b"-100", b"AT_FDCWD"
    return b"%d" % number, ERRNO.get(-number, "").encode()


def _fd(place: int) -> Renderer:
    def render(event: Event, raw: bytes) -> Rendered:
        number = _decimal(raw, True)
        return numbered(number, fd_at(event, number, place) if number >= 0 else None)

    return render


def _fd_list(event: Event, raw: bytes) -> Rendered:
    shown = []
    for index, (number, flags) in enumerate(struct.iter_unpack("<qH", raw[2 : 2 + (len(raw) - 2) // 10 * 10])):
        identity = fd_at(event, number, LISTED + index)
        kind = b"?" if identity is None else _KIND_CHARS.get(identity.kind, b"o")
        shown.append(b"%d:%s%X" % (number, kind, flags))
    return b" ".join(shown), b""


def text_of(raw: bytes) -> bytes:
    """A C string up to its end; what old writers put for a missing one is shown as absent."""
    text = raw.partition(b"\0")[0]
    return NOTHING if text == b"(NULL)" else text


def placed(raw: bytes, base: bytes | None) -> Rendered:
    """A path, and where it leads from a directory, when it is relative and that is known."""
    path = text_of(raw)
    if path.startswith(b"/") or path is NOTHING or base is None:
        return path, b""
    return path, joined(base, path)


def directory_of_fd(identity: Identity | None) -> bytes:
    """The directory that paths relative to a descriptor start from."""
    return (UNKNOWN_BASE if identity is None else identity.name) + b"/"


def _path(event: Event, raw: bytes) -> Rendered:
    thread = event.thread
    return placed(raw, None if thread is None else process_of(thread, event.store).cwd)


def _relative_path(parameter: Parameter) -> Renderer:
    place = parameter.dirfd_param

    def render(event: Event, raw: bytes) -> Rendered:
        if raw.startswith(b"/") or place is None or place >= len(event.params):
            return placed(raw, None)
        number = _decimal(event.params[place] or b"", True)
        if number == CURRENT_DIRECTORY:
            return _path(event, raw)
        return placed(raw, directory_of_fd(fd_at(event, number, place)))

    return render


# texts and addresses


def _string(_: Event, raw: bytes) -> Rendered:
    return text_of(raw), b""


def shortened(raw: bytes, limit: int = LIMIT) -> bytes:
    """Payload as text, cut with an ellipsis when it is longer than the limit."""
    if len(raw) <= limit:
        return dotted(raw).encode()
    return dotted(raw[: limit - 3]).encode() + b"..."


def _payload(_: Event, raw: bytes) -> Rendered:
    return shortened(raw), b""


def _end(host: bytes, port: bytes) -> bytes:
    return b"%s:%d" % (address(host).encode(), int.from_bytes(port, "little"))


def socket_address(raw: bytes) -> bytes:
    """``127.0.0.1:80``, a path, or NULL for what is neither."""
    family = raw[0]
    if family == _INET and len(raw) >= 7:
        return _end(raw[1:5], raw[5:7])
    if family == _INET6 and len(raw) >= 19:
        return _end(raw[1:17], raw[17:19])
    if family == _UNIX:
        return raw[1:].partition(b"\0")[0]
    return NULL


_MAPPED = bytes(10) + b"\xff\xff"


def _is_v4(address: bytes) -> bool:
    return address.startswith(_MAPPED) or not any(address)


def socket_tuple(raw: bytes) -> bytes:
    """``source->destination``; an IPv6 pair that stands for an IPv4 one is shown as that."""
    family = raw[0]
    if family == _INET and len(raw) >= 13:
        return b"%s->%s" % (_end(raw[1:5], raw[5:7]), _end(raw[7:11], raw[11:13]))
    if family == _INET6 and len(raw) >= 37:
        source, destination = raw[1:17], raw[19:35]
        if _is_v4(source) and _is_v4(destination):
            source, destination = source[12:], destination[12:]
        return b"%s->%s" % (_end(source, raw[17:19]), _end(destination, raw[35:37]))
    if family == _UNIX and len(raw) >= 17:
        ends = struct.unpack_from("<QQ", raw, 1)
        return b"%x->%x %s" % (*ends, raw[17:].partition(b"\0")[0])
    return NULL


def _dynamic(parameter: Parameter, place: int) -> Renderer:
    table = DYN_TABLES.get(parameter.dyn or "", [])
    renderers = [renderer_of(Parameter("", entry["type"], entry["fmt"]), place) for entry in table]

    def render(event: Event, raw: bytes) -> Rendered:
        value = raw[1:]
        if raw[0] >= len(renderers) or not value:
            return b"", b""
        return renderers[raw[0]](event, value)

    return render


_SIMPLE: dict[str, Renderer] = {
    "RELTIME": _time,
    "SIGTYPE": _signal,
    "SIGSET": _signals,
    "SYSCALLID": _call,
    "PID": _pid,
    "PID32": _pid,
    "UID": lambda event, raw: _id(event, raw, group=False),
    "GID": lambda event, raw: _id(event, raw, group=True),
    "CHARBUF": _string,
    "BYTEBUF": _payload,
    "FDLIST": _fd_list,
    "FSPATH": _path,
    "SOCKADDR": lambda _, raw: (socket_address(raw), b""),
    "SOCKTUPLE": lambda _, raw: (socket_tuple(raw), b""),
    # Pointers of the process that wrote the capture.
    "CHARBUFARRAY": lambda *_: (b"", b""),
    "CHARBUF_PAIR_ARRAY": lambda *_: (b"", b""),
    "IPV4ADDR": lambda _, raw: (address(raw).encode(), b""),
    "IPV6ADDR": lambda _, raw: (address(raw).encode(), b""),
}


def renderer_of(parameter: Parameter, place: int) -> Renderer:
    """What renders the parameter at ``place`` of its event type."""
    kind = parameter.type
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind in ("FD", "FD32"):
        return _fd(place)
    if kind == "FSRELPATH":
        return _relative_path(parameter)
    if kind == "DYN":
        return _dynamic(parameter, place)
    if kind == "ERRNO":
        return _errno(parameter)
    if parameter.table is not None:
        return _flags(parameter)
    return _number(parameter)


def absent(parameter: Parameter) -> bytes:
    """What stands for a parameter the event has, but empty."""
    if parameter.type in ("SOCKADDR", "SOCKTUPLE"):
        return NULL
    return b"" if parameter.type in ("BYTEBUF", "FDLIST", "DYN") else NOTHING

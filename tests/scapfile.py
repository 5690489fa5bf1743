"""A writer of .scap bytes for tests: any block, of any version, well formed or not.

Every function returns ``bytes``; a capture is their concatenation::

    capture = (
        section()
        + machine(cpus=2)
        + process_list(9, [Thread(tid=10, pid=10, ptid=1, comm=b"cat", args=(b"/etc/passwd",), cwd=b"/root/")])
        + fd_list(10, [Entry(0, FdKind.FIFO, b"pipe:[12]")])
        + event(OPEN, 10, 1_000, pack(OPEN, fd=3, name="/etc/passwd", flags=1))
    )

* `section`, `machine`, `process_list`, `fd_list`, `interfaces`, `users` make the blocks of metadata from the engine's
  own facts (`Thread`, `Socket`, `Interface`, `User`, `Group`); ``version`` chooses the layout.
* `event` makes one event block from raw parameters, `pack` encodes Python values by the catalogue's parameter
  types, `sockaddr` and `socktuple` make addresses.
* `block` frames any body under any number, `renumber` gives a block another number, `LEGACY` names the pre-release
  numbers.

Layouts are those of scap-format §2 to §10. Nothing is checked: tests also need what a writer must not write.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.events import CATALOGUE, PARAM_SIZES, FdKind, Trait
from engine.model.facts import Group, Interface, Socket, Thread, User

SECTION = 0x0A0D0D0A
MACHINE = 0x201
PROCESS_LISTS = {1: 0x202, 2: 0x207, 3: 0x209, 4: 0x210, 5: 0x211, 6: 0x212, 7: 0x213, 8: 0x214, 9: 0x215}
"""Block number by version of the process list."""
FD_LISTS = {1: 0x203, 2: 0x218}
INTERFACES = {1: 0x205, 2: 0x219}
USERS = {1: 0x206, 2: 0x220}
EVENTS = {
    (1, False, False): 0x204,
    (1, True, False): 0x208,
    (2, False, False): 0x216,
    (2, True, False): 0x217,
    (2, False, True): 0x221,
    (2, True, True): 0x222,
}
"""Block number by (version, with flags, large)."""
LEGACY = {
    0x201: 0x8002ABCD,
    0x202: 0x8000ABCD,
    0x203: 0x8001ABCD,
    0x204: 0x8010ABCD,
    0x205: 0x8011ABCD,
    0x206: 0x8012ABCD,
    0x207: 0x8013ABCD,
    0x209: 0x8014ABCD,
}
"""Pre-release number of the blocks that had one."""
FULL_TAIL = 76
"""Bytes of the newest tail of a process list entry; other lengths that were written: 0, 4, 5, 29, 66, 67, 68."""


def block(kind: int, body: bytes) -> bytes:
    """Frame a body: number, length, body padded to 4, length."""
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def renumber(framed: bytes, kind: int) -> bytes:
    """The same block under another number."""
    return struct.pack("<I", kind) + framed[4:]


def section(minor: int = 2, options: bytes = b"", *, major: int = 1, magic: int = 0x1A2B3C4D) -> bytes:
    """A section header; ``options`` are raw pcapng options."""
    return block(SECTION, struct.pack("<IHHq", magic, major, minor, -1) + options)


def machine(
    *, cpus: int = 1, memory: int = 0, max_pid: int = 0, hostname: bytes = b"", boot_time: int = 0, flags: int = 0
) -> bytes:
    """Machine information, 180 bytes."""
    return block(MACHINE, struct.pack("<IQQ128sQQQQ", cpus, memory, max_pid, hostname, boot_time, flags, 0, 0))


def _string(value: bytes) -> bytes:
    return struct.pack("<H", len(value)) + value


def _list(values: Sequence[bytes]) -> bytes:
    return b"".join(value + b"\0" for value in values)


def _tail(thread: Thread, length: int) -> bytes:
    """The end of a V9 entry; more than `FULL_TAIL` bytes stand for a future writer's."""
    flags = thread.exe_flags
    capabilities = (thread.cap_inheritable or 0, thread.cap_permitted or 0, thread.cap_effective or 0)
    common = struct.pack("<IBQQQ", thread.loginuid, flags & 1, *capabilities)
    if length <= len(common):
        return common[:length]
    inode = struct.pack("<BQQQ", flags >> 1 & 1, thread.exe_ino, thread.exe_ino_ctime, thread.exe_ino_mtime)
    newest = struct.pack("<BBq", flags >> 2 & 1, flags >> 3 & 1, thread.pgid)
    tail = struct.pack("<QI", thread.pidns_init_start, thread.tty & 0xFFFFFFFF) + common + inode + newest
    return tail[:length].ljust(length, b"\xee")


def process_entry(version: int, thread: Thread, tail: int = FULL_TAIL) -> bytes:
    """One entry of a process list; ``tail`` counts the bytes after ``root`` and matters to version 9 only."""
    entry = struct.pack("<qqq", thread.tid, thread.pid, thread.ptid)
    if version >= 6:
        entry += struct.pack("<q", thread.sid)
    if version >= 8:
        entry += struct.pack("<q", thread.vpgid)
    entry += _string(thread.comm or b"") + _string(thread.exe)
    if version >= 7:
        entry += _string(thread.exepath)
    cwd = thread.cwd[:-1] if len(thread.cwd) > 1 and thread.cwd.endswith(b"/") else thread.cwd
    entry += _string(_list(thread.args)) + _string(cwd)
    entry += struct.pack("<qIII", thread.fdlimit, thread.flags, thread.uid, thread.gid)
    if version >= 2:
        entry += struct.pack("<III", thread.vm_size or 0, thread.vm_rss or 0, thread.vm_swap or 0)
        entry += struct.pack("<QQ", thread.pf_major or 0, thread.pf_minor or 0)
    if version >= 3:
        entry += _string(_list(thread.env))
    if version >= 4:
        entry += struct.pack("<qq", thread.vtid, thread.vpid) + _string(_list(thread.cgroups))
    if version >= 5:
        entry += _string(thread.root)
    if version >= 9:
        entry += _tail(thread, tail)
        entry = struct.pack("<I", len(entry) + 4) + entry
    return entry


def process_list(version: int, threads: Sequence[Thread], tail: int = FULL_TAIL) -> bytes:
    """A process list block of version 1 to 9."""
    return block(PROCESS_LISTS[version], b"".join(process_entry(version, thread, tail) for thread in threads))


@dataclass(frozen=True, slots=True)
class Entry:
    """An fd list entry."""

    number: int
    kind: int
    """`FdKind`, or a number no reader knows."""
    name: bytes = b""
    socket: Socket | None = None
    """Of the four socket kinds; a server has a destination only."""
    flags: int = 0
    dev: int = 0
    ino: int = 0


def fd_entry(version: int, entry: Entry) -> bytes:
    """One entry of an fd list."""
    body = struct.pack("<qQB", entry.number, entry.ino, entry.kind)
    if entry.socket is not None:
        body += entry.socket.source + entry.socket.destination
        if entry.kind not in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER):
            body += struct.pack("<H", entry.socket.source_port)
        body += struct.pack("<HB", entry.socket.destination_port, entry.socket.l4)
    elif entry.kind == FdKind.UNIX:
        body += bytes(16) + _string(entry.name)
    elif entry.kind == FdKind.FILE_V2:
        body += struct.pack("<I", entry.flags) + _string(entry.name)
        body += struct.pack("<I", entry.dev) if version >= 2 else b""
    else:
        body += _string(entry.name)
    return (struct.pack("<I", len(body) + 4) if version >= 2 else b"") + body


def fd_list(tid: int, entries: Sequence[Entry], version: int = 2) -> bytes:
    """An fd list block."""
    return block(FD_LISTS[version], struct.pack("<Q", tid) + b"".join(fd_entry(version, entry) for entry in entries))


def interfaces(entries: Sequence[Interface], version: int = 2, *, speeds: bool = True) -> bytes:
    """An interface list block; without ``speeds`` the entry types 3 and 4."""
    body = b""
    for each in entries:
        kind = (1 if len(each.address) == 4 else 2) + (0 if speeds else 2)
        entry = struct.pack("<HH", kind, len(each.name)) + each.address + each.netmask + each.broadcast
        entry += (struct.pack("<Q", each.speed) if speeds else b"") + each.name
        body += (struct.pack("<I", len(entry)) if version >= 2 else b"") + entry
    return block(INTERFACES[version], body)


def users(entries: Sequence[User | Group], version: int = 2) -> bytes:
    """A block of users and groups."""
    body = b""
    for each in entries:
        if isinstance(each, User):
            entry = struct.pack("<BII", 0, each.uid, each.gid)
            entry += _string(each.name) + _string(each.home) + _string(each.shell)
        else:
            entry = struct.pack("<BI", 1, each.gid) + _string(each.name)
        body += (struct.pack("<I", len(entry) + 4) if version >= 2 else b"") + entry
    return block(USERS[version], body)


def event(
    code: int,
    tid: int,
    time: int,
    params: Sequence[bytes],
    *,
    cpu: int = 0,
    version: int = 2,
    flags: int | None = None,
    large: bool | None = None,
) -> bytes:
    """One event block.

    ``code`` is a scap type number, ``time`` ns since epoch, ``flags`` dump flags (a block with flags when given).
    ``large`` chooses the LARGE block types; by default they are used where the type has 32-bit lengths.
    """
    wide = code < len(CATALOGUE) and bool(CATALOGUE[code].traits & Trait.LARGE_PAYLOAD)
    lengths = struct.pack(f"<{len(params)}{'I' if wide else 'H'}", *map(len, params))
    data = lengths + b"".join(params)
    if version == 1:
        header = struct.pack("<QQIH", time, tid & 0xFFFFFFFFFFFFFFFF, 22 + len(data), code)
    else:
        header = struct.pack("<QQIHI", time, tid & 0xFFFFFFFFFFFFFFFF, 26 + len(data), code, len(params))
    kind = EVENTS[version, flags is not None, wide and version == 2 if large is None else large]
    dump = b"" if flags is None else struct.pack("<I", flags)
    return block(kind, struct.pack("<H", cpu) + dump + header + data)


def _encode(kind: str, value: Any) -> bytes:
    if value is None:
        return b""
    if kind in ("CHARBUF", "FSPATH", "FSRELPATH"):
        return (value.encode() if isinstance(value, str) else bytes(value)) + b"\0"
    if kind == "FDLIST":
        return struct.pack("<H", len(value)) + b"".join(struct.pack("<qh", fd, poll) for fd, poll in value)
    if kind == "DYN":
        alternative, raw = value
        return bytes((alternative,)) + bytes(raw)
    if isinstance(value, bytes):
        return value
    if kind == "DOUBLE":
        return struct.pack("<d", value)
    if kind in PARAM_SIZES:
        size = PARAM_SIZES[kind]
        return (int(value) & (1 << 8 * size) - 1).to_bytes(size, "little")
    return _list([item.encode() if isinstance(item, str) else bytes(item) for item in value])


def pack(code: int, count: int | None = None, /, **values: Any) -> list[bytes]:
    """The raw parameters of an event type, encoded by the catalogue's types.

    ``count`` parameters are made (an older layout), the catalogue's number by default; one that is not named is
    empty, which means absent. Values by type: integers; text or bytes for strings (the NUL is added); bytes, or a
    sequence of strings, for buffers; bytes (see `sockaddr`, `socktuple`) for addresses; pairs of fd and poll flags
    for FDLIST; (alternative, bytes) for DYN. Bytes given for a number are taken as they are.
    """
    params = CATALOGUE[code].params[:count]
    unknown = values.keys() - {param.name for param in params}
    if unknown:
        raise TypeError(f"{CATALOGUE[code].name} ({code}) has no parameter {', '.join(sorted(unknown))}")
    return [_encode(param.type, values.get(param.name)) for param in params]


def sockaddr(address: str, port: int = 0) -> bytes:
    """A SOCKADDR value: an IPv4 or IPv6 address and port, or a path (anything that begins with a slash)."""
    if address.startswith("/"):
        return b"\x01" + address.encode() + b"\0"
    packed = ipaddress.ip_address(address).packed
    return (b"\x02" if len(packed) == 4 else b"\x0a") + packed + struct.pack("<H", port)


def socktuple(source: str, source_port: int, destination: str, destination_port: int) -> bytes:
    """A SOCKTUPLE value of an IPv4 or IPv6 pair."""
    return sockaddr(source, source_port) + sockaddr(destination, destination_port)[1:]


def unix_tuple(path: str, source: int = 0, destination: int = 0) -> bytes:
    """A SOCKTUPLE value of a unix socket; the numbers are kernel addresses."""
    return b"\x01" + struct.pack("<QQ", source, destination) + path.encode() + b"\0"

"""The blocks of a capture that are no events: machine, processes, fds, interfaces, users.

Owns their layouts in every version (scap-format §4 to §8) and turns them into the model's facts, entry by entry, so
that those before a damaged entry are kept. Framing of blocks is ``scap``'s, what the facts mean the decoder's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.events import FdKind
from engine.model.facts import Group, Interface, Machine, Role, Socket, Thread, User


class MalformedError(Exception):
    """A body contradicts itself."""

    def __init__(self, at: int, expected: str) -> None:
        """``at`` is an index in the body, ``expected`` what should be there and what is."""
        super().__init__(expected)
        self.at = at


class Body:
    """The bytes of a block or of one entry, read from front to back."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        """Read ``data`` from index ``at`` up to ``end``, or all of it."""
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if size > self.left:
            raise MalformedError(self.at, f"expected {size} more bytes of the entry, found {self.left}")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next numbers."""
        return layout.unpack(self.take(layout.size))

    def number(self, layout: struct.Struct) -> int:
        """The next number."""
        (value,) = self.numbers(layout)
        return int(value)

    def string(self) -> bytes:
        """The next string behind its 16-bit length."""
        return self.take(self.number(U16))

    def strings(self) -> tuple[bytes, ...]:
        """The next string, cut at its NULs; the last part may lack one."""
        parts = self.string().split(b"\0")
        return tuple(parts if parts[-1] else parts[:-1])

    def entries(self, prefixed: bool, counts_itself: bool = True) -> Iterator[Body]:
        """The entries of a list; lists have no count, up to 3 bytes of padding are left at their end.

        ``prefixed`` entries begin with their length and end there whatever was read of them.
        """
        while self.left >= U32.size:
            if not prefixed:
                yield self
                continue
            start = self.at
            end = start + self.number(U32) + (0 if counts_itself else U32.size)
            if not self.at <= end <= self.end:
                raise MalformedError(start, f"expected an entry of up to {self.end - start} bytes, found {end - start}")
            yield Body(self.data, self.at, end)
            self.at = end


U8 = struct.Struct("<B")
U16 = struct.Struct("<H")
U32 = struct.Struct("<I")
I64 = struct.Struct("<q")
U64 = struct.Struct("<Q")

_MACHINE = struct.Struct("<IQQ128sQ")
_IDS = struct.Struct("<qqq")
_LIMITS = struct.Struct("<qIII")
_MEMORY = struct.Struct("<IIIQQ")
_INNER_IDS = struct.Struct("<qq")
_TAIL = (
    ("loginuid", U32),
    ("exe_writable", U8),
    ("cap_inheritable", U64),
    ("cap_permitted", U64),
    ("cap_effective", U64),
)
_TAIL_SIZE = sum(layout.size for _, layout in _TAIL)
_LONG_TAIL = (
    ("pidns_init_start", U64),
    ("tty", U32),
    *_TAIL,
    ("exe_upper_layer", U8),
    ("exe_ino", U64),
    ("exe_ino_ctime", U64),
    ("exe_ino_mtime", U64),
    ("exe_from_memfd", U8),
    ("exe_lower_layer", U8),
    ("pgid", I64),
)
_EXE_FLAGS = ("exe_writable", "exe_upper_layer", "exe_from_memfd", "exe_lower_layer")
"""From bit 0 of ``Thread.exe_flags`` on."""


def machine(data: bytes) -> Machine:
    """A machine block (§4)."""
    cpus, memory, max_pid, hostname, boot_time = Body(data).numbers(_MACHINE)
    return Machine(cpus, memory, max_pid, hostname.split(b"\0")[0], boot_time)


def threads(data: bytes, version: int) -> Iterator[Thread]:
    """The entries of a process list of version 1 to 9 (§5)."""
    for entry in Body(data).entries(version >= 9):
        yield _thread(entry, version)


def _thread(entry: Body, version: int) -> Thread:
    thread = Thread(*entry.numbers(_IDS))
    if version >= 6:
        thread.sid = entry.number(I64)
    if version >= 8:
        thread.vpgid = entry.number(I64)
    thread.comm = entry.string()
    thread.exe = entry.string()
    if version >= 7:
        thread.exepath = entry.string()
    thread.args = entry.strings()
    thread.cwd = entry.string().rstrip(b"/") + b"/"
    thread.fdlimit, thread.flags, thread.uid, thread.gid = entry.numbers(_LIMITS)
    if version >= 2:
        memory = entry.numbers(_MEMORY)
        thread.vm_size, thread.vm_rss, thread.vm_swap, thread.pf_major, thread.pf_minor = memory
    if version >= 3:
        thread.env = entry.strings()
    if version >= 4:
        thread.vtid, thread.vpid = entry.numbers(_INNER_IDS)
        thread.cgroups = entry.strings()
    if version >= 5:
        thread.root = entry.string()
    if version >= 9:
        _read_tail(entry, thread)
    return thread


def _read_tail(entry: Body, thread: Thread) -> None:
    """What follows the root: as many facts as the writer knew, in an order that their size tells."""
    facts: dict[str, int] = {}
    for name, layout in _LONG_TAIL if entry.left > _TAIL_SIZE else _TAIL:
        if entry.left < layout.size:
            break
        facts[name] = entry.number(layout)
    for bit, name in enumerate(_EXE_FLAGS):
        thread.exe_flags |= bool(facts.pop(name, 0)) << bit
    capabilities = ("cap_inheritable", "cap_permitted", "cap_effective")
    # A capture saved again by the reference library has zeros here, whatever its source told.
    if facts.get("pidns_init_start") == 0 and not any(facts.get(name) for name in capabilities):
        facts = {name: value for name, value in facts.items() if name not in capabilities}
    for name, value in facts.items():
        setattr(thread, name, value)


class FdEntry(NamedTuple):
    """An entry of an fd list, in the order ``Decoder.fd`` takes it after the tid."""

    number: int
    kind: FdKind
    name: bytes
    socket: Socket | None
    flags: int
    dev: int
    ino: int


_FD = struct.Struct("<qQB")
_ADDRESS_SIZE = {FdKind.IPV4: 4, FdKind.IPV6: 16, FdKind.IPV4_SERVER: 4, FdKind.IPV6_SERVER: 16}
_PORTS = struct.Struct("<HHB")
_PORT = struct.Struct("<HB")
_UNIX_ADDRESSES = 16
_FD_KINDS = frozenset(FdKind)


def fds(data: bytes, version: int) -> Iterator[tuple[int, FdEntry]]:
    """The entries of an fd list of version 1 or 2 with their tid (§6)."""
    body = Body(data)
    tid = body.number(I64)
    for entry in body.entries(version >= 2):
        yield tid, _fd(entry, version)


def _fd(entry: Body, version: int) -> FdEntry:
    number, ino, code = entry.numbers(_FD)
    if code not in _FD_KINDS:
        if version < 2:
            raise MalformedError(
                entry.at - 1, f"expected a known fd type, found {code}: the rest of the list is left out"
            )
        return FdEntry(number, FdKind.UNSUPPORTED, b"", None, 0, 0, ino)
    kind = FdKind(code)
    size = _ADDRESS_SIZE.get(kind)
    if size is None:
        flags = entry.number(U32) if kind is FdKind.FILE_V2 else 0
        if kind is FdKind.UNIX:
            entry.take(_UNIX_ADDRESSES)
        name = entry.string()
        dated = kind is FdKind.FILE_V2 and version >= 2 and entry.left >= U32.size
        return FdEntry(number, kind, name, None, flags, entry.number(U32) if dated else 0, ino)
    if kind in (FdKind.IPV4_SERVER, FdKind.IPV6_SERVER):
        address = entry.take(size)
        port, l4 = entry.numbers(_PORT)
        socket = Socket(b"", 0, address, port, l4, Role.NONE)
    else:
        source, destination = entry.take(size), entry.take(size)
        source_port, destination_port, l4 = entry.numbers(_PORTS)
        socket = Socket(source, source_port, destination, destination_port, l4, Role.NONE)
    return FdEntry(number, kind, b"", socket, 0, 0, ino)


_INTERFACE = struct.Struct("<HH")
_INTERFACE_TYPES = {1: (4, True), 2: (16, True), 3: (4, False), 4: (16, False)}
"""Address size, and whether the speed is told."""


def interfaces(data: bytes, version: int) -> Iterator[Interface]:
    """The entries of an interface list of version 1 or 2 (§7)."""
    for entry in Body(data).entries(version >= 2, counts_itself=False):
        yield _interface(entry)


def _interface(entry: Body) -> Interface:
    kind, name_size = entry.numbers(_INTERFACE)
    if kind not in _INTERFACE_TYPES:
        raise MalformedError(entry.at - _INTERFACE.size, f"expected an interface type from 1 to 4, found {kind}")
    size, has_speed = _INTERFACE_TYPES[kind]
    address, netmask, broadcast = entry.take(size), entry.take(size), entry.take(size)
    speed = entry.number(U64) if has_speed else 0
    return Interface(entry.take(name_size), address, netmask, broadcast, speed)


def interfaces_end(data: bytes) -> int | None:
    """Size of a version 2 interface list whose length counts too few bytes; None when that is not what is wrong.

    Saving a capture that has the old interface list again makes such blocks (§7): their entries go on past the end
    their length tells, and the same length follows the last. ``data`` begin with the block and go on behind it.
    """
    body = Body(data, 4)
    length = body.number(U32)
    while True:
        end = body.at + -body.at % 4 + U32.size
        if end > length and data[end - U32.size : end] == U32.pack(length):
            return end
        try:
            entry_end = body.number(U32) + body.at
            _interface(Body(data, body.at, min(entry_end, len(data))))
        except MalformedError:
            return None
        body.at = entry_end


_USER = struct.Struct("<II")


def users(data: bytes, version: int) -> Iterator[User | Group]:
    """The entries of a user list of version 1 or 2 (§8)."""
    for entry in Body(data).entries(version >= 2):
        kind = entry.number(U8)
        if kind == 0:
            uid, gid = entry.numbers(_USER)
            yield User(uid, gid, entry.string(), entry.string(), entry.string())
        elif kind == 1:
            yield Group(entry.number(U32), entry.string())
        elif version < 2:
            raise MalformedError(entry.at - 1, f"expected 0 (a user) or 1 (a group), found {kind}")

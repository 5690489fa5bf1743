"""Writes .scap files that every generation of readers opens (scap-format §13).

Owns the blocks of a file: facts are collected as a sink is told them, and written in front of the first events;
events become pairs of enter and exit. When a file is begun and ended is the caller's business.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from gzip import GzipFile
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.decode.pairs import Pairs
from engine.events import SYSCALLS, FdKind
from engine.model.facts import Group, Interface, Machine, Role, Socket, Thread, User
from engine.sources.sink import FactSink

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

GZIP_LEVEL = 6
"""How hard it is tried to make a compressed file small, 1 to 9."""
OLD_CODES = 328
"""Greatest generic call code sysdig 0.29.3 survives."""
OLD_KINDS = FdKind.FILE_V2
"""Greatest fd kind it opens a file with."""
_ADDRESSES = {FdKind.IPV4: 4, FdKind.IPV6: 16, FdKind.IPV4_SERVER: 4, FdKind.IPV6_SERVER: 16}
_LONG, _PATH = 4096, 1024
"""Bytes readers take of lists of strings, and of paths."""


class Facts:
    """What a capture begins with, collected: a sink that takes no events."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._interfaces: list[Interface] = []
        self._users: list[User | Group] = []
        self.threads: list[Thread] = []
        self._fds: dict[int, list[tuple[int, FdKind, bytes, Socket | None, int, int, int]]] = {}

    def machine(self, machine: Machine) -> None:
        """The machine of the file."""
        self._machine = machine

    def thread(self, thread: Thread) -> None:
        """A thread that is there at the beginning."""
        self.threads.append(thread)

    def former(self, threads: Mapping[int, Thread]) -> None:
        """Files list only who is there."""

    def fd(
        self, tid: int, number: int, kind: FdKind, name: bytes, socket: Socket | None, flags: int, dev: int, ino: int
    ) -> None:
        """An fd that is open at the beginning."""
        self._fds.setdefault(tid, []).append((number, kind, name, socket, flags, dev, ino))

    def interface(self, interface: Interface) -> None:
        """A network interface."""
        self._interfaces.append(interface)

    def user(self, user: User) -> None:
        """A user."""
        self._users.append(user)

    def group(self, group: Group) -> None:
        """A group."""
        self._users.append(group)

    def repeat(self, sink: FactSink, *, threads: bool = True) -> None:
        """Tell a sink the same, or the same but for threads and their fds."""
        if self._machine is not None:
            sink.machine(self._machine)
        for interface in self._interfaces:
            sink.interface(interface)
        for user in self._users:
            sink.group(user) if isinstance(user, Group) else sink.user(user)
        if not threads:
            return
        for thread in self.threads:
            sink.thread(thread)
        for tid, entries in self._fds.items():
            for entry in entries:
                sink.fd(tid, *entry)

    def blocks(self, old: bool) -> bytes:
        """The blocks in front of the events; ``old`` leaves out what sysdig 0.29.3 refuses a file for."""
        machine = self._machine or Machine(0, 0, 0, b"", 0)
        pieces = [
            _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 2, -1)),
            _block(0x201, struct.pack("<IQQ128sQQQQ", *machine, 0, 0, 0)),
            _block(0x219, b"".join(map(_interface, self._interfaces))),
            _block(0x220, b"".join(map(_user, self._users))),
            _block(0x215, b"".join(map(_thread, self.threads))),
        ]
        for thread in self.threads:
            entries = self._fds.get(thread.tid, []) if thread.is_main else []
            kept = [_fd(*entry) for entry in entries if not old or entry[1] <= OLD_KINDS]
            pieces.append(_block(0x218, struct.pack("<q", thread.tid) + b"".join(kept)))
        return b"".join(pieces)


class _Counted(BufferedWriter):
    """Knows how many bytes were written to it."""

    written = 0

    def write(self, data: ReadableBuffer) -> int:
        self.written += memoryview(data).nbytes
        return super().write(data)


class ScapFile:
    """A file being written."""

    def __init__(
        self, path: Path, facts: Facts, *, compress: bool = False, old: bool = False, single: bool = True
    ) -> None:
        """Create the file and write ``facts``. Raises OSError.

        ``old``: also for sysdig 0.29.3, which dies of newer call codes and fd kinds. ``single``: events are one exit
        a call, and each gets an enter; else they have theirs.
        """
        self._single = single
        self._counted = _Counted(FileIO(path, "wb"))
        self._file: GzipFile | _Counted = self._counted
        if compress:
            self._file = GzipFile(path, "wb", GZIP_LEVEL, self._counted)
        self._old = old
        self._pairs = Pairs(OLD_CODES if old else len(SYSCALLS), old)
        self.section(facts)
        self.flush()
        self._begin = self._counted.written

    @property
    def size(self) -> int:
        """Bytes the file grew by, compressed ones of a compressed file, behind what it begins with."""
        return self._counted.written - self._begin

    def section(self, facts: Facts) -> None:
        """Begin a section with what is known. Raises OSError."""
        self._file.write(facts.blocks(self._old))

    def events(
        self,
        view: memoryview,
        latencies: NDArray[np.int64],
        starts: NDArray[np.int64] | None = None,
        hidden: NDArray[np.uint8] | None = None,
    ) -> None:
        """Write event blocks (``Pairs.blocks``). Raises OSError."""
        enters = latencies if self._single else np.full(len(latencies), -1, np.int64)
        blocks = self._pairs.blocks(view, enters, starts, hidden)
        self._file.write(blocks)

    def flush(self) -> None:
        """Hand what was written to the system: a kill leaves a file that opens up to here. Raises OSError."""
        self._file.flush()

    def close(self) -> None:
        """Finish the file. Raises OSError."""
        try:
            self._file.close()
        finally:
            # A compressor leaves the file it writes to open.
            self._counted.close()


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _string(value: bytes, most: int = _PATH) -> bytes:
    value = value[: most - 1]
    return struct.pack("<H", len(value)) + value


def _strings(values: Iterable[bytes]) -> bytes:
    return _string(b"".join(value + b"\0" for value in values), _LONG)


def _prefixed(entry: bytes) -> bytes:
    return struct.pack("<I", len(entry) + 4) + entry


def _interface(interface: Interface) -> bytes:
    kind = 1 if len(interface.address) == 4 else 2
    entry = struct.pack("<HH", kind, len(interface.name)) + interface.address + interface.netmask
    entry += interface.broadcast + struct.pack("<Q", interface.speed) + interface.name
    return struct.pack("<I", len(entry)) + entry


def _user(user: User | Group) -> bytes:
    if isinstance(user, Group):
        return _prefixed(struct.pack("<BI", 1, user.gid) + _string(user.name, 256))
    texts = b"".join(_string(text, 256) for text in (user.name, user.home, user.shell))
    return _prefixed(struct.pack("<BII", 0, user.uid, user.gid) + texts)


def _fitted(layout: str, *values: int | None) -> bytes:
    """Numbers, 0 for what is unknown; one that does not fit becomes the nearest that does: a program may have mapped
    more KiB than 32 bits can tell."""
    packed = b""
    for kind, value in zip(layout, values, strict=True):
        bits = 8 * struct.calcsize(f"<{kind}")
        least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind.islower() else (0, 2**bits - 1)
        packed += struct.pack(f"<{kind}", min(max(value or 0, least), most))
    return packed


def _thread(thread: Thread) -> bytes:
    cwd = thread.cwd[:-1] if len(thread.cwd) > 1 and thread.cwd.endswith(b"/") else thread.cwd
    entry = _fitted("qqqqq", thread.tid, thread.pid, thread.ptid, thread.sid, thread.vpgid)
    entry += _string(thread.comm or b"") + _string(thread.exe) + _string(thread.exepath) + _strings(thread.args)
    entry += _string(cwd) + _fitted("qIII", thread.fdlimit, thread.flags, thread.uid, thread.gid)
    entry += _fitted("IIIQQ", thread.vm_size, thread.vm_rss, thread.vm_swap, thread.pf_major, thread.pf_minor)
    entry += _strings(thread.env)
    entry += _fitted("qq", thread.vtid, thread.vpid) + _strings(thread.cgroups) + _string(thread.root)
    # The short tail, which begins with the login user, is the one that every reader understands.
    capabilities = (thread.cap_inheritable, thread.cap_permitted, thread.cap_effective)
    return _prefixed(entry + _fitted("IBQQQ", thread.loginuid, thread.exe_flags & 1, *capabilities))


def _fd(number: int, kind: FdKind, name: bytes, socket: Socket | None, flags: int, dev: int, ino: int) -> bytes:
    entry = struct.pack("<qQB", number, ino, kind)
    if (size := _ADDRESSES.get(kind)) is not None:
        source, source_port, destination, port, l4, _ = socket or Socket(b"", 0, b"", 0, 0, Role.NONE)
        # Ends of a socket that is not connected, or of which one end is unknown, are zeros.
        destination = destination.rjust(size, b"\0")[:size]
        if kind in (FdKind.IPV4, FdKind.IPV6):
            source = source.rjust(size, b"\0")[:size]
            entry += source + destination + struct.pack("<HHB", source_port, port, l4)
        else:
            entry += destination + struct.pack("<HB", port, l4)
    elif kind == FdKind.UNIX:
        entry += bytes(16) + _string(name)
    elif kind == FdKind.FILE_V2:
        entry += struct.pack("<I", flags) + _string(name) + struct.pack("<I", dev)
    else:
        entry += _string(name)
    return _prefixed(entry)

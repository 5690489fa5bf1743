"""The machine as it is right now, from ``/proc``: threads, fds, interfaces, users.

Owns reading; what cannot be read (a process that ended meanwhile, one we may not look into) is left out without a
word, as it would be had it ended a moment earlier. What happens while the picture is taken is in the ring already.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import socket
import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass

from engine.events import FLAG_TABLES, FdKind
from engine.model.facts import NO_ID, Group, Interface, Machine, Role, Socket, Thread, User
from engine.sources.live.flags import FLAGS
from engine.sources.sink import FactSink

ENVIRONMENT = 4096
"""Bytes kept of arguments and of environments, as the kernel side keeps them."""
_CLONE_THREAD = {name: value for name, value in FLAG_TABLES["clone_flags"]}
_OF_THREAD = sum(_CLONE_THREAD[name] for name in ("CLONE_THREAD", "CLONE_FILES", "CLONE_FS", "CLONE_VM"))
_KINDS = {
    b"[eventfd]": FdKind.EVENT, b"[eventpoll]": FdKind.EVENTPOLL, b"inotify": FdKind.INOTIFY,
    b"[signalfd]": FdKind.SIGNALFD, b"[timerfd]": FdKind.TIMERFD, b"[io_uring]": FdKind.IOURING,
    b"[userfaultfd]": FdKind.USERFAULTFD, b"[pidfd]": FdKind.PIDFD,
}  # fmt: skip
_OF_PROCESS = ("exe", "args", "env", "cwd", "root", "exepath", "fdlimit", "cgroups", "loginuid")
"""Facts that are read once a process."""
_TCP, _UDP, _ICMP, _RAW = 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class _Open:
    """What an fd of a socket is."""

    kind: FdKind
    name: bytes
    ends: Socket | None


def take(sink: FactSink) -> None:
    """Hand all there is to ``sink``; our own process too, for its children have its fds."""
    sink.machine(machine())
    for interface in interfaces():
        sink.interface(interface)
    for user in pwd.getpwall():
        sink.user(User(user.pw_uid, user.pw_gid, *(os.fsencode(text) for text in user[0:1] + user[5:7])))
    for group in grp.getgrall():
        sink.group(Group(group.gr_gid, os.fsencode(group.gr_name)))
    leaders = []
    for thread in threads():
        sink.thread(thread)
        leaders += [thread.pid] * thread.is_main
    sockets: dict[str, dict[int, _Open]] = {}
    for pid in leaders:
        for entry in _fds(pid, sockets):
            sink.fd(pid, *entry)


def threads(known: Container[int] = ()) -> Iterator[Thread]:
    """All threads of all processes but the known, the main one of each before its others."""
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid not in known:
            yield from _threads(pid)


def machine() -> Machine:
    """The machine itself."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    boot = int(re.search(rb"^btime (\d+)", _read("/proc/stat"), re.M)[1])  # type: ignore[index]
    max_pid = int(_read("/proc/sys/kernel/pid_max"))
    return Machine(os.cpu_count() or 1, memory, max_pid, os.fsencode(os.uname().nodename), boot * 10**9)


def interfaces() -> Iterator[Interface]:
    """The network interfaces' addresses, IPv4 by request to the kernel, IPv6 from ``/proc/net/if_inet6``."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            values = []
            for request in (0x8915, 0x891B, 0x8919):  # address, mask, broadcast
                asked = struct.pack("16s240x", os.fsencode(name)[:15])
                try:
                    values.append(fcntl.ioctl(asking, request, asked)[20:24])
                except OSError:
                    values.append(b"")
            if values[0]:
                yield Interface(os.fsencode(name), values[0], values[1] or bytes(4), values[2] or bytes(4), 0)
    with contextlib.suppress(OSError):
        for line in _read("/proc/net/if_inet6").splitlines():
            address, _, prefix, _, _, name6 = line.split()
            mask = ((1 << 128) - (1 << 128 - int(prefix, 16))).to_bytes(16, "big")
            yield Interface(name6, bytes.fromhex(address.decode()), mask, bytes(16), 0)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _some(path: str, most: int) -> bytes:
    try:
        # Buffered: one call of read gives a page of a list such as those of sockets.
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def _link(path: str) -> bytes:
    try:
        return os.readlink(os.fsencode(path))
    except OSError:
        return b""


def _strings(text: bytes) -> tuple[bytes, ...]:
    return tuple(text.removesuffix(b"\0").split(b"\0")) if text else ()


def _cgroups(text: bytes) -> tuple[bytes, ...]:
    """``subsystem=path`` for every hierarchy; that of version 2, which has no name, is called unified."""
    found = []
    for line in text.splitlines():
        _, _, rest = line.partition(b":")
        names, _, path = rest.partition(b":")
        found += [(name or b"unified") + b"=" + path for name in names.split(b",")]
    return tuple(found)


def _threads(pid: int) -> Iterator[Thread]:
    """The main thread, then the others of a process; nothing when it is gone."""
    place = f"/proc/{pid}"
    try:
        main = _thread(pid, pid, f"{place}/task/{pid}")
        main.cgroups = _cgroups(_some(f"{place}/cgroup", 16384))
        main.loginuid = int(_some(f"{place}/loginuid", 16) or NO_ID)
        others = [int(name) for name in os.listdir(f"{place}/task") if name != str(pid)]
    except (OSError, ValueError, IndexError):
        return
    arguments = _strings(_some(f"{place}/cmdline", ENVIRONMENT))
    main.exe, main.args = (arguments[0], arguments[1:]) if arguments else (b"", ())
    main.env = _strings(_some(f"{place}/environ", ENVIRONMENT))
    cwd = _link(f"{place}/cwd")
    main.cwd = cwd if cwd.endswith(b"/") or not cwd else cwd + b"/"
    main.root = _link(f"{place}/root")
    main.exepath = _link(f"{place}/exe").removesuffix(b" (deleted)")
    limit = re.search(rb"^Max open files +(\d+)", _some(f"{place}/limits", 4096), re.M)
    main.fdlimit = int(limit[1]) if limit else 0
    yield main
    for tid in others:
        try:
            thread = _thread(pid, tid, f"{place}/task/{tid}")
        except (OSError, ValueError, IndexError):
            continue
        thread.flags = _OF_THREAD
        for name in _OF_PROCESS:
            setattr(thread, name, getattr(main, name))
        yield thread


def _thread(pid: int, tid: int, place: str) -> Thread:
    told = {}
    for line in _read(f"{place}/status").splitlines():
        key, _, value = line.partition(b":\t")
        told[key] = value
    # The name may hold anything, brackets and blanks too: it ends at the last bracket, and numbers follow.
    named, _, numbers = _read(f"{place}/stat").rpartition(b")")
    stat = numbers.split()
    inner = told.get(b"NSpid", told[b"Pid"]).split()

    def kilobytes(key: bytes) -> int | None:
        return int(told[key].split()[0]) if key in told else None

    return Thread(
        tid=tid,
        pid=pid,
        ptid=int(told[b"PPid"]) if tid == pid else pid,
        comm=named.partition(b"(")[2],
        uid=int(told[b"Uid"].split()[1]),
        gid=int(told[b"Gid"].split()[1]),
        vtid=int(inner[-1]),
        vpid=int(told.get(b"NStgid", told[b"Tgid"]).split()[-1]),
        sid=int(stat[3]),
        pgid=int(stat[2]),
        vpgid=int(told.get(b"NSpgid", stat[2]).split()[-1]),
        tty=int(stat[4]) & 0xFFFFFFFF,
        vm_size=kilobytes(b"VmSize"),
        vm_rss=kilobytes(b"VmRSS"),
        vm_swap=kilobytes(b"VmSwap"),
        pf_minor=int(stat[7]),
        pf_major=int(stat[9]),
        cap_inheritable=int(told[b"CapInh"], 16),
        cap_permitted=int(told[b"CapPrm"], 16),
        cap_effective=int(told[b"CapEff"], 16),
    )


_Entry = tuple[int, FdKind, bytes, "Socket | None", int, int, int]


def _fds(pid: int, sockets: dict[str, dict[int, _Open]]) -> Iterator[_Entry]:
    """Number, kind, name, ends, flags, device and inode of each fd of a process."""
    place = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(place)
    except OSError:
        return
    for number in numbers:
        name = _link(f"{place}/{number}")
        kind, ends, flags, dev, ino = FdKind.UNSUPPORTED, None, 0, 0, 0
        if name.startswith(b"/"):
            try:
                facts = os.stat(f"{place}/{number}")
            except OSError:
                continue
            kind = FdKind.DIRECTORY if facts.st_mode & 0o170000 == 0o040000 else FdKind.FILE_V2
            if name.startswith(b"/memfd:"):
                kind, name = FdKind.MEMFD, name.removeprefix(b"/memfd:").removesuffix(b" (deleted)")
            flags, ino = _open_flags(pid, number), facts.st_ino
            major, minor = os.major(facts.st_dev), os.minor(facts.st_dev)
            dev = minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
        elif name.startswith(b"pipe:["):
            kind, ino = FdKind.FIFO, int(name[6:-1])
        elif name.startswith(b"socket:["):
            space = os.fsdecode(_link(f"/proc/{pid}/ns/net"))
            if space not in sockets:
                sockets[space] = _sockets(f"/proc/{pid}/net")
            ino = int(name[8:-1])
            known = sockets[space].get(ino)
            if known:
                kind, name, ends = known.kind, known.name, known.ends
        elif name.startswith(b"anon_inode:"):
            what = name.removeprefix(b"anon_inode:")
            kind = _KINDS.get(what, FdKind.BPF if what.startswith(b"bpf") else FdKind.UNSUPPORTED)
        elif not name:
            continue
        yield int(number), kind, name, ends, flags, dev, ino


def _open_flags(pid: int, number: str) -> int:
    found = re.search(rb"^flags:\t(\d+)", _some(f"/proc/{pid}/fdinfo/{number}", 256), re.M)
    linux = int(found[1], 8) if found else 0
    flags = 0
    for mask, value, told in FLAGS["file_flags"]:
        flags |= told if linux & mask == value else 0
    return flags if found else 0


def _sockets(place: str) -> dict[int, _Open]:
    """The sockets of one network namespace by inode."""
    found: dict[int, _Open] = {}
    for name, l4 in (("tcp", _TCP), ("udp", _UDP), ("icmp", _ICMP), ("raw", _RAW)):
        for version in ("", "6"):
            for line in _some(f"{place}/{name}{version}", 1 << 26).splitlines()[1:]:
                words = line.split()
                with contextlib.suppress(ValueError, IndexError):
                    found[int(words[9])] = _inet(words, l4, bool(version))
    for line in _some(f"{place}/unix", 1 << 26).splitlines()[1:]:
        words = line.split(None, 7)
        with contextlib.suppress(ValueError, IndexError):
            path = words[7] if len(words) > 7 else b""
            found[int(words[6])] = _Open(FdKind.UNIX, path.removeprefix(b"@"), None)
    for line in _some(f"{place}/netlink", 1 << 26).splitlines()[1:]:
        words = line.split()
        with contextlib.suppress(ValueError, IndexError):
            found[int(words[9])] = _Open(FdKind.NETLINK, b"", None)
    return found


def _address(text: bytes) -> tuple[bytes, int]:
    """``0100007F:1F90``: address words in host order, port."""
    host, _, port = text.partition(b":")
    words = bytes.fromhex(host.decode())
    order = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return order, int(port, 16)


def _inet(words: list[bytes], l4: int, six: bool) -> _Open:
    (source, source_port), (destination, destination_port) = _address(words[1]), _address(words[2])
    if not any(destination) and not destination_port and (l4 != _TCP or words[3] == b"0A"):
        kind = FdKind.IPV6_SERVER if six else FdKind.IPV4_SERVER
        return _Open(kind, b"", Socket(b"", 0, source, source_port, l4, Role.NONE))
    kind = FdKind.IPV6 if six else FdKind.IPV4
    return _Open(kind, b"", Socket(source, source_port, destination, destination_port, l4, Role.NONE))

"""A pretend machine: tasks make calls on their own clocks, and what they did becomes a capture.

Owns the clocks, process and fd numbers, CPU samples and the encoding; the story told with it is someone
else's (the rest of this package). Calls are written as enter and full-size exit, so that every generation of
readers understands them (scap-format §13). Times are ns since the scene's start.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.events import CATALOGUE, PARAM_SIZES, FdKind
from engine.model.facts import Group, Interface, Role, Socket, Thread, User
from tests.scapfile import Entry, event, fd_list, interfaces, machine, pack, process_list, section, users

US, MS, SECOND = 1_000, 1_000_000, 1_000_000_000
TICK = 10 * MS
RDONLY, WRONLY, RDWR, CREAT, APPEND, TRUNC, DIRECTORY, CLOEXEC = 1, 2, 3, 4, 8, 256, 1024, 4096
CLONE_THREAD = 8192 | 1
"""Flags of a thread that shares its process's fds."""
AT_FDCWD = -100
SYNTHETIC = 0xFFFFFFFFFFFFFFFF
"""Thread id of events that no thread made."""
SWITCH, PROCEXIT, SIGNAL, PROCINFO, CONTAINER = 152, 186, 232, 234, 324
SNAPLEN = 160
OLD_TAIL = 29
"""The process list tail that the oldest readers in use understand as well."""


def _codes() -> dict[str, int]:
    """Enter code of each call by name, the newest that readers of 2022 know."""
    return {kind.name: code for code, kind in enumerate(CATALOGUE[:336]) if kind.is_syscall and not code % 2}


CODES = _codes()


def _pack(code: int, values: dict[str, Any]) -> list[bytes]:
    """Every parameter of a type at its full size: those not given are zero or empty."""
    given = {}
    for param in CATALOGUE[code].params:
        default: Any = 0 if param.type in PARAM_SIZES else b""
        given[param.name] = values.get(param.name, default)
    return pack(code, **given)


class Task:
    """A thread and its clock; `call` and what is built on it move the clock on."""

    def __init__(self, scene: Scene, facts: Thread, cpu: int, now: int = 0) -> None:
        self.scene = scene
        self.facts = facts
        self.cpu = cpu
        self.now = now
        self.fds = {0, 1, 2}
        self.busy: list[tuple[int, int, int]] = []
        """(time, user ns, system ns) spent."""
        self.born = now
        self.ended: int | None = None
        scene.tasks.append(self)

    def emit(self, code: int, values: dict[str, Any]) -> None:
        """One event of this task, now."""
        self.scene.add(self.now, self.facts.tid, code, _pack(code, values), self.cpu)

    def call(self, name: str, /, *, took: int = 2 * US, **values: Any) -> None:
        """A call with the parameters of its enter and exit; ``took`` is its latency."""
        code = CODES[name]
        known = {param.name for side in (code, code + 1) for param in CATALOGUE[side].params}
        assert values.keys() <= known, f"{name}: {values.keys() - known}"
        if "data" in values:
            values["data"] = values["data"][:SNAPLEN]
        self.emit(code, values)
        self.now += took
        self.emit(code + 1, values)
        self.busy.append((self.now, 0, min(took, 200 * US)))
        self.now += self.scene.jitter(3 * US)

    def work(self, duration: int) -> None:
        """Compute without a call."""
        self.now += duration
        self.busy.append((self.now, duration, 0))

    def wait(self, until: int) -> None:
        """Give the CPU away until a time."""
        if until > self.now:
            facts = self.facts
            self.emit(SWITCH, {"vm_size": facts.vm_size, "vm_rss": facts.vm_rss, "pgft_min": 40})
            self.now = until

    def new_fd(self) -> int:
        """The lowest number that is free."""
        number = next(number for number in range(1 << 16) if number not in self.fds)
        self.fds.add(number)
        return number

    def open(self, path: str, flags: int = RDONLY, *, error: int = 0) -> int:
        """Open a file; returns its number or ``-error``."""
        fd = -error if error else self.new_fd()
        ino = 0 if error else sum(path.encode()) * 31
        self.call("openat", took=6 * US, dirfd=AT_FDCWD, name=path, flags=flags, mode=0o644, fd=fd, dev=0x801, ino=ino)
        return fd

    def read(self, fd: int, data: bytes, size: int | None = None, *, took: int = 3 * US) -> None:
        """Read; ``size`` is the real amount where the data at hand is only its beginning."""
        self.call("read", took=took, fd=fd, size=65536, res=len(data) if size is None else size, data=data)

    def write(self, fd: int, data: bytes, size: int | None = None, *, took: int = 4 * US) -> None:
        """Write; ``size`` as for `read`."""
        amount = len(data) if size is None else size
        self.call("write", took=took, fd=fd, size=amount, res=amount, data=data)

    def close(self, fd: int) -> None:
        """Close."""
        self.call("close", took=US, fd=fd, res=0)
        self.fds.discard(fd)

    def slurp(self, path: str, data: bytes, size: int | None = None) -> None:
        """Open, read and close a file."""
        fd = self.open(path, RDONLY | CLOEXEC)
        self.call("fstat", took=US, fd=fd, res=0)
        self.read(fd, data, size)
        self.close(fd)

    def fork(self, tid: int | None = None, *, thread: bool = False, **facts: Any) -> Task:
        """Clone; returns the child, whose clock starts now."""
        tid = self.scene.new_pid() if tid is None else tid
        pid = self.facts.pid if thread else tid
        born = replace(self.facts, tid=tid, pid=pid, ptid=self.facts.pid, vtid=tid, vpid=pid, **facts)
        self.emit(CODES["clone"], {})
        self.now += 90 * US
        self.emit(CODES["clone"] + 1, self.described() | {"res": tid})
        self.now += 5 * US
        child = Task(self.scene, born, (self.cpu + 1) % self.scene.cpus, self.now)
        child.fds = set(self.fds)
        child.emit(CODES["clone"] + 1, child.described() | {"res": 0})
        child.now += 40 * US
        return child

    def described(self) -> dict[str, Any]:
        """Clone's and exec's parameters about the task itself."""
        facts = self.facts
        return {
            **{name: getattr(facts, name) for name in ("exe", "args", "tid", "pid", "ptid", "cwd", "fdlimit", "comm")},
            **{name: getattr(facts, name) for name in ("cgroups", "env", "uid", "gid", "vtid", "vpid", "tty")},
            **{name: getattr(facts, name) for name in ("vpgid", "pgid", "loginuid")},
            "vm_size": facts.vm_size,
            "vm_rss": facts.vm_rss,
            "pgft_min": 120,
        }

    def execute(self, path: str, *argv: str) -> None:
        """Exec a program and load its library."""
        comm = path.rpartition("/")[2][:15].encode()
        arguments = tuple(word.encode() for word in argv[1:])
        exe = (argv[0] if argv else path).encode()
        self.facts = replace(self.facts, comm=comm, exe=exe, args=arguments, exepath=path.encode())
        self.facts.vm_size, self.facts.vm_rss = 6_000 + 9 * sum(exe) % 5_000, 1_900 + 3 * sum(exe) % 1_700
        self.emit(CODES["execve"], {"filename": path})
        self.now += 350 * US
        self.emit(CODES["execve"] + 1, self.described() | {"res": 0, "trusted_exepath": path, "filename": path})
        self.now += 60 * US
        self.call("access", took=3 * US, name="/etc/ld.so.preload", mode=4, res=-2)
        self.slurp("/etc/ld.so.cache", b"glibc-ld.so.cache1.1", 21873)
        self.slurp("/lib/x86_64-linux-gnu/libc.so.6", b"\x7fELF\x02\x01\x01\x03", 832)

    def run(self, path: str, *argv: str) -> Task:
        """Fork and exec; the child's clock runs, ours waits until `exit` of the child."""
        child = self.fork()
        child.execute(path, *argv)
        return child

    def exit(self, status: int = 0, *, parent: Task | None = None) -> None:
        """End; a waiting parent gets its signal and goes on."""
        self.ended = self.now
        self.emit(PROCEXIT, {"status": status << 8, "ret": status})
        if parent is not None:
            parent.wait(self.now + 30 * US)
            parent.emit(SIGNAL, {"spid": self.facts.tid, "dpid": parent.facts.tid, "sig": 17})
            parent.now += 20 * US


class Scene:
    """Everything that happens on the machine, and the capture of it."""

    def __init__(self, start: int, length: int, cpus: int) -> None:
        self.start = start
        self.length = length
        self.cpus = cpus
        self.tasks: list[Task] = []
        self._listed: list[tuple[Thread, list[Entry]]] = []
        self._events: list[tuple[int, int, bytes]] = []
        self._pid = 3100
        self._random = 20_240_517

    def jitter(self, most: int) -> int:
        """A small time, different every call and the same every run."""
        self._random = (self._random * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self._random >> 8) % most

    def new_pid(self) -> int:
        """The next process number."""
        self._pid += 1 + self.jitter(3)
        return self._pid

    def present(self, facts: Thread, fds: Sequence[Entry] = ()) -> Task:
        """A thread that runs when the capture begins."""
        task = Task(self, facts, len(self.tasks) % self.cpus)
        task.fds |= {entry.number for entry in fds}
        self._listed.append((facts, list(fds)))
        return task

    def add(self, time: int, tid: int, code: int, params: list[bytes], cpu: int = 0) -> None:
        """One event."""
        block = event(code, tid, self.start + time, params, cpu=cpu)
        self._events.append((time, len(self._events), block))

    def container(self, told: dict[str, Any]) -> None:
        """A container's metadata, told before everything else."""
        self.add(-1, SYNTHETIC, CONTAINER, pack(CONTAINER, json=json.dumps({"container": told})))

    def _sample(self) -> None:
        """CPU time used by each process, once a second."""
        for second in range(self.length // SECOND + 1):
            now = second * SECOND + 7 * MS
            for task in self.tasks:
                ended = task.ended is not None and task.ended < now
                if task.facts.tid != task.facts.pid or now < task.born or ended:
                    continue
                spent = [part for part in task.busy if part[0] <= now]
                user, system = sum(part[1] for part in spent), sum(part[2] for part in spent)
                values = {"cpu_usr": user // TICK, "cpu_sys": system // TICK}
                self.add(now, task.facts.tid, PROCINFO, pack(PROCINFO, **values))

    def capture(self, people: Sequence[User | Group], net: Sequence[Interface], host: bytes, memory: int) -> bytes:
        """The capture file, not compressed."""
        self._sample()
        threads = [facts for facts, _ in self._listed]
        metadata = section() + machine(cpus=self.cpus, memory=memory, max_pid=4_194_304, hostname=host)
        metadata += interfaces(net) + users(people) + process_list(9, threads, OLD_TAIL)
        metadata += b"".join(fd_list(facts.tid, fds) for facts, fds in self._listed)
        shown = sorted(each for each in self._events if each[0] <= self.length)
        return metadata + b"".join(block for _, _, block in shown)


def listening(fd: int, address: bytes, port: int) -> Entry:
    """A TCP socket that accepts connections."""
    kind = FdKind.IPV4_SERVER if len(address) == 4 else FdKind.IPV6_SERVER
    return Entry(fd, kind, socket=_socket(b"", 0, address, port))


def connected(fd: int, source: bytes, source_port: int, destination: bytes, port: int) -> Entry:
    """A TCP connection."""
    kind = FdKind.IPV4 if len(source) == 4 else FdKind.IPV6
    return Entry(fd, kind, socket=_socket(source, source_port, destination, port))


def _socket(source: bytes, source_port: int, destination: bytes, port: int) -> Socket:
    return Socket(source, source_port, destination, port, 2, Role.NONE)


def address(text: str) -> bytes:
    """Bytes of an address."""
    return ipaddress.ip_address(text).packed


def facts(tid: int, ptid: int, comm: str, exe: str, *args: str, container: str = "", **more: Any) -> Thread:
    """What is known of a process that runs when the capture begins."""
    place = f"/docker/{container}" if container else "/system.slice"
    groups = tuple(f"{name}={place}".encode() for name in ("cpuset", "memory", "name=systemd"))
    words = tuple(word.encode() for word in args)
    size = 12_000 + 97 * sum(exe.encode()) % 60_000
    known: dict[str, Any] = {"uid": 0, "gid": 0, "cwd": b"/", "vm_size": size, "vm_rss": size // 5, "vm_swap": 0}
    known |= {
        "pid": tid,
        "vtid": tid,
        "vpid": tid,
        "sid": tid,
        "pgid": tid,
        "vpgid": tid,
        "pf_major": 0,
        "pf_minor": 900,
    }
    known |= {"exepath": exe.encode(), "env": (b"PATH=/usr/local/bin:/usr/bin:/bin",), "fdlimit": 1024}
    return Thread(
        tid, ptid=ptid, comm=comm.encode(), exe=exe.encode(), args=words, cgroups=groups, root=b"/", **(known | more)
    )


def file(fd: int, name: str, flags: int = RDONLY) -> Entry:
    """A file that is open when the capture begins."""
    return Entry(fd, FdKind.FILE_V2, name.encode(), flags=flags, dev=0x801, ino=sum(name.encode()) * 31)


NULL = [file(number, "/dev/null", RDWR) for number in range(3)]

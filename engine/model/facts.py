"""The rows of the model's tables: what is known of a thread, a socket, a container, a user.

A row is a version: it is added when a fact changes and never altered afterwards, except for facts
learned late, which complete it for everyone who points at it. Rules that make rows live in the
modules beside this one; columns of fds, which are many, live in ``fds``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

NO_ID = 0xFFFFFFFF
"""A uid, gid or loginuid that is not set."""


@dataclass(slots=True, eq=False)
class Thread:
    """One version of a thread. Strings are captured bytes, not yet made safe to show."""

    tid: int
    pid: int = -1
    """Process id; -1 of a thread first seen without any facts."""
    ptid: int = -1
    """Thread id of the parent; 0 when it is not in the capture."""
    parent: int = -1
    """Row of the parent's version this one was born under or was re-attached to; -1 unknown."""
    leader: int = -1
    """Row of the main thread's version in force; its own row for main threads; -1 when it is gone."""
    life: int = -1
    """Number of the life this version belongs to: versions of one thread share it, a reused tid does not."""
    process: int = -1
    """Number of the process it belongs to: its threads share it, a reused pid does not; -1 of rows never alive."""
    first: int = 0
    """Number of the first event this version is in force for."""
    ended: int = -1
    """On the last version of a life, number of the event that ended it; -1 while it lasts."""
    started: int | None = None
    """Time of the clone that was seen to start it, ns since epoch."""
    comm: bytes | None = None
    exe: bytes = b""
    exepath: bytes = b""
    args: tuple[bytes, ...] = ()
    """Arguments without argv[0]."""
    env: tuple[bytes, ...] = ()
    cwd: bytes = b""
    """Working directory of the process, ending in a slash."""
    root: bytes = b""
    cgroups: tuple[bytes, ...] = ()
    """``subsystem=path`` items."""
    container: str = ""
    """Short container id, empty on the host."""
    flags: int = 0
    """Clone flags of the scap format."""
    uid: int = NO_ID
    gid: int = NO_ID
    loginuid: int = NO_ID
    vtid: int = -1
    vpid: int = -1
    sid: int = -1
    pgid: int = -1
    vpgid: int = -1
    tty: int = 0
    fdlimit: int = 0
    vm_size: int | None = None
    """Virtual, resident and swapped memory in KiB when this version began."""
    vm_rss: int | None = None
    vm_swap: int | None = None
    pf_major: int | None = None
    pf_minor: int | None = None
    cap_inheritable: int | None = None
    cap_permitted: int | None = None
    cap_effective: int | None = None
    exe_flags: int = 0
    """execve_flags bits: writable, upper layer, from memfd, lower layer."""
    exe_ino: int = 0
    exe_ino_ctime: int = 0
    exe_ino_mtime: int = 0
    pidns_init_start: int = 0
    """When the first process of the pid namespace started, ns since epoch; 0 unknown."""

    @property
    def is_main(self) -> bool:
        """True for the main thread of a process."""
        return self.tid == self.pid


class Role(IntEnum):
    """Which end of a socket its process is."""

    NONE = 0
    CLIENT = 1
    SERVER = 2


class Socket(NamedTuple):
    """The ends of an IPv4 or IPv6 socket; for a connection the source is the client."""

    source: bytes
    """Address in network order, 4 or 16 bytes; empty when unknown."""
    source_port: int
    destination: bytes
    destination_port: int
    l4: int
    """Protocol number of ``events.L4_NAMES``."""
    role: Role


@dataclass(slots=True)
class Container:
    """A container; completed when its metadata event arrives (state-tracking §6)."""

    id: str
    full_id: str = ""
    type: int | None = None
    """Engine, a key of ``events.CONTAINER_TYPES``; None until told."""
    name: str = ""
    image: str = ""
    image_id: str = ""
    image_repo: str = ""
    image_tag: str = ""
    image_digest: str = ""
    ip: str = ""
    privileged: bool | None = None
    labels: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    """The whole JSON object as told."""


class Inside(NamedTuple):
    """A call that had not ended when it was looked."""

    type: int
    """Type code."""
    since: int | None
    """ns since epoch; None when it began before capture did."""
    fd: int | None
    """Number of the descriptor it is on."""
    on: bytes
    """Name of what that stands for, empty when unknown."""


class User(NamedTuple):
    """A user of the machine or of a container."""

    uid: int
    gid: int
    name: bytes
    home: bytes
    shell: bytes


class Group(NamedTuple):
    """A group of the machine or of a container."""

    gid: int
    name: bytes


class Interface(NamedTuple):
    """A network interface of the machine."""

    name: bytes
    address: bytes
    """4 or 16 bytes, network order."""
    netmask: bytes
    broadcast: bytes
    speed: int


class Machine(NamedTuple):
    """The machine a capture was made on; zeros where the writer told nothing."""

    cpus: int
    memory: int
    """Bytes."""
    max_pid: int
    hostname: bytes
    boot_time: int
    """ns since epoch."""

"""From Linux's numbers of flags to the format's, for the tables where they differ.

Owns triples (mask, value, number): a value whose bits under ``mask`` are ``value`` has the format's ``number``
or-ed in. Tables that are not here have Linux's numbers. Names of the numbers are in ``engine.events``.
"""

from __future__ import annotations

from engine.events import FLAG_TABLES

_ALL = 0xFFFFFFFF


def _bits(table: str, linux: dict[str, int]) -> tuple[tuple[int, int, int], ...]:
    """Flags by name; a name in ``table`` of several bits needs all of them."""
    numbers = dict(FLAG_TABLES[table])
    return tuple((value, value, numbers[name]) for name, value in linux.items())


def _values(table: str, linux: dict[str, int]) -> tuple[tuple[int, int, int], ...]:
    """One of several values by name; names not told have the format's own number."""
    return tuple((_ALL, linux.get(name, number), number) for name, number in FLAG_TABLES[table])


_OPEN = {
    "O_DIRECTORY": 0o200000, "O_DIRECT": 0o40000, "O_TRUNC": 0o1000, "O_SYNC": 0o4010000, "O_NONBLOCK": 0o4000,
    "O_EXCL": 0o200, "O_DSYNC": 0o10000, "O_APPEND": 0o2000, "O_CREAT": 0o100, "O_CLOEXEC": 0o2000000,
    "O_TMPFILE": 0o20200000, "O_LARGEFILE": 0o100000,
}  # fmt: skip
_ACCESS = ((3, 0, 1), (3, 1, 2), (3, 2, 3))
_FCNTL = {
    "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_GETLK": 5, "F_SETLK": 6, "F_SETLKW": 7,
    "F_SETOWN": 8, "F_GETOWN": 9, "F_SETSIG": 10, "F_GETSIG": 11, "F_SETOWN_EX": 15, "F_GETOWN_EX": 16,
    "F_OFD_GETLK": 36, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38, "F_SETLEASE": 1024, "F_GETLEASE": 1025,
    "F_NOTIFY": 1026, "F_CANCELLK": 1029, "F_DUPFD_CLOEXEC": 1030, "F_SETPIPE_SZ": 1031, "F_GETPIPE_SZ": 1032,
}  # fmt: skip
_PTRACE = {
    "PTRACE_TRACEME": 0, "PTRACE_PEEKTEXT": 1, "PTRACE_PEEKDATA": 2, "PTRACE_PEEKUSR": 3, "PTRACE_POKETEXT": 4,
    "PTRACE_POKEDATA": 5, "PTRACE_POKEUSR": 6, "PTRACE_CONT": 7, "PTRACE_KILL": 8, "PTRACE_SINGLESTEP": 9,
    "PTRACE_GETREGS": 12, "PTRACE_SETREGS": 13, "PTRACE_GETFPREGS": 14, "PTRACE_SETFPREGS": 15, "PTRACE_ATTACH": 16,
    "PTRACE_DETACH": 17, "PTRACE_GETFPXREGS": 18, "PTRACE_SETFPXREGS": 19, "PTRACE_OLDSETOPTIONS": 21,
    "PTRACE_SYSCALL": 24, "PTRACE_GET_THREAD_AREA": 25, "PTRACE_SET_THREAD_AREA": 26, "PTRACE_ARCH_PRCTL": 30,
    "PTRACE_SYSEMU": 31, "PTRACE_SYSEMU_SINGLESTEP": 32, "PTRACE_SINGLEBLOCK": 33, "PTRACE_SETOPTIONS": 0x4200,
    "PTRACE_GETEVENTMSG": 0x4201, "PTRACE_GETSIGINFO": 0x4202, "PTRACE_SETSIGINFO": 0x4203,
    "PTRACE_GETREGSET": 0x4204, "PTRACE_SETREGSET": 0x4205, "PTRACE_SEIZE": 0x4206, "PTRACE_INTERRUPT": 0x4207,
    "PTRACE_LISTEN": 0x4208, "PTRACE_PEEKSIGINFO": 0x4209, "PTRACE_GETSIGMASK": 0x420A, "PTRACE_SETSIGMASK": 0x420B,
}  # fmt: skip
_CLONE = {
    "CLONE_VM": 0x100, "CLONE_FS": 0x200, "CLONE_FILES": 0x400, "CLONE_SIGHAND": 0x800, "CLONE_PTRACE": 0x2000,
    "CLONE_VFORK": 0x4000, "CLONE_PARENT": 0x8000, "CLONE_THREAD": 0x10000, "CLONE_NEWNS": 0x20000,
    "CLONE_SYSVSEM": 0x40000, "CLONE_SETTLS": 0x80000, "CLONE_PARENT_SETTID": 0x100000,
    "CLONE_CHILD_CLEARTID": 0x200000, "CLONE_UNTRACED": 0x800000, "CLONE_CHILD_SETTID": 0x1000000,
    "CLONE_NEWCGROUP": 0x2000000, "CLONE_NEWUTS": 0x4000000, "CLONE_NEWIPC": 0x8000000, "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000, "CLONE_NEWNET": 0x40000000, "CLONE_IO": 0x80000000,
}  # fmt: skip
_MMAP = {
    "MAP_SHARED": 1, "MAP_PRIVATE": 2, "MAP_FIXED": 0x10, "MAP_ANONYMOUS": 0x20, "MAP_32BIT": 0x40,
    "MAP_GROWSDOWN": 0x100, "MAP_DENYWRITE": 0x800, "MAP_EXECUTABLE": 0x1000, "MAP_LOCKED": 0x2000,
    "MAP_NORESERVE": 0x4000, "MAP_POPULATE": 0x8000, "MAP_NONBLOCK": 0x10000,
}  # fmt: skip
_POLL = {
    "POLLIN": 1, "POLLPRI": 2, "POLLOUT": 4, "POLLERR": 8, "POLLHUP": 0x10, "POLLNVAL": 0x20, "POLLRDNORM": 0x40,
    "POLLRDBAND": 0x80, "POLLWRNORM": 0x100, "POLLWRBAND": 0x200, "POLLRDHUP": 0x2000,
}  # fmt: skip
_QUOTA = {
    "Q_SYNC": 0x800001, "Q_QUOTAON": 0x800002, "Q_QUOTAOFF": 0x800003, "Q_GETFMT": 0x800004, "Q_GETINFO": 0x800005,
    "Q_SETINFO": 0x800006, "Q_GETQUOTA": 0x800007, "Q_SETQUOTA": 0x800008, "Q_XQUOTAON": 0x5801,
    "Q_XQUOTAOFF": 0x5802, "Q_XGETQUOTA": 0x5803, "Q_XSETQLIM": 0x5804, "Q_XGETQSTAT": 0x5805, "Q_XQUOTARM": 0x5806,
    "Q_XQUOTASYNC": 0x5807,
}  # fmt: skip
_SEMCTL = {
    "IPC_RMID": 0, "IPC_SET": 1, "IPC_STAT": 2, "IPC_INFO": 3, "GETPID": 11, "GETVAL": 12, "GETALL": 13,
    "GETNCNT": 14, "GETZCNT": 15, "SETVAL": 16, "SETALL": 17, "SEM_STAT": 18, "SEM_INFO": 19,
}  # fmt: skip

FLAGS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "file_flags": _ACCESS + _bits("file_flags", _OPEN),
    "creation_flags": _bits("file_flags", _OPEN),
    "socket_flags": _bits("file_flags", {"O_NONBLOCK": 0o4000, "O_CLOEXEC": 0o2000000}),
    "clone_flags": _bits("clone_flags", _CLONE),
    "fcntl_commands": _values("fcntl_commands", {**dict.fromkeys(
        ("UNKNOWN", "F_GETLK64", "F_SETLK64", "F_SETLKW64"), -1 & _ALL), **_FCNTL}),
    "ptrace_requests": _values("ptrace_requests", {"PTRACE_UNKNOWN": _ALL, **_PTRACE}),
    "mmap_flags": _bits("mmap_flags", _MMAP),
    "prot_flags": _bits("prot_flags", {
        "PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4, "PROT_SEM": 8,
        "PROT_GROWSDOWN": 0x1000000, "PROT_GROWSUP": 0x2000000}),
    "poll_flags": _bits("poll_flags", _POLL),
    "openat2_flags": _bits("openat2_flags", {
        "RESOLVE_NO_XDEV": 1, "RESOLVE_NO_MAGICLINKS": 2, "RESOLVE_NO_SYMLINKS": 4, "RESOLVE_BENEATH": 8,
        "RESOLVE_IN_ROOT": 16, "RESOLVE_CACHED": 32}),
    "io_uring_setup_flags": _bits("io_uring_setup_flags", {
        "IORING_SETUP_IOPOLL": 1, "IORING_SETUP_SQPOLL": 2, "IORING_SETUP_SQ_AFF": 4, "IORING_SETUP_CQSIZE": 8,
        "IORING_SETUP_CLAMP": 16, "IORING_SETUP_ATTACH_RW": 32, "IORING_SETUP_R_DISABLED": 64}),
    "sockopt_levels": ((_ALL, 1, 1), (_ALL, 6, 2)),
    "sockopt_options": _values("sockopt_options", {
        "UNKNOWN": _ALL, "SO_COOKIE": 57, "SO_MEMINFO": 55, "SO_PEERGROUPS": 59}),
    "quotactl_cmds": tuple((_ALL & ~0xFF, linux << 8 & _ALL, dict(FLAG_TABLES["quotactl_cmds"])[name])
                           for name, linux in _QUOTA.items()),
    "quotactl_types": ((0xFF, 0, 1), (0xFF, 1, 2)),
    "quotactl_dqi_flags": ((1, 0, 1), (1, 1, 2)),
    "quotactl_quota_fmts": ((_ALL, 1, 2), (_ALL, 2, 4), (_ALL, 4, 8)),
    "semctl_commands": _values("semctl_commands", _SEMCTL),
    "semget_flags": ((0o1000, 0o1000, 8192), (0o2000, 0o2000, 16384)),
    "semop_flags": _bits("semop_flags", {"IPC_NOWAIT": 0o4000, "SEM_UNDO": 0x1000}),
    "epoll_create1_flags": ((0o2000000, 0o2000000, 1),),
    "fchownat_flags": ((0x100, 0x100, 1024), (0x1000, 0x1000, 4096)),
    "pidfd_open_flags": ((0o4000, 0o4000, 1),),
    "delete_module_flags": ((0o1000, 0o1000, 1), (0o4000, 0o4000, 2)),
}  # fmt: skip
"""By the format's table name; ``creation_flags`` and ``socket_flags`` are file_flags without an access mode."""

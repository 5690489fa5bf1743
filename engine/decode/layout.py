"""What the decoder's walk has to know of each event type, prepared once from the catalogue.

Owns the choice of action per type code and the places of the parameters the walk itself reads, by name, so that
every generation of a call is read by one piece of code.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from engine.events import CATALOGUE, SCAP_TYPES, EventType, Trait


class Action(IntEnum):
    """What the walk does with an event beyond its columns."""

    NOTHING = 0
    OPEN = 1
    CLOSE = 2
    DUP = 3
    FCNTL = 4
    MEMORY = 5
    SWITCH = 6
    PROCINFO = 7
    TALK = 8
    """May tell a socket's ends; a rule is asked unless they are known."""
    RULE = 9
    """A rule of the model is asked."""


class Thing(IntEnum):
    """Which thread an event concerns."""

    THREAD = 0
    """The one in its header; an unknown one gets a placeholder."""
    KNOWN = 1
    """The one in its header if it is known."""
    NONE = 2


class Layout(NamedTuple):
    """Facts of one type code; indices of parameters are -1 where it has none of the name."""

    action: Action
    thing: Thing
    paired: bool
    """Takes part in pairing enters with exits."""
    exit: bool
    wide: bool
    """Parameter lengths are u32."""
    keep: bool
    """An enter whose parameters the exit needs."""
    params: int
    fd: int
    result: int
    """0 none, 1 signed, 2 unsigned: how the first parameter is the event's result."""
    appended: bool
    """An exit whose fd was appended when enters ceased (scap-format §12)."""
    first: int
    """Index of the name, the new fd of a dup, the command of fcntl, the memory size, the tuple …"""
    dirfd: int
    flags: int
    dev: int
    ino: int
    leads: bool
    """In front of the first real event it only tells state (state-tracking §1)."""
    over: int
    """Bytes old writers counted too much in ``len``."""
    mentions: int
    """Bit of each fd parameter, the one of ``fd`` included."""
    listed: int
    """Index of a list of fds."""
    counts: tuple[int, ...]
    """Parameter counts to try when the record tells none, likeliest first."""


_OPENS = {"open", "creat", "openat", "openat2", "open_by_handle_at"}
_DUPS = {"dup", "dup2", "dup3"}
_MEMORY = {"brk", "mmap", "mmap2", "munmap"}
_TALKS = {"send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg"}
_CLONES = {"clone", "clone3", "fork", "vfork"}
_LEADS = {"container", "useradded", "userdeleted", "groupadded", "groupdeleted", "asyncevent"}
_KEPT = _OPENS | {
    *("connect", "socket", "execve", "execveat", "setuid", "setgid", "setresuid", "setresgid", "sendto", "sendmsg"),
    *("getrlimit", "setrlimit", "prlimit", "unshare", "setns", "signalfd", "eventfd", "timerfd_create", "inotify_init"),
    *("epoll_create1", "accept", "accept4", "pipe", "bpf"),
}


def _action(kind: EventType, ruled: bool) -> Action:
    if kind.name == "switch":
        return Action.SWITCH
    if kind.name == "procinfo":
        return Action.PROCINFO
    if kind.is_exit:
        for names, action in (
            (_OPENS, Action.OPEN),
            (_DUPS, Action.DUP),
            (_MEMORY, Action.MEMORY),
            (_TALKS, Action.TALK),
        ):
            if kind.name in names and kind.params and (ruled or action is not Action.TALK):
                return action
        if kind.name == "close":
            return Action.CLOSE
        if kind.name == "fcntl":
            return Action.FCNTL
    elif kind.name == "fcntl":
        return Action.FCNTL
    return Action.RULE if ruled else Action.NOTHING


def _first(kind: EventType, action: Action) -> int:
    names = {
        Action.OPEN: ("name", "path"),
        Action.FCNTL: ("cmd",),
        Action.MEMORY: ("vm_size",),
        Action.RULE: ("vm_size",),
        Action.SWITCH: ("next",),
        Action.PROCINFO: ("cpu_usr",),
        Action.TALK: ("tuple",),
    }.get(action, ())
    if not kind.is_exit:
        # Enters are read for these together with their exits.
        names = ("name",) if kind.name in _OPENS else ("tuple",) if kind.name in _TALKS else names
    return next((at for name in names if (at := kind.index(name)) is not None), -1)


def _index(kind: EventType, *names: str) -> int:
    return next((at for name in names if (at := kind.index(name)) is not None), -1)


def layouts(ruled: set[int]) -> list[Layout]:
    """The facts of every scap type code; ``ruled`` are the types the model has a rule for."""
    found = []
    for code, kind in enumerate(CATALOGUE[:SCAP_TYPES]):
        action = _action(kind, code in ruled)
        outside = bool(kind.traits & (Trait.META | Trait.SKIPPARSERESET)) or kind.name == "switch"
        thing = Thing.KNOWN if outside or (kind.is_exit and kind.name in _CLONES) else Thing.THREAD
        signed = {"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "PID"}
        whole = signed | {"UINT32", "UINT64", "UID", "GID"}
        first = kind.params[0].type if kind.params else ""
        has_result = kind.is_exit and kind.is_syscall and code > 1 and first in whole
        fd = -1 if kind.fd_param is None else kind.fd_param
        found.append(
            Layout(
                action=action,
                thing=thing,
                paired=not outside,
                exit=kind.is_exit,
                wide=bool(kind.traits & Trait.LARGE_PAYLOAD),
                keep=not kind.is_exit and kind.name in _KEPT and bool(kind.params),
                params=len(kind.params),
                fd=fd,
                result=(1 if first in signed else 2) if has_result else 0,
                appended=kind.is_exit and fd > 0 and any(count and count <= fd for count in kind.counts),
                first=_first(kind, action),
                dirfd=_index(kind, "dirfd"),
                flags=_index(kind, "flags"),
                dev=_index(kind, "dev"),
                ino=_index(kind, "ino"),
                leads=kind.name in _LEADS,
                over=3 if code in (280, 286) else 0,
                mentions=sum(1 << at for at, each in enumerate(kind.params) if each.type in ("FD", "FD32")),
                listed=next((at for at, each in enumerate(kind.params) if each.type == "FDLIST"), -1),
                counts=tuple(sorted(kind.counts, reverse=True)),
            )
        )
    return found


__all__ = ["Action", "Layout", "Thing", "layouts"]

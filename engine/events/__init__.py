"""The vocabulary of events: event types, their parameters, flag names, system calls.

Owns the numbering every column and file uses. Types 0..453 are those of the scap format
(event catalogue of libs, 454 types). A generic system call (types 0 and 1) is named by its
call code, so the type column holds ``GENERIC + 2 * code + direction`` for it: whatever is
known of a type is one look-up in a table of ``TYPES`` entries. Decoding of bytes and
rendering of values belong to others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any

GENERIC = 1024
"""First type code of generic calls: ``GENERIC + 2 * call code + (1 for exit)``."""
TYPES = 2048
"""Size of every table indexed by type code."""
UNKNOWN_TYPE = TYPES - 2
"""Type code of an event whose number is newer than the catalogue."""
SCAP_TYPES = 454
"""Event types of the scap catalogue."""


class Category(IntEnum):
    """What an event is about; the I/O categories are displayed by the kind of their fd."""

    UNKNOWN = 0
    OTHER = 1
    FILE = 2
    NET = 3
    IPC = 4
    MEMORY = 5
    PROCESS = 6
    SLEEP = 7
    SYSTEM = 8
    SIGNAL = 9
    USER = 10
    TIME = 11
    PROCESSING = 12
    IO_READ = 32
    IO_WRITE = 33
    IO_OTHER = 34
    WAIT = 64
    SCHEDULER = 128
    INTERNAL = 256


class Trait(IntEnum):
    """Facts of an event type that decoding and queries test, one bit each.

    Every type is asked at start, many times, and the ``&`` of numbers is ten times as quick as that of an IntFlag.
    """

    CREATES_FD = 1
    DESTROYS_FD = 2
    USES_FD = 4
    READS_FROM_FD = 8
    WRITES_TO_FD = 16
    MODIFIES_STATE = 32
    UNUSED = 64
    WAITS = 128
    SKIPPARSERESET = 256
    OLD_VERSION = 512
    LARGE_PAYLOAD = 2048
    SYSCALL = 1 << 16
    EXIT = 1 << 17
    META = 1 << 18


class FdKind(IntEnum):
    """Kind of a file descriptor, numbered as in the scap fd list."""

    UNKNOWN = 0
    FILE = 1
    DIRECTORY = 2
    IPV4 = 3
    IPV6 = 4
    IPV4_SERVER = 5
    IPV6_SERVER = 6
    FIFO = 7
    UNIX = 8
    EVENT = 9
    UNSUPPORTED = 10
    SIGNALFD = 11
    EVENTPOLL = 12
    INOTIFY = 13
    TIMERFD = 14
    NETLINK = 15
    FILE_V2 = 16
    BPF = 17
    USERFAULTFD = 18
    IOURING = 19
    MEMFD = 20
    PIDFD = 21


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an event type (scap-format §10)."""

    name: str
    type: str
    """PT_ name without prefix: INT64, FD, CHARBUF, FLAGS32 …"""
    format: str
    """DEC, HEX, OCT, NA …"""
    table: str | None = None
    """Flag or enum table that names its values."""
    dyn: str | None = None
    """Table of alternatives of a DYN parameter."""
    dirfd_param: int | None = None
    """Index of the fd a relative path starts from."""


_EXIT, _SYSCALL = Trait.EXIT.value, Trait.SYSCALL.value


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type; enter and exit of a call are two types of one name."""

    code: int
    """Index in every type table; for scap types the scap number."""
    name: str
    category: Category
    traits: int
    """Bits of ``Trait``."""
    params: tuple[Parameter, ...]
    counts: tuple[int, ...]
    """Parameter counts that existed in captures, ascending."""
    fd_param: int | None
    """Index of the parameter that is the event's fd."""

    @property
    def is_exit(self) -> bool:
        """True for exits; one-sided happenings (switch, signal …) are enters."""
        return self.traits & _EXIT != 0

    @property
    def is_syscall(self) -> bool:
        """True for system calls, either direction."""
        return self.traits & _SYSCALL != 0

    def index(self, parameter: str) -> int | None:
        """Index of a parameter by name, None when this type has none of that name."""
        for index, candidate in enumerate(self.params):
            if candidate.name == parameter:
                return index
        return None


def _load(name: str) -> Any:
    return json.loads(files(__package__).joinpath(name).read_text("utf-8"))


_NAMES: dict[str, Any] = _load("names.json")

FLAG_TABLES: dict[str, tuple[tuple[str, int], ...]] = {
    table: tuple((name, value) for name, value in entries) for table, entries in _NAMES["tables"].items()
}
"""Flag and enum tables by name; entries in rendering order (scap-format §10)."""
ERRNO: dict[int, str] = {int(number): name for number, name in _NAMES["errno"].items()}
SIGNALS: dict[int, str] = {int(number): name for number, name in _NAMES["signals"].items()}
SYSCALLS: tuple[str, ...] = tuple(_NAMES["syscalls"])
"""Call names by call code (the codes of parameter type SYSCALLID)."""
NATIVE_X86_64: dict[int, int] = {int(native): code for native, code in _NAMES["native_x86_64"].items()}
"""x86-64 system call number to call code."""
DYN_TABLES: dict[str, list[dict[str, Any]]] = _NAMES["dyn_tables"]
PARAM_SIZES: dict[str, int] = _NAMES["param_type_size"]
"""Size in bytes of fixed-size parameter types."""
CONTAINER_TYPES: dict[int, str] = {number: name for name, number in _NAMES["container_types"].items()}
L4_NAMES: dict[int, str] = {number: name for name, number in _NAMES["l4_protocols"].items()}
FD_TYPE_NAMES: dict[FdKind, str] = {
    FdKind(_NAMES["fd_types"][kind]): name for kind, name in _NAMES["fd_type_string"].items()
}
"""What ``fd.type`` calls each kind; a kind without an entry has no name."""
FD_TYPE_CHARS: dict[FdKind, str] = {
    FdKind(_NAMES["fd_types"][kind]): char for kind, char in _NAMES["fd_type_char"].items()
}


def _event_type(code: int, entry: dict[str, Any]) -> EventType:
    traits = 0
    for flag in entry["flags"]:
        traits |= getattr(Trait, flag.upper(), 0)
    if "syscall" in entry["source"]:
        traits |= Trait.SYSCALL
    if "metaevent" in entry["source"]:
        traits |= Trait.META
    if code % 2:
        traits |= Trait.EXIT
    params = tuple(
        Parameter(name, kind, fmt, **(rest[0] if rest else {})) for name, kind, fmt, *rest in entry["params"]
    )
    category = Category[entry["category"].upper()]
    return EventType(code, entry["name"], category, traits, params, tuple(entry["counts"]), entry.get("fd_param"))


def _catalogue() -> tuple[EventType, ...]:
    unknown = EventType(UNKNOWN_TYPE, "unknown", Category.UNKNOWN, Trait.UNUSED, (), (0,), None)
    table = [unknown] * TYPES
    for code, entry in enumerate(_load("events.json")):
        table[code] = _event_type(code, entry)
    categories = {
        call: Category[category.upper()] for category, calls in _NAMES["call_categories"].items() for call in calls
    }
    for call, name in enumerate(SYSCALLS):
        for base in (table[0], table[1]):
            code = GENERIC + 2 * call + (base.code & 1)
            # A call the catalogue cannot name prints as sysdig prints it.
            shown = name if call else "<unknown>"
            table[code] = EventType(code, shown, categories[call], base.traits, base.params, base.counts, None)
    return tuple(table)


CATALOGUE: tuple[EventType, ...] = _catalogue()
"""Every event type by its code, ``TYPES`` entries."""


@cache
def codes_by_name() -> dict[str, tuple[int, ...]]:
    """All type codes of each event name; what ``evt.type=NAME`` may stand for."""
    found: dict[str, list[int]] = {}
    for code, kind in enumerate(CATALOGUE):
        if kind.code == code and not kind.traits & Trait.UNUSED:
            found.setdefault(kind.name, []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}

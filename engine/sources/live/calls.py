"""From the declaration of calls (``arguments``) to tables for the kernel side and for the encoder.

Owns the steps the C program takes at a call's exit, what it reads from memory, the operations that make the exit
event's parameters, and the layout of what the two sides share. Everything not declared is a generic call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.events import CATALOGUE, PARAM_SIZES, SCAP_TYPES, Trait
from engine.sources.live.arguments import TABLE, TASKS
from engine.sources.live.flags import FLAGS

CALLS = 512
"""Size of the kernel's table: call numbers, and at the end the calls of other kinds (32-bit, x32)."""
MAX_STEPS = 5
MAX_PARTS = 8
DATA_MAX = 32768
"""Most bytes kept of a buffer: a power of two; an event has to stay below 64 KiB."""
RESULT = 6
TID = 7
ALWAYS = 7


class Step(IntEnum):
    """What the kernel reads for a call; numbers are macros of the C program."""

    STRING = 1
    DATA = 2
    STRUCT = 3
    ARRAY = 4
    ADDRESS = 5
    INODE = 6
    MEMORY = 7
    SOCKET = 8
    PARTS = 9
    MESSAGE = 10
    EXEC = 11
    CLONE = 12
    PATH = 13
    TIMEOUT = 14


class Kind(IntEnum):
    """Records that are not calls."""

    EXIT = 600
    SIGNAL = 601
    RENAME = 602
    SWITCH = 603
    FAULT = 604


PIECES = {Step.PARTS: 2, Step.MESSAGE: 5}
"""Pieces a step leaves in the record, where it is not one."""
PROGRAMS = ("", "sockets", "tasks", "parts")
"""Programs of the C source that finish a call, by the number the kernel's table has; 0: done at once."""
_PROGRAM = {Step.SOCKET: 1, Step.PATH: 2, Step.PARTS: 3, Step.MESSAGE: 3}


class Op(IntEnum):
    """How a parameter is made (engine.decode.encoder)."""

    ABSENT = 0
    NUMBER = 1
    """Argument ``a``; ``b``: 1 to widen from 32 bits with sign."""
    PIECE = 2
    """Piece ``a`` as it is."""
    FIELD = 3
    """From offset ``b`` of piece ``a``; ``c``: 1 to widen from 32 bits with sign."""
    ADDRESS = 4
    """Piece ``a`` as SOCKADDR."""
    TUPLE = 5
    """Ends of the socket in piece ``a``, ``b``: 1 remote first, address in piece ``c`` - 1 (0: none)."""
    DEVICE = 6
    """Device of the inode in piece ``a``, 0 without one."""
    OPEN_FLAGS = 7
    """Argument ``a``, or where ``c`` is, the first field of piece ``c`` - 1; bits for a file that was created, and
    for its layer, from inode piece ``b``."""
    OPEN_MODE = 8
    """Argument ``a``, only when argument ``b`` asks to create."""
    DURATION = 9
    """struct timespec in piece ``a`` as RELTIME."""
    POLL = 10
    """struct pollfd array in piece ``a``."""
    OPTION = 11
    """Socket option value in piece ``a``, by level and option in arguments 1 and 2."""
    DYNAMIC = 12
    """Argument ``a`` as DYN of index 0."""
    CAPABILITIES = 13
    """Words ``b`` and ``b`` + 3 of piece ``a``."""
    TEXT = 14
    """As DYN: piece ``b`` with index 1 when the condition is met, else argument ``a`` with index 0."""
    QUEUE = 16
    """``b``: 0 percent, 1 length, 2 maximum of the socket in piece ``a``."""
    CHECKED = 17
    """FIELD, absent as -1 (all ones) when the pointer was null."""
    MOUNT_FLAGS = 18
    """Argument ``a`` without the magic number old programs put into the upper half."""
    SIZE = 19
    """FIELD, absent when it is all ones: more parts than were looked at."""
    EXE = 20
    """First string of piece ``a``."""
    ARGUMENTS = 21
    """The strings of piece ``a`` behind the first."""
    CGROUPS = 22
    """Paths from the components in pieces ``a`` and ``a`` + 1."""
    PATH = 23
    """Path from the components in piece ``a``."""
    CLONE_FLAGS = 24
    """``a``: 0 from piece 0, 1 those of fork, 2 those of vfork."""
    ZERO = 25
    """0 or an empty string."""
    LAYER = 27
    """Layer of the inode in piece ``a`` of an overlay: 1 upper, 2 lower."""
    INODE = 26
    """Number of the inode in piece ``a``. 0 without one, as other writers tell of calls that failed."""


OP = np.dtype([("op", "u1"), ("a", "u1"), ("b", "u1"), ("c", "u1"), ("width", "u1"), ("when", "u1"), ("table", "<u2")])
"""One parameter: operation and operands, bytes of the parameter (0: variable), 1 + indices of a condition without
which it is absent and of a flag table."""
CONDITION = np.dtype(
    [("argument", "u1"), ("shift", "u1"), ("test", "u1"), ("unused", "u1"), ("base", "<u4"), ("values", "<u8")]
)
"""Argument ``argument`` shifted right by ``shift`` is (``test`` 0) or is not (1) one of ``values``, a bit each from
``base`` on; with ``test`` 2 it is positive."""
STEP = np.dtype([("kind", "u1"), ("a", "u1"), ("b", "u1"), ("c", "u1")])
CALL = np.dtype([("kept", "u1"), ("program", "u1"), ("count", "u1"), ("telling", "u1"), ("steps", STEP, MAX_STEPS)])
"""struct call of the C program."""

TASK_NOW = np.dtype(
    [("since", "<u8"), ("args", "<u8", 6), ("user", "<u8"), ("system", "<u8"), ("runtime", "<u8"), ("tid", "<u4"),
     ("pid", "<u4"), ("number", "<i4"), ("reader", "<u4")]
)  # fmt: skip
"""struct task_now of the C program: since when (monotonic ns, 0: unknown) a thread is in which system call (-1: none),
and what it used so far (ns): user and system by ticks, and exactly in all."""
COMPAT = 1 << 30
"""Set in the number of a call of a 32-bit program."""

FACTS = np.dtype(
    [(name, "<u8") for name in (
        "pid", "parent", "vtid", "vpid", "sid", "pgid", "vpgid", "fd_limit", "faults_major", "faults_minor",
        "inheritable", "permitted", "effective", "exe_ino", "exe_ctime", "exe_mtime", "namespace_start")]
    + [(name, "<u4") for name in (
        "vm_size", "vm_rss", "vm_swap", "uid", "gid", "loginuid", "tty", "in_namespace", "exe_flags", "unused")]
)  # fmt: skip
"""struct task_facts of the C program."""
SOCKET = np.dtype(
    [("family", "<u2"), ("type", "<u2"), ("local_port", "<u2"), ("remote_port", "<u2"),
     ("self", "<u8"), ("peer", "<u8"), ("backlog", "<u4"), ("backlog_max", "<u4"),
     ("local", "u1", 16), ("remote", "u1", 16)]
)  # fmt: skip
"""struct socket_facts of the C program; a unix socket's address follows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the table, worked out."""

    native: int
    type: int
    steps: tuple[tuple[int, int, int, int], ...]
    ops: tuple[tuple[int, ...], ...]
    conditions: tuple[tuple[int, ...], ...]
    """Of the operations, which count them from 1 on."""


class _Line:
    """Works out one line: collects steps, gives each source its operation."""

    def __init__(self, first: int = 0) -> None:
        self.steps: list[tuple[int, int, int, int]] = []
        self.first = first
        """Piece FACTS is in, for calls of TASKS."""

    def piece(self, kind: Step, a: int = 0, b: int = 0, c: int = 0) -> int:
        """Number of the first piece of a step, which is added when it is new."""
        step = (int(kind), a, b, c)
        if step not in self.steps:
            self.steps.append(step)
        before = self.steps[: self.steps.index(step)]
        return sum(PIECES.get(Step(other[0]), 1) for other in before)

    def address(self, text: str) -> int:
        """Piece of ``1.2`` or ``4*5``."""
        found = re.fullmatch(r"(\d)([.*])(\d)", text)
        assert found, text
        return self.piece(Step.ADDRESS, int(found[1]), int(found[3]), int(found[2] == "*"))

    def message(self, text: str) -> int:
        """Piece of ``m1`` or ``mm1``."""
        return self.piece(Step.MESSAGE, int(text[-1]), len(text) - 2)

    def op(self, source: str, signed: bool) -> tuple[int, int, int, int]:
        """Operation and operands of a source; ``signed`` for parameters that are fds or pids."""
        word, _, rest = source.partition(":")
        numbers = [int(number) for number in re.findall(r"\d+", rest)]
        match word:
            case "-":
                return Op.ABSENT, 0, 0, 0
            case "ret":
                return Op.NUMBER, RESULT, 0, 0
            case "vm_size" | "vm_rss" | "vm_swap":
                return Op.FIELD, self.piece(Step.MEMORY), 4 * ("vm_size", "vm_rss", "vm_swap").index(word), 0
            case "open" if "." in rest:
                flags = self.op(rest, signed=False)[1] + 1
                return Op.OPEN_FLAGS, 0, self.piece(Step.INODE, RESULT), flags
            case "open":
                return Op.OPEN_FLAGS, numbers[0], self.piece(Step.INODE, RESULT), 0
            case "layer":
                return Op.LAYER, self.piece(Step.INODE, RESULT), 0, 0
            case "mode":
                return Op.OPEN_MODE, numbers[0], numbers[1], 0
            case "zero":
                return Op.ZERO, 0, 0, 0
            case "tid":
                return Op.NUMBER, TID, 1, 0
            case "comm" | "env" | "asked":
                return Op.PIECE, self.first + {"comm": 1, "env": 5, "asked": 7}[word], 0, 0
            case "exe" | "args":
                return (Op.EXE if word == "exe" else Op.ARGUMENTS), self.first + 2, 0, 0
            case "cgroups":
                return Op.CGROUPS, self.first + 3, 0, 0
            case "path":
                return Op.PATH, self.first + 6, 0, 0
            case "clone":
                return Op.CLONE_FLAGS, numbers[0], 0, 0
            case "mount":
                return Op.MOUNT_FLAGS, numbers[0], 0, 0
            case "duration":
                return Op.DURATION, self.piece(Step.STRUCT, numbers[0], 0, 16), 0, 0
            case "timeout":
                return Op.DURATION, self.piece(Step.TIMEOUT), 0, 0
            case "poll":
                return Op.POLL, self.piece(Step.ARRAY, numbers[0], numbers[1], 8), 0, 0
            case "dynamic":
                return Op.DYNAMIC, numbers[0], 0, 0
            case "option":
                return Op.OPTION, self.address(rest), 0, 0
            case "capabilities":
                return Op.CAPABILITIES, self.piece(Step.STRUCT, numbers[0], 0, 24), numbers[1], 0
            case "text":
                return Op.TEXT, numbers[0], self.piece(Step.STRING, numbers[0]), 0
            case "checked":
                return Op.CHECKED, self.piece(Step.STRUCT, numbers[0], 0, numbers[1]), numbers[2], 0
        if rest:
            return self.op(rest if not rest[0].isdigit() else "a" + rest, signed)
        head, *parts = word.split(".")
        if head == "t":
            assert FACTS.fields is not None
            return Op.FIELD, self.first, FACTS.fields[parts[0]][1], 0
        if word[0] == "@":
            return Op.ADDRESS, self.address(word[1:]), 0, 0
        if head in ("out", "in"):
            return self._ends(head, word.partition(".")[2])
        if head == "ends":
            offset = SOCKET.fields[parts[1]][1]  # type: ignore[index]
            return Op.FIELD, self.piece(Step.SOCKET, int(parts[0]), ALWAYS, 1), offset, 0
        if head == "opened":
            return Op.PATH, self.piece(Step.PATH, RESULT), 0, 0
        if head == "queue":
            return Op.QUEUE, self.piece(Step.SOCKET, int(parts[0]), ALWAYS), 0, 0
        if head in ("ino", "dev"):
            pipe = parts[0] == "pipe"
            piece = self.piece(Step.INODE, 0 if pipe else RESULT, 0, int(pipe))
            return (Op.INODE if head == "ino" else Op.DEVICE), piece, 0, 0
        letters, argument = re.fullmatch(r"([a-z]+)(\d)", head).groups()  # type: ignore[union-attr]
        match letters:
            case "a" | "i":
                return Op.NUMBER, int(argument), int(letters == "i"), 0
            case "s":
                return Op.PIECE, self.piece(Step.STRING, int(argument)), 0, 0
            case "d":
                return Op.PIECE, self.piece(Step.DATA, int(argument), int(parts[0]) if parts else RESULT), 0, 0
            case "x":
                piece = self.piece(Step.STRUCT, int(argument), 0, int(parts[0]))
                return Op.FIELD, piece, int(parts[1]), int(signed)
            case "e":
                piece = self.piece(Step.ARRAY, int(argument), int(parts[0]), int(parts[1]))
                return Op.FIELD, piece, int(parts[2]), 0
            case "v":
                piece = self.piece(Step.PARTS, int(argument), int(parts[0]))
                return (Op.SIZE, piece, 0, 0) if parts[1] == "size" else (Op.PIECE, piece + 1, 0, 0)
            case "m" | "mm":
                piece = self.message(head)
                part = {"size": 0, "data": 1, "control": 3}[parts[0]]
                return (Op.SIZE if part == 0 else Op.PIECE), piece + part, 0, 0
        raise ValueError(source)

    def _ends(self, head: str, rest: str) -> tuple[int, int, int, int]:
        remote_first = int(head == "in")
        if rest[0] == "m":
            piece = self.message(rest)
            return Op.TUPLE, piece + 4, remote_first, piece + 2 + 1
        which, _, address = rest.partition("@")
        number = RESULT if which == "ret" else int(which)
        if not address:
            return Op.TUPLE, self.piece(Step.SOCKET, number, ALWAYS), remote_first, 0
        piece = self.piece(Step.SOCKET, number, int(address[0]))
        return Op.TUPLE, piece, remote_first, self.address(address) + 1


def _condition(text: str) -> tuple[int, int, int, int, int, int]:
    """``CONDITION`` of what follows the question mark of a source."""
    if text == "ret+":
        return RESULT, 0, 2, 0, 0, 0
    found = re.fullmatch(r"(\d)(?:/(\d+))?([=!])(.+)", text)
    assert found, text
    values = [int(value, 0) for value in found[4].split(",")]
    bits = sum(1 << value - min(values) for value in values)
    return int(found[1]), int(found[2] or 0), int(found[3] == "!"), 0, min(values), bits


_PAST = Trait.UNUSED | Trait.OLD_VERSION
TABLES: tuple[str, ...] = tuple(FLAGS)


def _work_out(line: str) -> Call:
    head, _, rest = line.partition(": ")
    native_text, name = head.rstrip(":").split()
    kind = next(t for t in reversed(CATALOGUE[:SCAP_TYPES]) if t.name == name and t.is_exit and not t.traits & _PAST)
    work, ops, queued = _Line(int(name not in ("execve", "execveat"))), [], 0
    sources = dict(item.split("=", 1) for item in rest.split())
    conditions: list[tuple[int, ...]] = []
    if list(sources) != [parameter.name for parameter in kind.params]:
        raise ValueError(f"{name}: parameters {list(sources)} are not those of the catalogue")
    for parameter in kind.params:
        source, _, condition = sources[parameter.name].partition("?")
        op, a, b, c = work.op(source, parameter.type in ("FD", "PID"))
        if op == Op.QUEUE:
            b, queued = queued, queued + 1
        table = 1 + TABLES.index(source.partition(":")[0]) if source.partition(":")[0] in TABLES else 0
        if condition and _condition(condition) not in conditions:
            conditions.append(_condition(condition))
        when = 1 + conditions.index(_condition(condition)) if condition else 0
        ops.append((int(op), a, b, c, PARAM_SIZES.get(parameter.type, 0), when, table))
    if len(work.steps) > (1 if any(_PROGRAM.get(Step(step[0])) == 3 for step in work.steps) else MAX_STEPS):
        raise ValueError(f"{name}: {len(work.steps)} steps")
    return Call(int(native_text), kind.code, tuple(work.steps), tuple(ops), tuple(conditions))


def table() -> list[Call]:
    """Every line, worked out."""
    lines = TABLE.replace("\\\n", "").strip().splitlines()
    return [_work_out(line) for line in [*lines, *TASKS.values()]]


def kernel_table(calls: list[Call]) -> NDArray[np.void]:
    """The kernel's table, ``CALLS`` entries of dtype CALL."""
    rows = np.zeros(CALLS, CALL)
    for call in calls:
        row = rows[call.native]
        row["count"] = len(call.steps)
        row["program"] = max((_PROGRAM.get(Step(step[0]), 0) for step in call.steps), default=0)
        for index, step in enumerate(call.steps):
            row["steps"][index] = step
    for native in TASKS:
        rows[native]["count"], rows[native]["program"] = 1, PROGRAMS.index("tasks")
        executes = native in (59, 322)
        first = (Step.EXEC, int(native == 322), 0, 0) if executes else (Step.CLONE, 0, 0, 0)
        rows[native]["steps"][0] = first
    return rows

"""The declaration of calls, against the catalogue and against what the C program is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import CATALOGUE, NATIVE_X86_64, PARAM_SIZES, SYSCALLS
from engine.sources.live.arguments import TASKS
from engine.sources.live.calls import CALLS, MAX_STEPS, PROGRAMS, Op, Step, kernel_table, table
from engine.sources.live.encoding import encoding
from engine.sources.live.flags import FLAGS
from engine.sources.live.image import SOURCES

PROGRAM = Path(__file__).parents[4] / "bpf_src"


def test_every_call_with_an_exit_of_its_own_name_is_declared() -> None:
    declared = {call.native for call in table()}
    current = {
        kind.name for kind in CATALOGUE[:454] if kind.is_exit and kind.is_syscall and kind.name != "syscall"
    }  # fmt: skip
    missing = [
        SYSCALLS[code] for native, code in NATIVE_X86_64.items() if SYSCALLS[code] in current and native not in declared
    ]
    assert missing == []


def test_a_line_has_an_operation_for_every_parameter() -> None:
    for call in table():
        kind = CATALOGUE[call.type]
        assert len(call.ops) == len(kind.params), kind.name
        for op, parameter in zip(call.ops, kind.params, strict=True):
            assert op[4] == PARAM_SIZES.get(parameter.type, 0), f"{kind.name}.{parameter.name}"
            assert op[0] in set(Op)


def test_the_kernel_is_told_steps_it_knows() -> None:
    rows = kernel_table(table())
    assert len(rows) == CALLS
    for row in rows:
        assert row["count"] <= MAX_STEPS
        assert row["program"] < len(PROGRAMS)
        kinds = [int(step["kind"]) for step in row["steps"][: row["count"]]]
        assert all(kind in set(Step) for kind in kinds)
        if row["program"] == PROGRAMS.index("parts"):
            assert len(kinds) == 1
    for native in TASKS:
        assert rows[native]["program"] == PROGRAMS.index("tasks")
    text = "".join((PROGRAM / name).read_text("ascii") for name in SOURCES)
    for step in Step:
        assert f"STEP_{step.name}" in text
    for name in PROGRAMS[1:]:
        assert f"int {name}(struct bpf_raw_tracepoint_args" in text


def test_generic_calls_have_the_code_of_their_number() -> None:
    told = encoding(table())
    (fadvise,) = [native for native, code in NATIVE_X86_64.items() if SYSCALLS[code] == "fadvise64"]
    assert told.types[fadvise] == 1
    assert SYSCALLS[told.generic[fadvise]] == "fadvise64"
    assert told.generic[CALLS - 1] == 0


def converted(name: str, value: int) -> int:
    out = 0
    for mask, wanted, number in FLAGS[name]:
        out |= number if value & mask == wanted else 0
    return out


@pytest.mark.parametrize(
    ("name", "linux", "number"),
    [
        ("file_flags", 0, 1),  # O_RDONLY
        ("file_flags", 0o2101, 2 | 4 | 8),  # O_WRONLY|O_CREAT|O_APPEND
        ("file_flags", 0o4010002, 3 | 16 | 128),  # O_RDWR|O_SYNC, which holds O_DSYNC
        ("clone_flags", 0x10000 | 0x100, 8192 | 32768),  # CLONE_THREAD|CLONE_VM
        ("mmap_flags", 0x22, 2 | 8),  # MAP_PRIVATE|MAP_ANONYMOUS
        ("fcntl_commands", 1030, 26),  # F_DUPFD_CLOEXEC
        ("fcntl_commands", 5, 6),  # F_GETLK, not the other name of its number
        ("fcntl_commands", 999, 0),
        ("ptrace_requests", 0x4206, 20),  # PTRACE_SEIZE
        ("semctl_commands", 16, 4096),  # SETVAL
        ("sockopt_options", 57, 53),  # SO_COOKIE
        ("poll_flags", 0x2001, 1 | 8),  # POLLIN|POLLRDHUP
    ],
)
def test_flags_have_the_numbers_of_the_format(name: str, linux: int, number: int) -> None:
    assert converted(name, linux) == number


def test_what_is_captured_is_told_with_the_number_of_calls_there_are() -> None:
    assert f"Of {len(table())} calls all arguments are told" in (PROGRAM.parent / "docs" / "capturing.md").read_text()

"""The vocabulary of events: numbering, directions, names, flag tables."""

from __future__ import annotations

import pytest

from engine.events import (
    CATALOGUE,
    FLAG_TABLES,
    GENERIC,
    NATIVE_X86_64,
    PARAM_SIZES,
    SCAP_TYPES,
    SYSCALLS,
    TYPES,
    UNKNOWN_TYPE,
    Category,
    Trait,
    codes_by_name,
)


def test_every_code_has_an_entry_and_scap_types_keep_their_number() -> None:
    assert len(CATALOGUE) == TYPES
    assert [kind.code for kind in CATALOGUE[:SCAP_TYPES]] == list(range(SCAP_TYPES))


def test_odd_scap_numbers_are_exits() -> None:
    assert all(kind.is_exit == bool(kind.code % 2) for kind in CATALOGUE[:SCAP_TYPES])


@pytest.mark.parametrize(
    ("code", "name", "category", "params"),
    [
        (6, "read", Category.IO_READ, ("fd", "size")),
        (7, "read", Category.IO_READ, ("res", "data", "fd", "size")),
        (152, "switch", Category.SCHEDULER, ("next", "pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap")),
        (307, "openat", Category.FILE, ("fd", "dirfd", "name", "flags", "mode", "dev", "ino")),
    ],
)
def test_known_types_carry_their_parameters(code: int, name: str, category: Category, params: tuple[str, ...]) -> None:
    kind = CATALOGUE[code]
    assert (kind.name, kind.category, tuple(param.name for param in kind.params)) == (name, category, params)


def test_generic_calls_are_named_by_their_call_code() -> None:
    rseq = SYSCALLS.index("rseq")
    enter, leave = CATALOGUE[GENERIC + 2 * rseq], CATALOGUE[GENERIC + 2 * rseq + 1]
    assert (enter.name, leave.name) == ("rseq", "rseq")
    assert not enter.is_exit
    assert leave.is_exit
    assert leave.is_syscall


@pytest.mark.parametrize(
    ("call", "category"), [("set_robust_list", Category.PROCESS), ("madvise", Category.MEMORY), ("bpf", Category.OTHER)]
)
def test_generic_calls_have_the_category_of_their_call(call: str, category: Category) -> None:
    assert CATALOGUE[GENERIC + 2 * SYSCALLS.index(call)].category is category


def test_native_numbers_lead_to_call_names() -> None:
    assert SYSCALLS[NATIVE_X86_64[0]] == "read"
    assert SYSCALLS[NATIVE_X86_64[59]] == "execve"


def test_both_directions_and_every_generation_share_a_name() -> None:
    assert set(codes_by_name()["openat"]) >= {306, 307, 102, 103}


def test_numbers_beyond_the_catalogue_are_unknown() -> None:
    assert CATALOGUE[UNKNOWN_TYPE].name == "unknown"
    assert CATALOGUE[SCAP_TYPES].code == UNKNOWN_TYPE


def test_switch_signal_and_procexit_are_no_system_calls() -> None:
    assert not any(CATALOGUE[code].is_syscall for code in (152, 186, 232, 234, 290, 324))


def test_flag_tables_named_by_parameters_exist() -> None:
    named = {param.table for kind in CATALOGUE for param in kind.params if param.table}
    assert named <= set(FLAG_TABLES)


def test_fixed_sizes_are_those_of_the_format() -> None:
    assert (PARAM_SIZES["FD"], PARAM_SIZES["UINT32"], PARAM_SIZES["SYSCALLID"]) == (8, 4, 2)


def test_large_payload_types_are_the_three_with_wide_lengths() -> None:
    assert [kind.code for kind in CATALOGUE[:SCAP_TYPES] if kind.traits & Trait.LARGE_PAYLOAD] == [322, 324, 402]

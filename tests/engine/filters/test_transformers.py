"""What transformers make of texts."""

from __future__ import annotations

import getopt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.filters.transformers import TRANSFORMERS, options


@pytest.mark.parametrize(
    ("arguments", "wanted", "found"),
    [
        ((b"-n", b"-t", b"5", b"x"), b"nt:", {b"n": b"", b"t": b"5"}),
        ((b"-nt5",), b"nt:", {b"n": b"", b"t": b"5"}),
        ((b"x", b"-n"), b"n", {b"n": b""}),
        ((b"--", b"-n"), b"n", {}),
        ((b"--n", b"-", b"-q"), b"n", {}),
        ((b"-t",), b"t:", {}),
        ((b"-t", b"5"), b"t::", {b"t": b""}),
        ((b"-t5",), b"t::", {b"t": b"5"}),
        ((b"-t1", b"-t", b"2"), b"t:", {b"t": b"2"}),
        ((b"-l", b"-e", b"-n"), b"le:n", {b"l": b"", b"e": b"-n"}),
    ],
)
def test_options_are_read_as_programs_do(
    arguments: tuple[bytes, ...], wanted: bytes, found: dict[bytes, bytes]
) -> None:
    assert options(arguments, wanted) == found


@given(st.lists(st.text("-abx1", max_size=4), max_size=6))
def test_options_are_those_of_getopt(arguments: list[str]) -> None:
    try:
        expected, _ = getopt.gnu_getopt(arguments, "ab:x")
    except getopt.GetoptError:
        return
    found = options(tuple(argument.encode() for argument in arguments), b"ab:x")
    assert found == {name[1:].encode(): value.encode() for name, value in expected}


@pytest.mark.parametrize(
    ("name", "given", "made"),
    [
        ("tolower", (b"A\xc3\x84",), b"a\xc3\x84"),
        ("toupper", (b"a1",), b"A1"),
        ("b64", (b"R0VU",), b"GET"),
        ("b64", (b"no base64",), None),
        ("basename", (b"/etc/hosts",), b"hosts"),
        ("basename", (b"/etc/",), b""),
        ("len", (b"abc",), 3),
        ("len", ((b"a", b"b"),), 2),
        ("join", (b", ", (b"a", b"b")), b"a, b"),
        ("concat", (b"a", b"b", b"c"), b"abc"),
        ("val", (7,), 7),
    ],
)
def test_a_transformer_makes(name: str, given: tuple[object, ...], made: object) -> None:
    assert TRANSFORMERS[name].apply(*given) == made

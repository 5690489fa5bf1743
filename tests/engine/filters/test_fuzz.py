"""Any text is a filter or an error, soon: whole filters, pieces of them, and damage to both."""

from __future__ import annotations

import random
import string
import time
from pathlib import Path

import pytest

from engine.fields import FIELDS
from engine.filters import Filter, FilterError, parse
from engine.filters.completion import complete
from engine.filters.parser import KEYWORDS, MAX_LENGTH
from engine.filters.syntax import QUANTIFIERS, TRANSFORMERS
from engine.store.store import Store
from tests.engine.filters.oracle import EXPRESSIONS, loaded

SLOWEST = 20.0
"""Seconds one filter may take, on a loaded machine: a hang, and no measure of speed."""
_MACROS = {"web": "fd.port in (80, 443)", "shells": "(bash, sh)", "loop": "not loop", "deep": "not (web or web)"}
_PIECES = (
    *KEYWORDS,
    *QUANTIFIERS,
    *(f"{name}(" for name in TRANSFORMERS),
    *(f"{name}" for name in FIELDS),
    *_MACROS,
    *("=", "!=", "<", "<=", ">", ">=", "==", "(", ")", "()", ",", "..", "[", "]", "[1]", "[", '"', "'", "\\", "\\x4"),
    *("1", "-1", "0", "5ms", "64K", "1e9", "0x1", "9" * 40, "1.5", "true", "curl", "/etc", "10.0.0.0/8", "::1", "read"),
    *("a*", "[", "(a+)+$", "(((((a{1,1000}){1,1000}", "\\C", "\x00", "\x08", "\n", "é", "\udcff", "\u202e", "x" * 300),
    *("10:02:03..10:02:09", "2017-09-23T10:02:03", "(bash, sh)", "('a b', \"c\")", "val(proc.pid)"),
)


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return loaded(captures / "libs_test_ipv6_client.scap")


def texts(chance: random.Random, count: int) -> list[str]:
    """Random texts, some of them filters."""
    made = []
    for _ in range(count):
        match chance.randrange(4):
            case 0:
                text = " ".join(chance.choices(_PIECES, k=chance.randrange(1, 14)))
            case 1:
                word = chance.choice((" and ", " or ", " and not ", ") or (", " and ("))
                text = word.join(chance.choices(EXPRESSIONS, k=chance.randrange(1, 5)))
            case 2:
                text = chance.choice(EXPRESSIONS)
                for _ in range(chance.randrange(1, 4)):
                    at = chance.randrange(len(text) + 1)
                    piece = chance.choice((chance.choice(_PIECES), chance.choice(string.printable), ""))
                    text = text[:at] + piece + text[at + chance.randrange(3) :]
            case _:
                field, operator = chance.choice(list(FIELDS)), chance.choice(KEYWORDS[3:])
                text = f"{field} {operator} {chance.choice(_PIECES)}"
        made.append(text)
    return made


def check(text: str, store: Store) -> bool:
    """Whether a text is a filter; whatever it is, it must behave."""
    began = time.monotonic()
    try:
        asked = Filter(text, _MACROS)
    except FilterError as error:
        assert 0 <= error.position <= len(text)
        assert str(error)
        good = False
    else:
        for segment in store.segments:
            assert len(asked.mask(store, segment)) == len(segment)
        assert asked.explain()
        printed = str(parse(text)) if text.strip() else ""
        assert not printed or len(printed) > MAX_LENGTH or parse(printed) == parse(text)
        good = True
    complete(text, len(text) // 2)
    assert time.monotonic() - began < SLOWEST, text
    return good


def test_random_texts_are_filters_or_errors(store: Store) -> None:
    good = sum(check(text, store) for text in texts(random.Random(7), 1_500))
    assert 150 < good < 1_350


@pytest.mark.long
def test_a_hundred_thousand_random_texts_are_filters_or_errors(store: Store) -> None:
    seed = random.randrange(1 << 32)
    good = sum(check(text, store) for text in texts(random.Random(seed), 100_000))
    assert 10_000 < good < 90_000, f"seed {seed}"


@pytest.mark.parametrize(
    "text",
    [
        "(" * MAX_LENGTH,
        "not " * (MAX_LENGTH // 4),
        "(not " * 20_000,
        "tolower(" * 8_000,
        "proc.name in (" + "a," * 32_000,
        "proc.name in (" + ", ".join(f"a{number}" for number in range(9_000)) + ")",
        " or ".join(["proc.name=a"] * 4_000),
        " and ".join(f"fd.num!={number}" for number in range(4_000)),
        "proc.name regex '" + "(a*)*" * 10_000 + "'",
        "proc.name regex '" + "(a*)*" * 800 + "'",
        "proc.name regex '(.*a.*b.*c)*" + ".?" * 1_500 + "'",
        "proc.name regex '" + "(x+x+)+y" * 100 + "'",
        "proc.name regex 'a{1000}{1000}'",
        "proc.name glob '" + "*?" * 2_000 + "'",
        "fd.name pmatch (" + "/a*" * 20_000 + ")",
        '"' * MAX_LENGTH,
        "proc.name=" + "x" * (MAX_LENGTH - 10),
        "x" * (MAX_LENGTH + 1),
    ],
    ids=lambda text: text[:24],
)
def test_huge_filters_end_soon(text: str, store: Store) -> None:
    check(text, store)


def test_regular_expressions_take_linear_time(store: Store) -> None:
    thread = store.threads[0]
    was, thread.comm = thread.comm, b"x" * 100_000
    try:
        store.revision += 1
        check("proc.name regex '(x+x+)+y'", store)
        check("proc.name glob '" + "*x" * 50 + "y'", store)
        check("proc.name iglob '*" + "?*" * 50 + "y'", store)
    finally:
        thread.comm = was
        store.revision += 1

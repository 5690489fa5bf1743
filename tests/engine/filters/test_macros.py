"""Macros stand for what the settings say, are told apart from fields, and cannot run away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.filters import FilterError, compile  # noqa: A004
from engine.filters.macros import MOST_DEEP, user_macros
from engine.user_files import ConfigError
from tests.engine.filters.machine import make_store

STORE = make_store()
MACROS = {
    "failing": "evt.failed = true",
    "opens": "evt.type in open_types",
    "open_types": "(open, openat)",
    "bad_opens": "opens and not (not failing)",
    "either": "evt.type=read or evt.type=connect",
    "loop": "evt.failed=true or pool",
    "pool": "(loop)",
    "wrong": "evt.failed = maybe",
    "wrong_type": "(open, opne)",
    "broken": "evt.failed =",
    "outer": "evt.failed=true and wrong",
}


def mask(text: str, macros: dict[str, str] | None = None) -> list[list[bool]]:
    asked = compile(text, MACROS if macros is None else macros)
    return [asked.mask(STORE, segment).tolist() for segment in STORE.segments]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("failing", "evt.failed=true"),
        ("not failing", "not evt.failed=true"),
        ("opens and evt.failed=true", "evt.type in (open, openat) and evt.failed=true"),
        ("evt.type in open_types", "evt.type in (open, openat)"),
        ("bad_opens", "evt.type in (open, openat) and evt.failed=true"),
        ("failing and either", "evt.failed=true and (evt.type=read or evt.type=connect)"),
    ],
)
def test_a_macro_stands_for_its_text_in_brackets(text: str, same: str) -> None:
    assert mask(text) == mask(same)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("evt.failed=true and fialing", 20, "unknown name fialing: expected a field such as proc.name, or a macro"),
        ("fialing", 0, "did you mean failing?"),
        ("failing or loop", 11, "a macro cannot use itself: loop uses pool uses loop"),
        ("failing and wrong", 12, "in the macro wrong: maybe does not fit: expected true or false"),
        ("outer", 0, "in the macro outer: in the macro wrong: maybe does not fit"),
        ("evt.type in wrong_type", 12, "unknown event type opne, did you mean open"),
        ("evt.type in failing", 12, "in the macro failing: unexpected evt.failed"),
        ("evt.type in nothing", 12, "unknown name nothing: expected a list in brackets, or a macro"),
        ("broken", 0, "in the macro broken: the filter ends"),
        ("open_types", 0, "in the macro open_types"),
    ],
)
def test_what_is_wrong_is_told_at_the_name(text: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile(text, MACROS)
    assert message in str(caught.value)
    assert caught.value.position == position


def test_macros_within_each_other_are_bounded() -> None:
    chain = {f"m{level}": f"m{level + 1}" for level in range(MOST_DEEP + 1)} | {f"m{MOST_DEEP + 1}": "evt.failed=true"}
    assert mask("m3", chain) == mask("evt.failed=true")
    with pytest.raises(FilterError, match="too many macros"):
        compile("m0", chain)


def test_macros_that_double_are_refused_soon() -> None:
    bomb = {f"m{level}": " and ".join([f"m{level + 1}"] * 50) for level in range(12)} | {"m12": "evt.failed=true"}
    began = time.monotonic()
    with pytest.raises(FilterError, match="too many macros"):
        compile("m0", bomb)
    assert time.monotonic() - began < 10


def test_macros_of_nested_brackets_are_refused() -> None:
    nested = {f"m{level}": "not (evt.failed=true or " * 90 + f"m{level + 1}" + ")" * 90 for level in range(5)}
    with pytest.raises(FilterError, match="nested too deeply"):
        compile("m0", nested | {"m5": "evt.failed=true"})


def test_macros_are_those_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "syscope").mkdir()
    settings = tmp_path / "syscope" / "config.toml"
    settings.write_text('[macros]\nmine = "evt.failed=true"\n')
    assert user_macros() == {"mine": "evt.failed=true"}
    asked = compile("mine")
    assert [asked.mask(STORE, segment).tolist() for segment in STORE.segments] == mask("evt.failed=true")
    settings.write_text("[macros]\nmine = 3\n")
    assert compile("evt.failed=true")
    with pytest.raises(FilterError, match=r"config.toml:2: mine: expected a text"):
        compile("mine")


@pytest.mark.parametrize("name", ["and", "contains", "len", '"a.b"', '"a b"', '"1"'])
def test_a_macro_needs_a_name_that_filters_can_have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "syscope").mkdir()
    (tmp_path / "syscope" / "config.toml").write_text(f'[macros]\n{name} = "evt.failed=true"\n')
    with pytest.raises(ConfigError, match=r"config.toml:2: .*expected a name"):
        user_macros()

"""Captured bytes become text that cannot harm a terminal; numbers read as people expect."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"/etc/passwd", "/etc/passwd"),
        (b"", ""),
        ("café 日本".encode(), "café 日本"),
        (b"a\nb", "a␊b"),
        (b"\x1b[31mred", "␛[31mred"),
        (b"\x7f", "␡"),
        (b"\x00", "␀"),
        ("\x9b31m".encode(), "�31m"),
        ("abc\u202ecba".encode(), "abc�cba"),
        ("a\u200db".encode(), "a�b"),
        ("a\u00a0b".encode(), "a b"),
        ("a\u2028b".encode(), "a�b"),
        (b"\xff\xfe", "��"),
        (b"caf\xe9", "caf�"),
        (b"\xed\xa0\x80", "���"),
    ],
)
def test_safe_makes_harmful_bytes_visible(raw: bytes, shown: str) -> None:
    assert text.safe(raw) == shown


@given(st.binary())
def test_safe_text_is_printable_and_encodable(raw: bytes) -> None:
    shown = text.safe(raw)
    assert shown.isprintable()
    shown.encode("utf-8")


@given(st.lists(st.one_of(st.binary(max_size=6), st.text(max_size=4).map(str.encode))))
def test_many_texts_are_made_safe_as_each_is(raws: list[bytes]) -> None:
    assert text.safe_lines(raws) == "\n".join(map(text.safe, raws))


@given(st.one_of(st.integers(-(2**63), 2**63), st.floats(-1e20, 1e20)))
def test_numbers_are_written_with_few_characters(number: float) -> None:
    for shown in (text.scaled(number), text.scaled(number, 2), text.percent(number), text.duration(number)):
        assert text.IN_NUMBERS.issuperset(shown.casefold())


@given(st.text())
def test_clean_is_idempotent_and_keeps_letters(raw: str) -> None:
    cleaned = text.clean(raw)
    assert text.clean(cleaned) == cleaned
    letters = [character for character in raw if unicodedata.category(character).startswith("L")]
    assert [character for character in cleaned if unicodedata.category(character).startswith("L")] == letters


@given(st.binary())
def test_dotted_keeps_the_length(raw: bytes) -> None:
    shown = text.dotted(raw)
    assert len(shown) == len(raw)
    assert shown.isascii()
    assert shown.isprintable()


def test_dotted_shows_other_bytes_as_dots() -> None:
    assert text.dotted(b"GET /\r\n\xc3\xa9~\x7f") == "GET /....~."


def test_without_controls_drops_a_trailing_newline_and_keeps_utf8() -> None:
    assert text.without_controls("/run/dock\x01\x7fer.sock\né".encode()) == "/run/docker.sock\u00e9".encode()


@pytest.mark.parametrize(
    ("shown", "cells", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 3, "abc"),
        ("日本語", 4, "日本"),
        ("日本語", 5, "日本 "),
        ("日本語", 1, " "),
        ("e\u0301a", 2, "e\u0301a"),
        ("", 2, "  "),
        ("abc", 0, ""),
    ],
)
def test_fit_counts_cells(shown: str, cells: int, fitted: str) -> None:
    assert text.fit(shown, cells) == fitted


def test_fit_aligns_numbers_right() -> None:
    assert text.fit("12", 5, right=True) == "   12"


@given(st.binary(), st.integers(0, 40))
def test_fitted_text_takes_exactly_its_cells(raw: bytes, cells: int) -> None:
    fitted = text.fit(text.safe(raw), cells)
    assert text.width(fitted) == cells
    assert len(fitted) <= 6 * cells + 1


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0, 0, "0"),
        (1024, 0, "1024"),
        (1025, 0, "1K"),
        (1536, 2, "1.50K"),
        (1024 * 1024, 2, "1024.00K"),
        (1024 * 1024 + 1, 0, "1M"),
        (-2048, 1, "-2.0K"),
        (3 * 1024**5, 0, "3P"),
        (5000 * 1024**5, 0, "5000P"),
        (7.25, 2, "7.25"),
    ],
)
def test_quantities_scale_by_1024(value: float, decimals: int, shown: str) -> None:
    assert text.scaled(value, decimals) == shown


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0ns"),
        (999, "999ns"),
        (999.7, "1us"),
        (1000, "1us"),
        (1662, "1.66us"),
        (16_000, "16us"),
        (16_240, "16.2us"),
        (1_209_999, "1.21ms"),
        (9_996_000, "10ms"),
        (327_788_119, "328ms"),
        (999_600_000, "1.00s"),
        (22_030_000_000, "22.03s"),
        (65_000_000_000, "1:05"),
        (3_600_000_000_000, "01:00:00"),
        (360_061_000_000_000, "100:01:01"),
        (-1500, "-1.5us"),
    ],
)
def test_durations_keep_three_digits(ns: float, shown: str) -> None:
    assert text.duration(ns) == shown


def test_percentages_have_two_decimals() -> None:
    assert text.percent(12.345678) == "12.35"

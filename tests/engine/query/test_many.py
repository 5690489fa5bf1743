"""Loops over many texts say of each what Python says of one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.query.many import holding, ranks

FEW_LETTERS = st.binary(max_size=5).map(lambda raw: bytes(b"ab\x00\xff"[byte % 4] for byte in raw))


@given(st.lists(st.one_of(FEW_LETTERS, st.binary())))
def test_equal_texts_share_the_place_of_the_first_of_them(texts: list[bytes]) -> None:
    different = sorted(set(texts))
    assert ranks(texts).tolist() == [different.index(text) for text in texts]


@given(st.lists(FEW_LETTERS), FEW_LETTERS, st.booleans())
def test_lines_that_hold_a_text_are_told_from_those_that_do_not(lines: list[bytes], wanted: bytes, ended: bool) -> None:
    text = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    assert holding(text, wanted, len(lines)).tolist() == [wanted in line for line in lines]


def test_no_line_holds_the_end_of_one() -> None:
    assert not holding(b"a\nb\n", b"a\nb", 2).any()
    assert not holding(b"a\nb\n", b"\n", 2).any()

"""Adding and taking out one term of a filter."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from engine.filters import (
    compile,  # noqa: A004
    parse,
)
from engine.filters.rewrite import add, remove
from engine.filters.syntax import And, Expression, Not
from tests.engine.filters.trees import trees


@pytest.mark.parametrize(
    ("text", "term", "result"),
    [
        ("", "a.b=1", "a.b=1"),
        ("c.d  =  2", "a.b=1", "c.d  =  2 and a.b=1"),
        ("c.d=2 or e.f=3", "a.b=1", "(c.d=2 or e.f=3) and a.b=1"),
        ("c.d=2", "a.b=1 or e.f=3", "c.d=2 and (a.b=1 or e.f=3)"),
        ("c.d=2 and a.b = 1", "a.b=1", "c.d=2 and a.b = 1"),
        ("not a.b=1 and c.d=2", "a.b=1", "c.d=2 and a.b=1"),
        ("a.b=1", "not a.b=1", "not a.b=1"),
    ],
)
def test_adding(text: str, term: str, result: str) -> None:
    assert add(text, term) == result


@pytest.mark.parametrize(
    ("text", "term", "result"),
    [
        ("a.b=1", "a.b = 1", ""),
        ("a.b=1 and  c.d=2", "a.b=1", "c.d=2"),
        ("c.d=2 and\n a.b=1 and e.f='x y'", "a.b=1", "c.d=2 and\n e.f='x y'"),
        ("c.d=2 and a.b=1", "a.b=1", "c.d=2"),
        ("c.d=2 and (a.b=1)", "a.b=1", "c.d=2"),
        ("(c.d=2 and a.b=1) and (e.f=3)", "a.b=1", "(c.d=2) and (e.f=3)"),
        ("c.d=2 or a.b=1", "a.b=1", "c.d=2 or a.b=1"),
        ("c.d='a.b=1'", "a.b=1", "c.d='a.b=1'"),
        ("a.b=1 and a.b=1", "a.b=1", ""),
    ],
)
def test_taking_out(text: str, term: str, result: str) -> None:
    assert remove(text, term) == result


@given(trees, trees)
@settings(max_examples=200, deadline=None)
def test_what_is_added_is_there_and_can_be_taken_out(tree: Expression, term: Expression) -> None:
    def terms(text: str) -> list[Expression]:
        parsed = parse(text)
        return list(parsed.operands) if isinstance(parsed, And) else [parsed]

    assume(
        not isinstance(term, And) and not isinstance(tree, And) and tree not in (term, Not(term)) and term != Not(tree)
    )
    added = add(str(tree), str(term))
    assert terms(added) == [tree, term]
    assert parse(remove(added, str(term))) == tree


def test_a_filter_tells_its_text_with_a_term_more_or_less() -> None:
    asked = compile("proc.name=curl and  (fd.port=80 and evt.failed=true)")
    assert asked.rewrite(add="fd.num=3") == "proc.name=curl and  (fd.port=80 and evt.failed=true) and fd.num=3"
    assert asked.rewrite(remove="fd.port = 80") == "proc.name=curl and  (evt.failed=true)"
    assert asked.rewrite(add="not evt.failed=true", remove="proc.name=curl") == "(fd.port=80) and not evt.failed=true"
    assert compile("").rewrite(add="fd.num=3") == "fd.num=3"

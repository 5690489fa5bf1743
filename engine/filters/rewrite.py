"""A filter's text with one term added or taken out, the rest left as it was written.

A term is one of the parts that ``and`` joins, also inside brackets that only group such parts.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.filters.parser import conjuncts, parse
from engine.filters.syntax import And, Expression, Not, Or


def add(text: str, term: str) -> str:
    """The filter that also asks for a term; a term that is there already is not repeated, its contrary is replaced.

    Raises FilterError, positions counted in the text at fault.
    """
    wanted = parse(term)
    if not text.strip():
        return term
    text = remove(text, str(wanted.operand if isinstance(wanted, Not) else Not(wanted)))
    if not text:
        return term
    if any(tree == wanted for tree, _, _ in _terms(text, 0, len(text))):
        return text
    left = f"({text})" if isinstance(parse(text), Or) else text
    return f"{left} and ({term})" if isinstance(wanted, Or) else f"{left} and {term}"


def remove(text: str, term: str) -> str:
    """The filter without a term, wherever it stands; empty when nothing else was asked for. Raises FilterError."""
    unwanted = parse(term)
    while text.strip():
        places = [(start, end) for tree, start, end in _terms(text, 0, len(text)) if tree == unwanted]
        if not places:
            break
        text = _without(text, *places[0])
    return text.strip()


def _terms(text: str, start: int, end: int) -> Iterator[tuple[Expression, int, int]]:
    """Terms between two places, with where they stand; brackets included in what they hold."""
    for tree, first, last in conjuncts(text[start:end]):
        first, last = first + start, last + start
        yield tree, first, last
        if text[first] == "(":
            if isinstance(tree, And):
                yield from _terms(text, first + 1, last - 1)
            elif not isinstance(tree, Or):
                yield from ((inner, first, last) for inner, _, _ in _terms(text, first + 1, last - 1))


def _without(text: str, start: int, end: int) -> str:
    """The text without what stands there, and without the ``and`` that joined it."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if after.startswith("and"):
        return text[:start] + after[3:].lstrip()
    if before.endswith("and"):
        return before[:-3].rstrip() + text[end:]
    # Nothing is left inside its brackets.
    return _without(text, before.rindex("("), len(text) - len(after) + 1) if before.endswith("(") else ""

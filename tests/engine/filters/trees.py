"""Random syntax trees of the filter language."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.filters.parser import KEYWORDS
from engine.filters.syntax import (
    LIST_OPERATORS,
    ORDERINGS,
    QUANTIFIERS,
    TEXT_OPERATORS,
    TRANSFORMERS,
    And,
    Comparison,
    Exists,
    Expression,
    FieldName,
    Group,
    Name,
    Not,
    Or,
    Range,
    Text,
    Transform,
    Values,
)

_words = st.from_regex("[A-Za-z][A-Za-z0-9_]{0,5}", fullmatch=True)
_texts = st.builds(Text, st.binary(max_size=8) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace")))
_arguments = st.none() | st.text(max_size=6, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_fields = st.builds(FieldName, st.lists(_words, min_size=2, max_size=3).map(".".join), _arguments)
_parts = st.recursive(
    _fields | _texts,
    lambda inner: (
        st.builds(Group, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Transform, st.sampled_from(TRANSFORMERS), st.lists(inner, max_size=3).map(tuple), _arguments)
    ),
    max_leaves=5,
)
_transforms = st.builds(Transform, st.sampled_from(TRANSFORMERS), st.lists(_parts, max_size=3).map(tuple), _arguments)
_operands = _fields | _transforms
_names = _words.filter(lambda word: word not in KEYWORDS).map(Name)
_lists = st.lists(_texts, max_size=4).map(lambda items: Values(tuple(items)))

comparisons = (
    st.builds(Comparison, _operands, st.sampled_from(ORDERINGS + TEXT_OPERATORS), _texts | _transforms)
    | st.builds(Comparison, _operands, st.sampled_from(LIST_OPERATORS), st.builds(Range, _texts, _texts))
    | st.builds(Comparison, _operands, st.sampled_from(TEXT_OPERATORS), _lists, st.sampled_from(QUANTIFIERS))
    | st.builds(Comparison, _operands, st.sampled_from(LIST_OPERATORS), _lists | _transforms | _names)
)


def expressions(leaves: st.SearchStrategy[Expression], max_leaves: int = 8) -> st.SearchStrategy[Expression]:
    """Trees of and, or and not over the given leaves."""

    def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        negatable = inner.filter(lambda tree: not isinstance(tree, Not))
        return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, negatable)

    return st.recursive(leaves, grown, max_leaves=max_leaves)


trees = expressions(comparisons | st.builds(Exists, _operands) | _names)
"""Anything the grammar has."""

"""Syntax tree to plan: fields looked up, types, operators and values checked, each comparison made a test.

An absent value, or an empty list, satisfies no comparison. Of a field with several values any may satisfy it, but for
``!=``, which all must. Raises FilterError at the place of what does not make sense.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.events import CATALOGUE, EventType
from engine.fields import look_up
from engine.fields.field import Field, FieldType, Place, Value
from engine.filters import literals, operators
from engine.filters.errors import FilterError
from engine.filters.junctions import joined, negated
from engine.filters.macros import Macros, told_at
from engine.filters.operators import ALLOWED, ALLOWED_LIST, TESTS
from engine.filters.parameters import ParameterTerm
from engine.filters.parser import MAX_NESTING, parse
from engine.filters.plan import Constant, Mask, Plan
from engine.filters.shared import SharedTerm
from engine.filters.sides import Side, common, side_of
from engine.filters.syntax import (
    OPERATORS,
    ORDERINGS,
    And,
    Comparison,
    Exists,
    Expression,
    Name,
    Not,
    Operand,
    Or,
    Range,
    Text,
    Values,
)
from engine.filters.terms import ColumnsTerm, columns, of_types, term
from engine.store.store import Store

Answer = Callable[[Any], Any]
"""Answers for one present value, or for an array of numbers."""

MOST_LEVELS = 3 * MAX_NESTING + 8
"""Levels of a tree: each bracket holds an ``or`` of ``and`` of ``not``."""
_CODES = 4096
"""Codes of a column whose answers are remembered."""
_FIELDS = 64
"""Fields of event types whose values are remembered: there are few, but some take arguments."""
_QUARTER = 900 * 1_000_000_000
_NUMBERS = frozenset(
    {FieldType.INTEGER, FieldType.ID, FieldType.PORT, FieldType.FLOAT, FieldType.DURATION, FieldType.TIME}
)
_QUANTIFIED: dict[str, tuple[Callable[[Any, int], Any], int]] = {
    "anyof": (operator.ge, 1),
    "oneof": (operator.eq, 1),
    "allof": (operator.eq, 0),
}
"""How many of the list's values must hold: the comparison with a number, 0 for all of them."""
_PATTERNS: dict[str, Callable[[Text], Answer]] = {
    "regex": operators.regex,
    "glob": operators.glob,
    "iglob": operators.iglob,
    "pmatch": operators.under,
}


def plan(tree: Expression, macros: Macros, level: int = 0) -> Plan:
    """The plan of a filter's tree, macros read as what they stand for."""
    if level > MOST_LEVELS:
        raise FilterError("nested too deeply", 0, f"at most {MAX_NESTING} levels, those of macros included")
    match tree:
        case And(operands):
            return joined(True, [plan(operand, macros, level + 1) for operand in operands])
        case Or(operands):
            return joined(False, [plan(operand, macros, level + 1) for operand in operands])
        case Not(operand):
            return negated(plan(operand, macros, level + 1))
        case Exists(operand):
            return _existence(side_of(operand), str(tree))
        case Comparison(right=Name() as name):
            return _comparison(replace(tree, right=macros.values(name)))
        case Comparison():
            return _comparison(tree)
        case Name():
            text = macros.text(tree, "a field such as proc.name, or a macro")
            with told_at(tree):
                return plan(parse(text), macros.within(tree), level + 1)


def _existence(side: Side, text: str) -> Plan:
    if side.place is Place.EVENT:
        assert side.field
        return columns(side.field, side.argument, lambda values: np.ones(len(values), np.bool_), text)
    return _term(side, lambda value: True, text)


def _comparison(node: Comparison) -> Plan:
    side = side_of(node.left)
    if side.is_list:
        allowed, kind = ALLOWED_LIST, "a list"
    else:
        allowed, kind = ALLOWED[side.type], f"a field of type {side.type.value}"
    if node.operator not in allowed:
        expected = " ".join(word for word in OPERATORS if word in allowed)
        raise FilterError(f"{node.left} is {kind}", node.position, expected)
    match node.right:
        case Text():
            needle = _literal(side, node, node.right) if node.operator in ("contains", "bcontains") else None
            arrays = node.operator in ("=", "!=", *ORDERINGS)
            return _term(side, _over(side, node, _answer(side, node, (node.right,))), str(node), needle, arrays=arrays)
        case Values(items) if node.quantifier is None:
            return _term(side, _over(side, node, _answer(side, node, items)), str(node))
        case Values(items):
            return _quantified(side, node, items)
        case Range():
            return _range(side, node, node.right)
        case Name():
            raise AssertionError("macros have been read")
        case right:
            return _between(side, node, right)


def _range(side: Side, node: Comparison, ends: Range) -> Plan:
    """``in low..high``, both ends included; of the time of day also over midnight."""
    if side.name == "evt.time":
        low, high = literals.time_of_day(ends.low), literals.time_of_day(ends.high)
        rawtime = look_up("evt.rawtime")[0]
        return columns(rawtime, None, lambda times: _within_day(times, low, high), str(node))
    if node.operator != "in" or side.is_list or "<" not in ALLOWED[side.type]:
        raise FilterError(f"{node.left} {node.operator} takes no range", ends.position, "a list in brackets")
    first, last = _literal(side, node, ends.low), _literal(side, node, ends.high)
    inside = _over(side, node, lambda value: (value >= first) & (value <= last))
    return _term(side, inside, str(node), arrays=True)


def _within_day(times: NDArray[np.int64], low: int, high: int) -> Mask:
    """Which times are, by the local clock, from ``low`` to ``high`` ns after midnight."""
    # The clock is put forward or back at quarters of an hour at most.
    quarters, places = np.unique(times // _QUARTER, return_inverse=True)
    ahead = [datetime.fromtimestamp(quarter * 900).astimezone().utcoffset() for quarter in quarters.tolist()]
    seconds = np.array([0 if each is None else int(each.total_seconds()) for each in ahead], np.int64)
    since = (times + seconds[places] * 1_000_000_000) % (96 * _QUARTER)
    held: Mask = (since >= low) & (since <= high) if low <= high else (since >= low) | (since <= high)
    return held


def _term(side: Side, answer: Answer, text: str, needle: bytes | None = None, *, arrays: bool = False) -> Plan:
    """The plan of an answer about one side; it is not asked where the value is absent.

    ``needle`` is what bytes must contain, when the answer is no more than that; ``arrays`` when numbers may be asked
    many at a time.
    """
    if side.place is Place.EVENT:
        assert side.field
        words = side.field.words
        if words is None:
            return columns(side.field, side.argument, answer, text)
        by_type = _decided_by_type(side.field, answer)
        if by_type is not None:
            return of_types(by_type, text)
        return columns(side.field, side.argument, _by_code(words, answer), text)
    place = side.place or Place.TYPE
    if place is Place.TYPE and side.field is not None:
        return _of_types(side.field, side.argument, answer, text)
    read = side.reader(place)

    def test(subject: Any, store: Store) -> bool:
        value = read(subject, store)
        return value is not None and value != () and bool(answer(value))

    def of_many(subjects: Sequence[Any], store: Store) -> list[bool]:
        """The answers, each value asked once."""
        values = [read(subject, store) for subject in subjects]
        answers = {value: value is not None and value != () and bool(answer(value)) for value in set(values)}
        return [answers[value] for value in values]

    if side.field is None or side.field.place is not Place.LATE:
        return term(place, of_many, text, passing=side.passing)
    if side.field.parameter is not None:
        return ParameterTerm(side, answer, test, text, needle, arrays)
    types, same, argument = side.field.types, side.field.same, side.argument
    if same is not None:
        return SharedTerm(test, lambda segment, store: same(segment, store, argument), text)
    if types is not None:
        only = of_types(_having(types), f"{side.name} of a type")
        return joined(True, [only, term(place, of_many, text)])
    return term(place, of_many, text)


def _of_types(field: Field, argument: str | None, answer: Answer, text: str) -> Plan:
    """The plan of an answer about a field of event types, asked once for each value there is."""
    values = _type_values(field, argument)
    answers = {value: value is not None and value != () and bool(answer(value)) for value in set(values)}
    return of_types(np.array([answers[value] for value in values]), text)


@lru_cache(_FIELDS)
def _having(types: Callable[[EventType], bool]) -> Mask:
    """Which event types a field is there for, by type code."""
    return np.array(list(map(types, CATALOGUE)))


@lru_cache(_FIELDS)
def _type_values(field: Field, argument: str | None) -> list[Value]:
    """The value a field has for each event type, by type code."""
    return [field.value(kind, argument) for kind in CATALOGUE]


def _decided_by_type(field: Field, answer: Answer) -> Mask | None:
    """The answer for each event type, None where events of one type get different ones."""
    if field.codes is None or field.words is None:
        return None
    words = field.words
    possible = _type_codes(field)
    answers = {codes: {bool(answer(words(code))) for code in codes} for codes in set(possible)}
    if any(len(found) > 1 for found in answers.values()):
        return None
    return np.array([answers[codes] == {True} for codes in possible])


@lru_cache(_FIELDS)
def _type_codes(field: Field) -> list[frozenset[int]]:
    """The codes that events of each type may have, by type code."""
    assert field.codes
    return list(map(field.codes, CATALOGUE))


def _by_code(words: Callable[[int], bytes], answer: Answer) -> Answer:
    """The answer for a column of codes that stand for words, asked once for each code."""
    asked = lru_cache(_CODES)(lambda code: bool(answer(words(code))))

    def of_column(codes: NDArray[np.int64]) -> Mask:
        low, high = (int(codes.min()), int(codes.max())) if len(codes) else (0, 0)
        if high - low >= _CODES:
            distinct, places = np.unique(codes, return_inverse=True)
        else:
            # Codes close together index a table, which is many times faster than sorting them.
            places = codes - low
            distinct = np.arange(low, high + 1)
        occurs = np.bincount(places, minlength=len(distinct)) > 0
        table = np.array([held and asked(code) for code, held in zip(distinct.tolist(), occurs.tolist(), strict=True)])
        return table.take(places)

    return of_column


def _over(side: Side, node: Comparison, answer: Answer) -> Answer:
    """The answer for all values of a side that has several."""
    if not side.multiple:
        return answer
    decide = all if node.operator == "!=" else any
    return lambda value: decide(map(answer, value)) if isinstance(value, tuple) else answer(value)


def _quantified(side: Side, node: Comparison, items: Sequence[Text]) -> Plan:
    answers = [_over(side, node, _answer(side, node, (item,))) for item in items]
    if not answers:
        return Constant(False, str(node))
    compare, wanted = _QUANTIFIED[node.quantifier or ""]
    count = wanted or len(answers)
    return _term(side, lambda value: compare(sum(answer(value) for answer in answers), count), str(node))


def _answer(side: Side, node: Comparison, texts: Sequence[Text]) -> Answer:
    """What the operator asks of one value, given its literals."""
    if node.operator in _PATTERNS:
        tests = [_PATTERNS[node.operator](text) for text in texts]
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)
    if side.name == "evt.around":
        return _near(node, texts)
    values = [_literal(side, node, text) for text in texts]
    if node.operator in ("in", "intersects"):
        return _membership(side, node, values)
    value = values[0]
    if side.type is FieldType.NETWORK:
        return lambda address: (address in value) == (node.operator == "=")
    test = TESTS[node.operator]
    return lambda given: test(given, value)


def _literal(side: Side, node: Comparison, text: Text) -> Any:
    if node.operator in ("bcontains", "bstartswith"):
        return literals.hexadecimal(text)
    if side.name == "evt.type" and node.operator in ("=", "!=", "in", "intersects"):
        return literals.event_name(text)
    return literals.read(text, side.type)


def _near(node: Comparison, texts: Sequence[Text]) -> Answer:
    """``evt.around[T] = MS``: the field yields the distance in ns, and any up to MS will do."""
    if node.operator != "=":
        raise FilterError("evt.around takes no other operator", node.position, "=")
    reach = literals.read(texts[0], FieldType.INTEGER) * 1_000_000
    return lambda distance: distance <= reach


def _membership(side: Side, node: Comparison, values: Sequence[Any]) -> Answer:
    if side.is_list:
        return _list_test(node.operator, values)
    if side.type is FieldType.NETWORK:
        return lambda address: any(address in network for network in values)
    if side.place is Place.EVENT and side.type is not FieldType.TEXT:
        storable = np.array([value for value in values if -(2**63) <= value < 2**63])
        return lambda values: np.isin(values, storable)
    chosen = frozenset(values)
    return lambda value: value in chosen


def _list_test(word: str, values: Iterable[Any]) -> Answer:
    chosen = frozenset(values)
    return chosen.issuperset if word == "in" else lambda items: not chosen.isdisjoint(items)


def _between(left: Side, node: Comparison, operand: Operand) -> Plan:
    """A comparison of two sides, both read from the event."""
    right = side_of(operand)
    if node.operator not in (*TESTS, "in", "intersects") or left.name == "evt.around":
        raise FilterError(f"{node.left} {node.operator} cannot be compared with a field", operand.position, "a literal")
    if right.multiple:
        raise FilterError(f"{operand} may have several values", operand.position, "a field of one value")
    wants_list = node.operator in ("in", "intersects")
    if right.is_list != wants_list:
        raise FilterError(f"{operand} does not fit", operand.position, "a list" if wants_list else "a single value")
    if right.type is not left.type and not {left.type, right.type} <= _NUMBERS:
        expected = f"the type of {node.left}, {left.type.value}"
        raise FilterError(f"{operand} is of type {right.type.value}", operand.position, expected)
    if left.in_columns and right.in_columns and not wants_list:
        assert left.field and right.field
        sides = (left.field, left.argument), (right.field, right.argument)
        return ColumnsTerm(*sides, TESTS[node.operator], str(node))
    place = common([left, right])
    first, second = left.reader(place), right.reader(place)
    test = _right_test(left, node)

    def compare(subject: Any, store: Store) -> bool:
        value, other = first(subject, store), second(subject, store)
        if value in (None, ()) or other is None:
            return False
        return bool(_over(left, node, lambda one: test(one, other))(value))

    def of_many(subjects: Sequence[Any], store: Store) -> list[bool]:
        return [compare(subject, store) for subject in subjects]

    return term(place, of_many, str(node), passing=left.passing or right.passing)


def _right_test(left: Side, node: Comparison) -> Callable[[Any, Any], bool]:
    if node.operator not in ("in", "intersects"):
        return TESTS[node.operator]
    if left.is_list:
        return lambda value, other: bool(_list_test(node.operator, other)(value))
    return lambda value, other: value in other

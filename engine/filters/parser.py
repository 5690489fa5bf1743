"""Text to syntax tree: a recursive-descent parser of the whole grammar, without knowledge of fields.

``not`` binds tighter than ``and``, ``and`` tighter than ``or``. Whether names exist and values fit is found out by
``check``. What may stand where in an unfinished text is told by ``spots``, from the same grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from engine.filters.errors import FilterError, near
from engine.filters.scanner import BLANK, Scanner
from engine.filters.syntax import (
    BARE_ARGUMENT,
    BARE_START,
    BARE_VALUE,
    LIST_OPERATORS,
    OPERATORS,
    ORDERINGS,
    QUANTIFIERS,
    TRANSFORMERS,
    And,
    Comparison,
    Exists,
    Expression,
    FieldName,
    Group,
    Name,
    Not,
    Operand,
    Or,
    Range,
    Right,
    Text,
    Transform,
    TransformArgument,
    Values,
)

MAX_NESTING = 100
"""Brackets and transformers inside each other."""
MAX_LENGTH = 65_536
"""Characters of a filter."""

KEYWORDS = ("and", "or", "not", *OPERATORS)
"""Words that cannot be names."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
"""A field, a transformer, or without a dot a macro."""
_SYMBOL = re.compile("==|!=|<=|>=|[=<>]")
_WORD = re.compile("[A-Za-z]+")
_QUANTIFIER = re.compile(rf"(?:{'|'.join(QUANTIFIERS)})(?=[{BLANK}]*\()")
_APPLIED = re.compile(r"[A-Za-z0-9_]+\(")

_Item = TypeVar("_Item")


class Part(Enum):
    """What the grammar reads at a place."""

    CHECK = "check"
    """A field, a transformer, a macro, ``not`` or a bracket."""
    OPERAND = "operand"
    """A field or a transformer among a transformer's arguments."""
    ARGUMENT = "argument"
    """What stands in the brackets after a field or transformer."""
    OPERATOR = "operator"
    VALUE = "value"
    LIST = "list"
    """A list in brackets, a range, or the name of a list."""
    JOIN = "join"
    """``and``, ``or``, or the bracket that closes."""
    MORE = "more"
    """A comma, or the bracket that closes a list."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a part is read, whether it is there or not."""

    part: Part
    start: int
    left: Operand | None = None
    """The side already read, of operators, values and lists; the field an argument is of."""
    operator: str = ""
    depth: int = 0
    """Brackets open."""


def parse(text: str) -> Expression:
    """The tree of a filter. Raises FilterError with the place where it stops making sense."""
    if len(text) > MAX_LENGTH:
        raise FilterError("the filter is too long", MAX_LENGTH, f"at most {MAX_LENGTH} characters")
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise FilterError("not a character", error.start, "text that can be written as UTF-8") from None
    return _Parser(text).whole()


def parse_list(text: str) -> Values:
    """The list in brackets that a text is. Raises FilterError."""
    return _Parser(text[:MAX_LENGTH]).whole_list()


def conjuncts(text: str) -> list[tuple[Expression, int, int]]:
    """The parts ``and`` joins in a filter, each with where it begins and ends. Raises FilterError."""
    tree = parse(text)
    return [(tree, *_trimmed(text))] if isinstance(tree, Or) else _Parser(text).conjuncts()


def spots(text: str) -> list[Spot]:
    """Where which part of a filter stands or could stand, in the order read, as far as the text makes sense."""
    parser = _Parser(text[:MAX_LENGTH])
    with suppress(FilterError, UnicodeEncodeError):
        parser.whole()
    return parser.spots


def _trimmed(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip(BLANK)), len(text.rstrip(BLANK))


class _Parser:
    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._depth = 0
        self._left: Operand | None = None
        self._operator_read = ""
        self.spots: list[Spot] = []

    def whole(self) -> Expression:
        tree = self._disjunction()
        self._end("and, or, or the end of the filter (values with blanks or = , need quotes)")
        return tree

    def whole_list(self) -> Values:
        values = self._values()
        self._end("the end of the list")
        return values

    def _end(self, expected: str) -> None:
        self._scanner.skip_blanks()
        if self._scanner.position < len(self._scanner.text):
            raise self._scanner.error(expected)

    def conjuncts(self) -> list[tuple[Expression, int, int]]:
        """The parts of one conjunction, with their places."""
        parts: list[tuple[Expression, int, int]] = []
        while not parts or self._scanner.word("and"):
            self._scanner.skip_blanks()
            start = self._scanner.position
            tree = self._negation()
            parts.append((tree, start, self._scanner.position))
        return parts

    def _reads(self, part: Part, left: Operand | None = None, operator: str = "") -> None:
        self._scanner.skip_blanks()
        self.spots.append(Spot(part, self._scanner.position, left, operator, self._depth))

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise FilterError("nested too deeply", self._scanner.position, f"at most {MAX_NESTING} levels")
        yield
        self._depth -= 1

    def _disjunction(self) -> Expression:
        operands = [self._conjunction()]
        while self._scanner.word("or"):
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _conjunction(self) -> Expression:
        operands = [self._negation()]
        while self._scanner.word("and"):
            operands.append(self._negation())
        self._reads(Part.JOIN)
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _negation(self) -> Expression:
        negated = False
        while self._scanner.word("not"):
            negated = not negated
        tree = self._check()
        if not negated:
            return tree
        return tree.operand if isinstance(tree, Not) else Not(tree)

    def _check(self) -> Expression:
        self._reads(Part.CHECK)
        if self._scanner.symbol("("):
            with self._nested():
                tree = self._disjunction()
            self._close()
            return tree
        start = self._scanner.position
        operand = self._operand("a field, not or (")
        if isinstance(operand, Name):
            if self._scanner.take(_SYMBOL):
                raise FilterError(f"{operand.name} is not a field", start, "a field such as proc.name")
            return operand
        return self._condition(operand)

    def _operand(self, expected: str) -> Operand | Name:
        scanner = self._scanner
        scanner.skip_blanks()
        start = scanner.position
        name = scanner.take(NAME)
        if name is None or name in KEYWORDS:
            scanner.position = start
            raise scanner.error(expected)
        if "." in name:
            return FieldName(name, self._bracketed_argument(FieldName(name, None, start)), start)
        scanner.skip_blanks()
        if not scanner.text.startswith("(", scanner.position):
            return Name(name, start)
        if name not in TRANSFORMERS:
            raise FilterError(f"unknown transformer {name}", start, near=near(name, TRANSFORMERS))
        return self._transform(name, start)

    def _transform(self, name: str, start: int) -> Transform:
        with self._nested():
            arguments = self._list(self._transform_argument)
        return Transform(name, arguments, self._bracketed_argument(None), start)

    def _transform_argument(self) -> TransformArgument:
        scanner = self._scanner
        self._reads(Part.OPERAND)
        start = scanner.position
        text = scanner.quoted()
        if text is not None:
            return Text(text, start)
        if scanner.text.startswith("(", start):
            with self._nested():
                return Group(self._list(self._transform_argument), start)
        operand = self._operand("a field, a transformer, quoted text or a list")
        if isinstance(operand, Name):
            raise FilterError(f"{operand.name} is not a field", start, "a field, or text in quotes")
        return operand

    def _bracketed_argument(self, of: FieldName | None) -> str | None:
        scanner = self._scanner
        if not scanner.text.startswith("[", scanner.position):
            return None
        scanner.position += 1
        self._reads(Part.ARGUMENT, of)
        quoted = scanner.quoted()
        argument = scanner.take(BARE_ARGUMENT) if quoted is None else quoted.decode("utf-8", "surrogateescape")
        if argument is None:
            raise scanner.error("an argument")
        if not scanner.symbol("]"):
            raise scanner.error("]")
        return argument

    def _condition(self, left: Operand) -> Expression:
        self._reads(Part.OPERATOR, left)
        position = self._scanner.position
        operator = self._operator(left)
        self._left, self._operator_read = left, operator
        if operator == "exists":
            return Exists(left, position)
        if operator in LIST_OPERATORS:
            return Comparison(left, operator, self._list_or_operand(), None, position)
        self._scanner.skip_blanks()
        quantifier = None if operator in ORDERINGS else self._scanner.take(_QUANTIFIER)
        right: Right = self._values() if quantifier else self._applied() or self._value()
        return Comparison(left, operator, right, quantifier, position)

    def _operator(self, left: Operand) -> str:
        scanner = self._scanner
        start = scanner.position
        symbol = scanner.take(_SYMBOL)
        if symbol is not None:
            return "=" if symbol == "==" else symbol
        word = scanner.take(_WORD)
        if word is None:
            raise scanner.error(f"an operator after {left}")
        if word not in OPERATORS:
            raise FilterError(f"unknown operator {word}", start, f"an operator after {left}", near(word, OPERATORS))
        if word not in ("exists", *LIST_OPERATORS) and scanner.text[scanner.position : scanner.position + 1] not in (
            *BLANK,
            "",
        ):
            raise scanner.error(f"a blank after {word}")
        return word

    def _list_or_operand(self) -> Right:
        self._reads(Part.LIST, self._left, self._operator_read)
        if self._scanner.text.startswith("(", self._scanner.position):
            return self._values()
        return self._range() or self._applied() or self._macro_list()

    def _range(self) -> Range | None:
        """``low..high``, if that stands here."""
        scanner = self._scanner
        start = scanner.position
        low = scanner.quoted()
        if low is None:
            bare = scanner.take(BARE_START)
            if bare is None:
                return None
            low = bare.encode("utf-8", "surrogateescape")
        if not scanner.text.startswith("..", scanner.position):
            raise scanner.error(".. and the end of the range, or a list in brackets")
        scanner.position += 2
        return Range(Text(low, start), self._value(), start)

    def _macro_list(self) -> Name:
        operand = self._operand("a list in brackets")
        if not isinstance(operand, Name):
            raise FilterError(f"{operand} stands where a list is read", operand.position, "a list in brackets")
        return operand

    def _applied(self) -> Transform | None:
        """The transformer applied on the right side of a comparison, if there is one."""
        scanner = self._scanner
        if not _APPLIED.match(scanner.text, scanner.position):
            return None
        operand = self._operand("a value")
        assert isinstance(operand, Transform)
        return operand

    def _values(self) -> Values:
        self._scanner.skip_blanks()
        start = self._scanner.position
        return Values(self._list(self._value), start)

    def _value(self) -> Text:
        self._reads(Part.VALUE, self._left, self._operator_read)
        start = self._scanner.position
        quoted = self._scanner.quoted()
        if quoted is not None:
            return Text(quoted, start)
        bare = self._scanner.take(BARE_VALUE)
        if bare is None:
            raise self._scanner.error("a value")
        return Text(bare.encode("utf-8", "surrogateescape"), start)

    def _list(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        if not self._scanner.symbol("("):
            raise self._scanner.error("(")
        if self._scanner.symbol(")"):
            return ()
        items: list[_Item] = []
        while not items or self._scanner.symbol(","):
            items.append(item())
            self._reads(Part.MORE)
        self._close(", or )")
        return tuple(items)

    def _close(self, expected: str = "and, or, or )") -> None:
        if not self._scanner.symbol(")"):
            raise self._scanner.error(expected)

"""The syntax tree of a filter: frozen, comparable, and printed back as text that parses to the same tree.

Knows nothing of fields' types or values (``check``) nor of evaluation (``plan``). Positions are indexes into the
text a node was read from; they take no part in comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType

ORDERINGS = ("<", "<=", ">", ">=")
"""Operators without quantifiers."""
TEXT_OPERATORS = (
    *("=", "!=", "contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith"),
    *("glob", "iglob", "regex"),
)
"""Operators that take one value or a quantified list."""
LIST_OPERATORS = ("in", "intersects", "pmatch")
"""Operators that take a list."""
OPERATORS = (*ORDERINGS, *TEXT_OPERATORS, *LIST_OPERATORS, "exists")
QUANTIFIERS = ("oneof", "anyof", "allof")
TRANSFORMERS = ("tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt", "val")

BARE_VALUE = re.compile(r"""[^()"' \t\b\r\n=,\x00]+""")
BARE_START = re.compile(r"""[^()"' \t\b\r\n=,\x00]+?(?=\.\.)""")
"""A bare value that begins a range."""
BARE_ARGUMENT = re.compile(r"""[^\[\]"' \t\b\r\n\x00]+""")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/", " ": "\\"}
"""Single letter escapes of quoted text, but for the quotes."""

_POSITION = field(default=0, compare=False, repr=False)
_WRITTEN = {ord(char): "\\" + letter for letter, char in ESCAPES.items() if letter not in "/ "} | {ord('"'): '\\"'}


def quote(value: bytes | str | int) -> str:
    """The value as a filter writes it: bare where that reads the same, else quoted and escaped. Any bytes will do."""
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
    return text if _reads_bare(text, BARE_VALUE) else _quoted(text)


def _reads_bare(text: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.fullmatch(text)) and text.isascii() and text.isprintable()


def _quoted(text: str) -> str:
    shown = "".join(
        char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
        for char in text.translate(_WRITTEN)
    )
    if shown.endswith("\\\\"):
        # Other readers of this language take a backslash before the closing quote for its escape.
        shown = shown[:-2] + "\\x5c"
    return f'"{shown}"'


@dataclass(frozen=True, slots=True)
class Text:
    """A literal value."""

    value: bytes
    position: int = _POSITION

    def __str__(self) -> str:
        return quote(self.value)


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field, its bracketed argument apart: ``proc.aname[2]``."""

    name: str
    argument: str | None = None
    position: int = _POSITION

    def __str__(self) -> str:
        if self.argument is None:
            return self.name
        bare = _reads_bare(self.argument, BARE_ARGUMENT)
        return f"{self.name}[{self.argument if bare else _quoted(self.argument)}]"


@dataclass(frozen=True, slots=True)
class Group:
    """A bracketed list of a transformer's arguments."""

    items: tuple[TransformArgument, ...]
    position: int = _POSITION

    def __str__(self) -> str:
        return f"({', '.join(map(_argument, self.items))})"


@dataclass(frozen=True, slots=True)
class Transform:
    """A transformer applied: ``tolower(proc.name)``, ``getopt(proc.args, "x")[x]``."""

    name: str
    arguments: tuple[TransformArgument, ...]
    option: str | None = None
    position: int = _POSITION

    def __str__(self) -> str:
        option = "" if self.option is None else str(FieldName("", self.option))
        return f"{self.name}({', '.join(map(_argument, self.arguments))}){option}"


@dataclass(frozen=True, slots=True)
class Values:
    """A list of literal values."""

    items: tuple[Text, ...]
    position: int = _POSITION

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Range:
    """``low..high``, both ends included."""

    low: Text
    high: Text
    position: int = _POSITION

    def __str__(self) -> str:
        low = str(self.low)
        # A dot before the two dots would be read as one of them.
        if not low.startswith('"') and (".." in low or low.endswith(".")):
            low = f'"{low}"'
        return f"{low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word where a check or a list may stand: the name of a macro."""

    name: str
    position: int = _POSITION

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``, or with a quantifier ``left operator anyof (…)``; ``==`` is read as ``=``."""

    left: Operand
    operator: str
    right: Right
    quantifier: str | None = None
    position: int = _POSITION
    """Of the operator."""

    def __str__(self) -> str:
        words = [str(self.left), self.operator, self.quantifier, str(self.right)]
        return " ".join(word for word in words if word is not None)


@dataclass(frozen=True, slots=True)
class Exists:
    """``operand exists``."""

    operand: Operand
    position: int = _POSITION

    def __str__(self) -> str:
        return f"{self.operand} exists"


class _Compound:
    """Printed without recursion: a tree may be three times as deep as brackets may be nested."""

    __slots__ = ()

    def __str__(self) -> str:
        pieces: list[str] = []
        left: list[object] = [self]
        while left:
            node = left.pop()
            match node:
                case Not(operand):
                    left += reversed(["not ", *_bracketed(operand, And | Or)])
                case And(operands):
                    left += reversed(_joined(" and ", operands, And | Or))
                case Or(operands):
                    left += reversed(_joined(" or ", operands, Or))
                case _:
                    pieces.append(str(node))
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Not(_Compound):
    """The complement. Never of a Not: two cancel out when read."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And(_Compound):
    """Two or more expressions that all hold."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or(_Compound):
    """Two or more expressions at least one of which holds."""

    operands: tuple[Expression, ...]


Operand = FieldName | Transform
TransformArgument = FieldName | Transform | Text | Group
Right = Text | Values | Range | FieldName | Transform | Name
Expression = Or | And | Not | Comparison | Exists | Name


def _bracketed(node: Expression, kinds: UnionType | type) -> list[object]:
    return ["(", node, ")"] if isinstance(node, kinds) else [node]


def _joined(word: str, operands: tuple[Expression, ...], bracketed: UnionType | type) -> list[object]:
    pieces: list[object] = []
    for operand in operands:
        pieces += [word, *_bracketed(operand, bracketed)]
    return pieces[1:]


def _argument(node: TransformArgument) -> str:
    return _quoted(node.value.decode("utf-8", "surrogateescape")) if isinstance(node, Text) else str(node)


def fields_of(tree: Expression) -> Iterator[FieldName]:
    """Every field named in a tree, in order; those in macros are not."""
    return (node for node in _nodes(tree) if isinstance(node, FieldName))


def names_of(tree: Expression) -> Iterator[Name]:
    """Every macro named in a tree where a condition may stand, in order."""
    left: list[Expression] = [tree]
    while left:
        match left.pop():
            case Name() as name:
                yield name
            case Not(operand):
                left.append(operand)
            case And(operands) | Or(operands):
                left += reversed(operands)


def _nodes(tree: Expression) -> Iterator[object]:
    left: list[object] = [tree]
    while left:
        node = left.pop()
        yield node
        match node:
            case Not(operand) | Exists(operand):
                left.append(operand)
            case And(operands) | Or(operands):
                left += reversed(operands)
            case Comparison():
                left += [node.right, node.left]
            case Transform():
                left += reversed(node.arguments)
            case Group(items):
                left += reversed(items)

"""What can be said of all events a filter keeps, so that others need not be captured at all.

Owns the derivation from the syntax tree. It errs to one side only: every event that a filter keeps meets what is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

import numpy as np

from engine.events import CATALOGUE
from engine.fields import FIELDS
from engine.filters.check import MOST_LEVELS, plan
from engine.filters.macros import Macros
from engine.filters.parser import parse
from engine.filters.syntax import And, Comparison, Expression, FieldName, Name, Not, Or, Text, Values
from engine.filters.terms import types_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Implied:
    """Each set holds the only values kept events can have; None where they can have any, or none at all."""

    types: frozenset[str] | None = None
    """Names of event types."""
    processes: frozenset[int] | None = None
    """Process ids."""
    containers: frozenset[bytes] | None = None
    """Short container ids."""

    def within(self, other: Implied) -> bool:
        """Whether all that meets this meets the other."""
        return all(
            wide is None or (narrow is not None and narrow <= wide)
            for narrow, wide in (
                (self.types, other.types), (self.processes, other.processes), (self.containers, other.containers),
            )
        )  # fmt: skip

    def both(self, other: Implied) -> Implied:
        """What can be said where both hold."""
        return Implied(
            _both(self.types, other.types),
            _both(self.processes, other.processes),
            _both(self.containers, other.containers),
        )

    def either(self, other: Implied) -> Implied:
        """What can be said where one of them holds."""
        return Implied(
            _either(self.types, other.types),
            _either(self.processes, other.processes),
            _either(self.containers, other.containers),
        )


def _both(a: frozenset[T] | None, b: frozenset[T] | None) -> frozenset[T] | None:
    return b if a is None else a if b is None else a & b


def _either(a: frozenset[T] | None, b: frozenset[T] | None) -> frozenset[T] | None:
    return None if a is None or b is None else a | b


ANYTHING = Implied()


def implied(text: str, macros: Mapping[str, str] | None = None) -> Implied:
    """What is so of every event that matters to a filter; nothing of blank text. Raises FilterError.

    Those are the ones it keeps, and where it has fields that are told from other events too, all events.
    """
    if not text.strip():
        return ANYTHING
    tree, known = parse(text), Macros(macros)
    plan(tree, known)
    return ANYTHING if _asks_of_others(tree, known) else _of(tree, known, True, 0)


def asks_of_others(text: str) -> bool:
    """Whether a filter has fields that are told from other events too. Raises FilterError."""
    return bool(text.strip()) and _asks_of_others(parse(text), Macros(None))


def _asks_of_others(tree: Expression, macros: Macros) -> bool:
    return any(FIELDS[name].of_others for name in macros.fields(tree))


def _of(tree: Expression, macros: Macros, holds: bool, level: int) -> Implied:
    """What is so of events of which the tree holds, or does not."""
    if level > MOST_LEVELS:
        return ANYTHING
    match tree:
        case And(operands) | Or(operands):
            every = isinstance(tree, And) == holds
            parts = [_of(operand, macros, holds, level + 1) for operand in operands]
            return reduce(Implied.both if every else Implied.either, parts)
        case Not(operand):
            return _of(operand, macros, not holds, level + 1)
        case Name():
            return _of(parse(macros.text(tree, "")), macros.within(tree), holds, level + 1)
        case _:
            return _of_leaf(tree, macros, holds)


def _of_leaf(tree: Expression, macros: Macros, holds: bool) -> Implied:
    answers = types_of(plan(tree, macros))
    if answers is not None:
        return Implied(types=frozenset(CATALOGUE[code].name for code in np.flatnonzero(answers == holds).tolist()))
    # What does not hold may not hold of events without the field as well.
    if holds and isinstance(tree, Comparison):
        values = _values(tree)
        match tree.left:
            case FieldName("proc.pid", None) if values and all(value.isdigit() for value in values):
                return Implied(processes=frozenset(int(value) for value in values))
            case FieldName("container.id", None) if values and b"host" not in values and b"" not in values:
                return Implied(containers=frozenset(values))
    return ANYTHING


def _values(tree: Comparison) -> list[bytes]:
    """The only values the comparison holds for; none where that cannot be said."""
    match tree:
        case Comparison(operator="=", right=Text(value), quantifier=None):
            return [value]
        case Comparison(operator="in", right=Values(items), quantifier=None):
            return [item.value for item in items]
        case _:
            return []

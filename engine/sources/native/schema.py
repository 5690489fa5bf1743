"""What rows of tables are made of, as the dataclasses of ``model.facts`` declare it: a new fact there is one here.

Owns the order of a thread's facts and the checks that values read from a file must pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, get_type_hints

from engine.model.facts import Container, Group, Inside, Interface, Machine, Role, Socket, Thread, User

TEXTS = tuple[bytes, ...]
_HINTS = get_type_hints(Thread)
THREAD = tuple(one.name for one in fields(Thread))
"""The facts of a thread in their order."""
FACTS = attrgetter(*THREAD)
SHARED = tuple(_HINTS[name] == TEXTS for name in THREAD)
"""Which of them are lists of texts, told once for all threads that share one."""
ROWS = tuple(THREAD.index(name) for name in ("parent", "leader"))
"""Which of them are rows of threads."""
_N = TypeVar("_N", bound=NamedTuple)


class TableError(Exception):
    """A body tells rows that cannot be."""


def _is_text_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _is_encodable(value: Any) -> bool:
    return type(value) is str and not any("\ud800" <= char <= "\udfff" for char in value)


def is_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, tuple) and all(type(one) is bytes for one in value)


_CHECKS: dict[Any, Callable[[Any], bool]] = {
    int: lambda value: type(value) is int,
    int | None: lambda value: value is None or type(value) is int,
    bytes: lambda value: type(value) is bytes,
    bytes | None: lambda value: value is None or type(value) is bytes,
    str: lambda value: type(value) is str,
    bool | None: lambda value: value is None or type(value) is bool,
    Role: lambda value: value in (0, 1, 2),
    dict[str, str]: _is_text_map,
    dict[str, Any]: lambda value: isinstance(value, dict),
    TEXTS: is_texts,
}
"""What values of a fact's type may be. A fact of another type needs an entry here."""
# The id of a container is what filters compare bytes with; half a character is none.
OF_THREAD = tuple(_is_encodable if _HINTS[name] is str else _CHECKS[_HINTS[name]] for name in THREAD)
OF_CONTAINER = {one: _CHECKS[hint] for one, hint in get_type_hints(Container).items()}


_OF_ROW: dict[type, list[tuple[str, Callable[[Any], bool]]]] = {
    kind: [(name, _CHECKS[hint]) for name, hint in get_type_hints(kind).items()]
    for kind in (Machine, Interface, User, Group, Socket, Inside)
}
"""Names and checks of the values of a named tuple."""


def row_of(kind: type[_N], values: Any) -> _N:
    """A named tuple from what a body has. Raises TableError."""
    hints = _OF_ROW[kind]
    if not isinstance(values, list) or len(values) != len(hints):
        raise TableError(f"expected the {len(hints)} values of a {kind.__name__.lower()}")
    for value, (name, holds) in zip(values, hints, strict=True):
        if not holds(value):
            raise TableError(f"expected the {name} of a {kind.__name__.lower()}, found {type(value).__name__}")
    return kind(*values)

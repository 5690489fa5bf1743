"""What each operator asks of two present values, and which operators a type has (filter-language §2).

Absence, fields of several values and quantifiers are dealt with around these tests, in ``check``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import re2

from engine.fields.field import FieldType
from engine.filters.errors import FilterError
from engine.filters.syntax import OPERATORS, Text

_SET = {"=", "!=", "in", "intersects", "exists"}
_NUMBER = _SET | {"<", "<=", ">", ">="}

MEANINGS = {
    "=": "equals the value",
    "!=": "has another value",
    "<": "is below it",
    "<=": "is at most it",
    ">": "is above it",
    ">=": "is at least it",
    "contains": "has the text in it",
    "icontains": "the same, ASCII letters of either case",
    "bcontains": "has these bytes in it, pairs of hexadecimal digits",
    "startswith": "begins with the text",
    "bstartswith": "begins with these bytes, pairs of hexadecimal digits",
    "endswith": "ends with the text",
    "glob": "matches *, ? and […] as a whole; * crosses / too",
    "iglob": "the same, ASCII letters of either case",
    "regex": "matches the regular expression (RE2) as a whole",
    "in": "equals one of the values",
    "intersects": "equals one of the values, or has one among its own",
    "pmatch": "is one of the paths or below it",
    "exists": "has a value",
}
"""What each operator says of a field, in a few words."""

Test = Callable[[Any], Any]
"""Answers for one present value."""

ALLOWED: dict[FieldType, frozenset[str]] = {
    kind: frozenset(_SET if kind in (FieldType.BOOL, FieldType.ADDRESS, FieldType.NETWORK) else _NUMBER)
    for kind in FieldType
} | {
    FieldType.TEXT: frozenset(OPERATORS) - {"bcontains", "bstartswith"},
    FieldType.BYTES: frozenset(_SET | {"contains", "startswith", "endswith", "bcontains", "bstartswith"}),
}
"""Operators of each type of field."""
ALLOWED_LIST = frozenset({"in", "intersects", "exists"})
"""Operators of fields that are lists."""


TESTS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": operator.contains,
    "icontains": lambda text, part: part.lower() in text.lower(),
    "bcontains": operator.contains,
    "startswith": bytes.startswith,
    "bstartswith": bytes.startswith,
    "endswith": bytes.endswith,
}
"""``TESTS[operator](value, literal)``; the orderings and equalities also take arrays of numbers as the value."""


def regex(pattern: Text) -> Test:
    """A test that RE2, in POSIX syntax, matches the whole value. Raises FilterError for a bad expression."""
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    return _whole(pattern.value, options, pattern)


def glob(pattern: Text) -> Test:
    """A test as by fnmatch without flags: ``*`` and ``?`` also stand for slashes, a backslash quotes."""
    return _glob(pattern.value, pattern)


def iglob(pattern: Text) -> Test:
    """As ``glob``, ASCII letters of either case."""
    test = _glob(pattern.value.lower(), pattern)
    return lambda text: test(text.lower())


def under(pattern: Text) -> Test:
    """A test that the pattern's path components, each a glob, are the first ones of a path."""
    wanted = [_glob(part, pattern) for part in pattern.value.split(b"/") if part]

    def test(path: bytes) -> bool:
        parts = [part for part in path.split(b"/") if part]
        return len(wanted) <= len(parts) and all(want(part) for want, part in zip(wanted, parts, strict=False))

    return test


_MEMBER = rb"(?:\[:[a-z]+:\]|\\.|[^\]\\])"
_GLOB_PART = re.compile(
    rb"(?P<many>\*+)|(?P<one>\?)|\[(?P<out>[!^]?+)(?P<set>(?:\]|%s)%s*)\]|\\?(?P<plain>.)" % (_MEMBER, _MEMBER),
    re.DOTALL,
)
_SET_PART = re.compile(rb"(?P<kind>\[:[a-z]+:\])|\\?(?P<first>.)(?:-\\?(?P<last>.))?", re.DOTALL)
_LONGEST_PATTERN = 4096
"""Bytes of a pattern; the time of a match grows with them."""
_PATTERN_MEMORY = 1 << 20
"""Bytes RE2 may take for a pattern; one that needs more is refused."""


def _glob(value: bytes, pattern: Text) -> Test:
    if not any(char in value for char in b"*?[\\"):
        return lambda text: text == value
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    return _whole(b"".join(map(_translated, _GLOB_PART.finditer(value))), options, pattern)


def _translated(part: re.Match[bytes]) -> bytes:
    if part["many"]:
        return b".*"
    if part["one"]:
        return b"."
    if part["set"]:
        return b"[%s%s]" % (b"^" if part["out"] else b"", b"".join(map(_members, _SET_PART.finditer(part["set"]))))
    return _byte(part["plain"])


def _members(part: re.Match[bytes]) -> bytes:
    if part["kind"]:
        return part["kind"]
    return _byte(part["first"]) + (b"-" + _byte(part["last"]) if part["last"] else b"")


def _byte(char: bytes) -> bytes:
    return b"\\x%02x" % ord(char)


def _whole(expression: bytes, options: re2.Options, pattern: Text) -> Test:
    if len(pattern.value) > _LONGEST_PATTERN:
        raise FilterError("the pattern is too long", pattern.position, f"at most {_LONGEST_PATTERN} bytes")
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    try:
        matches = re2.compile(expression, options).fullmatch
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace")
        raise FilterError(f"bad pattern: {reason}", pattern.position) from None
    return lambda text: matches(text) is not None

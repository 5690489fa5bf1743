"""Macros: names in a filter that stand for a whole condition, or after ``in`` for a list.

They are the section ``[macros]`` of the user's settings, each a text: ``web = "fd.port in (80, 443)"``,
``shells = "(bash, sh, zsh)"``. A macro may use others, but not itself. What is wrong in one is told where its name
stands in the filter. Settings are only read when a filter has a name in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from engine.fields import look_up
from engine.filters.errors import FilterError, near
from engine.filters.parser import KEYWORDS, NAME, parse, parse_list
from engine.filters.syntax import TRANSFORMERS, Expression, Name, Text, Values, fields_of, names_of
from engine.user_files import ConfigError, read_config

MOST_DEEP = 16
"""Macros used within each other."""
MOST_USES = 1000
"""Macros of one filter, those within others counted each time."""


def user_macros() -> dict[str, str]:
    """The macros of the user's settings. Raises ConfigError."""
    config = read_config()
    macros = config.texts("macros")
    for name in macros:
        if "." in name or not NAME.fullmatch(name) or name in (*KEYWORDS, *TRANSFORMERS):
            raise config.mistake("macros", name, "expected a name of letters, digits and _ that is no other word")
    return macros


class Macros:
    """Macros by name, seen from inside of some of them."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        """The given macros, else those of the settings."""
        self._texts = texts
        self._inside: tuple[str, ...] = ()
        self._uses = [0]

    def within(self, name: Name) -> Macros:
        """The same macros, seen from inside of one."""
        inner = Macros(self._texts)
        inner._inside = (*self._inside, name.name)
        inner._uses = self._uses
        return inner

    def fields(self, tree: Expression) -> Iterator[str]:
        """Names of the fields in a tree whose macros are all right, those in macros included."""
        yield from (look_up(str(field))[0].name for field in fields_of(tree))
        for name in names_of(tree):
            yield from self.within(name).fields(parse(self.text(name, "")))

    def values(self, name: Name) -> Values:
        """The list a name stands for, as if it stood there. Raises FilterError."""
        text = self.text(name, "a list in brackets, or a macro")
        with told_at(name):
            items = parse_list(text).items
        return Values(tuple(Text(item.value, name.position) for item in items), name.position)

    def text(self, name: Name, expected: str) -> str:
        """What a name stands for; ``expected`` says what may stand there. Raises FilterError."""
        if self._texts is None:
            try:
                self._texts = user_macros()
            except ConfigError as error:
                raise FilterError(str(error), name.position) from None
        if name.name not in self._texts:
            raise FilterError(f"unknown name {name.name}", name.position, expected, near(name.name, self._texts))
        if name.name in self._inside:
            line = " uses ".join((*self._inside[self._inside.index(name.name) :], name.name))
            raise FilterError(f"a macro cannot use itself: {line}", name.position)
        self._uses[0] += 1
        if len(self._inside) >= MOST_DEEP or self._uses[0] > MOST_USES:
            raise FilterError("too many macros within each other", name.position, f"at most {MOST_DEEP} levels")
        return self._texts[name.name]


@contextmanager
def told_at(name: Name) -> Iterator[None]:
    """What is wrong inside of a macro is told where its name stands."""
    try:
        yield
    except FilterError as error:
        message = f"in the macro {name.name}: {error.message}"
        raise FilterError(message, name.position, error.expected, error.near) from None

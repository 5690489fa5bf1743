"""Filters the user keeps: saved ones by name, and those used lately, newest first.

Kept in the state file ``filters``; without a place to write they last as long as the program. The file is read before
each change, so that two programs at once lose nothing but the very same name. Texts are as typed, right or wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine.filters.errors import FilterError
from engine.filters.parser import parse
from engine.filters.syntax import fields_of
from engine.user_files import read_state, write_state

MOST_SAVED = 200
MOST_RECENT = 100
MOST_LENGTH = 4096
"""Characters of a filter that is kept."""
MOST_NAME = 60
"""Characters of a name."""
_STATE = "filters"


class SavedFilters:
    """The user's filters."""

    def __init__(self) -> None:
        """Those kept by now."""
        self._saved: dict[str, str] = {}
        self._recent: list[str] = []
        self._read()

    @property
    def saved(self) -> Mapping[str, str]:
        """Text by name, in order of name."""
        return dict(sorted(self._saved.items()))

    @property
    def recent(self) -> tuple[str, ...]:
        """Filters used, the last one first, each once."""
        return tuple(self._recent)

    def add(self, name: str, text: str) -> bool:
        """Save a filter, in place of another of that name; False when it lasts only as long as the program.

        Raises ValueError, its text for people, for a name or filter that cannot be kept.
        """
        name = name.strip()
        if not name or len(name) > MOST_NAME or not name.isprintable():
            raise ValueError(f"expected a name of 1 to {MOST_NAME} visible characters")
        if not text.strip() or len(text) > MOST_LENGTH:
            raise ValueError(f"expected a filter of 1 to {MOST_LENGTH} characters")
        self._read()
        if name not in self._saved and len(self._saved) >= MOST_SAVED:
            raise ValueError(f"{MOST_SAVED} filters are saved: remove one first")
        self._saved[name] = text
        return self._write()

    def remove(self, name: str) -> bool:
        """Forget a saved filter; as ``add``."""
        self._read()
        self._saved.pop(name, None)
        return self._write()

    def use(self, text: str) -> bool:
        """Note that a filter was applied; blank and very long ones are not kept. As ``add``."""
        if not text.strip() or len(text) > MOST_LENGTH:
            return True
        self._read()
        self._recent = [text, *(one for one in self._recent if one != text)][:MOST_RECENT]
        return self._write()

    def forget(self, text: str) -> bool:
        """Forget that a filter was used; as ``add``."""
        self._read()
        self._recent = [one for one in self._recent if one != text]
        return self._write()

    def _read(self) -> None:
        """Take over what the file has; what cannot be used in it is left out."""
        state: Any = read_state(_STATE)
        if not isinstance(state, dict):
            return
        saved, recent = state.get("saved"), state.get("recent")
        if isinstance(saved, dict):
            kept = {name: text for name, text in saved.items() if name.isprintable() and _is_kept(text)}
            self._saved = dict(list(kept.items())[:MOST_SAVED])
        if isinstance(recent, list):
            self._recent = [text for text in recent if _is_kept(text)][:MOST_RECENT]

    def _write(self) -> bool:
        return write_state(_STATE, {"saved": self._saved, "recent": self._recent})


def _is_kept(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= MOST_LENGTH


def field_uses(texts: Iterable[str]) -> Counter[str]:
    """In how many of the filters each field is."""
    return Counter(name for text in texts for name in _fields(text))


@lru_cache(2 * MOST_RECENT)
def _fields(text: str) -> frozenset[str]:
    try:
        return frozenset(field.name for field in fields_of(parse(text)))
    except FilterError:
        return frozenset()

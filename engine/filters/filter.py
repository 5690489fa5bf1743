"""A filter ready to be asked, and the composition of filters from parts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.filters import rewrite
from engine.filters.check import plan
from engine.filters.junctions import decide
from engine.filters.macros import Macros
from engine.filters.parser import parse
from engine.filters.plan import Mask, Plan, described
from engine.store.segment import Segment
from engine.store.store import Store


class Filter:
    """A checked filter. It remembers what it found out about a store's tables, and is for one thread."""

    def __init__(self, text: str, macros: Mapping[str, str] | None = None) -> None:
        """Check a filter; blank text keeps everything. Macros are the given ones, else those of the user's settings.
        Raises FilterError."""
        self.text = text
        self._segments = self._skipped = 0
        self._plan: Plan | None = None
        self._fields: frozenset[str] = frozenset()
        if text.strip():
            tree, known = parse(text), Macros(macros)
            self._plan = plan(tree, known)
            self._fields = frozenset(known.fields(tree))

    def mask(self, store: Store, segment: Segment, among: Mask | None = None) -> Mask:
        """Which events of a sealed segment it keeps, one bool each; hidden events never. ``among``: the only visible
        ones that matter, None for all."""
        self._segments += 1
        if self._plan is None:
            return segment.visible if among is None else among
        if (among is not None and not among.any()) or not self._plan.possible(store, segment):
            self._skipped += 1
            return np.zeros(len(segment), np.bool_)
        if among is not None:
            held = among.copy()
            decide(self._plan, True, held, store, segment, None)
            return held
        held = self._plan.mask(store, segment, None)
        return held if segment.all_visible else held & segment.visible

    def fields(self) -> frozenset[str]:
        """Names of all fields it asks about, those in macros included, without arguments."""
        return self._fields

    def rewrite(self, *, add: str = "", remove: str = "") -> str:
        """Its text without one term, wherever that stands, and with another one, the rest as it was written; see
        ``filters.rewrite``. Raises FilterError for a term that does not parse."""
        text = rewrite.remove(self.text, remove) if remove else self.text
        return rewrite.add(text, add) if add else text

    def explain(self) -> str:
        """How it is answered, a part a line; for what was asked already, also of how many events each part was asked,
        how many it kept and how long that took."""
        if self._plan is None:
            return "keeps everything"
        skipped = (
            f"{self._segments} segments, {self._skipped} of them skipped by their summary\n" if self._segments else ""
        )
        return skipped + "\n".join(described(self._plan))


def compile(text: str, macros: Mapping[str, str] | None = None) -> Filter:  # noqa: A001
    """The filter of a text, see Filter."""
    return Filter(text, macros)


def combine(*texts: str) -> str:
    """One filter that holds where all the given ones do; blank ones are left out.

    Raises FilterError, positions counted in the part at fault.
    """
    parts = [text for text in texts if text.strip()]
    if len(parts) < 2:
        return "".join(parts)
    for part in parts:
        parse(part)
    return " and ".join(f"({part})" for part in parts)

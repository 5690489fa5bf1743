"""Whether events already looked at are answered by now.

What a request came to is told of the event that asked, once the answer came: maybe in a later segment. Who keeps what
it made of earlier ones begins anew when there was such an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.fields.exchanges import FIELDS
from engine.protocols.exchanges import exchanges_of
from engine.store.store import Store

_TOLD = frozenset(field.name for field in FIELDS)


class Answered:
    """What a query made of a store depends on."""

    def __init__(self, store: Store, fields: Iterable[str]) -> None:
        """``fields`` are the names of those it asks for."""
        self._store = store
        self._asked = not _TOLD.isdisjoint(fields)
        self._late = 0

    def anew(self) -> bool:
        """Whether something looked at before has been answered since this was last asked."""
        if not self._asked:
            return False
        exchanges = exchanges_of(self._store)
        exchanges.update()
        before, self._late = self._late, exchanges.late
        return self._late != before

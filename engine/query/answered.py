"""Whether events already looked at are answered by now.

What a request came to is told of the event that asked, once the answer came: maybe in a later segment. What was made of
the earlier ones does not hold any more when there was such an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.fields.exchanges import FIELDS
from engine.protocols.exchanges import exchanges_of
from engine.store.store import Store

_TOLD = frozenset(field.name for field in FIELDS)


def late_answers(store: Store, fields: Iterable[str]) -> int:
    """How many answers came in a later segment than their questions; 0 for what asks for no field of exchanges."""
    if _TOLD.isdisjoint(fields):
        return 0
    exchanges = exchanges_of(store)
    exchanges.update()
    return exchanges.late

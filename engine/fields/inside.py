"""Fields of calls in progress: what a thread is inside of at the end of what is captured, since when, and on what.

Live that is now, as of the last interval's end; of a capture it is where its last events leave off.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.events import CATALOGUE
from engine.fields.field import Field, FieldType, Place, Value
from engine.model.facts import Inside, Thread
from engine.store.store import Store


def _field(
    name: str, kind: FieldType, meaning: str, value: Callable[[Inside, Store], Value], example: str = ""
) -> Field:
    def of(thread: Thread, store: Store, _: str | None) -> Value:
        found = store.inside.get(thread.life)
        return None if found is None else value(found, store)

    return Field(name, kind, meaning, of, Place.THREAD, "process", own=True, passing=True, example=example)


def _how_long(inside: Inside, store: Store) -> Value:
    return None if inside.since is None else max(store.inside_at - inside.since, 0)


FIELDS = (
    _field(
        "thread.call",
        FieldType.TEXT,
        "the call the thread is inside of now, or where the capture ends",
        lambda inside, _: CATALOGUE[inside.type].name.encode(),
        example="thread.call = futex",
    ),
    _field(
        "thread.calltime",
        FieldType.DURATION,
        "how long the thread has been inside of that call",
        _how_long,
        example="thread.calltime > 10s",
    ),
    _field(
        "thread.callfd",
        FieldType.TEXT,
        "name of the descriptor that call is on, its number when that is unknown",
        lambda inside, _: inside.on or (None if inside.fd is None else str(inside.fd).encode()),
        example="thread.callfd contains :5432",
    ),
)

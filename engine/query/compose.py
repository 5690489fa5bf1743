"""The complete filter of a request: what the user typed, where the drill-down led, what the view itself keeps."""

from __future__ import annotations

from engine.fields.field import Value
from engine.filters import combine, quote
from engine.query.keys import IN_CONTAINER, out_of_container
from engine.query.snapshots import Level
from engine.query.view import AND, View


def compose(user_filter: str, levels: tuple[Level, ...], view: View | None) -> str:
    """Filter text for a view (None for event lines) at the end of a drill-down (views §5); "" keeps everything."""
    return combine(user_filter, *map(_step, levels), view.filter if view else "")


def _step(level: Level) -> str:
    """What one step of a drill-down keeps. Leaving a view for another without selecting keeps nothing of it: two
    views' own filters together are mostly empty (csysdig combines them, views §5)."""
    if level.field is None:
        return ""
    base = level.view.filter if level.view.propagate_filter else ""
    return combine(base, selection(level.field, level.value))


def selection(field: str, value: Value) -> str:
    """The filter that keeps the events of a row with this key; of a key of several fields the value is a tuple."""
    if AND in field:
        assert isinstance(value, tuple)
        return " and ".join(map(selection, field.split(AND), value))
    if field in IN_CONTAINER and isinstance(value, bytes):
        container, rest = out_of_container(value)
        return f"container.id={quote(container)} and {IN_CONTAINER[field]}={quote(rest)}"
    return f"{field}={quote(value)}" if isinstance(value, bytes) else f"{field}={value}"

"""Where one is in a drill-down, and where one can go from there. Knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.query.snapshots import Level, LinesRequest, LinesSnapshot, Row, TableRequest, TableSnapshot
from engine.query.view import View

EVENTS = "Events"
"""Name of the lines of events among the crumbs."""
EVENT_NUMBER = "evt.num"
"""Field that selects a row of a list, whose key is its event's number."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where somebody is in a table."""

    index: int = 0
    key: Any = None
    chosen: bool = False
    """True once the user moved; until then the cursor stays on the first row, whatever row that is."""
    left: int = 0
    top: int = 0


@dataclass
class Place:
    """One step: a view (None: the lines of events) of what the levels and the filter leave."""

    view: View | None
    levels: tuple[Level, ...] = ()
    filter: str = ""
    sort: int | None = None
    descending: bool | None = None
    position: Position = field(default_factory=Position)
    """Where the user was when leaving for the next step."""
    snapshot: TableSnapshot | LinesSnapshot | None = None
    """What was shown last, to show at once on coming back."""

    @property
    def name(self) -> str:
        """What the crumb says."""
        return self.view.name if self.view else EVENTS

    @property
    def selected_field(self) -> str:
        """Field of the last selection that views can follow, "" for the whole machine."""
        fields = (level.field for level in reversed(self.levels))
        return next((field for field in fields if field and field != EVENT_NUMBER), "")

    def answers(self, request: TableRequest | LinesRequest) -> bool:
        """True when a request asks for these rows in this order."""
        if isinstance(request, LinesRequest):
            return self.view is None and (request.levels, request.filter) == (self.levels, self.filter)
        asked = (request.view, request.levels, request.filter, request.sort, request.descending)
        return asked == (self.view, self.levels, self.filter, self.sort, self.descending)

    def below(self, view: View | None, key_field: str = "", row: Row | None = None) -> Place:
        """The place one step down: another view of the selected row, or of the same when no row is given."""
        levels = self.levels
        if self.view:
            selected = (key_field or EVENT_NUMBER, row.key, row.shown_key or str(row.key)) if row else (None, None, "")
            levels = (*levels, Level(self.view, *selected))
        return Place(view, levels, self.filter)


def offered(views: Iterable[View], place: Place) -> list[View]:
    """Views that can follow a place's last selection, by name."""
    return sorted((view for view in views if view.offered_after(place.selected_field)), key=lambda view: view.name)


def target(views: Mapping[str, View], view: View, key_field: str) -> View | None:
    """Where a row of a view leads: the declared view, else the first by name that can follow; None for neither."""
    if view.drill_to and view.drill_to in views:
        return views[view.drill_to]
    follow = [candidate for candidate in views.values() if candidate.offered_after(key_field)]
    return min(follow, key=lambda candidate: candidate.name, default=None) if key_field else None

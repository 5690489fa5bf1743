"""Where one is in a drill-down, and where one can go from there. Knows nothing of widgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from engine.filters import FilterError
from engine.filters.parser import conjuncts
from engine.filters.syntax import Or
from engine.query.compose import compose
from engine.query.payload import Shape, ViewAs
from engine.query.snapshots import Level, LinesRequest, LinesSnapshot, Row, TableRequest, TableSnapshot
from engine.query.view import View
from engine.query.work import PanelSnapshot
from engine.store.segment import Window
from tui.moments import range_text

FOREVER = 2**63 - 1
"""The last moment there is, ns."""
EVENT_NUMBER = "evt.num"
"""Field that selects a row of a list, whose key is its event's number."""


class Show(Enum):
    """What is shown of a place; the value is its name among the crumbs, "" for the view's own."""

    TABLE = ""
    EVENTS = "Events"
    ECHO = "Input and output"
    STREAM = "Stream"
    DETAIL = "Event"
    OVERVIEW = "Overview"
    SPECTROGRAM = "Latency"
    FILE_SPECTROGRAM = "Latency of files"


SHAPES = {Show.EVENTS: Shape.DIG, Show.ECHO: Shape.ECHO, Show.STREAM: Shape.TALK}
"""What is shown as lines, and how."""
PICTURES = {"spectro_all": Show.SPECTROGRAM, "spectro_file": Show.FILE_SPECTROGRAM}
"""Views, by id, that are shown as a picture."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where somebody is in a table."""

    index: int = 0
    key: Any = None
    chosen: bool = False
    """True once the user moved; until then the cursor stays on the first row, whatever row that is."""
    left: int = 0
    top: int = 0
    needed: tuple[int, ...] = ()
    """Cells each column was seen to need."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a place are asked for, and what is searched in them."""

    offset: int = 0
    count: int = 100
    hold: Any = None
    search: str = ""
    search_from: int = 0
    search_backwards: bool = False
    event: int = 0
    """Number of an event to go to, 0 for none; in lines."""


RowsRequest = TableRequest | LinesRequest
RowsSnapshot = TableSnapshot | LinesSnapshot


@dataclass
class Place:
    """One step: a view, or what else is shown, of what the levels, the filter and the window leave."""

    view: View | None
    levels: tuple[Level, ...] = ()
    filter: str = ""
    window: Window | None = None
    show: Show = Show.TABLE
    containers: bool = False
    sort: int | None = None
    descending: bool | None = None
    text: str = ""
    """Only rows that show this text."""
    view_as: ViewAs = ViewAs.DOTTED
    latency: bool = False
    """Lines of events tell first how long the call took."""
    against: Window | None = None
    """Another range that the rows are compared with."""
    measure: str = ""
    """Title of the column that is compared."""
    event: int = 0
    """Number of the event shown in detail."""
    tile: str = ""
    """Title of the overview's tile that it explains."""
    position: Position = field(default_factory=Position)
    """Where the user was when leaving for the next step."""
    snapshot: RowsSnapshot | PanelSnapshot | None = None
    """What was shown last, to show at once on coming back."""

    @property
    def name(self) -> str:
        """What the crumb says."""
        if self.show is Show.DETAIL:
            return f"{self.show.value} {self.event}"
        if self.view and self.against:
            return f"Change from {range_text(self.against)}"
        return self.show.value or (self.view.name if self.view else "")

    def selection(self, above: Place) -> str:
        """What was selected in the step before to come here, "" for nothing."""
        level = self.levels[-1] if len(self.levels) > len(above.levels) else None
        return f"{level.field}={level.shown}" if level and level.field else self.tile

    @property
    def has_rows(self) -> bool:
        """True when it is shown as rows or lines, page by page."""
        return self.show is Show.TABLE or self.show in SHAPES

    @property
    def selected_field(self) -> str:
        """Field of the last selection that views can follow, "" for the whole machine."""
        fields = (level.field for level in reversed(self.levels))
        return next((field for field in fields if field and field != EVENT_NUMBER), "")

    def rows(self, wanted: Wanted) -> RowsRequest:
        """The request for some rows of the place."""
        if self.show is Show.TABLE:
            assert self.view is not None
            return TableRequest(
                self.view, self.levels, self.filter, self.containers, self.sort, self.descending,
                wanted.offset, wanted.count, wanted.hold,
                wanted.search, wanted.search_from, wanted.search_backwards,
                window=self.window, text=self.text, against=self.against, measure=self.measure,
            )  # fmt: skip
        return LinesRequest(
            self.levels, self.filter, self.containers, wanted.offset, wanted.count,
            wanted.search, wanted.search_from, wanted.search_backwards,
            window=self.window, text=self.text, view_as=self.view_as, shape=SHAPES[self.show],
            latency=self.latency, event=wanted.event,
        )  # fmt: skip

    def answers(self, request: RowsRequest) -> bool:
        """True when a request asks for rows of this place in this order."""
        asked = replace(request, offset=0, count=0, search="", search_from=0, search_backwards=False)
        asked = replace(asked, hold=None) if isinstance(asked, TableRequest) else replace(asked, event=0)
        return asked == self.rows(Wanted(count=0))

    def below(self, view: View | None, key_field: str = "", row: Row | None = None, show: Show = Show.TABLE) -> Place:
        """The place one step down: another view of the selected row, or of the same when no row is given; without a
        view, what ``show`` says."""
        levels = self.levels
        if self.view:
            selected = (key_field or EVENT_NUMBER, row.key, row.shown_key or str(row.key)) if row else (None, None, "")
            levels = (*levels, Level(self.view, *selected))
        if picture := view and PICTURES.get(view.id):
            view, show = None, picture
        shown = show if view is None else Show.TABLE
        return Place(view, levels, self.filter, self.window, shown, self.containers, view_as=self.view_as)

    @property
    def filterable(self) -> bool:
        """True where a filter changes what is shown."""
        return self.show is not Show.DETAIL

    @property
    def besides(self) -> str:
        """What is kept besides the user's own filter, each term once."""
        if self.show is Show.DETAIL:
            return f"{EVENT_NUMBER}={self.event}"
        return " and ".join(dict.fromkeys(_flat(compose("", self.levels, self.view))))


def terms(text: str) -> list[str]:
    """The terms a filter asks for all of; the whole where it cannot be read."""
    try:
        return [text[start:end] for _, start, end in conjuncts(text)] if text.strip() else []
    except FilterError:
        return [text]


def offered(views: Iterable[View], place: Place) -> list[View]:
    """Views that can follow a place's last selection, by name."""
    return sorted(
        (view for view in views if view.offered_after(place.selected_field)), key=lambda view: view.name.lower()
    )


def target(views: Mapping[str, View], view: View, key_field: str) -> View | None:
    """Where a row of a view leads: the declared view, else the first by name that can follow; None for neither."""
    if view.drill_to and view.drill_to in views:
        return views[view.drill_to]
    follow = [candidate for candidate in views.values() if candidate.offered_after(key_field)]
    return min(follow, key=lambda candidate: candidate.name, default=None) if key_field else None


def _flat(text: str) -> Iterator[str]:
    """The terms of a filter that can be read, those of conjunctions in parentheses one by one."""
    for tree, start, end in conjuncts(text) if text else ():
        part = text[start:end]
        if part.startswith("(") and not isinstance(tree, Or):
            yield from _flat(part[1:-1])
        else:
            yield part

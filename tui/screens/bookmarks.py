"""Bookmarks: places with a note, kept for each capture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from textual.content import Content

from engine import filters
from engine.query.compose import compose
from engine.store.segment import Window
from engine.text import clean
from engine.user_files import read_state, write_state
from tui.moments import clock, range_text
from tui.place import Place, Show
from tui.screens.part import Part
from tui.widgets.dialog import Fact

MOST = 200
"""Bookmarks of a capture."""
MOST_CAPTURES = 100
MOST_NOTE = 500
"""Characters of a note."""
_STATE = "bookmarks"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place with a note."""

    note: str
    view: str
    show: str
    filter: str
    window: Window | None
    event: int
    moment: int
    """When what is shown begins, ns since epoch."""
    against: Window | None = None
    """Range A of a comparison, and the title of the column that is compared."""
    measure: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: getattr(self, name) for name in self.__slots__}


def from_plain(value: Any) -> Bookmark | None:
    """The bookmark that was kept; None for what is none."""
    try:
        window, against = (
            (int(each[0]), int(each[1])) if each else None for each in (value["window"], value.get("against"))
        )
        return Bookmark(
            str(value["note"])[:MOST_NOTE], str(value["view"]), Show(value["show"]).value, str(value["filter"]), window,
            int(value["event"]), int(value["moment"]), against, str(value.get("measure", "")),
        )  # fmt: skip
    except (AttributeError, TypeError, KeyError, ValueError, IndexError):
        return None


class Bookmarks(Part):
    """Adds, lists and opens bookmarks of the capture that is open."""

    @property
    def _capture(self) -> str:
        """What bookmarks are kept under: the file, or the machine itself."""
        path = self.screen.options.path
        return str(path.resolve()) if path else "live"

    def kept(self) -> list[Bookmark]:
        """Those of this capture, the first first."""
        state = read_state(_STATE)
        mine = state.get(self._capture) if isinstance(state, dict) else None
        return [mark for each in mine if (mark := from_plain(each))][:MOST] if isinstance(mine, list) else []

    def _keep(self, marks: list[Bookmark]) -> None:
        state = read_state(_STATE)
        others = dict(state) if isinstance(state, dict) else {}
        others.pop(self._capture, None)
        for old in list(others)[: max(0, len(others) - MOST_CAPTURES + 1)]:
            del others[old]
        if not write_state(_STATE, {**others, self._capture: [mark.plain() for mark in marks[-MOST:]]}):
            self.screen.notify("The bookmark cannot be kept beyond the end", severity="warning", markup=False)

    def action_bookmark(self) -> None:
        """Ask for a note on the present place."""
        self.screen.note_prompt.open("")

    def add(self, note: str) -> None:
        """Keep the present place."""
        place = self.screen.place
        text = filters.combine(place.filter, compose("", place.levels, None))
        moment = place.window[0] if place.window else self.screen.status.start
        mark = Bookmark(
            note[:MOST_NOTE], place.view.id if place.view else "", place.show.value, text, place.window,
            self.screen.detail.event if place.show is Show.DETAIL else 0, moment, place.against, place.measure,
        )  # fmt: skip
        self._keep([*self.kept(), mark])
        self.screen.notify(f"Kept: {clean(note) or place.name}", timeout=2, markup=False)

    def action_bookmarks(self) -> None:
        """Offer the bookmarks of this capture."""
        marks = self.kept()
        if not marks:
            self.screen.notify("No bookmarks of this capture yet: B adds one", timeout=3, markup=False)
            return
        labels = [Content(clean(mark.note) or self._name(mark)) for mark in marks]
        self.screen.dialog.choose(
            "Bookmarks", labels, lambda at: self._facts(marks[at]), 0, lambda at: self._open(marks[at]),
            ("apostrophe",), acts={"delete": lambda at: self._forget(marks, at)},
            keys=((("delete",), "forget"), (("enter",), "open"), (("escape",), "cancel")),
        )  # fmt: skip

    def _name(self, mark: Bookmark) -> str:
        view = self.screen.views.get(mark.view)
        return mark.show or (view.name if view else mark.view)

    def _facts(self, mark: Bookmark) -> list[Fact]:
        return [
            ("", mark.note or self._name(mark)),
            ("shows", f"{self._name(mark)} {mark.event or ''}"),
            ("filter", mark.filter or "none"),
            ("time", range_text(mark.window) if mark.window else "everything"),
            *([("compared", f"with {range_text(mark.against)}")] if mark.against else []),
            ("begins", clock(mark.moment, 1_000_000, dated=True)),
        ]

    def _forget(self, marks: list[Bookmark], at: int) -> None:
        self._keep(marks[:at] + marks[at + 1 :])
        self.screen.dialog.close()
        if len(marks) > 1:
            self.action_bookmarks()

    def _open(self, mark: Bookmark) -> None:
        view = self.screen.views.get(mark.view)
        show = Show(mark.show)
        if show is Show.TABLE and view is None:
            self.screen.notify(f"There is no view {clean(mark.view)} any more", severity="warning", markup=False)
            return
        here = self.screen.place
        place = Place(view, (), mark.filter, mark.window, show, here.containers, event=mark.event)
        self.screen.go(replace(place, view_as=here.view_as, against=mark.against, measure=mark.measure))

    def cancel(self) -> bool:
        """Leave the prompt for a note."""
        if not self.screen.note_prompt.display:
            return False
        self.screen.note_prompt.close()
        return True

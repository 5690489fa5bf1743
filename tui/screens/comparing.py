"""Two ranges compared: one is marked, every table then tells its rows there, here, and the change."""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content

from engine.query.sums import is_summed
from engine.query.view import Kind
from engine.store.segment import Window
from engine.text import duration
from tui.moments import range_text
from tui.place import Position, Show
from tui.screens.part import Part

ALIKE = 1.1
"""How many times as long as the other a range may be before that is told."""


class Comparing(Part):
    """Remembers range A."""

    marked: Window | None = None

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only tables are compared."""
        place = self.screen.place
        if action == "compare":
            return True if place.show is Show.TABLE and place.view and place.view.kind is Kind.TABLE else None
        return True if self.screen.status.end else None

    def action_mark_range(self) -> None:
        """Make the range that is shown range A."""
        status = self.screen.status
        self.marked = self.screen.place.window or (status.start, status.end)
        self.screen.notify(
            f"{range_text(self.marked)}: select another range, then D compares", title="Range A", markup=False
        )

    def action_compare(self) -> None:
        """Compare with range A what is shown; where that is done already, choose what is compared."""
        place = self.screen.place
        if place.against:
            self._choose_measure()
        elif self.marked is None:
            self.screen.notify("No range is marked: A marks the one that is shown", severity="warning", markup=False)
        else:
            self.screen.go(
                replace(
                    place, against=self.marked, sort=None, descending=None, position=Position(), snapshot=None
                )
            )  # fmt: skip
            status = self.screen.status
            a, b = (end - start + 1 for start, end in (self.marked, place.window or (status.start, status.end)))
            if max(a, b) > ALIKE * min(a, b):
                self.screen.notify(
                    f"A lasts {duration(a)}, B {duration(b)}: totals are compared as they are, not by the second",
                    markup=False,
                )

    def _choose_measure(self) -> None:
        place = self.screen.place
        assert place.view is not None
        columns = [column for column in place.view.columns_for(place.containers) if is_summed(column)]

        def chosen(at: int) -> None:
            self.screen.change(replace(place, measure=columns[at].title, sort=None, descending=None))

        self.screen.dialog.choose(
            "Compare", [Content(column.title) for column in columns], lambda at: [("", columns[at].description)], 0,
            chosen, ("D",),
        )  # fmt: skip

"""From a row: keep what has a cell's value, leave it out, copy it, or read it whole; copying and exporting rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from textual.content import Content

from engine.filters import FilterError, rewrite
from engine.query.detail import DetailRequest, DetailSnapshot
from engine.query.export import ExportRequest, ExportSnapshot, Format
from engine.query.selected import Cell, SelectedRequest, SelectedSnapshot
from engine.query.snapshots import LinesRequest, LinesSnapshot, Snapshot, TableRequest, TableSnapshot
from engine.text import clean, fit, width
from tui.place import Place, Show, Wanted
from tui.screens.part import Part
from tui.widgets.dialog import Fact

LEAVE = ("m", "tab")
PIVOT = "procs"
"""The view in which all of a value is shown first."""
MOST_TITLE = 12
"""Cells titles take in the list of a row's cells."""
Choice = tuple[str, str, Callable[[], object]]
"""What an entry is called, what it means, and what it does."""


class Cells(Part):
    """What can be done with what a row says."""

    _asked: SelectedRequest | None = None
    _exporting: ExportRequest | None = None
    _column: int | None = None

    def action_cell(self) -> None:
        """Offer the cells of the selected row, or what can be done with the line of an event's detail."""
        self.ask(None)

    def ask(self, column: int | None) -> None:
        """Offer what can be done with a cell of the selected row, all its cells without a column."""
        self._column = column
        place, snapshot, row = self.screen.place, self.screen.place.snapshot, self.screen.grid.row()
        if isinstance(snapshot, DetailSnapshot):
            if (told := self.screen.detail.row) is not None:
                self._offer(Cell(told.name, told.value, told.value, told.note, told.term))
        elif isinstance(snapshot, LinesSnapshot):
            self.screen.detail.open()
        elif isinstance(snapshot, TableSnapshot) and row is not None:
            request = place.rows(Wanted())
            self._asked = SelectedRequest(request, row.key)  # type: ignore[arg-type]
            self.screen.engine.ask("selected", self._asked)

    def take(self, snapshot: Snapshot) -> bool:
        """Offer cells, or tell what was written."""
        if isinstance(snapshot, SelectedSnapshot) and snapshot.request is self._asked:
            self._asked = None
            if snapshot.error:
                self.screen.notify(snapshot.error, severity="warning", markup=False)
            else:
                self._choose(snapshot.cells)
            return True
        if isinstance(snapshot, ExportSnapshot):
            if snapshot.request is self._exporting:
                self._exporting = None
                self._tell(snapshot)
            return True
        return False

    def _choose(self, cells: Sequence[Cell]) -> None:
        if self._column is not None and self._column < len(cells):
            self._offer(cells[self._column])
            return
        wide = min(MOST_TITLE, max(width(cell.title) for cell in cells))
        labels = [Content.assemble((f"{fit(cell.title, wide)}  ", "bold"), cell.text) for cell in cells]
        self.screen.dialog.choose(
            "Cells of the row", labels, lambda at: _facts(cells[at]), 0, lambda at: self._offer(cells[at]), LEAVE
        )

    def _offer(self, cell: Cell) -> None:
        """Offer what can be done with one cell."""
        kept = f"not {cell.term}"
        choices: list[Choice] = [
            ("Copy", "Puts the whole value on the clipboard.", lambda: self._copy(str(cell.exact), cell.title))
        ]
        if cell.term:
            choices = [
                ("Keep only this", f"Adds to the filter: {cell.term}", lambda: self._add(cell.term)),
                ("Leave this out", f"Adds to the filter: {kept}", lambda: self._add(kept)),
                (
                    "Show all of this",
                    f"The processes of: {cell.term}, and nothing else.",
                    lambda: self._pivot(cell.term),
                ),
                *choices,
                ("Copy as filter", f"Puts on the clipboard: {cell.term}", lambda: self._copy(cell.term, "the filter")),
            ]

        def run(at: int) -> None:
            choices[at][2]()

        self.screen.dialog.choose(
            cell.title or "Line",
            [Content(name) for name, _, _ in choices],
            lambda at: [("", choices[at][1]), *_facts(cell)],
            0,
            run,
            LEAVE,
        )

    def _add(self, term: str) -> None:
        """Ask for a term; from an event's detail this is of the place it was opened in."""
        if self.screen.place.show is Show.DETAIL and len(self.screen.places) > 1:
            self.screen.places.pop()
        place = self.screen.place
        try:
            text = rewrite.add(place.filter, term)
        except FilterError as error:
            self.screen.notify(clean(str(error)), severity="error", markup=False)
            return
        self.screen.change(replace(place, filter=text))

    def _pivot(self, term: str) -> None:
        """One step on, everything a term keeps: no other filter, the whole time."""
        self.screen.go(Place(self.screen.views[PIVOT], filter=term, containers=self.screen.place.containers))

    def _copy(self, text: str, what: str) -> None:
        self.screen.app.copy_to_clipboard(clean(text))
        self.screen.notify(f"Copied {what}", timeout=2, markup=False)

    def action_copy(self) -> None:
        """Copy the selected row, a tab between its cells."""
        if row := self.screen.grid.row():
            self._copy("\t".join(row.cells), "the row")

    # exporting

    def action_export(self) -> None:
        """Offer ways to take along what is shown."""
        place = self.screen.place
        of: TableRequest | LinesRequest | DetailRequest = DetailRequest(place.event)
        if place.has_rows:
            of = place.rows(Wanted())
        elif place.show is not Show.DETAIL:
            self.screen.notify("There are no rows to save here; S saves the screen", timeout=2, markup=False)
            return
        lines = place.show is not Show.TABLE
        formats = [Format.TEXT] if lines else [Format.CSV, Format.JSON, Format.TEXT]
        meanings = {
            Format.CSV: "All rows, exact numbers, a line of titles first.",
            Format.JSON: "All rows, a JSON object each, exact numbers.",
            Format.TEXT: "All lines as they are shown." if lines else "All rows as they are shown, tabs between.",
        }
        name = f"syscope-{datetime.now():%Y%m%d-%H%M%S}"
        choices: list[tuple[str, str, Format, Path | None]] = [
            *((f"{each.name} file", f"{meanings[each]} {name}.{each.value}", each, Path(f"{name}.{each.value}"))
              for each in formats),
            ("Clipboard", "As text, as far as a clipboard takes it.", Format.TEXT, None),
        ]  # fmt: skip

        def chosen(at: int) -> None:
            self._exporting = ExportRequest(of, choices[at][2], choices[at][3])
            self.screen.engine.ask("export", self._exporting)

        labels = [Content(label) for label, *_ in choices]
        self.screen.dialog.choose("Export", labels, lambda at: [("", choices[at][1])], 0, chosen, ("E",))

    def _tell(self, snapshot: ExportSnapshot) -> None:
        if snapshot.error:
            self.screen.notify(clean(snapshot.error), severity="error", markup=False)
        elif snapshot.path:
            self.screen.notify(f"Saved {snapshot.rows:,} rows: {clean(snapshot.path)}", markup=False)
        else:
            self._copy_all(snapshot)

    def _copy_all(self, snapshot: ExportSnapshot) -> None:
        # Line ends and tabs are what parts rows and cells; everything else in the text is safe already.
        self.screen.app.copy_to_clipboard(snapshot.text)
        self.screen.notify(f"Copied {snapshot.rows:,} rows", timeout=2, markup=False)


def _facts(cell: Cell) -> list[Fact]:
    exact = str(cell.exact)
    return [
        ("", cell.text),
        *([("exactly", exact)] if exact != cell.text and cell.exact is not None else []),
        *([("means", cell.meaning)] if cell.meaning else []),
    ]

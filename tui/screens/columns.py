"""Which columns a view shows, in which order and how wide: chosen by the user, kept between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.content import Content

from engine.query.view import Column, View
from engine.text import fit
from engine.user_files import read_state, write_state
from tui.place import Show
from tui.screens.part import Part

NARROWEST, WIDEST = 4, 200
MOST_TITLE = 18
"""Cells titles take in the list of columns."""
_STATE = "columns"
KEYS = (
    (("space",), "show"), (("J", "K"), "move"), (("plus", "minus"), "width"), (("R",), "as shipped"),
    (("escape",), "done"),
)  # fmt: skip
Layout = list[tuple[str, int]]
"""Names of shown columns in order, with the widths that were chosen, 0 for a column's own."""


def name_of(column: Column) -> str:
    """What tells a column from the others of its view, with container columns and without."""
    return f"{column.title}/{column.field}"


def arranged(view: View, layout: Layout) -> View:
    """A view with its columns as they were arranged; columns that are not there any more are left out, and a layout
    without any that is there changes nothing."""
    known = {name_of(column): column for column in view.columns}
    columns = tuple(_sized(known[name], width) for name, width in layout if name in known)
    if not all(any(c.containers in (None, mode) for c in columns) for mode in (False, True)):
        return view
    titles = {column.title for column in columns}
    return replace(
        view,
        columns=columns,
        sort=view.sort if view.sort in titles else None,
        tree=view.tree if view.tree in titles else None,
    )


def _sized(column: Column, width: int) -> Column:
    """A column with a width that was chosen; 0 is its own."""
    if not column.width or not width:
        return column
    return replace(column, width=max(NARROWEST, min(width, WIDEST)), fixed=True)


def read_layouts() -> dict[str, Layout]:
    """Layouts by view, as far as they can be read."""
    state: Any = read_state(_STATE)
    layouts: dict[str, Layout] = {}
    if isinstance(state, dict):
        for view, entries in state.items():
            try:
                layouts[str(view)] = [(str(name), int(width)) for name, width in entries]
            except (TypeError, ValueError):
                continue
    return layouts


def arranged_all(views: Mapping[str, View]) -> dict[str, View]:
    """All views, each as it was arranged."""
    layouts = read_layouts()
    return {id_: arranged(view, layouts[id_]) if id_ in layouts else view for id_, view in views.items()}


class Columns(Part):
    """Changes the present view's columns at once, in a list of all it has."""

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only views have columns."""
        place = self.screen.place
        if action == "tree":
            return True if self._tree_column() else None
        return True if place.show is Show.TABLE and not place.against else None

    def action_columns(self) -> None:
        """Offer the view's columns."""
        self._offer(0)

    def _offer(self, start: int) -> None:
        """Shown columns in their order, then hidden ones."""
        view = self.screen.place.view
        if view is None:
            return
        shipped = self.screen.shipped[view.id]
        containers = self.screen.place.containers
        shown = list(view.columns_for(containers))
        names = {name_of(column) for column in shown}
        entries = [*shown, *(c for c in shipped.columns_for(containers) if name_of(c) not in names)]
        drawn = self.screen.grid.widths

        def width_of(at: int) -> int:
            """What is seen: a column takes less than its width where there is little room."""
            column = entries[at]
            return column.width if column.fixed or at >= min(len(shown), len(drawn)) else min(column.width, drawn[at])

        labels = [
            Content.assemble(("■ " if at < len(shown) else "□ ", "bold"), fit(column.title, MOST_TITLE),
                             (f"  {width_of(at) or 'rest':>4}", "$foreground-muted"))
            for at, column in enumerate(entries)
        ]  # fmt: skip

        def put(columns: list[Column], at: int) -> None:
            if columns:
                self._arrange(view, columns)
            self._offer(max(0, min(at, len(entries) - 1)))

        def toggle(at: int) -> None:
            put(shown[:at] + shown[at + 1 :] if at < len(shown) else [*shown, entries[at]], at)

        def move(at: int, by: int) -> None:
            to = at + by
            if at < len(shown) and 0 <= to < len(shown):
                columns = [*shown]
                columns[at], columns[to] = columns[to], columns[at]
                put(columns, to)

        def widen(at: int, by: int) -> None:
            if at < len(shown) and shown[at].width:
                put([*shown[:at], _sized(shown[at], width_of(at) + by), *shown[at + 1 :]], at)

        def reset(_: int) -> None:
            self._keep(shipped, None)
            self._offer(0)

        self.screen.dialog.choose(
            "Columns", labels, lambda at: [("", entries[at].description)], start, lambda _: None, ("C", "enter"),
            acts={
                "space": toggle, "J": lambda at: move(at, 1), "shift+down": lambda at: move(at, 1),
                "K": lambda at: move(at, -1), "shift+up": lambda at: move(at, -1),
                "plus": lambda at: widen(at, 1), "minus": lambda at: widen(at, -1),
                "R": reset,
            },
            keys=KEYS,
        )  # fmt: skip

    def _arrange(self, view: View, columns: list[Column]) -> None:
        """Show these columns from now on; those of the other mode (with container columns, or without) stay."""
        shipped = self.screen.shipped[view.id]
        containers = self.screen.place.containers
        others = [c for c in view.columns if c.containers is not None and c.containers is not containers]
        layout = [(name_of(column), column.width if column.fixed else 0) for column in (*columns, *others)]
        self._keep(arranged(shipped, layout), layout)

    def _keep(self, view: View, layout: Layout | None) -> None:
        """Show a view in this way from now on; None is as it is shipped."""
        layouts = read_layouts()
        layouts.pop(view.id, None)
        if layout is not None:
            layouts[view.id] = layout
        write_state(_STATE, layouts)
        self.screen.views[view.id] = view
        self.screen.change(replace(self.screen.place, view=view, sort=None, descending=None))

    # the tree

    def _tree_column(self) -> str:
        """Title of the column in which processes can be shown below their parents; "" where rows are no processes."""
        view = self.screen.place.view
        if view is None or view.drill_field(self.screen.place.containers) != "proc.pid":
            return ""
        return next((column.title for column in view.columns if not column.width), "")

    def action_tree(self) -> None:
        """Show each process below its parent, or all in one order again."""
        place = self.screen.place
        if place.view and (column := self._tree_column()):
            view = replace(place.view, tree=None if place.view.tree else column)
            self.screen.change(replace(place, view=view))

"""Dialogs that choose one thing of a list: the next view, the column to sort on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from engine.query.snapshots import ShownColumn
from engine.query.view import View
from tui.screens.texts import describe_view
from tui.widgets.facts import Fact, Facts

T = TypeVar("T")


class Picker(ModalScreen[T | None], Generic[T]):
    """A list at the left, what the highlighted entry means at the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]
    caption = ""

    def __init__(self, entries: Sequence[T], start: int) -> None:
        """Offer entries, one of them highlighted at first."""
        super().__init__()
        self._entries = entries
        self._start = start

    def label(self, index: int) -> Content:
        """An entry's line in the list."""
        raise NotImplementedError

    def meaning(self, index: int) -> list[Fact]:
        """What is said about an entry beside the list."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The list and its side."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(self.caption)
            dialog.border_subtitle = Content("Enter choose · Esc cancel")
            with Horizontal():
                yield OptionList(
                    *(self.label(index) for index in range(len(self._entries))), markup=False, compact=True
                )
                with VerticalScroll(can_focus=False):
                    yield Facts()

    def on_mount(self) -> None:
        """Begin at the entry in use."""
        self.query_one(OptionList).highlighted = self._start

    def action_move(self, by: int) -> None:
        """Move as the arrow keys do."""
        entries = self.query_one(OptionList)
        entries.action_cursor_down() if by > 0 else entries.action_cursor_up()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one(Facts).facts = self.meaning(event.option_index)
        self.query_one(VerticalScroll).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._entries[event.option_index])


class ViewPicker(Picker[View]):
    """Chooses the next view."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2,v", "dismiss(None)", "Cancel", show=False)]
    caption = "Views"

    def __init__(self, views: Sequence[View], current: View | None, *, containers: bool) -> None:
        """Offer views, the current one highlighted."""
        super().__init__(views, views.index(current) if current in views else 0)
        self._current = current
        self._containers = containers

    def label(self, index: int) -> Content:
        """The view's name; the present one is marked."""
        view = self._entries[index]
        return Content.styled(
            ("• " if view is self._current else "  ") + view.name, "bold" if view is self._current else ""
        )

    def meaning(self, index: int) -> list[Fact]:
        """Description, tips and columns."""
        return describe_view(self._entries[index], containers=self._containers)


class SortPicker(Picker[ShownColumn]):
    """Chooses the column to sort on; the present one again turns the order round."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9,s", "dismiss(None)", "Cancel", show=False)]
    caption = "Sort on"

    def __init__(self, columns: Sequence[ShownColumn], sort: int | None, *, descending: bool) -> None:
        """Offer columns, the present one highlighted."""
        super().__init__(columns, sort or 0)
        self._sort = sort
        self._mark = "▼ " if descending else "▲ "

    def label(self, index: int) -> Content:
        """The column's title, its digit, and the direction if it is the present one."""
        digit = f"{index + 1} " if index < 9 else "  "
        mark = self._mark if index == self._sort else "  "
        return Content.assemble((digit, "$foreground-muted"), (mark, "bold"), self._entries[index].title)

    def meaning(self, index: int) -> list[Fact]:
        """What the column says."""
        return [("", self._entries[index].description)]

"""The last line: the screen's keys, which may be clicked, and the position in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from tui.widgets.line import EMPTY, Line, runs
from tui.widgets.timeline import Timeline

MENU = Content.styled("≡ ", "bold $text-accent").stylize(runs("app.command_palette"))
"""Leads to everything, by the mouse."""
AFTER = 2
"""The function key behind which the keys of a place come."""


class KeyBar(Line):
    """Shows the keys that do something here, of those that ask to be shown, as many as there is room for."""

    labels: Mapping[str, str] = {}
    """What is mostly done here, by action, and how that is called here. These keys come early, in this order."""
    _state: tuple[int, int, Mapping[str, str], list[Binding]] | None = None
    """What was written last: width, that of the position, and the keys."""
    _position = EMPTY

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.call_after_refresh(self.show_keys)

    def on_resize(self) -> None:
        """Use the new room."""
        self.show_keys()

    def show_position(self, index: int, total: int, told: str = "") -> None:
        """Tell the row under the cursor, counted from 1, and how many there are; or something else of it."""
        at = f" {index + 1:,}/{total:,} ({(index + 1) / total:.0%}) " if total else " no rows "
        at = f" {told} " if told else at
        before = self._position
        if before.plain == at:
            return
        self._position = Content.styled(at, "bold")
        if self._position.cell_length != before.cell_length:
            self.show_keys()
        elif self.right:
            # The keys are the same: most moves of the cursor come here.
            self.right = self._beside()

    def show_keys(self) -> None:
        """Write the keys that fit left of the position; while one types, those of the line one types into, while one
        selects a range, those that do it."""
        typing = self._typing
        shown: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled and not (typing and active.node in (self.app, self.screen)):
                shown.setdefault(active.binding.action, active.binding)
        bindings = sorted(shown.values(), key=self._rank)
        state = (self.size.width, self._position.cell_length, self.labels, bindings)
        if state == self._state:
            return
        self._state = state
        self.right = self._beside()
        room = self.size.width - self.right.cell_length - bool(self.right)
        fitting = next((bar for gap in (" ", "") if (bar := self._bar(bindings, gap)).cell_length <= room), None)
        if fitting is None and typing:
            # What the keys do is more to somebody who types than where the cursor is.
            self.right, room = EMPTY, self.size.width
        self.left = self._bar(bindings, "", room) if fitting is None else fitting

    @property
    def _typing(self) -> bool:
        return isinstance(self.screen.focused, Input | Timeline)

    def _beside(self) -> Content:
        """What stands at the right."""
        return Content.assemble(self._position, EMPTY if self._typing else MENU)

    def _bar(self, bindings: Sequence[Binding], gap: str, room: int | None = None) -> Content:
        """Keys with their labels, ``gap`` between them; those past ``room`` are left out."""
        bar = Content("")
        for binding in bindings:
            key = Content.styled(self.app.get_key_display(binding), "bold $text-accent")
            label = self.labels.get(binding.action, binding.description)
            item = Content.assemble(key, gap + label).stylize(runs(f"app.simulate_key('{binding.key}')"))
            longer = Content.assemble(bar, gap + " " if bar else " ", item)
            if room is not None and longer.cell_length > room:
                break
            bar = longer
        return bar

    def _rank(self, binding: Binding) -> tuple[int, int]:
        """Function keys by their numbers, the others after them, but for those of the place; leaving last."""
        key, here = binding.key, list(self.labels)
        if key == "escape":
            return 100, 0
        if key.startswith("f") and key[1:].isdigit():
            return int(key[1:]), 0
        return (AFTER, 1 + here.index(binding.action)) if binding.action in here else (99, 0)

"""The last line: the screen's keys, which may be clicked, and the position in the table."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen

from tui.widgets.line import Line, runs


class KeyBar(Line):
    """Shows the keys of bindings that ask to be shown, in their order, as many as there is room for."""

    _state: tuple[int, list[tuple[Binding, bool]]] | None = None
    """What was written last: room, and the keys with whether they are enabled."""

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
        if self.right.plain != at:
            self.right = Content.styled(at, "bold")
            self.show_keys()

    def show_keys(self) -> None:
        """Write the keys that fit left of the position."""
        shown: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                shown.setdefault(active.binding.action, active)
        shown = dict(sorted(shown.items(), key=lambda item: _rank(item[1].binding)))
        room = self.size.width - self.right.cell_length
        state = (room, [(active.binding, active.enabled) for active in shown.values()])
        if state == self._state:
            return
        self._state = state
        roomy = self._bar(shown.values(), " ")
        self.left = roomy if roomy.cell_length <= room else self._bar(shown.values(), "", room)

    def _bar(self, shown: Iterable[ActiveBinding], gap: str, room: int | None = None) -> Content:
        """Keys with their labels, ``gap`` between them; those past ``room`` are left out."""
        bar = Content("")
        for binding, enabled in ((active.binding, active.enabled) for active in shown):
            key = Content.styled(self.app.get_key_display(binding), "bold $text-accent" if enabled else "dim")
            item = Content.assemble(key, (gap + binding.description, "" if enabled else "dim"))
            if enabled:
                item = item.stylize(runs(f"app.simulate_key('{binding.key}')"))
            longer = Content.assemble(bar, gap + " " if bar else " ", item)
            if room is not None and longer.cell_length > room:
                break
            bar = longer
        return bar


def _rank(binding: Binding) -> int:
    """Function keys by their numbers, the others after them."""
    key = binding.key
    return int(key[1:]) if key.startswith("f") and key[1:].isdigit() else 99

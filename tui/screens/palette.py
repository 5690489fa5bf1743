"""The command palette: every action by its name, every view, every theme, every saved filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from engine.text import clean
from tui.place import offered
from tui.screens.keys import BINDINGS

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

MOVES = ("up", "down", "left", "right", "page-up", "page-down", "first", "last", "cancel", "palette", "quit-at-once")
"""Actions that are no use from here."""
Command = tuple[str, str, Callable[[], object]]
"""What is called, what it means, and what it does."""


class Commands(Provider):
    """What can be done on the main screen."""

    @property
    def _explorer(self) -> Explorer:
        from tui.screens.explorer import Explorer

        assert isinstance(self.screen, Explorer)
        return self.screen

    def _commands(self) -> Iterator[Command]:
        screen = self._explorer
        keys: dict[str, list[str]] = {}
        for active in screen.active_bindings.values():
            id_ = active.binding.id
            if active.enabled and id_ and id_ not in MOVES:
                keys.setdefault(id_, []).append(self.app.get_key_display(active.binding))
        for binding in (*BINDINGS, *self.app.BINDINGS):
            if isinstance(binding, Binding) and binding.id in keys:
                run = partial(self.app.call_later, screen.run_action, binding.action)
                yield binding.description, f"{' '.join(keys[binding.id])}  {binding.tooltip}", run
        for view in offered(screen.views.values(), screen.place):
            yield f"View: {view.name}", view.description, partial(screen.go, screen.place.below(view))
        for theme in sorted(self.app.available_themes):
            yield f"Theme: {theme}", "Colours of the screen", partial(setattr, self.app, "theme", theme)
        for name, text in screen.filtering.saved.saved.items():
            change = partial(screen.change, replace(screen.place, filter=text))
            yield f"Filter: {clean(name)}", clean(text), change

    async def discover(self) -> Hits:
        """Everything, while nothing is typed."""
        for name, meaning, run in self._commands():
            yield DiscoveryHit(Content(name), run, text=name, help=meaning)

    async def search(self, query: str) -> Hits:
        """What resembles the typed text."""
        matcher = self.matcher(query)
        for name, meaning, run in self._commands():
            # What it is called counts for more than what is said of it.
            if (score := max(matcher.match(name), matcher.match(meaning) / 2)) > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=meaning)

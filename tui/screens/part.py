"""A behaviour of the main screen that stands by itself: the actions of its keys, and which answers it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.query.snapshots import Snapshot, Status

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer


class Part:
    """One behaviour. Its methods named ``action_…`` are what keys (``keys.BINDINGS``) run."""

    def __init__(self, screen: Explorer) -> None:
        """Belong to the main screen, whose widgets are there from ``mounted`` on."""
        self.screen = screen

    def mounted(self) -> None:
        """The widgets are there now."""

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether one of its actions makes sense now: True, None to grey it out, False to leave the key to others."""
        return True

    def place_shown(self) -> None:
        """Another place is shown, or the same with another filter or window."""

    def status_changed(self, status: Status) -> None:
        """The source grew or changed its state."""

    def take(self, snapshot: Snapshot) -> bool:
        """Take an answer of the engine; False when it is not for this part."""
        return False

    def cancel(self) -> bool:
        """Leave what is going on, as Esc wants; False when nothing is."""
        return False

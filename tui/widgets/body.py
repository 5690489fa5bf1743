"""What fills the space between timeline and keys: the table, or a picture with a cursor of its own."""

from __future__ import annotations

from typing import Any, Protocol

from tui.place import Position


class Body(Protocol):
    """Something with a cursor that keys move."""

    display: Any
    """Whether it is seen."""

    @property
    def position(self) -> Position:
        """Where the user is, to come back to."""

    def restore(self, position: Position) -> None:
        """Begin with something else at a position."""

    def move_by(self, rows: int) -> None:
        """Move the cursor down, or up."""

    def move_by_page(self, pages: int) -> None:
        """Move the cursor by what is seen at once."""

    def move_to_end(self, last: bool) -> None:
        """Move the cursor to the first or the last there is."""

    def move_sideways(self, steps: int) -> None:
        """Move the cursor to the right, or what is seen where the cursor is a whole row."""

    def place_in_all(self) -> tuple[int, int]:
        """Index of what is under the cursor, and how many there are."""

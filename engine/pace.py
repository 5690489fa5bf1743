"""How often a live picture is made: as often as asked for, and less often when that would take too much.

Owns the length of the interval in force. Knows nothing of what is done in one.
"""

from __future__ import annotations

LONGEST = 30_000_000_000
"""Longest interval, ns."""
MUCH, LITTLE = 0.8, 0.4
"""Share of one core from which on intervals get longer, and below which they get shorter again."""
LATE = 0.5
"""Part of an interval by which it may end late."""


class Pace:
    """The interval in force."""

    def __init__(self, asked: int) -> None:
        """``asked``: ns."""
        self.asked = self.interval = asked

    @property
    def behind(self) -> bool:
        """True while intervals are longer than asked for."""
        return self.interval > self.asked

    def ended(self, late: int, share: float) -> None:
        """An interval ended ``late`` ns after it should have, in which we took ``share`` of one core.

        The next one is twice as long when that was too much, half as long when it was little.
        """
        if share > MUCH or late > LATE * self.interval:
            self.interval = max(min(2 * self.interval, LONGEST), self.asked)
        elif share < LITTLE:
            self.interval = max(self.interval // 2, self.asked)

"""Why a walk over event blocks stopped: what a source learns from the decoder."""

from enum import IntEnum


class Stop(IntEnum):
    """Reason for the index a decoder returned."""

    MORE = 0
    """The block there is not complete in the buffer, or the buffer is used up."""
    OTHER = 1
    """A block that is no event starts there."""
    DAMAGE = 2
    """The block there contradicts itself: wrong lengths."""
    LIMIT = 3
    """As many events as asked for were read."""

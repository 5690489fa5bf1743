"""What the exit status of every `tui` command means; documented for users in docs/command-line.md."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit status of the program."""

    OK = 0
    """Everything asked was done."""
    FAILED = 1
    """A file cannot be read, or is damaged (what came before the damage was printed)."""
    USAGE = 2
    """A wrong option, filter, format, field or view name; nothing was read."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C."""

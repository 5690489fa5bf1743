"""What the explorer is started with. The command line fills it in; the app reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.watching import Watch

WATCH = Watch()


@dataclass(frozen=True, slots=True)
class Options:
    """How to open the explorer."""

    path: Path | None
    """The capture; None for the live machine."""
    view: str = "procs"
    """Id of the start view; ``dig`` starts with the event lines."""
    filter: str = ""
    """Added to every view."""
    containers: bool = False
    """-pc: container columns and keys."""
    limit: int | None = None
    """-n: read that many events, then stop."""
    delay_ms: int = 500
    """-d: least time between two refreshes while events arrive; live, the length of an interval; ms."""
    port_names: bool = False
    """-R: names of services in place of port numbers."""
    watch: Watch = WATCH
    """How the live machine is watched."""
    user_names: bool = True
    """False with -E: the user and group tables are not used."""

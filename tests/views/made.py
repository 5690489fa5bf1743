"""Captures made for views that no recording at hand gives rows."""

from __future__ import annotations

from engine.events import codes_by_name
from engine.model.facts import Thread
from tests.scapfile import event, machine, pack, process_list, section

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def code(name: str, *, leaving: bool = False) -> int:
    """The newest scap type of a name."""
    return max(found for found in codes_by_name()[name] if found < 1024 and found % 2 == leaving)


def notifications() -> bytes:
    """Two notifications of an agent."""
    agent = Thread(tid=7, pid=7, ptid=1, comm=b"agent", exe=b"/usr/bin/agent", cwd=b"/")
    kind = code("notification")
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [agent])
        + event(kind, 7, START, pack(kind, id="policy-1", desc="a shell in a container"))
        + event(kind, 7, START + SECOND, pack(kind, id="policy-2", desc="a write below /etc"))
    )


MADE = {"notifications": notifications}
"""By name, what writes the bytes."""

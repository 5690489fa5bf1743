"""What fields say of the events that are left does not change when older ones and their rows are forgotten."""

from __future__ import annotations

import pytest

from engine.decode.event import Event
from engine.events import CATALOGUE, SCAP_TYPES, FdKind
from engine.fields import look_up
from engine.fields.field import Value
from engine.filters import compile  # noqa: A004
from tests.engine.decode.decoded import Machine, listed


def code(name: str) -> int:
    return max(kind.code for kind in CATALOGUE[:SCAP_TYPES] if kind.name == name and kind.is_exit and kind.params)


OPENAT, DUP2, MMAP = map(code, ("openat", "dup2", "mmap"))
PROCEXIT = 186
FIELDS = (
    "proc.tree.pid",
    "evt.args",
    "fd.nameraw",
    "proc.stdout.name",
    "proc.nthreads",
    "proc.fdopencount",
    "fd.types",
)


@pytest.fixture
def seen() -> Machine:
    """Two processes that are gone soon, then two that stay."""
    made = Machine(*(listed(tid, f"p{tid}".encode()) for tid in (10, 11, 20, 21)))
    for tid in (10, 11):
        made.happens(OPENAT, tid, fd=3, dirfd=-100, name=f"old{tid}", flags=1)
        made.happens(PROCEXIT, tid, status=0)
    made.fd(20, 1, FdKind.FILE, b"/unused")
    made.happens(OPENAT, 20, fd=4, dirfd=-100, name="./log", flags=1)
    made.happens(DUP2, 20, res=1, oldfd=4, newfd=1)
    made.happens(OPENAT, 21, fd=3, dirfd=-100, name="./new", flags=1)
    return made


def said(seen: Machine, first: int) -> list[Value]:
    """What the fields say of the events from a number on."""
    events = [Event(seen.store, segment, row) for segment in seen.store.segments for row in range(len(segment))]
    values: list[Value] = []
    for event in events:
        if event.number >= first:
            for name in FIELDS:
                field, argument = look_up(name)
                values.append(field.of(event, argument))
    return values


def test_rows_may_move(seen: Machine) -> None:
    kept = seen.happens(MMAP, 20, res=0).number
    seen.happens(OPENAT, 20, fd=5, dirfd=-100, name="./more", flags=1)
    before = said(seen, kept)
    assert b"/home/log" in before and b"./more" in before
    named = compile("fd.nameraw = ./more")
    assert sum(int(named.mask(seen.store, segment).sum()) for segment in seen.store.segments) == 1
    assert len(seen.store.threads) == 4
    seen.decoder.forget(kept - 1, -1 << 40)
    assert len(seen.store.threads) == 2
    assert sum(int(named.mask(seen.store, segment).sum()) for segment in seen.store.segments) == 1
    after = said(seen, kept)
    # What the standard descriptors were is told again with the next event only.
    assert [one for one in after if one is not None] == [
        one for one, other in zip(before, after, strict=True) if other is not None
    ]
    later = seen.happens(MMAP, 20, res=0)
    field, argument = look_up("proc.stdout.name")
    assert field.of(later, argument) == b"/home/log"

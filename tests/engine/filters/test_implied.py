"""What a filter implies holds of every event it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import filters
from engine.events import CATALOGUE
from engine.filters.implied import ANYTHING, Implied, implied
from engine.store.store import Store
from tui.reading import Reading

LEAVES = (
    "evt.type=read", "evt.type in (openat, close, read)", "evt.type!=futex", "evt.type exists", "syscall.type=write",
    "evt.type startswith e", "evt.dir=<", "proc.pid=2210", "proc.pid in (1, 2210)", "proc.pid!=1", "proc.pid>1000",
    "proc.pid exists", "container.id=5e1c0a7f9b24", "container.id in (5e1c0a7f9b24, none)", "container.id=host",
    "container.id!=host", "proc.name=nginx", "fd.name contains sock", "evt.rawres<0", "evt.arg.fd=3", "shop", "calls",
)  # fmt: skip
MACROS = {"shop": "container.id=5e1c0a7f9b24 or proc.pid=2210", "calls": "evt.type in (read, write)"}
TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: "({} {} {})".format(*parts))
        | inner.map("not ({})".format)
    ),
    max_leaves=7,
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with as_file(files("tui") / "demo.scap.gz") as path, Reading(path) as reading:
        for _ in reading:
            pass
        yield reading.store


@settings(max_examples=300, deadline=None)
@given(text=TREES)
def test_every_event_a_filter_keeps_meets_what_it_implies(store: Store, text: str) -> None:
    said, kept = implied(text, MACROS), filters.compile(text, MACROS)
    for segment in store.segments:
        mask = kept.mask(store, segment)
        if said.types is not None:
            assert {CATALOGUE[code].name for code in np.unique(segment.type[mask])} <= said.types
        rows = np.unique(segment.thread[mask])
        if said.processes is not None:
            assert all(row >= 0 and store.threads[row].pid in said.processes for row in rows)
        if said.containers is not None:
            assert all(row >= 0 and store.threads[row].container.encode() in said.containers for row in rows)


@pytest.mark.parametrize(
    "asked",
    [
        "http.status=200", "http.method exists", "not dns.name=x", "tolower(db.command)=get", "evt.deltatime > 1ms",
        "evt.reltime.s<5", "span.id=3", "proc.name=val(http.host)", "len(concat(http.path, fd.name))>3", "called",
    ],
)  # fmt: skip
def test_nothing_may_be_missing_where_other_events_tell(asked: str) -> None:
    macros = {"called": "http.path startswith /"}
    for text in (f"proc.pid=1 and {asked}", f"evt.type=write and ({asked} or evt.type=read)"):
        assert implied(text, macros) == ANYTHING
    assert implied("evt.type=write and evt.latency>1ms").types == frozenset({"write"})


def test_what_is_asked_for_by_value_is_implied() -> None:
    assert implied("proc.pid=12 and evt.type in (read, write) and fd.name contains x") == Implied(
        types=frozenset({"read", "write"}), processes=frozenset({12})
    )
    assert implied("proc.pid=1 or proc.pid in (2, 3)").processes == frozenset({1, 2, 3})
    assert implied("not (evt.type=read or proc.pid=4)").types == frozenset(kind.name for kind in CATALOGUE) - {"read"}
    assert implied("calls and shop", MACROS).types == frozenset({"read", "write"})
    assert implied("container.id=abc or container.id=def").containers == frozenset({b"abc", b"def"})
    assert implied("evt.type=read and evt.type=write").types == frozenset()


def test_where_anything_may_be_kept_nothing_is_implied() -> None:
    for text in ("", "proc.name=a", "proc.pid=1 or proc.name=a", "not proc.pid=1", "container.id=host", "proc.pid!=1"):
        assert implied(text) == ANYTHING, text


def test_less_lies_within_more() -> None:
    one, two = Implied(processes=frozenset({1})), Implied(processes=frozenset({1, 2}))
    assert one.within(two) and one.within(ANYTHING) and ANYTHING.within(ANYTHING)
    assert not two.within(one) and not ANYTHING.within(one)
    assert not Implied(types=frozenset({"read"})).within(one)
    assert one.both(Implied(types=frozenset({"read"}))).within(two)

"""What processes and threads were last told to have, at any event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decode.event import Event
from engine.events import CATALOGUE, SCAP_TYPES, FdKind
from engine.fields import look_up
from engine.fields.field import Value
from engine.fields.series import By, told
from engine.model.facts import Thread
from engine.store.segment import Sample
from engine.store.store import Store
from tests.engine.decode.decoded import Machine, listed
from tests.engine.query.handmade import Row, segment, store


def code(name: str) -> int:
    return max(kind.code for kind in CATALOGUE[:SCAP_TYPES] if kind.name == name and kind.is_exit and kind.params)


OPENAT, CLOSE, CLONE, EXECVE, DUP2, MMAP = map(code, ("openat", "close", "clone", "execve", "dup2", "mmap"))
PROCEXIT, SWITCH, READ = 186, 152, code("read")


def value(event: Event, name: str) -> Value:
    field, argument = look_up(name)
    return field.of(event, argument)


def counts(event: Event) -> list[Value]:
    """Threads and open descriptors of the event's process."""
    return [value(event, "proc.nthreads"), value(event, "proc.fdopencount")]


def test_opening_counts_at_once_and_closing_behind_the_event() -> None:
    seen = Machine(listed(10, fdlimit=4))
    seen.fd(10, 0, FdKind.FIFO)
    assert counts(seen.happens(READ, 10, res=1)) == [1, 1]
    opened = seen.happens(OPENAT, 10, fd=3, dirfd=-100, name="x", flags=1)
    assert counts(opened) == [1, 2]
    assert value(opened, "proc.fdusage") == 50.0
    assert counts(seen.happens(CLOSE, 10, res=0, fd=3)) == [1, 2]
    assert counts(seen.happens(READ, 10, res=1)) == [1, 1]
    assert counts(opened) == [1, 2]


def test_a_process_has_the_descriptors_of_its_maker_and_its_own_threads() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 0, FdKind.FIFO)
    seen.fd(10, 1, FdKind.FILE, b"/out")
    child = seen.happens(CLONE, 20, res=0, tid=20, pid=20, ptid=10, vtid=20, vpid=20, comm="kid", flags=0)
    assert counts(child) == [1, 2]
    assert counts(seen.happens(CLOSE, 10, res=0, fd=1)) == [1, 2]
    assert counts(seen.happens(READ, 10, res=1)) == [1, 1]
    assert value(seen.happens(READ, 20, res=1), "proc.stdout.name") == b"/out"


def test_threads_count_while_they_live() -> None:
    seen = Machine(listed(10), listed(11, pid=10), listed(12, pid=10))
    first = seen.happens(READ, 10, res=1)
    assert [value(first, name) for name in ("proc.nthreads", "proc.nchilds")] == [3, 2]
    seen.happens(PROCEXIT, 12, status=0)
    assert counts(seen.happens(READ, 11, res=1))[0] == 2
    assert counts(first)[0] == 3


def test_standard_descriptors_are_those_at_the_event() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 0, FdKind.FIFO)
    seen.fd(10, 1, FdKind.FILE, b"/dev/pts/1")
    seen.fd(10, 4, FdKind.FILE, b"/log")
    before = seen.happens(READ, 10, res=1)
    seen.happens(DUP2, 10, res=1, oldfd=4, newfd=1)
    after = seen.happens(READ, 10, res=1)
    assert [value(one, "proc.stdout.name") for one in (before, after)] == [b"/dev/pts/1", b"/log"]
    assert [value(after, f"proc.std{which}.type") for which in ("in", "out", "err")] == [b"pipe", b"file", None]
    assert value(after, "proc.stderr.name") is None
    assert value(after, "fd.types") == (b"file", b"pipe")
    assert [value(after, f"fd.types[{number}]") for number in (0, 1, 2, 7)] == [(b"pipe",), (b"file",), None, None]


def test_memory_is_the_processes_whichever_thread_tells_it() -> None:
    seen = Machine(listed(10, vm_size=100, vm_rss=10), listed(11, pid=10))
    began = seen.happens(READ, 10, res=1)
    seen.happens(MMAP, 11, res=0, vm_size=300, vm_rss=20, vm_swap=1)
    seen.happens(MMAP, 10, res=0, vm_size=200, vm_rss=20, vm_swap=1)
    later = seen.happens(READ, 11, res=1)
    assert [value(one, "proc.vmsize") for one in (began, later)] == [100, 200]
    assert [value(later, f"thread.vm{what}") for what in ("size", "rss", "size.b")] == [0, 0, 0]
    assert value(seen.happens(READ, 10, res=1), "thread.vmsize.b") == 200 * 1024


def test_an_exec_tells_memory_and_faults() -> None:
    seen = Machine(listed(10, vm_size=100))
    seen.happens(
        *(EXECVE, 10), res=0, exe="/bin/x", tid=10, pid=10, ptid=1, comm="x", vm_size=7, pgft_maj=1, pgft_min=2
    )
    later = seen.happens(READ, 10, res=1)
    assert [value(later, name) for name in ("proc.vmsize", "thread.pfmajor", "thread.pfminor")] == [7, 1, 2]


def test_time_on_a_cpu_adds_up_for_each_thread() -> None:
    seen = Machine(listed(10), listed(11))
    seen.happens(SWITCH, 99, next=10)
    out = seen.happens(SWITCH, 10, after=700, next=11)
    seen.happens(SWITCH, 11, after=50, next=10)
    again = seen.happens(SWITCH, 10, after=300, next=0)
    assert [value(one, "thread.exectime") for one in (out, again)] == [700, 300]
    assert [value(one, "thread.totexectime") for one in (out, again)] == [700, 1000]
    assert value(seen.happens(READ, 11, res=1), "thread.totexectime") == 50
    assert value(seen.happens(READ, 11, res=1), "thread.exectime") == 0


def test_an_exec_does_not_start_the_process_again() -> None:
    seen = Machine(listed(10))
    assert value(seen.happens(READ, 10, res=1), "proc.duration") is None
    seen.happens(CLONE, 20, res=0, tid=20, pid=20, ptid=10, vtid=20, vpid=20, comm="kid", flags=0)
    seen.happens(EXECVE, 20, after=400, res=0, exe="/bin/x", tid=20, pid=20, ptid=10, comm="x")
    later = seen.happens(READ, 20, after=100, res=1)
    assert [value(later, name) for name in ("proc.duration", "proc.ppid.duration")] == [500, None]


SAMPLES = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 9)), max_size=8), min_size=1, max_size=9
)
"""Of each segment: (event, thread row, value)."""


@settings(max_examples=200, deadline=None)
@given(SAMPLES, st.booleans(), st.data())
def test_the_last_sample_before_an_event_counts(
    samples: list[list[tuple[int, int, int]]], total: bool, data: st.DataObject
) -> None:
    # Rows 0 and 3 are versions of one process.
    made = store(*(Thread(tid=row, process=row % 3) for row in range(4)))
    one_each = [
        list({(event, row % 3): (event, row, amount) for event, row, amount in sorted(part)}.values())
        for part in samples
    ]
    for index, part in enumerate(one_each):
        rows = [Row(READ, thread=event % 4) for event in range(10)]
        told_here = [(event, row, Sample.FDS, amount) for event, row, amount in sorted(part)]
        made.segments.append(segment(rows, first=10 * index, samples=told_here))
        if data.draw(st.booleans()):
            told(made.segments[-1], made, Sample.FDS, total=total)
    for index, each in enumerate(made.segments):
        values, known = told(each, made, Sample.FDS, total=total)
        for event in range(10):
            earlier = [
                amount
                for at, part in enumerate(one_each)
                for when, row, amount in sorted(part)
                if row % 3 == event % 4 % 3 and (at, when) <= (index, event)
            ]
            assert bool(known[event]) == bool(earlier)
            if earlier:
                assert values[event] == (sum(earlier) if total else earlier[-1])


def test_the_last_state_before_the_oldest_event_is_kept() -> None:
    made: Store = store(Thread(tid=1, process=0, life=0))
    for index in range(40):
        rows = [Row(READ, thread=0)] * 3
        made.segments.append(segment(rows, first=3 * index, samples=[(1, 0, Sample.FDS, index)]))
        told(made.segments[-1], made, Sample.FDS)
        del made.segments[:-1]
    values, known = told(replace(made.segments[0], samples=made.segments[0].samples[:0]), made, Sample.FDS)
    assert known.all() and values.tolist() == [38, 39, 39]


@pytest.mark.parametrize("by", By)
def test_nothing_is_told_of_nobody(by: By) -> None:
    made = store(Thread(tid=1, process=0, life=0))
    made.segments.append(segment([Row(READ), Row(READ, thread=0)], samples=[(0, 0, Sample.FDS, 1)]))
    _, known = told(made.segments[0], made, Sample.FDS, by=by)
    assert np.array_equal(known, [False, True])

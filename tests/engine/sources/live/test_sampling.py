"""CPU time: what is told of tasks between two samples."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.decode.decoder import Decoder
from engine.model.facts import Thread
from engine.sources.live.calls import TASK_NOW
from engine.sources.live.sampling import Sampler
from engine.sources.raw import KeptBytes
from engine.store.segment import Sample
from engine.store.store import Store

MS = 1_000_000


def tasks(*rows: tuple[int, int, int, int]) -> NDArray[np.void]:
    """Tasks of (tid, user and system by ticks, exactly in all), ms."""
    made = np.zeros(len(rows), TASK_NOW)
    for row, (tid, user, system, runtime) in zip(made, rows, strict=True):
        row["tid"], row["user"], row["system"], row["runtime"] = tid, user * MS, system * MS, runtime * MS
    return made


class Machine:
    """Whose tasks are sampled, one sample after the other."""

    def __init__(self) -> None:
        self.tasks = tasks()
        self.sampler = Sampler(0, lambda: self.tasks)

    def told(self, *rows: tuple[int, int, int, int]) -> dict[int, tuple[int, int]]:
        """User and system ticks by thread."""
        self.tasks = tasks(*rows)
        self.sampler._due = 0
        return {int(block["tid"]): (int(block["user"]), int(block["system"])) for block in self.sampler.blocks()}


def test_time_is_divided_as_the_ticks_are() -> None:
    assert Machine().told((7, 30, 10, 1000), (5, 0, 0, 80), (6, 0, 20, 50)) == {5: (8, 0), 6: (0, 5), 7: (75, 25)}


def test_a_thread_that_does_nothing_is_told_once() -> None:
    machine = Machine()
    assert machine.told((5, 10, 0, 100), (9, 0, 0, 0)) == {5: (10, 0), 9: (0, 0)}
    assert machine.told((5, 20, 0, 130), (9, 0, 0, 0)) == {5: (13, 0)}
    # Less than a tick.
    assert machine.told((5, 20, 0, 135), (9, 0, 0, 0)) == {}


def test_a_number_given_again_begins_anew() -> None:
    machine = Machine()
    machine.told((5, 10, 0, 1000))
    assert machine.told((5, 0, 0, 0)) == {5: (0, 0)}


def test_samples_keep_their_distance() -> None:
    sampler = Sampler(0, lambda: tasks((1, 0, 0, 10)))
    assert len(sampler.blocks()) == 1
    assert len(sampler.blocks()) == 0


@given(st.lists(st.tuples(*(st.integers(0, 10**6),) * 3), max_size=8))
def test_neither_part_ever_shrinks_and_both_are_all(steps: list[tuple[int, int, int]]) -> None:
    machine, user, system, runtime = Machine(), 0, 0, 0
    last = (0, 0)
    for more_user, more_system, more in steps:
        user, system, runtime = user + more_user, system + more_system, runtime + more
        told = machine.told((1, user, system, runtime)).get(1, last)
        assert told[0] >= last[0] and told[1] >= last[1]
        assert runtime // 10 - 1 <= sum(told) <= runtime // 10
        last = told


def test_the_decoder_reads_what_a_thread_used_between_two_samples() -> None:
    machine, raw = Machine(), KeptBytes()
    store = Store(raw)
    decoder = Decoder(store, "samples")
    decoder.thread(Thread(tid=5, pid=5))
    for row in ((5, 50, 50, 100), (5, 100, 100, 350)):
        machine.tasks, machine.sampler._due = tasks(row), 0
        view, base = memoryview(machine.sampler.blocks().tobytes()), raw.size
        raw.append(view)
        decoder.feed(view, base, 0)
    decoder.seal()
    samples = store.segments[0].samples
    used = samples[np.isin(samples["kind"], (Sample.CPU_USER, Sample.CPU_SYSTEM))]
    assert sum(int(row["value"]) for row in used) in (240 * MS, 250 * MS)

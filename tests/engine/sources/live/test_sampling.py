"""CPU time, sampled from this very process."""

from __future__ import annotations

import os
import struct
import threading
import time

import numpy as np

from engine.decode.decoder import Decoder
from engine.model.facts import Thread
from engine.sources.live import sampling
from engine.sources.raw import KeptBytes
from engine.store.segment import Sample
from engine.store.store import Store


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_time_used_between_two_samples_is_told_of_the_thread_that_used_it() -> None:
    sampler = sampling.Sampler(0)
    raw = KeptBytes()
    store = Store(raw)
    decoder = Decoder(store, "samples")
    tid = threading.get_native_id()
    decoder.thread(Thread(tid=tid, pid=os.getpid()))

    def sample() -> None:
        sampler._due = 0
        view = memoryview(b"".join(sampler.blocks()))
        base = raw.size
        raw.append(view)
        decoder.feed(view, base, 0)

    sample()
    busy(0.25)
    sample()
    decoder.seal()
    samples = store.segments[0].samples
    used = samples[np.isin(samples["kind"], (Sample.CPU_USER, Sample.CPU_SYSTEM))]
    mine = sum(int(row["value"]) for row in used if store.threads[row["thread"]].tid == tid)
    assert 200_000_000 <= mine <= 600_000_000


def test_a_thread_that_does_nothing_is_told_once() -> None:
    sampler = sampling.Sampler(0)
    stop = threading.Event()
    idle = threading.Thread(target=stop.wait)
    idle.start()
    told = []
    for _ in range(2):
        sampler._due = 0
        told.append({struct.unpack_from("<Q", block, 18)[0] for block in sampler.blocks()})
    stop.set()
    idle.join()
    assert idle.native_id in told[0]
    assert idle.native_id not in told[1]
    assert os.getpid() in told[0]


def test_samples_keep_their_distance() -> None:
    sampler = sampling.Sampler(0)
    assert sampler.blocks()
    assert sampler.blocks() == []

"""What is there when a capture begins: nothing that starts meanwhile is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.sources.live import picture
from engine.sources.live.source import LiveSource, Options
from engine.sources.sink import FactSink
from engine.store.store import Store
from tests.live.observing import Observer

# Processes and threads that make one call each, one after the other, numbered.
CHURN = """
import os, sys, threading
def work(number):
    try: os.rmdir(f"/nowhere/{number}")
    except OSError: pass
number = 0
while True:
    if os.fork() == 0:
        work(number)
        os._exit(0)
    os.wait()
    thread = threading.Thread(target=work, args=(number + 1,))
    thread.start()
    thread.join()
    number += 2
"""


def test_nothing_of_our_own_process_is_told(observer: Observer) -> None:
    source = LiveSource(Options(ring=64 << 20))
    store = Store(source.raw)
    decoder = Decoder(store, "live")
    source.step(decoder)
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    for _ in range(10):
        os.getppid()
        source.drain(decoder)
    source.stop()
    while source.drain(decoder):
        pass
    events = [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]
    source.close()
    callers = {event.thread.pid for event in events if event.thread and event.type.is_syscall}
    assert os.getpid() not in callers
    assert child.pid in callers, "but what it starts is"


@pytest.mark.parametrize("attempt", range(3))
def test_threads_that_start_while_the_picture_is_taken_are_told_once(observer: Observer, attempt: int) -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", CHURN]) as churn:
        try:
            time.sleep(0.2)
            source = LiveSource(Options(ring=64 << 20))
            store = Store(source.raw)
            decoder = Decoder(store, "live")
            source.step(decoder)
            began = time.monotonic()
            while time.monotonic() - began < 0.5:
                source.drain(decoder)
            source.stop()
            while source.drain(decoder):
                pass
        finally:
            churn.kill()
        events = [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]
        source.close()
    assert source.lost == 0
    mine = [event for event in events if event.type.name == "rmdir" and b"/nowhere/" in (event.params[1] or b"")]
    numbers = [int((event.params[1] or b"").rstrip(b"\0").rpartition(b"/")[2]) for event in mine]
    assert len(numbers) > 100
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a call was lost, or told twice"
    for event, number in zip(mine, numbers, strict=True):
        thread = event.thread
        # What began before we did, and ended before it was looked at, can only be counted.
        if thread is not None and (thread.comm is not None or number > numbers[0] + 1):
            assert thread.comm and thread.comm.startswith(b"python"), number
            assert (thread.pid == churn.pid) == bool(number % 2), number
            assert thread.ptid == churn.pid or thread.pid == churn.pid
            assert thread.args[-1:] == (CHURN.encode(),)
    # The same number may be given again, but no thread has two lives at a time.
    alive = Counter(thread.tid for thread in {t.life: t for t in store.threads}.values() if thread.ended < 0)
    assert max(alive.values()) == 1


def test_who_ended_before_the_picture_got_to_it_is_known_all_the_same(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = picture.take
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: print(flush=True)"], stdout=-1) as quick:
        lines = quick.stdout
        assert lines is not None
        lines.readline()

        def later(sink: FactSink) -> None:
            # More than a pipe holds, so that some were written by now.
            for _ in range(1 << 17):
                lines.readline()
            quick.kill()
            quick.wait()
            take(sink)

        monkeypatch.setattr(picture, "take", later)
        source = LiveSource(Options(ring=64 << 20))
        store = Store(source.raw)
        decoder = Decoder(store, "live")
        source.step(decoder)
        source.stop()
        while source.drain(decoder):
            pass
    events = [Event(store, segment, row) for segment in store.segments for row in range(len(segment))]
    of_it = [event.thread for event in events if event.thread and event.thread.tid == quick.pid]
    source.close()
    assert len(of_it) > 20
    assert {(thread.pid, thread.args[-1]) for thread in of_it} == {(quick.pid, b"while True: print(flush=True)")}

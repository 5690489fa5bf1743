"""What is made of a store's tables is kept for the next question, as long as it is true."""

from __future__ import annotations

from threading import Thread

from engine.filters import compile  # noqa: A004
from engine.query.keys import make_key
from engine.store.store import KEPT, Store
from tests.engine.query.handmade import Row, segment, store
from tests.engine.query.test_table import READ, process


def keep(source: Store, name: object) -> object:
    return source.keep(name, object)


def test_a_thing_is_kept_until_a_fact_changes() -> None:
    kept = store()
    first = keep(kept, "a")
    assert keep(kept, "a") is first
    assert keep(kept, "b") is not first
    kept.revision += 1
    assert keep(kept, "a") is not first


def test_the_least_recently_asked_goes_first() -> None:
    kept = store()
    first, second = keep(kept, "first"), keep(kept, "second")
    for number in range(KEPT - 2):
        keep(kept, number)
    assert keep(kept, "first") is first
    keep(kept, "one more")
    assert keep(kept, "first") is first
    assert keep(kept, "second") is not second


def test_each_thread_has_its_own() -> None:
    kept = store()
    found = []
    thread = Thread(target=lambda: found.append(keep(kept, "a")))
    thread.start()
    thread.join()
    assert keep(kept, "a") is not found[0]


def test_filters_and_keys_follow_threads_that_come_and_facts_that_change() -> None:
    """Of two processes one comes after the first question, and one is given another name."""
    asked = store(process(10, b"cat", life=0))
    asked.segments.append(segment([Row(READ, thread=0)]))

    def kept(text: str) -> list[bool]:
        return [held for part in asked.segments for held in compile(text).mask(asked, part).tolist()]

    def names() -> list[object]:
        key = make_key(asked, "proc.name")
        found: list[object] = []
        for part in asked.segments:
            codes = key.look_up(part, part.visible)
            found += [key.value(int(codes.table[row])) for row in codes.index]
        return found

    assert (kept("proc.name=cat"), kept("proc.name=dog"), names()) == ([True], [False], [b"cat"])
    asked.threads.append(process(11, b"dog", life=1))
    asked.segments.append(segment([Row(READ, thread=1)], first=1))
    assert (kept("proc.name=cat"), kept("proc.name=dog"), names()) == ([True, False], [False, True], [b"cat", b"dog"])
    asked.threads[0].comm = b"dog"
    asked.revision += 1
    assert (kept("proc.name=cat"), kept("proc.name=dog"), names()) == ([False] * 2, [True] * 2, [b"dog"] * 2)

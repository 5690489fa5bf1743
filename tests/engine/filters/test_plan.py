"""How filters are answered: folded, merged, ordered, skipped, and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.fields import look_up
from engine.filters import Filter, compile  # noqa: A004
from engine.store.store import Store
from tests.engine.filters.oracle import loaded


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return loaded(captures / "mixed.scap.gz")


def asked(text: str, store: Store) -> tuple[Filter, int]:
    made = compile(text, {"cc": "proc.name=cc1 and fd.num>0"})
    return made, sum(int(made.mask(store, segment).sum()) for segment in store.segments)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("evt.type exists", "always: evt.type exists"),
        ("not evt.type exists", "never: not (evt.type exists)"),
        ("evt.type exists and proc.name=cc1", "once per thread: proc.name = cc1"),
        ("proc.name=cc1 or evt.type exists", "always: evt.type exists"),
        ("proc.name=cc1 and fd.name = anyof ()", "never: fd.name = anyof ()"),
        ("evt.type=read and evt.type=write", "never: evt.type = read and evt.type = write"),
        ("proc.name=cc1 and proc.name=cc1", "once per thread: proc.name = cc1"),
        ("not not not fd.num=1", "columns: not (fd.num = 1)"),
        ("evt.type=open and (evt.dir=< and evt.is_io=false)",
         "once per event type: evt.type = open and evt.dir = < and evt.is_io = false"),
        ("", "keeps everything"),
    ],
)  # fmt: skip
def test_what_is_known_before_is_folded(text: str, folded: str) -> None:
    assert compile(text).explain() == folded


def test_terms_of_one_place_are_answered_together() -> None:
    lines = compile("(proc.name=a and fd.num=1) and proc.pid=2 and (fd.name=x or fd.type=file)").explain().splitlines()
    assert [line.strip() for line in lines] == [
        "all of",
        "once per thread: proc.name = a and proc.pid = 2",
        "once per descriptor: (fd.name = x or fd.type = file)",
        "columns: fd.num = 1",
    ]


def test_explaining_counts_and_times_each_part(store: Store) -> None:
    made, kept = asked("evt.buffer contains PING and proc.name=redis-server", store)
    lines = made.explain().splitlines()
    assert lines[0].startswith(f"{len(store.segments)} segments, ")
    assert f" {kept:,} kept" in lines[1]
    assert lines[2].strip().startswith("once per thread: proc.name = redis-server")
    assert "search in raw bytes: evt.buffer contains PING" in lines[3]
    searched = int(lines[3].split(" asked")[0].rsplit("  ", 1)[1].replace(",", ""))
    assert kept <= searched < store.events / 100


def test_segments_without_the_rows_are_skipped(store: Store) -> None:
    for text in ("proc.name=nosuch", "fd.name=nosuch", "evt.type=swapon", "evt.arg.quota_fmt exists"):
        made, kept = asked(text, store)
        assert kept == 0
        assert f"{len(store.segments)} of them skipped" in made.explain(), text
    made, kept = asked("proc.name=cc1", store)
    assert kept
    assert "0 of them skipped" not in made.explain()


def test_the_cheap_and_decisive_come_first(store: Store) -> None:
    made, _ = asked("evt.latency>=0 and evt.res=ENOTTY", store)
    assert [line.split("  ")[1].strip() for line in made.explain().splitlines()[2:]] == [
        "columns: evt.res = ENOTTY",
        "columns: evt.latency >= 0",
    ]


def test_fields_are_those_of_macros_too() -> None:
    made = compile("cc and evt.arg.name contains x or len(fd.name) > val(evt.buflen)", {"cc": "proc.name=cc1"})
    assert made.fields() == {"proc.name", "evt.arg", "fd.name", "evt.buflen"}
    assert compile("").fields() == frozenset()


@pytest.mark.parametrize("word", ["internal", "file", "net", "IPC", "ipc", "process", "unknown", "sleep"])
def test_a_category_is_told_by_the_type_where_no_fd_has_a_say(store: Store, word: str) -> None:
    made = compile(f"evt.category={word}")
    told_by_type = word in ("internal", "IPC", "process", "sleep")
    assert made.explain().startswith("once per event type" if told_by_type else "columns")
    category = look_up("evt.category")[0]
    for segment in store.segments:
        kept = made.mask(store, segment)
        numbers = category.value(segment, store, None)
        codes, rows = np.unique(numbers.values, return_index=True)
        wanted = [code for code, row in zip(codes, rows, strict=True) if category.pick(numbers, row) == word.encode()]
        assert kept.tolist() == (np.isin(numbers.values, wanted) & segment.visible).tolist()

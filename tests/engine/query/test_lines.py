"""Formats become lines as sysdig's do, and nothing in a line can harm a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.fields import FIELDS
from engine.model.facts import User
from engine.query.lines import CONTAINERS, DEFAULT, Clock, FormatError, LineFormat
from engine.store.store import Store
from tests.engine.fields.recorded import CAT, INIT, events, recorded
from tests.scapfile import event, pack

OPENAT_ENTER, OPENAT_EXIT, READ_ENTER, READ_EXIT = 306, 307, 6, 7
MS = 1_000_000
START = 1_700_000_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A file opened and read, the read 2 ms long."""
    return recorded(
        tmp_path,
        event(OPENAT_EXIT, 10, START, pack(OPENAT_EXIT, 6, fd=3, dirfd=-100, name="/etc/hosts", flags=1)),
        event(READ_ENTER, 10, START + MS, pack(READ_ENTER, 2, fd=3, size=80), cpu=1),
        event(READ_EXIT, 10, START + 3 * MS, pack(READ_EXIT, 2, res=5, data=b"ab\x1b[2J")),
        threads=(INIT, replace(CAT, fdlimit=4)),
    )


def lines(store: Store, layout: str | None = None, clock: Clock = Clock.WALL) -> list[str | None]:
    """A line for each event of a store."""
    made = LineFormat(layout, clock=clock)
    return [made.line(each) for each in events(store)]


def test_the_default_line(store: Store) -> None:
    made = lines(store)[1]
    assert made is not None
    number, time, *rest = made.split(" ")
    assert (number, len(time)) == ("2", len("22:13:20.001000000"))
    assert " ".join(rest) == "1 cat (10) > read fd=3(<f>/etc/hosts) size=80 "


def test_the_container_line(store: Store) -> None:
    made = LineFormat(containers=True).line(events(store)[2])
    assert made is not None
    assert made.endswith(" 0 host (host) cat (10:10) < read res=5 data=ab.[2J ")


@pytest.mark.parametrize(
    ("layout", "made"),
    [
        ("%evt.num %proc.name", "3 cat"),
        ("%proc.fdopencount %proc.fdusage %proc.nthreads", "1 25.00 1"),
        ("%evt.num|%10proc.name|", "3|cat       |"),
        ("%evt.num|%2proc.name|", "3|ca|"),
        ("%evt.type.", "read."),
        ("%evt.typex", "readx"),
        ("[%evt.arg.res]", "[5]"),
        ("%evt.arg[0]%evt.arg[1]", "5ab.[2J"),
        ("%proc.aname[0],%proc.aname[1]", "cat,systemd"),
        ("%evt.failed %evt.is_io", "false true"),
        ("%fd.num:%fd.name", "3:/etc/hosts"),
        ("a\\tb\\nc\\\\%evt.num\\x", "a\tb\nc\\3\\x"),
        ("%evt.rawtime.ns", "3000000"),
        ("%evt.buffer", "ab.[2J"),
        ("*", ""),
    ],
)
def test_formats(store: Store, layout: str, made: str) -> None:
    assert lines(store, layout)[2] == made


def test_a_line_with_an_absent_field_is_left_out_or_says_so(store: Store) -> None:
    assert lines(store, "%evt.type %fd.sip") == [None, None, None]
    assert lines(store, "*%evt.type %fd.sip") == ["openat <NA>", "read <NA>", "read <NA>"]
    assert lines(store, "%3evt.rawres|") == ["3  |", None, "5  |"]
    assert lines(store, "*%6evt.rawres|")[1] == "<NA>  |"


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("", "empty format"),
        ("%", "cannot end in %"),
        ("a %10", "cannot end in a number"),
        ("%%", "unknown field %"),
        ("%-10proc.name", "unknown field -"),
        ("%evt.typ", "unknown field evt.typ"),
        ("%fd.ip", "only be used in filters"),
        ("%evt.arg", "needs an argument"),
        ("%proc.aname[x]", "expected a whole number"),
        ("%evt.arg.nmae", "unknown event argument nmae, did you mean evt.arg.name"),
        ("%99999999999proc.name", "cells wide at most"),
    ],
)
def test_a_bad_format_says_why(layout: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        LineFormat(layout)
    assert message in str(caught.value)


@given(st.text(alphabet="%*\\[]. 0123456789abcdefnprtvy\x1b\u202e", max_size=40))
def test_every_text_is_a_format_or_an_error(layout: str) -> None:
    try:
        assert LineFormat(layout).keep == layout.startswith("*")
    except FormatError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("clock", "times"),
    [
        (Clock.EPOCH, ["1700000000.000000000", "1700000000.001000000", "1700000000.003000000"]),
        (Clock.RELATIVE, ["0.000000000", "0.001000000", "0.003000000"]),
        (Clock.LATENCY, ["0.000000000", "0.000000000", "0.002000000"]),
        (Clock.DELTA, ["0.000000000", "0.001000000", "0.002000000"]),
    ],
)
def test_clocks(store: Store, clock: Clock, times: list[str]) -> None:
    assert lines(store, "%evt.outputtime", clock) == times


def test_relative_clocks_go_by_the_first_event_or_by_the_lines_shown(store: Store) -> None:
    made = LineFormat("%evt.outputtime %fd.num", clock=Clock.RELATIVE)
    assert [made.line(each) for each in events(store)[1:]] == ["0.001000000 3", "0.003000000 3"]
    made = LineFormat("%evt.outputtime %fd.num", clock=Clock.DELTA)
    assert [made.line(each) for each in events(store)[1:]] == ["0.000000000 3", "0.002000000 3"]


def test_names_cannot_forge_lines(tmp_path: Path) -> None:
    evil = replace(CAT, comm=b"a\nb\x1b[31m", args=("\u202etxt".encode(), b"\xff"))
    store = recorded(tmp_path, event(READ_ENTER, 10, 1, pack(READ_ENTER, 2, fd=3)), threads=(INIT, evil))
    assert lines(store, "%proc.cmdline") == ["a␊b␛[31m �txt �"]


def test_json_has_numbers_as_numbers_and_text_exactly(tmp_path: Path) -> None:
    evil = replace(CAT, comm=b"a\n\x1b\xff")
    store = recorded(tmp_path, event(READ_ENTER, 10, START, pack(READ_ENTER, 2, fd=3, size=1)), threads=(INIT, evil))
    made = LineFormat("*%proc.name %evt.cpu %evt.failed %fd.sip %evt.outputtime %evt.arg.size %proc.aname[1] %proc.pid")
    text = made.json(events(store)[0])
    assert text is not None and text.isascii() and text.isprintable()
    assert json.loads(text) == {
        "evt.arg.size": "1",
        "evt.cpu": 0,
        "evt.failed": False,
        "evt.outputtime": START,
        "fd.sip": None,
        "proc.aname[1]": "systemd",
        "proc.name": "a\n\x1b\ufffd",
        "proc.pid": 10,
    }
    assert LineFormat("%fd.sip").json(events(store)[0]) is None


def test_every_field_can_be_asked_of_every_event(store: Store) -> None:
    for field in FIELDS.values():
        if field.filter_only:
            continue
        asked = f"*%{field.name}" + ("[1]" if field.argument.value == "required" else "")
        column = LineFormat(asked)
        for each in events(store):
            line = column.line(each)
            assert line is not None and line.isprintable()
            assert json.loads(column.json(each) or "")


def test_facts_learned_late_show_in_later_lines(store: Store) -> None:
    made = LineFormat("%user.name")
    each = events(store)[0]
    assert made.line(each) is None
    store.users["", 0] = User(0, 0, b"root", b"/root", b"/bin/sh")
    store.revision += 1
    assert made.line(each) == "root"


def test_presets_are_formats() -> None:
    assert LineFormat(DEFAULT).keep and LineFormat(CONTAINERS).keep

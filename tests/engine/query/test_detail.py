"""What is told of one event, and which events it leads to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from engine import filters
from engine.events import CATALOGUE, FdKind
from engine.events.meanings import meaning
from engine.filters import parse
from engine.model.facts import Role, Socket
from engine.model.sockets import TCP
from engine.query.detail import HEADING, MOST_LISTED, DetailRequest, DetailRow, DetailSnapshot
from engine.query.matches import Matches, event_at
from engine.query.payload import Shape
from engine.query.snapshots import LinesRequest, LinesSnapshot
from engine.query.stream import StreamRequest, StreamSnapshot
from engine.query.work import Kept, Work
from engine.store.store import Store
from engine.text import safe
from tests.engine.decode.decoded import Machine, listed
from tests.engine.query.asking import ask, read

READ_ENTER, SENDTO, RECVFROM, SIGNAL, EXECVE = 6, 31, 35, 232, 293


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return read(captures / "502Error.scap")


def first(store: Store, text: str) -> int:
    matches = Matches(store, text)
    matches.update()
    return matches.at(0).number


def detail(store: Store, number: int) -> DetailSnapshot:
    snapshot = ask(store, DetailRequest(number))
    assert isinstance(snapshot, DetailSnapshot)
    return snapshot


def told(snapshot: DetailSnapshot, name: str) -> DetailRow:
    return next(row for row in snapshot.rows if row.name == name)


def test_every_parameter_is_told_by_name_with_its_meaning(store: Store) -> None:
    number = first(store, "evt.type=open and evt.dir=< and evt.rawres>=0")
    snapshot = detail(store, number)
    event = event_at(store, number - 1)
    names = [parameter.name for parameter in event.type.params[: len(event.params)]]
    shown = [row.name for row in snapshot.rows if row.name in names]
    assert [name for name in names if name not in shown] == []
    assert told(snapshot, "flags").note == "how it is opened"
    assert any("O_RDONLY" in row.value or "O_CLOEXEC" in row.value for row in snapshot.rows)
    assert told(snapshot, "name").value.startswith("/")


def test_every_parameter_of_every_event_has_words_of_its_meaning() -> None:
    words = {meaning(kind, parameter.name) for kind in CATALOGUE for parameter in kind.params}
    assert all(word and word == safe(word.encode()) for word in words)


def test_texts_that_end_with_zero_bytes_are_told_one_by_one() -> None:
    seen = Machine(listed(10))
    event = seen.happens(EXECVE, 10, res=0, exe=b"x\0", args=b"-k\0\x1b[31m\0\0", tid=10, pid=10, env=b"A=1\0")
    rows = detail(seen.store, event.number).rows
    names = [row.name for row in rows]
    args, env = names.index("args"), names.index("env")
    assert [row.value for row in rows[args : args + 5]] == ["3", "-k", "␛[31m", "", "10  x"]
    assert [row.value for row in rows[env : env + 2]] == ["1", "A=1"]


def test_a_long_list_is_cut_and_says_so() -> None:
    seen = Machine(listed(10))
    arguments = b"".join(b"%d\0" % number for number in range(1000))
    event = seen.happens(EXECVE, 10, res=0, exe=b"x\0", args=arguments, tid=10, pid=10)
    rows = detail(seen.store, event.number).rows
    at = next(at for at, row in enumerate(rows) if row.name == "args")
    assert rows[at].value == "1,000"
    assert [rows[at + MOST_LISTED].value, rows[at + MOST_LISTED + 1].value] == [str(MOST_LISTED - 1), "… 800 more"]


def test_times_can_be_read_and_are_filtered_by_their_numbers() -> None:
    seen = Machine(listed(10))
    event = seen.happens(EXECVE, 10, res=0, exe=b"x\0", tid=10, pid=10, exe_ino_mtime=1_700_000_000_123_456_789)
    snapshot = detail(seen.store, event.number)
    row = told(snapshot, "exe_ino_mtime")
    assert row.value == datetime.fromtimestamp(1_700_000_000).strftime("%Y-%m-%d %H:%M:%S") + ".123456789"
    assert row.term == "evt.rawarg.exe_ino_mtime=1700000000123456789"
    assert told(snapshot, "evt.rawtime").value.endswith(told(snapshot, "when").value)


def test_user_and_container_are_told_as_they_were_then(store: Store) -> None:
    snapshot = detail(store, first(store, "proc.name=haproxy and evt.type=recvfrom"))
    user, container = told(snapshot, "user"), told(snapshot, "container")
    assert (user.value, user.note, user.term) == ("systemd-timesync", "id 100", "user.uid=100")
    assert (container.value, container.note) == ("example2_lb_1", "id 59fd49aa4072")
    assert container.term == "container.id=59fd49aa4072"


def test_only_calls_have_an_enter_and_an_exit() -> None:
    seen = Machine(listed(10))
    event = seen.happens(SIGNAL, 10, spid=20, dpid=10, sig=17)
    assert detail(seen.store, event.number).rows[0].name == "signaldeliver"


def test_payload_is_told_in_hex_and_as_text(store: Store) -> None:
    snapshot = detail(store, first(store, 'evt.buffer contains "HTTP/1.0 502"'))
    values = [row.value for row in snapshot.rows]
    assert any("48 54 54 50 2f 31 2e 30" in value for value in values)
    assert "HTTP/1.0 502 Bad Gateway" in values


def test_ancestors_are_told_up_to_the_first_known(store: Store) -> None:
    snapshot = detail(store, first(store, "proc.name=haproxy and evt.type=recvfrom"))
    made_by = [row.value for row in snapshot.rows if row.name == "made by"]
    assert [value.partition(" ")[0] for value in made_by][:2] == ["dockercloud-hap", "tini"]


def test_every_offered_filter_keeps_the_event(store: Store) -> None:
    for text in ("evt.type=connect and evt.dir=<", "evt.type=clone and evt.dir=<", "evt.is_io_write=true"):
        event = event_at(store, first(store, text) - 1)
        for row in detail(store, event.number).rows:
            if row.term and row.name != "made by":
                parse(row.term)
                mask = filters.compile(row.term).mask(store, event.segment)
                assert mask[event.row], row


def test_the_other_half_of_a_call_leads_back(store: Store) -> None:
    matches = Matches(store, "evt.type in (open, read, connect, accept) and evt.dir=<")
    matches.update()
    for index in range(0, len(matches), 97):
        number = matches.at(index).number
        half = dict(detail(store, number).links)["half"]
        enter = event_at(store, half - 1)
        assert enter.type.code == matches.at(index).type.code - 1
        assert dict(detail(store, half).links)["half"] == number


def test_the_other_half_is_found_segments_away_unless_another_call_came_between() -> None:
    # Each event is a segment of its own.
    seen = Machine(listed(10), listed(20))
    enter = seen.happens(READ_ENTER, 10, fd=3, size=1)
    seen.happens(READ_ENTER, 20, fd=3, size=1)
    seen.happens(SIGNAL, 10, spid=20, dpid=10, sig=17)
    leave = seen.happens(READ_ENTER + 1, 10, res=1, data=b"x", fd=3, size=1)
    alone = seen.happens(READ_ENTER + 1, 10, res=1, data=b"x", fd=3, size=1)
    halves = [dict(detail(seen.store, one.number).links).get("half") for one in (enter, leave, alone)]
    assert halves == [leave.number, enter.number, None]


def test_neighbours_of_thread_and_descriptor_are_the_nearest(store: Store) -> None:
    number = first(store, "proc.name=haproxy and evt.type=recvfrom and evt.dir=< and evt.rawres>0")
    links = dict(detail(store, number).links)
    event = event_at(store, number - 1)
    assert event.thread is not None
    for step, name in ((1, "thread"), (-1, "thread-before")):
        expected = number + step
        while (other := event_at(store, expected - 1).thread) is None or other.tid != event.thread.tid:
            expected += step
        assert links[name] == expected
    assert int(event_at(store, links["fd"] - 1).segment.fd_row[event_at(store, links["fd"] - 1).row]) >= 0


def test_an_event_that_is_not_there_is_said_to_be_gone(store: Store) -> None:
    assert "not kept" in detail(store, store.events + 1).error


def test_a_conversation_has_both_directions_and_every_byte_once(store: Store) -> None:
    number = first(store, 'proc.name=haproxy and evt.buffer contains "HTTP/1.0 502"')
    stream = ask(store, StreamRequest(number))
    assert isinstance(stream, StreamSnapshot)
    assert "192.168.0" in stream.name
    lines = ask(store, LinesRequest(filter=stream.filter, count=500))
    assert isinstance(lines, LinesSnapshot)
    assert all("haproxy" in line for line in lines.lines)
    directions = {event_at(store, n - 1).type.category.name for n in lines.numbers}
    assert {"IO_READ", "IO_WRITE"} <= directions


def test_a_process_that_talks_with_itself_is_told_from_the_end_of_the_event() -> None:
    here = bytes([127, 0, 0, 1])
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.IPV4_SERVER, socket=Socket(b"", 0, here, 80, TCP, Role.NONE))
    seen.fd(10, 4, FdKind.IPV4, socket=Socket(here, 4000, here, 80, TCP, Role.NONE))
    seen.fd(10, 5, FdKind.IPV4, socket=Socket(here, 80, here, 4000, TCP, Role.NONE))
    calls = ((SENDTO, 4, b"ask"), (RECVFROM, 5, b"ask"), (SENDTO, 5, b"answer"), (RECVFROM, 4, b"answer"))
    first, second, third, fourth = (
        seen.happens(code, 10, res=len(data), data=data, fd=fd, size=99).number for code, fd, data in calls
    )
    for number, told in ((first, (first, fourth)), (third, (second, third))):
        stream = ask(seen.store, StreamRequest(number))
        assert isinstance(stream, StreamSnapshot)
        lines = ask(seen.store, LinesRequest(filter=stream.filter, shape=Shape.ECHO))
        assert isinstance(lines, LinesSnapshot)
        assert tuple(dict.fromkeys(lines.numbers)) == told


def test_the_conversation_of_a_process_is_with_somebody_and_only_else_with_a_file(captures: Path) -> None:
    seen = read(captures / "libs_curl_google.scap")
    opened = event_at(seen, first(seen, "proc.name=curl and evt.is_io_read=true and evt.rawres>0") - 1)
    assert opened.fd is not None
    assert opened.fd.name.startswith(b"/")
    for kept, begins in (("proc.name=curl", "2600:"), ("proc.name=curl and fd.type=file", "/")):
        stream = ask(seen, StreamRequest(filter=kept))
        assert isinstance(stream, StreamSnapshot)
        assert stream.name.startswith(begins)


def test_where_nothing_was_said_there_is_no_conversation(store: Store) -> None:
    stream = ask(store, StreamRequest(first(store, "evt.type=mmap")))
    assert isinstance(stream, StreamSnapshot)
    assert stream.error


def test_what_the_event_itself_says_comes_first_and_its_fields_when_they_are_worked_out(store: Store) -> None:
    request, work = DetailRequest(132), Work(store, Kept(store), lambda: False)
    first_told, whole = request.answer(work), request.answer(work)
    assert [first_told.complete, whole.complete] == [False, True]
    assert first_told.rows[:-1] == whole.rows[: len(first_told.rows) - 1]
    assert not any(row.name == "evt.num" for row in first_told.rows)
    assert any(row.name == "evt.num" for row in whole.rows)
    assert not DetailRequest(132).answer(work).complete, "another request is another question"


def test_headings_part_what_is_told(store: Store) -> None:
    headings = [row.name for row in detail(store, 132).rows if row.kind == HEADING]
    assert headings[:3] == ["recvfrom exit", "Parameters", "Process and ancestors"]

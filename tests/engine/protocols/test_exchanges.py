"""Questions and answers of whole captures: paired, timed, and counted as sysdig's lines have them."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import filters
from engine.events import CATALOGUE, L4_NAMES, FdKind
from engine.fields import look_up
from engine.model.facts import Role, Socket
from engine.model.fds import Identity
from engine.protocols import exchanges
from engine.query.matches import Matches
from engine.store.store import Store
from tests.engine.protocols.test_readers import command, message, packet, query, response
from tests.scapfile import Entry, event, fd_list, machine, pack, process_list, section
from tests.views.made import MS, START, process
from tui.reading import Reading

WRITTEN, DONE = (8, 9), (6, 7)
TCP = next(number for number, name in L4_NAMES.items() if name == "tcp")
UDP = next(number for number, name in L4_NAMES.items() if name == "udp")
CLIENT, SERVER = 10, 20


def moved(pid: int, fd: int, at: int, data: bytes, *, write: bool) -> bytes:
    """A write or read of all of ``data`` that ends at a time in ms."""
    enter, leave = WRITTEN if write else DONE
    begun = event(enter, pid, START + at * MS - 1000, pack(enter, 2, fd=fd, size=len(data)))
    return begun + event(leave, pid, START + at * MS, pack(leave, 2, res=len(data), data=data))


def talk(port: int, *messages: tuple[str, bytes], l4: int = TCP, kind: FdKind = FdKind.IPV4) -> bytes:
    """A capture of both ends of a connection: of each message its sender's write, 1 ms later the other's read, and so
    on, every 10 ms."""
    ends = (b"\x7f\0\0\1", 40000, b"\x7f\0\0\1", port, l4)
    at, body = 0, b""
    for sender, data in messages:
        one, other = (CLIENT, SERVER) if sender == ">" else (SERVER, CLIENT)
        body += moved(one, 3, at, data, write=True) + moved(other, 3, at + 1, data, write=False)
        at += 10
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [process(CLIENT, b"client"), process(SERVER, b"server")])
        + fd_list(CLIENT, [Entry(3, kind, socket=Socket(*ends, Role.CLIENT))])
        + fd_list(SERVER, [Entry(3, kind, socket=Socket(*ends, Role.SERVER))])
        + body
    )


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    with Reading(path) as reading:
        for _ in reading:
            pass
        yield reading.store


def rows(tmp_path: Path, capture: bytes, name: str, *fields: str) -> list[tuple[Any, ...]]:
    """The fields of every event that has the first of them."""
    path = tmp_path / name
    path.write_bytes(capture)
    known = [look_up(field) for field in fields]
    with opened(path) as store:
        found = Matches(store, f"{fields[0]} exists")
        found.update()
        return [tuple(field.of(found.at(at), arg) for field, arg in known) for at in range(len(found))]


HTTP = ("http.method", "http.path", "http.side", "http.status", "http.time", "http.failed", "proc.name")


def test_both_ends_of_an_http_connection_tell_of_each_request(tmp_path: Path) -> None:
    capture = talk(
        8080,
        (">", b"GET /a HTTP/1.1\r\n\r\n"),
        ("<", b"HTTP/1.1 200 OK\r\n\r\nbody"),
        (">", b"GET /b HTTP/1.1\r\n\r\n"),
        ("<", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("<", b"HTTP/1.1 503 No\r\n\r\n"),
        (">", b"PUT /c HTTP/1.1\r\n\r\n"),
    )
    assert rows(tmp_path, capture, "http", *HTTP) == [
        (b"GET", b"/a", b"client", 200, 11 * MS, False, b"client"),
        (b"GET", b"/a", b"server", 200, 9 * MS, False, b"server"),
        (b"GET", b"/b", b"client", 503, 21 * MS, True, b"client"),
        (b"GET", b"/b", b"server", 503, 19 * MS, True, b"server"),
        (b"PUT", b"/c", b"client", None, None, None, b"client"),
        (b"PUT", b"/c", b"server", None, None, None, b"server"),
    ]


def test_answers_that_come_out_of_order_are_put_to_their_questions_by_dns(tmp_path: Path) -> None:
    late = struct.pack(">H", 8) + response(3)[2:]
    capture = talk(53, (">", query(7)), (">", query(8, "nowhere.test")), ("<", late), ("<", response()), l4=UDP)
    fields = ("dns.name", "dns.type", "dns.answer", "dns.time", "dns.failed", "dns.side")
    assert [row for row in rows(tmp_path, capture, "dns", *fields) if row[-1] == b"client"] == [
        (b"www.example.com", b"A", b"NOERROR", 31 * MS, False, b"client"),
        (b"nowhere.test", b"A", b"NXDOMAIN", 11 * MS, True, b"client"),
    ]


DB = ("db.statement", "db.system", "db.command", "db.answer", "db.time", "db.failed", "db.side")


@pytest.mark.parametrize(
    ("port", "system", "messages", "expected"),
    [
        (
            5432,
            b"postgresql",
            [
                (">", message(b"Q", b"SELECT 1\0")),
                ("<", message(b"T", bytes(9)) + message(b"C", b"SELECT 1\0")),
                (">", message(b"P", b"s\0UPDATE t\0\0\0") + message(b"B", b"\0s\0" + bytes(6))),
                ("<", message(b"E", b"SERROR\0C42P01\0\0")),
            ],
            [(b"SELECT 1", b"SELECT", b"SELECT 1", False), (b"UPDATE t", b"UPDATE", b"42P01", True)],
        ),
        (
            3306,
            b"mysql",
            [
                ("<", packet(0, b"\x0a8.0\0")),
                (">", packet(0, b"\x03SELECT 2")),
                ("<", packet(1, b"\x01")),
                (">", packet(0, b"\x03DROP x")),
                ("<", packet(1, b"\xff\x28\x04#42000no")),
            ],
            [(b"SELECT 2", b"SELECT", b"1 columns", False), (b"DROP x", b"DROP", b"1064", True)],
        ),
        (
            7777,
            b"redis",
            [
                (">", command(b"GET", b"a")),
                ("<", b"$-1\r\n"),
                (">", command(b"INCR", b"a")),
                ("<", b"-ERR no integer\r\n"),
            ],
            [(b"GET a", b"GET", b"nil", False), (b"INCR a", b"INCR", b"ERR", True)],
        ),
    ],
    ids=["postgresql", "mysql", "redis"],
)
def test_database_queries_are_paired_with_answers_on_both_ends(
    tmp_path: Path, port: int, system: bytes, messages: list[tuple[str, bytes]], expected: list[tuple[Any, ...]]
) -> None:
    found = rows(tmp_path, talk(port, *messages), "db", *DB)
    for side, took in ((b"client", 11 * MS), (b"server", 9 * MS)):
        mine = [row for row in found if row[-1] == side]
        assert mine == [(text, system, kind, answer, took, failed, side) for text, kind, answer, failed in expected]


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "MOST", 8)
    capture = talk(80, *[(">", b"GET /%d HTTP/1.1\r\n" % number) for number in range(10)])
    paths = [path for path, *_ in rows(tmp_path, capture, "many", "http.path")]
    assert paths[-1] == b"/9"
    assert len(paths) <= 16


def test_a_connection_with_more_questions_than_wait_keeps_the_newest(tmp_path: Path) -> None:
    many = [(">", b"GET /%d HTTP/1.1\r\n" % number) for number in range(70)]
    found = rows(tmp_path, talk(80, *many, ("<", b"HTTP/1.1 200 OK\r\n")), "many", "http.path", "http.status")
    answered = {path for path, status in found if status == 200}
    assert answered == {b"/6"}


def test_hints_are_of_ports_and_paths() -> None:
    def of(port: int, l4: int) -> int:
        return exchanges.hint(Identity(FdKind.IPV4, b"", Socket(b"\1" * 4, 1024, b"\2" * 4, port, l4, Role.CLIENT)))

    assert of(5432, TCP) and of(3306, TCP) and of(6379, TCP) and of(53, UDP)
    assert len({of(5432, TCP), of(3306, TCP), of(6379, TCP), of(53, UDP)}) == 4
    assert not of(53, TCP)
    assert not of(80, TCP)
    assert exchanges.hint(Identity(FdKind.UNIX, b"/run/postgresql/.s.PGSQL.5432", None)) == of(5432, TCP)
    assert not exchanges.hint(Identity(FdKind.FILE, b"/var/lib/mysql/x", None))


# whole captures


def payloads(capture: Path, begin: str) -> Counter[tuple[str, str]]:
    """Exits of calls on connections whose payload begins with a text, as sysdig tells: event type and two words."""
    kept = f'evt.buffer contains "{begin}" and evt.dir=< and fd.type in (ipv4, ipv6)'
    done = subprocess.run(
        ["sysdig", "-r", capture, "-A", "-p", "%evt.type|%evt.buffer", kept],
        capture_output=True,
        check=True,
        timeout=60,
        env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
    )
    # The payload stands on lines of its own.
    found = re.findall(r"^(\w+)\|\n(.*)$", done.stdout.decode("latin-1").replace("\r", ""), re.M)
    return Counter((kind, " ".join(text.split()[:2])) for kind, text in found if text.startswith(begin))


@pytest.mark.skipif(shutil.which("sysdig") is None, reason="needs sysdig 0.29.3")
@pytest.mark.parametrize("name", ["502Error.scap", "libs_curl_google.scap"])
def test_every_http_request_of_a_capture_is_found(captures: Path, name: str) -> None:
    with opened(captures / name) as store:
        ours: Counter[tuple[str, str]] = Counter()
        statuses: Counter[int] = Counter()
        for segment in store.segments:
            for row, each in exchanges.exchanges_of(store).of(segment, frozenset({b"http"})):
                kind = CATALOGUE[segment.type[row]].name
                ours[kind, f"{each.question.kind.decode()} {each.question.text.decode()}"] += 1
                if each.status is not None:
                    statuses[int(each.status)] += 1
    theirs = payloads(captures / name, "GET ")
    assert ours == theirs
    assert sum(theirs.values())
    told = payloads(captures / name, "HTTP/1.")
    assert statuses == Counter({
        int(line.split()[1]): sum(count for (_, other), count in told.items() if other == line)
        for _, line in told
    })  # fmt: skip


def test_fields_of_answers_can_be_filtered_on(tmp_path: Path) -> None:
    path = tmp_path / "http"
    ask = b"GET %b HTTP/1.1\r\n"
    path.write_bytes(talk(80, (">", ask % b"/a"), ("<", b"HTTP/1.1 500 No\r\n"), (">", ask % b"/b")))
    expected = {
        "http.path=/a": 2,
        "http.status >= 500": 2,
        "http.time > 10ms": 1,
        "http.failed=true and http.side=client": 1,
        "not http.status exists and http.path exists": 2,
    }
    with opened(path) as store:
        for text, count in expected.items():
            kept = filters.compile(text)
            assert sum(int(kept.mask(store, segment).sum()) for segment in store.segments) == count, text

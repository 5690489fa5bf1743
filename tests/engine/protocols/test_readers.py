"""Each protocol's messages, whole and cut, and anything else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols.dns import Dns
from engine.protocols.http import Http
from engine.protocols.message import LONGEST, Answer, Question, Reader
from engine.protocols.mysql import Mysql
from engine.protocols.postgres import Postgres
from engine.protocols.redis import Redis

READERS = (Http, Dns, Redis, Postgres, Mysql)


def asked(reader: Reader, data: bytes) -> Question | None:
    return reader.question(data, len(data))


def answered(reader: Reader, data: bytes) -> Answer | None:
    return reader.answer(data, len(data))


# HTTP


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /a?b=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n", Question(b"GET", b"/a?b=1", b"shop.example")),
        (b"POST / HTTP/1.0\r\nAccept: */*\r\nhOST:x:80\r\n\r\nbody", Question(b"POST", b"/", b"x:80")),
        (b"GET http://a.b/c HTTP/1.1\r\n\r\n", Question(b"GET", b"/c", b"a.b")),
        (b"GET /cut-sh", Question(b"GET", b"/cut-sh")),
        (b"GET / HTTP/1.1\r\nHos", Question(b"GET", b"/")),
        (b"GETTER / HTTP/1.1\r\n", None),
        (b"HTTP/1.1 200 OK\r\n", None),
        (b"", None),
    ],
)
def test_http_requests(data: bytes, expected: Question | None) -> None:
    assert asked(Http(), data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", Answer(b"200", False)),
        (b"HTTP/1.0 404 Not Found", Answer(b"404", True)),
        (b"HTTP/1.1 502", Answer(b"502", True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (b"HTTP/1.1 101 Switching Protocols\r\n", Answer(b"101", False)),
        (b"HTTP/1.1 abc", None),
        (b"HTTP/2 200", None),
    ],
)
def test_http_responses(data: bytes, expected: Answer | None) -> None:
    assert answered(Http(), data) == expected


# DNS


def name(text: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".")) + b"\0"


def query(number: int = 7, text: str = "www.example.com", kind: int = 1) -> bytes:
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + name(text) + struct.pack(">HH", kind, 1)


def response(code: int = 0, records: bytes = b"", count: int = 0) -> bytes:
    return struct.pack(">6H", 7, 0x8180 | code, 1, count, 0, 0) + query()[12:] + records


A = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes((192, 0, 2, 1))
CNAME = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 2) + b"\xc0\x0c"


def test_dns_queries() -> None:
    assert asked(Dns(), query()) == Question(b"A", b"www.example.com", key=7)
    assert asked(Dns(), query(kind=28)) == Question(b"AAAA", b"www.example.com", key=7)
    assert asked(Dns(), query(kind=999)) == Question(b"TYPE999", b"www.example.com", key=7)
    assert asked(Dns(), query()[:-1]) is None
    assert asked(Dns(), response()) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [(1, b"A"), (2, b"NS"), (5, b"CNAME"), (12, b"PTR"), (15, b"MX"), (16, b"TXT"), (28, b"AAAA"), (33, b"SRV"),
     (65, b"HTTPS"), (255, b"ANY"), (999, b"TYPE999")],
)  # fmt: skip
def test_dns_queries_tell_what_they_ask_for_by_the_registrys_name(number: int, kind: bytes) -> None:
    question = asked(Dns(), query(kind=number))
    assert question is not None and question.kind == kind


def test_dns_responses() -> None:
    assert answered(Dns(), response()) == Answer(b"NOERROR", False, 7)
    assert answered(Dns(), response(3)) == Answer(b"NXDOMAIN", True, 7)
    assert answered(Dns(), response(9)) == Answer(b"RCODE9", True, 7)
    assert answered(Dns(), response(0, CNAME + A, 2)) == Answer(b"192.0.2.1", False, 7)
    assert answered(Dns(), response(0, A + A[:-2], 2)) == Answer(b"192.0.2.1", False, 7)
    assert answered(Dns(), query()) is None


def test_a_dns_name_that_points_at_itself_ends() -> None:
    assert asked(Dns(), query()[:12] + b"\xc0\x0c" + bytes(4)) is None
    assert answered(Dns(), response()[:12] + b"\xc0\x0c" * 200) == Answer(b"NOERROR", False, 7)


# Redis


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def test_redis_commands() -> None:
    assert asked(Redis(), command(b"get", b"a key")) == Question(b"GET", b"get a key")
    assert asked(Redis(), command(b"SET", b"k", b"v" * 5000)) == Question(b"SET", (b"SET k " + b"v" * 5000)[:LONGEST])
    assert asked(Redis(), command(b"SET", b"key", b"value")[:-9]) == Question(b"SET", b"SET key")
    assert asked(Redis(), command(b"PING") + command(b"QUIT")) == Question(b"PING", b"PING")
    assert asked(Redis(), b"+OK\r\n") is None


@pytest.mark.parametrize(
    ("data", "status", "failed"),
    [
        (b"+OK\r\n", b"OK", False),
        (b"-WRONGTYPE Operation\r\n", b"WRONGTYPE", True),
        (b":42\r\n", b"42", False),
        (b"$-1\r\n", b"nil", False),
        (b"$5\r\nhello\r\n", b"5 bytes", False),
        (b"*2\r\n$1\r\na\r\n", b"2 values", False),
        (b"%1\r\n", b"1 pairs", False),
        (b"_\r\n", b"nil", False),
    ],
)
def test_redis_replies(data: bytes, status: bytes, failed: bool) -> None:
    assert answered(Redis(), data) == Answer(status, failed)


# PostgreSQL


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def test_postgres_simple_queries() -> None:
    assert asked(Postgres(), message(b"Q", b"select 1\n  from t\0")) == Question(b"SELECT", b"select 1 from t")
    assert asked(Postgres(), message(b"Q", b"SELECT long\0")[:12]) == Question(b"SELECT", b"SELECT ")._replace(
        text=b"SELECT"
    )
    assert asked(Postgres(), message(b"X", b"")) is None


def test_postgres_prepared_statements_are_known_by_name() -> None:
    reader = Postgres()
    prepare = message(b"P", b"s1\0UPDATE t SET a=$1\0\0\0") + message(b"S", b"")
    assert asked(reader, prepare) == Question(b"UPDATE", b"UPDATE t SET a=$1")
    bind = message(b"B", b"\0s1\0" + bytes(8)) + message(b"E", b"\0" + bytes(4))
    assert asked(reader, bind) == Question(b"UPDATE", b"UPDATE t SET a=$1")
    unnamed = message(b"P", b"\0DELETE FROM t\0\0\0") + message(b"B", b"\0\0" + bytes(8))
    assert asked(reader, unnamed) == Question(b"DELETE", b"DELETE FROM t")
    assert asked(Postgres(), bind) == Question(b"S1", b"s1")


def test_postgres_answers() -> None:
    rows = message(b"T", bytes(20)) + message(b"D", bytes(30))
    assert answered(Postgres(), rows + message(b"C", b"SELECT 1\0")) == Answer(b"SELECT 1", False)
    assert answered(Postgres(), rows[:30]) == Answer(b"rows", False)
    assert answered(Postgres(), message(b"E", b"SERROR\0C42P01\0Mno such table\0\0")) == Answer(b"42P01", True)
    assert answered(Postgres(), message(b"Z", b"I")) is None


# MySQL


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes((number,)) + body


def test_mysql_commands_and_answers() -> None:
    reader = Mysql()
    assert asked(reader, packet(0, b"\x03SELECT 1\nFROM t")) == Question(b"SELECT", b"SELECT 1 FROM t")
    assert answered(reader, packet(1, b"\x02")) == Answer(b"2 columns", False)
    assert answered(reader, packet(1, b"\x00\x01\x00")) == Answer(b"OK", False)
    assert answered(reader, packet(1, b"\xff\x28\x04#42000Syntax")) == Answer(b"1064", True)
    assert asked(reader, packet(0, b"\x0e")) == Question(b"PING", b"PING")
    assert asked(reader, packet(0, b"\x0a5.7.0\0")) is None


@pytest.mark.parametrize(
    ("body", "method", "text"),
    [
        (b"\x01", b"QUIT", b"QUIT"),
        (b"\x02shop", b"USE", b"USE shop"),
        (b"\x0e", b"PING", b"PING"),
        (b"\x1f", b"RESET", b"RESET"),
        (b"\x17\x07\0\0\0", b"STATEMENT", b"statement 7"),
    ],
)
def test_mysql_commands_without_a_statement(body: bytes, method: bytes, text: bytes) -> None:
    assert asked(Mysql(), packet(0, body)) == Question(method, text)


def test_mysql_servers_read_a_packets_header_by_itself() -> None:
    reader = Mysql()
    whole = packet(0, b"\x03SELECT 2")
    assert asked(reader, whole[:4]) is None
    assert asked(reader, whole[4:]) == Question(b"SELECT", b"SELECT 2")


def test_mysql_prepared_statements_are_known_by_number() -> None:
    reader = Mysql()
    assert asked(reader, packet(0, b"\x16SELECT ?")) == Question(b"PREPARE", b"SELECT ?")
    assert answered(reader, packet(1, b"\x00" + struct.pack("<I", 9) + bytes(7))) == Answer(b"OK", False)
    assert asked(reader, packet(0, b"\x17" + struct.pack("<I", 9) + bytes(5))) == Question(b"SELECT", b"SELECT ?")
    assert asked(reader, packet(0, b"\x17" + struct.pack("<I", 8) + bytes(5))) == Question(b"STATEMENT", b"statement 8")


# anything


@given(st.sampled_from(READERS), st.lists(st.binary(max_size=300), max_size=6))
def test_no_payload_does_harm_and_nothing_long_is_kept(kind: type[Reader], payloads: list[bytes]) -> None:
    reader = kind()
    for data in payloads:
        question, answer = asked(reader, data), answered(reader, data)
        assert question is None or max(map(len, (question.kind, question.text, question.host or b""))) <= LONGEST
        assert answer is None or len(answer.status) <= LONGEST


WHOLE = (
    (Http, b"GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
    (Dns, query()),
    (Redis, command(b"SET", b"key", b"value")),
    (Postgres, message(b"P", b"s1\0SELECT 1\0\0\0") + message(b"B", b"\0s1\0" + bytes(8))),
    (Mysql, packet(0, b"\x03SELECT 1")),
)


@given(st.sampled_from(WHOLE), st.integers(0, 60), st.binary(max_size=8), st.integers(0, 60))
def test_messages_cut_or_garbled_anywhere_do_no_harm(
    case: tuple[type[Reader], bytes], end: int, garbage: bytes, at: int
) -> None:
    kind, data = case
    garbled = data[:at] + garbage + data[at + len(garbage) :]
    for each in (data[:end], garbled):
        reader = kind()
        asked(reader, each)
        answered(reader, each)

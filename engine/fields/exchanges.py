"""Fields of questions and answers in payloads: HTTP, DNS, databases. Of the event that asks, on either end.

What is told of an answer is known once it came.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from engine.fields.field import Field, FieldType, Numbers, Place
from engine.fields.words import WORDS
from engine.protocols.exchanges import Exchange, exchanges_of
from engine.store.segment import Segment
from engine.store.store import Store

_HTTP = frozenset({b"http"})
_DNS = frozenset({b"dns"})
_DATABASES = frozenset({b"postgresql", b"mysql", b"redis"})


def _numbers(protocols: frozenset[bytes], read: Callable[[Exchange], int | None]) -> Callable[..., Numbers]:
    def value(segment: Segment, store: Store, _: str | None) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        present = np.zeros(len(segment), np.bool_)
        for row, exchange in exchanges_of(store).of(segment, protocols):
            number = read(exchange)
            if number is not None:
                values[row], present[row] = number, True
        return Numbers(values, present)

    return value


def _texts(protocols: frozenset[bytes], read: Callable[[Exchange], bytes | None]) -> Callable[..., Numbers]:
    def code(exchange: Exchange) -> int | None:
        text = read(exchange)
        return None if text is None else WORDS.code(text)

    return _numbers(protocols, code)


def _side(exchange: Exchange) -> bytes:
    return b"client" if exchange.client else b"server"


def _status(exchange: Exchange) -> int | None:
    return None if exchange.status is None else int(exchange.status)


def _fields(name: str, protocols: frozenset[bytes], thing: str) -> tuple[Field, ...]:
    made = partial(Field, place=Place.EVENT, group=name, own=True, of_others=True)
    return (
        made(
            f"{name}.side",
            FieldType.TEXT,
            f"client for the end that sends {thing}, server for the other",
            _texts(protocols, _side),
            words=WORDS.text,
        ),
        made(
            f"{name}.time",
            FieldType.DURATION,
            f"time from {thing} to its answer",
            _numbers(protocols, lambda each: each.took),
            example=f"{name}.time > 100ms",
        ),
        made(
            f"{name}.failed",
            FieldType.BOOL,
            f"true when the answer to {thing} tells of a failure",
            _numbers(protocols, lambda each: None if each.failed is None else int(each.failed)),
        ),
    )


def _text(name: str, protocols: frozenset[bytes], meaning: str, read: Callable[[Exchange], bytes | None]) -> Field:
    return Field(
        name,
        FieldType.TEXT,
        meaning,
        _texts(protocols, read),
        Place.EVENT,
        name.partition(".")[0],
        words=WORDS.text,
        own=True,
        of_others=True,
    )


FIELDS = (
    _text("http.method", _HTTP, "method of an HTTP/1 request", lambda each: each.question.kind),
    _text("http.host", _HTTP, "host an HTTP/1 request names", lambda each: each.question.host),
    _text("http.path", _HTTP, "path and query of an HTTP/1 request", lambda each: each.question.text),
    Field(
        "http.status",
        FieldType.ID,
        "status code of the answer to an HTTP/1 request",
        _numbers(_HTTP, _status),
        Place.EVENT,
        "http",
        own=True,
        of_others=True,
        example="http.status >= 500",
    ),
    *_fields("http", _HTTP, "an HTTP/1 request"),
    _text("dns.name", _DNS, "name a DNS query asks for", lambda each: each.question.text),
    _text("dns.type", _DNS, "type of record a DNS query asks for", lambda each: each.question.kind),
    _text("dns.answer", _DNS, "first addresses of the answer to a DNS query, or its code", lambda each: each.status),
    *_fields("dns", _DNS, "a DNS query"),
    _text("db.system", _DATABASES, "postgresql, mysql or redis", lambda each: each.protocol),
    _text("db.command", _DATABASES, "first word of a database query", lambda each: each.question.kind),
    _text("db.statement", _DATABASES, "text of a database query", lambda each: each.question.text),
    _text("db.answer", _DATABASES, "what a database answered in short, or its error", lambda each: each.status),
    *_fields("db", _DATABASES, "a database query"),
)

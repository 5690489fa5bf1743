"""PostgreSQL (protocol 3): simple queries, prepared statements by name, command tags and errors."""

from __future__ import annotations

import struct

from engine.protocols.message import Answer, Question, Reader, shortened

_SIMPLE, _PARSE, _BIND, _EXECUTE = b"Q", b"P", b"B", b"E"
_ASKING = frozenset((_SIMPLE, _PARSE, _BIND))
_COMPLETE, _ERROR, _EMPTY = b"C", b"E", b"I"
_ANSWERING = frozenset((b"1", b"2", b"3", b"C", b"D", b"E", b"G", b"H", b"I", b"N", b"S", b"T", b"Z", b"n", b"s", b"t"))
_MOST_MESSAGES = 64
_MOST_STATEMENTS = 256
_LARGEST = 1 << 30


def _messages(data: bytes, kinds: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """Kind and captured body of the messages in a payload; empty when it does not begin with one of ``kinds``."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at + 5 <= len(data) and len(found) < _MOST_MESSAGES:
        kind = data[at : at + 1]
        (length,) = struct.unpack_from(">I", data, at + 1)
        if length < 4 or length > _LARGEST or (not found and kind not in kinds):
            break
        found.append((kind, data[at + 5 : at + 1 + length]))
        at += 1 + length
    return found


class Postgres(Reader):
    """One connection."""

    name = b"postgresql"

    def __init__(self) -> None:
        """Begin without prepared statements."""
        self._statements: dict[bytes, bytes] = {}

    def question(self, data: bytes, size: int) -> Question | None:
        """A statement that is to be executed, or prepared."""
        asked: bytes | None = None
        for kind, body in _messages(data, _ASKING):
            if kind == _SIMPLE:
                return Question(*_split(body.partition(b"\0")[0]))
            if kind == _PARSE:
                name, _, rest = body.partition(b"\0")
                asked = shortened(rest.partition(b"\0")[0])
                if len(self._statements) >= _MOST_STATEMENTS:
                    self._statements.clear()
                self._statements[name[:64]] = asked
            elif kind == _BIND:
                name = body.partition(b"\0")[2].partition(b"\0")[0][:64]
                asked = self._statements.get(name, name)
        return None if asked is None else Question(*_split(asked))

    def answer(self, data: bytes, size: int) -> Answer | None:
        """The first completion or error in a payload; rows that come before either end the wait as well."""
        messages = _messages(data, _ANSWERING)
        for kind, body in messages:
            if kind == _COMPLETE:
                return Answer(shortened(body.partition(b"\0")[0]), False)
            if kind == _ERROR:
                return Answer(_code(body), True)
            if kind == _EMPTY:
                return Answer(b"empty", False)
        return Answer(b"rows", False) if any(kind in (b"D", b"T", b"1", b"2") for kind, _ in messages) else None


def _code(body: bytes) -> bytes:
    """The SQLSTATE of an error."""
    parts = (part for part in body.split(b"\0")[:16] if part.startswith(b"C"))
    return shortened(next(parts, b"ERROR")[1:]) or b"ERROR"


def _split(statement: bytes) -> tuple[bytes, bytes]:
    """Its first word, and the whole of it on one line."""
    text = b" ".join(shortened(statement).split())
    return text.partition(b" ")[0].upper()[:32], text

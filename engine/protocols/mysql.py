"""MySQL and MariaDB: text and prepared statements, results and errors."""

from __future__ import annotations

import struct

from engine.protocols.message import Answer, Question, Reader, shortened

_QUERY, _PREPARE, _EXECUTE = 0x03, 0x16, 0x17
_OTHERS = {0x01: b"QUIT", 0x02: b"USE", 0x0E: b"PING", 0x1F: b"RESET"}
_OK, _END, _FAILED, _FILE = 0x00, 0xFE, 0xFF, 0xFB
_HEADER = 4
_MOST_STATEMENTS = 256


class Mysql(Reader):
    """One connection. A server reads the header of a packet by itself: it is put before what is read next."""

    name = b"mysql"

    def __init__(self) -> None:
        """Begin without prepared statements."""
        self._statements: dict[int, bytes] = {}
        self._preparing: bytes | None = None
        self._asked = self._answered = b""

    def question(self, data: bytes, size: int) -> Question | None:
        """A command."""
        data, self._asked = self._asked + data, b""
        if len(data) == _HEADER:
            self._asked = data
            return None
        body = _body(data, 0)
        if not body:
            return None
        self._preparing = None
        code, rest = body[0], body[1:]
        if code in (_QUERY, _PREPARE):
            text = b" ".join(shortened(rest.lstrip(b"\0\1")).split())
            if code == _PREPARE:
                self._preparing = text
            return Question(b"PREPARE" if code == _PREPARE else text.partition(b" ")[0].upper()[:32], text)
        if code == _EXECUTE and len(rest) >= 4:
            (number,) = struct.unpack_from("<I", rest)
            text = self._statements.get(number, b"statement %d" % number)
            return Question(text.partition(b" ")[0].upper()[:32], text)
        return Question(_OTHERS[code], b" ".join((_OTHERS[code], shortened(rest))).strip()) if code in _OTHERS else None

    def answer(self, data: bytes, size: int) -> Answer | None:
        """The first packet of an answer."""
        data, self._answered = self._answered + data, b""
        if len(data) == _HEADER:
            self._answered = data
            return None
        body = _body(data, 1)
        if not body:
            return None
        code = body[0]
        if code == _FAILED and len(body) >= 3:
            return Answer(b"%d" % int.from_bytes(body[1:3], "little"), True)
        if code == _OK:
            if self._preparing is not None and len(body) >= 5:
                if len(self._statements) >= _MOST_STATEMENTS:
                    self._statements.clear()
                self._statements[struct.unpack_from("<I", body, 1)[0]] = self._preparing
            return Answer(b"OK", False)
        if code in (_END, _FILE):
            return Answer(b"OK", False)
        return Answer(b"%d columns" % code, False)


def _body(data: bytes, number: int) -> bytes:
    """The captured body of a packet of that number in its sequence; empty when it is none."""
    if len(data) < _HEADER + 1 or data[3] != number or not int.from_bytes(data[:3], "little"):
        return b""
    return data[_HEADER : _HEADER + int.from_bytes(data[:3], "little")]

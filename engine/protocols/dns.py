"""DNS over UDP (RFC 1035): the first question of a query, the code and first addresses of a response."""

from __future__ import annotations

import struct

from engine.protocols.message import Answer, Question, Reader
from engine.text import address

_TYPES = {
    1: b"A",
    2: b"NS",
    5: b"CNAME",
    6: b"SOA",
    12: b"PTR",
    15: b"MX",
    16: b"TXT",
    28: b"AAAA",
    33: b"SRV",
    35: b"NAPTR",
    41: b"OPT",
    43: b"DS",
    48: b"DNSKEY",
    64: b"SVCB",
    65: b"HTTPS",
    255: b"ANY",
    257: b"CAA",
}
_CODES = (b"NOERROR", b"FORMERR", b"SERVFAIL", b"NXDOMAIN", b"NOTIMP", b"REFUSED")
_RESPONSE = 0x8000
_HEADER = 12
_LONGEST_NAME = 255
_MOST_POINTERS = 16
_MOST_QUESTIONS = 4
_MOST_RECORDS = 16
_SHOWN = 3
"""Addresses that are told of a response."""


def _name(data: bytes, at: int) -> tuple[bytes, int] | None:
    """A name and where what follows it begins; None when it does not end within the payload."""
    labels: list[bytes] = []
    after = -1
    length = pointers = 0
    while at < len(data):
        size = data[at]
        if size >= 0xC0:
            if at + 1 >= len(data) or pointers == _MOST_POINTERS:
                return None
            after = at + 2 if after < 0 else after
            at = (size & 0x3F) << 8 | data[at + 1]
            pointers += 1
        elif size > 63:
            return None
        elif not size:
            return b".".join(labels) or b".", at + 1 if after < 0 else after
        else:
            label = data[at + 1 : at + 1 + size]
            length += size + 1
            if len(label) < size or length > _LONGEST_NAME:
                return None
            labels.append(label)
            at += 1 + size
    return None


class Dns(Reader):
    """One socket; queries and responses know each other by their number."""

    name = b"dns"

    def question(self, data: bytes, size: int) -> Question | None:
        """A query."""
        if len(data) < _HEADER:
            return None
        number, flags, questions = struct.unpack_from(">HHH", data)
        found = _name(data, _HEADER)
        # Other operations than a query, and messages without a question, are of no interest.
        if flags & _RESPONSE or flags >> 11 & 15 or not 1 <= questions <= _MOST_QUESTIONS or found is None:
            return None
        name, at = found
        if at + 4 > len(data):
            return None
        (kind,) = struct.unpack_from(">H", data, at)
        return Question(_TYPES.get(kind, b"TYPE%d" % kind), name, key=number)

    def answer(self, data: bytes, size: int) -> Answer | None:
        """A response: its code, or the first addresses it tells."""
        if len(data) < _HEADER:
            return None
        number, flags, questions, records = struct.unpack_from(">HHHH", data)
        if not flags & _RESPONSE:
            return None
        code = flags & 15
        if code:
            return Answer(_CODES[code] if code < len(_CODES) else b"RCODE%d" % code, True, number)
        told = self._addresses(data, questions, records)
        return Answer(b" ".join(told) if told else _CODES[0], False, number)

    def _addresses(self, data: bytes, questions: int, records: int) -> list[bytes]:
        at = _HEADER
        for _ in range(min(questions, _MOST_QUESTIONS)):
            found = _name(data, at)
            if found is None:
                return []
            at = found[1] + 4
        told: list[bytes] = []
        for _ in range(min(records, _MOST_RECORDS)):
            found = _name(data, at)
            if found is None or found[1] + 10 > len(data):
                break
            kind, _, _, size = struct.unpack_from(">HHIH", data, found[1])
            at = found[1] + 10 + size
            raw = data[found[1] + 10 : at]
            if (kind, size) in ((1, 4), (28, 16)) and len(raw) == size and len(told) < _SHOWN:
                told.append(address(raw).encode())
        return told

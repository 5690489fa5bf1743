"""HTTP/1.0 and 1.1 (RFC 9112): request lines, the fields Host and Content-Length, status lines."""

from __future__ import annotations

import re

from engine.protocols.message import Answer, Question, Reader, shortened

_REQUEST = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) ([^ \r\n]*)(?: (?:HTTP/1\.[01])?(?:\r?\n(.*))?)?", re.S
)
"""The line may be cut anywhere behind the method."""
_HOST = re.compile(rb"(?:^|\r?\n)host:[ \t]*([^\r\n]*)", re.I)
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.S)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])\b")
_LENGTH = re.compile(rb"\r?\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.I)
_SWITCHING = b"101"


class Http(Reader):
    """One connection; whichever end sends a request line asks."""

    name = b"http"

    def question(self, data: bytes, size: int) -> Question | None:
        """A request."""
        found = _REQUEST.match(data)
        if found is None:
            return None
        method, target, fields = found.groups()
        named = _HOST.search(fields or b"")
        host = None if named is None else named[1].strip()
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is not None:
            host, target = absolute[1], absolute[2] or b"/"
        return Question(method, shortened(target), None if host is None else shortened(host))

    def answer(self, data: bytes, size: int) -> Answer | None:
        """A response that is no interim one."""
        found = _STATUS.match(data)
        if found is None or (found[1].startswith(b"1") and found[1] != _SWITCHING):
            return None
        return Answer(found[1], found[1] >= b"400")


def length_of(data: bytes) -> int | None:
    """Bytes of the body that a message announces."""
    found = _LENGTH.search(data)
    return None if found is None else int(found[1])

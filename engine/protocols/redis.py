"""Redis: commands as arrays of strings, and the first reply (RESP2 and RESP3)."""

from __future__ import annotations

import re

from engine.protocols.message import LONGEST, Answer, Question, Reader, shortened

_ARRAY = re.compile(rb"\*([1-9][0-9]{0,5})\r\n")
_STRING = re.compile(rb"\$([0-9]{1,9})\r\n")
_REPLY = re.compile(rb"([-+:$*_#,(!=%~])([^\r\n]*)")
_MOST = 64
"""Words of a command that are read."""
_COUNTED = {b"*": b"values", b"%": b"pairs", b"~": b"values"}


class Redis(Reader):
    """One connection. Of several commands in one payload the first is told."""

    name = b"redis"

    def question(self, data: bytes, size: int) -> Question | None:
        """A command."""
        head = _ARRAY.match(data)
        if head is None:
            return None
        words: list[bytes] = []
        at, kept = head.end(), 0
        for _ in range(min(int(head[1]), _MOST)):
            found = _STRING.match(data, at)
            if found is None:
                break
            at = found.end() + int(found[1])
            words.append(data[found.end() : at])
            kept += len(words[-1]) + 1
            at += 2
            if at > len(data) or kept > LONGEST:
                break
        return Question(words[0].upper()[:32], shortened(b" ".join(words))) if words and words[0] else None

    def answer(self, data: bytes, size: int) -> Answer | None:
        """The first reply in a payload."""
        found = _REPLY.match(data)
        if found is None:
            return None
        kind, text = found.groups()
        if kind in (b"-", b"!"):
            return Answer(shortened(text.partition(b" ")[0] or b"ERR"), True)
        if kind in (b"$", b"="):
            return Answer(b"nil" if text == b"-1" else text + b" bytes", False)
        if kind == b"_":
            return Answer(b"nil", False)
        if kind in _COUNTED:
            return Answer(b"nil" if text == b"-1" else text + b" " + _COUNTED[kind], False)
        return Answer(shortened(text), False)

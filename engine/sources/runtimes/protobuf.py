"""Protocol buffers as they lie on the wire: fields by number, nothing of schemas."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes


class MalformedError(Exception):
    """The bytes are no message."""


def text(number: int, value: str) -> bytes:
    """A field with a text of less than 128 bytes."""
    return bytes((number << 3 | 2, len(value.encode()))) + value.encode()


def flag(number: int) -> bytes:
    """A field that is true."""
    return bytes((number << 3, 1))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise MalformedError


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}.get(wire, -1), at)
        if size < 0 or at + size > len(data):
            raise MalformedError
        yield key >> 3, data[at : at + size]
        at += size


class Message:
    """A message; asked for a field it does not have it gives that field's zero."""

    def __init__(self, data: bytes) -> None:
        """Raises MalformedError."""
        self._fields = list(_fields(data))

    def texts(self, number: int) -> list[str]:
        """A repeated field of texts, which are made UTF-8 whatever they are."""
        return [value.decode("utf-8", "replace") for at, value in self._fields if at == number and type(value) is bytes]

    def text(self, number: int) -> str:
        """A text; of several the last one counts."""
        return (self.texts(number) or [""])[-1]

    def number(self, number: int) -> int:
        """A number."""
        return next((value for at, value in reversed(self._fields) if at == number and type(value) is int), 0)

    def messages(self, number: int) -> list[Message]:
        """A repeated field of messages. Raises MalformedError."""
        return [Message(value) for at, value in self._fields if at == number and type(value) is bytes]

    def message(self, number: int) -> Message:
        """A message. Raises MalformedError."""
        return (self.messages(number) or [Message(b"")])[-1]

    def map(self, number: int) -> dict[str, str]:
        """A map of texts. Raises MalformedError."""
        return {entry.text(1): entry.text(2) for entry in self.messages(number)}

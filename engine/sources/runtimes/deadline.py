"""A unix socket with a moment by which all must be said: a server that hangs, or drips, costs no more than that."""

from __future__ import annotations

import socket
import time


class UnansweredError(Exception):
    """A runtime did not answer, or not with what it should; the message says how."""


class Deadline:
    """A connected socket, closed as a context."""

    def __init__(self, path: str, seconds: float) -> None:
        """Connect. Raises UnansweredError."""
        self._end = time.monotonic() + seconds
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._wait()
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise UnansweredError(error.strerror or str(error)) from None

    def __enter__(self) -> Deadline:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _wait(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise UnansweredError("no answer in time")
        self._socket.settimeout(left)

    def send(self, data: bytes) -> None:
        """Send all. Raises UnansweredError."""
        try:
            self._wait()
            self._socket.sendall(data)
        except OSError as error:
            raise UnansweredError(error.strerror or "no answer in time") from None

    def receive(self) -> bytes:
        """The next bytes, none at the end. Raises UnansweredError."""
        try:
            self._wait()
            return self._socket.recv(1 << 16)
        except OSError as error:
            raise UnansweredError(error.strerror or "no answer in time") from None

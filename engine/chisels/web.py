"""Chisels about HTTP and memcached, as far as requests are seen in what is read and written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from engine.chisels.chisel import Argument, Chisel, ChiselError
from engine.chisels.top import KeyColumn, Layout, Table
from engine.protocols.http import Http, length_of
from engine.text import decoded

_SOCKETS = "evt.is_io=true and evt.buflen>0 and (fd.sockfamily=ip or fd.sockfamily=unix)"
_MOST = 1 << 16
"""Requests without an answer remembered; past that all are forgotten."""


class Request(NamedTuple):
    """A request as seen in a buffer."""

    method: str
    url: str
    time: int
    way: str
    """``<`` received, ``>`` sent."""
    container: str


class _Http(Chisel):
    """Requests and their answers, of each descriptor in turn."""

    snaplen = 1024
    filter = _SOCKETS
    fields = ("evt.buffer", "fd.num", "proc.pid", "evt.rawtime", "evt.datetime", "evt.io_dir", "container.name")

    def start(self) -> None:
        """No request is open."""
        super().start()
        self._open: dict[tuple[int, int], Request] = {}
        self._http = Http()

    def event(
        self, data: bytes | None, fd: int, pid: int, time: int, when: str, way: str | None, container: str
    ) -> None:
        """Take a request, or the answer to the one before."""
        key = (pid, fd)
        opened = self._open.get(key)
        captured = data or b""
        if opened is None:
            asked = self._http.question(captured, len(captured))
            if asked is not None:
                if len(self._open) >= _MOST:
                    self._open.clear()
                url = decoded((asked.host or b"") + asked.text)
                shown = {"read": "<", "write": ">"}.get(way or "", "<NA>")
                self._open[key] = Request(decoded(asked.kind), url, time, shown, container)
        elif (answer := self._http.answer(captured, len(captured))) is not None:
            del self._open[key]
            self.answered(opened, int(answer.status), length_of(captured) or 0, time, when)

    def answered(self, request: Request, status: int, length: int, time: int, when: str) -> None:
        """A request was answered."""


class HttpLog(_Http):
    """A line for every request."""

    name = "httplog"
    category = "Application"
    summary = "HTTP requests log"
    description = "HTTP requests as they are answered: < received, > sent, with status, time and size."

    def answered(self, request: Request, status: int, length: int, time: int, when: str) -> None:
        """Its line."""
        place = f" {request.container} " if self.settings.containers else " "
        took = (time - request.time) // 1_000_000
        self.say(
            f"{when}{place}{request.way} method={request.method} url={request.url} response_code={status} "
            f"latency={took}ms size={length}B"
        )


class HttpTop(_Http, Table):
    """Requests by what they cost."""

    name = "httptop"
    category = "Application"
    summary = "Top HTTP requests"
    description = "HTTP requests by their number, the bytes of the answers, or the average time to the answer."
    arguments = (Argument("by", "ncalls (default), bytes or time", optional=True),)

    def start(self) -> None:
        """By what?"""
        super().start()
        by = self.argument("by", "ncalls")
        units = {"ncalls": "none", "bytes": "bytes", "time": "time"}.get(by)
        if units is None:
            raise ChiselError(f"by must be ncalls, bytes or time, not {by!r}")
        keys = ("container", "method", "url") if self.settings.containers else ("method", "url")
        self.amount_name = self._by = by
        self.layout = Layout(tuple(KeyColumn(key, key) for key in keys), by, units, 30)
        self._sums: dict[tuple[str, ...], list[int]] = {}

    def answered(self, request: Request, status: int, length: int, time: int, when: str) -> None:
        """Add it up."""
        key = (request.method, request.url)
        sums = self._sums.setdefault((request.container, *key) if self.settings.containers else key, [0, 0, 0])
        sums[0] += 1
        sums[1] += length
        sums[2] += time - request.time

    def rows(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """The totals, which begin anew."""
        found, self._sums = self._sums, {}
        for key, (count, length, took) in found.items():
            yield key, {"ncalls": count, "bytes": length, "time": took / count}[self._by]


class MemcacheLog(Chisel):
    """Commands to memcached."""

    name = "memcachelog"
    category = "Application"
    summary = "memcached requests log"
    description = "get and set commands to memcached, with the key and the size."
    arguments = (
        Argument("method", "get or set", optional=True),
        Argument("size", "bytes from which on a set is shown", "number", optional=True),
    )
    snaplen = 4096
    filter = "(fd.sport=11211 or proc.name=memcached) and evt.is_io=true"
    fields = ("evt.buffer", "evt.datetime")

    def start(self) -> None:
        """Which commands."""
        self._method = self.argument("method")
        self._size = self.number("size", 0)

    def event(self, data: Any, when: str) -> None:
        """A command, if it is one."""
        words = (data or b"").partition(b"\r\n")[0].decode("utf-8", "replace").split(" ")
        if len(words) < 2 or words[0] not in ("get", "set") or self._method not in ("", words[0]):
            return
        size = int(words[4]) if len(words) > 4 and words[4].isdecimal() and len(words[4]) < 19 else 0
        if words[0] == "set" and size < self._size:
            return
        self.say(f"{when} method={words[0]} size={size}B key={words[1]}")


CHISELS: tuple[type[Chisel], ...] = (HttpLog, HttpTop, MemcacheLog)

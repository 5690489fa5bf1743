"""Chisels about tracers: marks that programs write to /dev/null.

``>:ID:TAGS:ARGS:`` begins a span, ``<:ID:TAGS:ARGS:`` ends it. An id is a number, ``t`` for one of the thread, ``p``
for one of the process.
"""

from __future__ import annotations

import re
import socket

from engine.chisels.chisel import Argument, Chisel, ChiselError

_MARK = re.compile(rb"([<>]):([^:]*):([^:]+):")
_MOST = 1 << 16
"""Open spans remembered; past that all are forgotten."""


class TracersToStatsd(Chisel):
    """Sends how long spans took to a statsd server."""

    name = "tracers_2_statsd"
    category = "Tracers"
    summary = "Export spans duration as statds metrics."
    description = "Sends the milliseconds of every tracer span, and a count, to a statsd server by UDP."
    arguments = (
        Argument("server_addr", "address of the server (127.0.0.1)", "address", optional=True),
        Argument("server_port", "its port (8125)", "port", optional=True),
    )
    filter = "fd.name=/dev/null and evt.is_io_write=true and evt.dir=< and evt.failed=false"
    fields = ("evt.rawtime", "evt.buffer", "thread.tid", "proc.pid")

    def start(self) -> None:
        """Open the socket."""
        address = self.argument("server_addr", "127.0.0.1")
        self._begun: dict[tuple[str, str], int] = {}
        self._server = (address, int(self.argument("server_port", "8125")))
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)

    def event(self, time: int, data: bytes | None, tid: int, pid: int) -> None:
        """Note a beginning; at an end send how long it took, and a count."""
        mark = _MARK.match(data or b"")
        if mark is None:
            return
        way, told, tags = (part.decode("utf-8", "replace") for part in mark.groups())
        key = ({"t": f"t{tid}", "p": f"p{pid}"}.get(told, told), tags)
        if way == ">":
            if len(self._begun) >= _MOST:
                self._begun.clear()
            self._begun[key] = time
            return
        begun = self._begun.pop(key, None)
        if begun is None:
            return
        name = "".join(each if each.isalnum() or each in "._-" else "_" for each in tags)
        message = f"{name}:{(time - begun) // 1_000_000}|ms\n{name}.count:1|c"
        try:
            self._socket.sendto(message.encode(), self._server)
        except OSError as error:
            raise ChiselError(f"{self._server[0]}:{self._server[1]}: {error.strerror}") from None

    def end(self) -> None:
        """Close the socket."""
        self._socket.close()


CHISELS: tuple[type[Chisel], ...] = (TracersToStatsd,)

"""Chisels about tracers: marks that programs write to /dev/null, which captures carry as events of their own."""

from __future__ import annotations

import socket

from engine.chisels.chisel import Argument, Chisel, ChiselError


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
    filter = "evt.type=tracer"
    fields = ("evt.dir", "evt.rawtime", "evt.arg.id", "evt.arg.tags")
    _MOST = 1 << 16
    """Open spans remembered; past that all are forgotten."""

    def start(self) -> None:
        """Open the socket."""
        address = self.argument("server_addr", "127.0.0.1")
        self._begun: dict[tuple[str | None, str], int] = {}
        self._server = (address, int(self.argument("server_port", "8125")))
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)

    def event(self, way: str, time: int, span: str | None, tags: str | None) -> None:
        """Note a beginning; at an end send how long it took, and a count."""
        if not tags:
            return
        if way == ">":
            if len(self._begun) >= self._MOST:
                self._begun.clear()
            self._begun[span, tags] = time
            return
        begun = self._begun.pop((span, tags), None)
        if begun is None:
            return
        took = time - begun
        name = "".join(each if each.isalnum() or each in "._-" else "_" for each in tags)
        try:
            self._socket.sendto(f"{name}:{took // 1_000_000}|ms\n{name}.count:1|c".encode(), self._server)
        except OSError as error:
            raise ChiselError(f"{self._server[0]}:{self._server[1]}: {error.strerror}") from None

    def end(self) -> None:
        """Close the socket."""
        self._socket.close()


CHISELS: tuple[type[Chisel], ...] = (TracersToStatsd,)

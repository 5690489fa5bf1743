"""Chisels that say every second how much was moved."""

from __future__ import annotations

from engine.chisels.chisel import Chisel, moment


class _Bytes(Chisel):
    interval = 1.0
    fields = ("evt.is_io_read", "evt.rawres")

    def start(self) -> None:
        """Nothing yet."""
        self._read = self._written = 0

    def event(self, read: bool, moved: int | None) -> None:
        """Add it up."""
        if moved is not None and moved > 0:
            if read:
                self._read += moved
            else:
                self._written += moved

    def tick(self, _: int, now: int) -> None:
        """Say it, and begin anew."""
        total = self._read + self._written
        self.say(f"{moment(now)} in:{self._read} out:{self._written} tot:{total}")
        self._read = self._written = 0


class IoBytes(_Bytes):
    """All I/O."""

    name = "iobytes"
    category = "I/O"
    summary = "Sum of I/O bytes on any type of FD"
    description = "Every second the bytes read from and written to anything: files, sockets, pipes ..."
    filter = "evt.is_io=true"


class IoBytesFile(_Bytes):
    """Files."""

    name = "iobytes_file"
    category = "I/O"
    summary = "Sum of file I/O bytes"
    description = "Every second the bytes read from and written to files."
    filter = "evt.is_io=true and fd.type=file"


class IoBytesNet(_Bytes):
    """Sockets."""

    name = "iobytes_net"
    category = "Net"
    summary = "Show total network I/O bytes"
    description = "Every second the bytes received from and sent through IPv4 and IPv6 sockets."
    filter = "evt.is_io=true and (fd.type=ipv4 or fd.type=ipv6)"


CHISELS: tuple[type[Chisel], ...] = (IoBytes, IoBytesFile, IoBytesNet)

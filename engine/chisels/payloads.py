"""Chisels that print what was read and written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from engine import text
from engine.chisels.chisel import Argument, Chisel, ChiselError, Colour, size
from engine.filters.syntax import quote
from engine.query import dumps
from engine.query.dumps import Payload

_NETWORK = "(fd.type=ipv4 or fd.type=ipv6)"
NO_COLOURS = Argument("disable_color", "disable_colors for lines without colours", optional=True)


class EchoFds(Chisel):
    """What every process reads and writes."""

    name = "echo_fds"
    category = "I/O"
    summary = "Print the data read and written by processes."
    description = "Prints all data read (red) and written (blue), with the file or connection and the process."
    arguments = (NO_COLOURS,)
    snaplen = 2000
    filter = "evt.is_io=true and evt.dir=< and evt.rawres>0"
    fields = ("evt.is_io_read", "evt.rawres", "fd.name", "proc.name", "container.name", "container.id", "evt.buffer")

    def event(
        self, read: bool, moved: int, fd: str | None, process: str | None, container: str, container_id: str, data: Any
    ) -> None:
        """A heading, then the data."""
        place = f"[{container}] [{container_id}] " if self.settings.containers else ""
        what = f"Read {size(moved)} from" if read else f"Write {size(moved)} to"
        colour = Colour.RED if read else Colour.BLUE
        self.say(f"------ {what} {place}{fd or text.ABSENT} ({process or text.ABSENT})", colour)
        self.say_data(data or b"")


class _Stream(Chisel):
    category = "I/O"
    snaplen = 2000
    fields = ("evt.buffer",)

    def event(self, data: bytes | None) -> None:
        """The data as they are, made safe."""
        if data is not None:
            for line in text.decoded(data).split("\n"):
                self.say(line.removesuffix("\r"))


class Stdin(_Stream):
    """Standard input."""

    name = "stdin"
    summary = "Print stdin of processes"
    description = "Prints what processes read from their standard input."
    filter = "fd.num=0 and evt.is_io=true"


class Stdout(_Stream):
    """Standard output."""

    name = "stdout"
    summary = "Print stdout of processes"
    description = "Prints what processes write to their standard output."
    filter = "fd.num=1 and evt.is_io=true"


class Stderr(_Stream):
    """Standard error."""

    name = "stderr"
    summary = "Print stderr of processes"
    description = "Prints what processes write to their standard error."
    arguments = (NO_COLOURS,)
    filter = "fd.num=2 and evt.is_io=true"


class SpyFile(Chisel):
    """Reads and writes of files."""

    name = "spy_file"
    category = "I/O"
    summary = "Print every read and write of files, or of one file"
    description = "Prints what processes read from and write to files, of all files or of one."
    arguments = (
        Argument("read_or_write", "R for reads only, W for writes only, RW for both (default)", optional=True),
        Argument("spy_on_file_name", "the file to look at", optional=True),
    )
    snaplen = 2000
    fields = ("evt.time", "proc.name", "proc.pid", "evt.is_io_write", "evt.rawres", "fd.name", "evt.buffer")

    def start(self) -> None:
        """Which files, and which directions."""
        which = self.argument("read_or_write", "RW").upper()
        if which not in ("R", "W", "RW"):
            raise ChiselError(f"read_or_write must be R, W or RW, not {which!r}")
        asked = self.argument("spy_on_file_name")
        # Watching a terminal would show what is printed here.
        files = f"fd.name={quote(asked)}" if asked else "not fd.name contains /dev/pt and not fd.name contains /dev/tty"
        moves = {"R": "evt.is_io_read=true", "W": "evt.is_io_write=true", "RW": "evt.is_io=true"}[which]
        self.filter = f"{files} and {moves} and fd.type=file and evt.dir=< and evt.failed=false"

    def event(
        self, when: str, process: str, pid: int, written: bool, moved: int, name: str, data: bytes | None
    ) -> None:
        """A line and its text."""
        kept = dumps.shown(data or b"", Payload.TEXT).decode().removeprefix("\n")
        head = f"{when} {process}({pid}) {'W' if written else 'R'} {size(moved)} {name} "
        for line in f"{head}\n{kept}".split("\n") if kept else [head]:
            self.say(line)


class _Conversation(Chisel):
    """Data exchanged, with a heading over what each read and write moved."""

    category = "Net"
    snaplen = 1000
    fields = ("evt.is_io_read", "evt.rawres", "evt.buffer")

    def event(self, read: bool, moved: int | None, data: bytes | None) -> None:
        """The size, and the data."""
        if moved is None or moved <= 0 or data is None:
            return
        self.say(f"------ {'Read' if read else 'Write'} {size(moved)}", Colour.RED if read else Colour.BLUE)
        self.say_data(data)


class SpyIp(_Conversation):
    """Data exchanged with an address."""

    name = "spy_ip"
    summary = "Show the data exchanged with the given IP address"
    description = "Prints what is exchanged with an address; -A -x -X choose the form of the data."
    arguments = (Argument("host_ip", "the address", "address"), NO_COLOURS)

    def start(self) -> None:
        """The address."""
        super().start()
        self.filter = f"evt.is_io=true and {_NETWORK} and fd.ip={self.argument('host_ip')}"


class SpyPort(_Conversation):
    """Data exchanged through a port."""

    name = "spy_port"
    summary = "Show the data exchanged using the given IP port number"
    description = "Prints what is exchanged through a port of either end; -A -x -X choose the form of the data."
    arguments = (Argument("host_port", "the port", "port"), NO_COLOURS)

    def start(self) -> None:
        """The port."""
        super().start()
        self.filter = f"evt.is_io=true and {_NETWORK} and fd.port={int(self.argument('host_port'))}"


class UdpExtract(Chisel):
    """Payload of UDP to files."""

    name = "udp_extract"
    category = "I/O"
    summary = "extract data from UDP streams to files."
    description = "Writes the data of every UDP connection to a file of its own in udp_dump_files. Captures only."
    snaplen = 16384
    filter = "evt.dir=< and evt.rawres>=0 and fd.l4proto=udp and evt.is_io=true"
    fields = ("fd.name", "evt.buffer")
    _MOST = 512
    """Files at most."""

    def start(self) -> None:
        """Make the folder."""
        if self.settings.live:
            raise ChiselError("udp_extract works on captures only")
        self._folder = Path("udp_dump_files")
        self._files: set[str] = set()

    def event(self, fd: str | None, data: bytes | None) -> None:
        """Append to the connection's file."""
        if fd is None or data is None:
            return
        name = "".join(each if each.isalnum() or each in ".-_" else {":": "_", ">": "-"}.get(each, "_") for each in fd)
        if name not in self._files and len(self._files) >= self._MOST:
            return
        try:
            self._folder.mkdir(exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if name in self._files else os.O_TRUNC)
            file = os.open(self._folder / (name or "_"), flags, 0o644)
        except OSError as error:
            raise ChiselError(f"{self._folder / name}: {error.strerror}") from error
        self._files.add(name)
        with os.fdopen(file, "ab") as out:
            out.write(data)


CHISELS: tuple[type[Chisel], ...] = (EchoFds, Stdin, Stdout, Stderr, SpyFile, SpyIp, SpyPort, UdpExtract)

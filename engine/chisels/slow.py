"""Chisels about calls and processes that take their time."""

from __future__ import annotations

from typing import Any

from engine import text
from engine.chisels.chisel import SECOND, Argument, Chisel, Colour, duration, fixed
from engine.chisels.payloads import NO_COLOURS

_MS = 1_000_000
MIN_MS = Argument("min_ms", "milliseconds from which on a call is shown", "number")
_HEADS = {"container.id": 20, "container.name": 20}


class _Slower(Chisel):
    """A line for every call that takes longer than asked for."""

    category = "Performance"
    arguments = (MIN_MS, NO_COLOURS)

    columns: tuple[tuple[str, int], ...]
    """Field and width, the last one's 0; LATENCY(ms) stands for the time."""
    dashes = 41
    """Under the last column's title."""

    def start(self) -> None:
        """How long, and the headings."""
        self._least = round(self.number("min_ms") * _MS)
        shown = list(self.columns)
        if self.settings.containers:
            shown[1:1] = _HEADS.items()
        self._shown = shown
        names = [name if name != "LATENCY(ms)" else "evt.latency" for name, _ in shown]
        self.fields = ("evt.latency", "container.name", *names)
        term = f"evt.dir=< and evt.latency>{self._least}"
        self.filter = f"{self.filter} and {term}" if self.filter else term
        self._say([name for name, _ in shown])
        self._say(["-" * (width or self.dashes) for _, width in shown])

    def event(self, latency: int, container: str | None, *values: Any) -> None:
        """Its line."""
        told = [
            self.latency(latency) if name == "LATENCY(ms)" else text.ABSENT if value is None else str(value)
            for (name, _), value in zip(self._shown, values, strict=True)
        ]
        self._say(told, Colour.GREEN if container in ("host", None) else Colour.BLUE)

    def latency(self, ns: int) -> str:
        """The time as shown."""
        return f"{ns // _MS:12d}"

    def _say(self, cells: list[str], colour: Colour = Colour.NONE) -> None:
        padded = [
            fixed(each, width) if width else text.clean(each)
            for each, (_, width) in zip(cells, self._shown, strict=True)
        ]
        self.say(" ".join(padded), colour)


class FilesLower(_Slower):
    """Slow reads and writes of files."""

    name = "fileslower"
    summary = "Trace slow file I/O"
    description = "Reads and writes of files that take longer than asked for, those below /dev left out."
    filter = "evt.is_io=true and fd.type=file and not fd.name startswith /dev/"
    columns = (("evt.datetime", 23), ("proc.name", 12), ("evt.type", 8), ("LATENCY(ms)", 12), ("fd.name", 0))


class NetLower(_Slower):
    """Slow reads and writes of sockets."""

    name = "netlower"
    summary = "Trace slow network I/0"
    description = "Reads and writes of IPv4 and IPv6 sockets that take longer than asked for."
    filter = "evt.is_io=true and (fd.type=ipv4 or fd.type=ipv6)"
    columns = FilesLower.columns


class CallsLower(_Slower):
    """Slow calls."""

    name = "scallslower"
    summary = "Trace slow syscalls"
    description = "Calls that take longer than asked for."
    columns = (("evt.datetime", 23), ("proc.name", 23), ("LATENCY(ms)", 20), ("evt.type", 0))
    dashes = 20

    def latency(self, ns: int) -> str:
        """With its fraction."""
        return f"{ns / _MS:.14g}"


class Bottlenecks(Chisel):
    """The slowest calls of all."""

    name = "bottlenecks"
    category = "Performance"
    summary = "Slowest system calls"
    description = "The ten calls that took longest, each with its beginning and its end."
    filter = "syscall.type exists"
    fields = ("evt.dir", "thread.tid", "evt.latency", "evt.num", "proc.name", "evt.type", "evt.args")
    _MOST = 10

    def start(self) -> None:
        """None yet."""
        self._entered: dict[int, str] = {}
        self._slowest: list[tuple[int, str, str]] = []

    def event(self, way: str, tid: int, latency: int | None, number: int, process: str, kind: str, args: str) -> None:
        """Remember an enter, and a call among the slowest."""
        seconds, rest = divmod(latency or 0, SECOND)
        line = f"{number}) {seconds}.{rest:09} {process or ''} ({tid}) {way} {kind} {args}"
        if way == ">":
            self._entered[tid] = line
        elif latency and (len(self._slowest) < self._MOST or latency > self._slowest[-1][0]):
            self._slowest.append((latency, self._entered.get(tid, ""), line))
            self._slowest.sort(key=lambda each: -each[0])
            del self._slowest[self._MOST :]

    def end(self) -> None:
        """Both lines of each."""
        for _, entered, left in self._slowest:
            if entered:
                self.say(entered)
            self.say(left)


class ProcExecTime(Chisel):
    """How long processes ran."""

    name = "proc_exec_time"
    category = "Performance"
    summary = "Show process execution time"
    description = "Processes and threads as they end, with the time they ran: yellow above 3 seconds, red above 10."
    arguments = (NO_COLOURS,)
    filter = "evt.type=procexit"
    fields = ("proc.duration", "container.name", "container.id", "proc.name", "proc.args")

    def start(self) -> None:
        """The headings."""
        heads = ["proc.duration", "container.id", "container.name", "proc.name", "proc.args"]
        self._say(heads)
        self._say(["-" * 20 for _ in heads])

    def event(self, ran: int | None, container: str | None, container_id: str | None, name: str, args: str) -> None:
        """Its line."""
        if ran is None:
            return
        colour = Colour.GREEN if container in ("host", None) else Colour.BLUE
        if ran > 3 * SECOND:
            colour = Colour.RED if ran > 10 * SECOND else Colour.YELLOW
        self._say([duration(ran), container_id, container, name, args], colour)

    def _say(self, cells: list[Any], colour: Colour = Colour.NONE) -> None:
        ran, container_id, container, name, args = cells
        between = [fixed(container_id, 20), fixed(container, 20)] if self.settings.containers else []
        self.say(" ".join([fixed(ran, 13), *between, fixed(name, 12), text.clean(args or "")]), colour)


CHISELS: tuple[type[Chisel], ...] = (FilesLower, NetLower, CallsLower, Bottlenecks, ProcExecTime)

"""Chisels about log messages, and the events around what matches."""

from __future__ import annotations

from pathlib import Path

from engine import text
from engine.chisels.chisel import Argument, Chisel, ChiselError, Colour, fixed
from engine.chisels.payloads import NO_COLOURS

_FILES = (
    "(fd.name contains .log or fd.name contains _log or fd.name contains /var/log) "
    "and not (fd.name contains .gz or fd.name contains .tgz)"
)
_FILE = Argument("dump_file_name", "capture to which the events around each message are written", optional=True)
_RANGE = Argument("dump_range_ms", "milliseconds before and after it (1000)", "number", optional=True)
_MOST = 10_000
"""Moments whose surroundings are written."""


class _Around(Chisel):
    """Writes what happened around the events it is about, on the same thread."""

    def start(self) -> None:
        """Where to write to."""
        self._moments: list[tuple[int, int]] = []
        self._file = self.argument("dump_file_name")
        self._range = round(self.number("dump_range_ms", 1000))
        if self._file and self.settings.live:
            raise ChiselError(f"{self.name} writes events of captures only")
        if self._file and len(self.settings.captures) != 1:
            raise ChiselError(f"{self.name} writes events of one capture")

    def note(self, time: int, tid: int) -> None:
        """Its surroundings are wanted."""
        if self._file and len(self._moments) < _MOST:
            self._moments.append((time, tid))

    def save(self, what: str) -> None:
        """Write the surroundings of everything noted."""
        if not self._file:
            return
        self.say(f"Saving events around {len(self._moments)} {what} to {self._file}")
        if not self._moments:
            return
        from engine.recording.export import Choice, export

        # Nearby moments of a thread are one stretch, so the filter stays short.
        stretches: dict[int, list[list[int]]] = {}
        span = self._range * 1_000_000
        for time, tid in sorted(self._moments):
            mine = stretches.setdefault(tid, [])
            if mine and time - span <= mine[-1][1]:
                mine[-1][1] = time + span
            else:
                mine.append([time - span, time + span])
        terms = [
            f"(thread.tid={tid} and evt.rawtime>={first} and evt.rawtime<={last})"
            for tid, mine in stretches.items()
            for first, last in mine
        ]
        export(Path(self.settings.captures[0]), Path(self._file), Choice(" or ".join(terms)))


class SpyLogs(_Around):
    """What is written to log files."""

    name = "spy_logs"
    category = "Logs"
    summary = "Print every message written to log files"
    description = "Writes to files with .log, _log or /var/log in their names: warnings yellow, errors red."
    arguments = (_FILE, _RANGE, NO_COLOURS)
    snaplen = 2000
    filter = f"({_FILES}) and evt.is_io_write=true and evt.dir=< and evt.failed=false"
    fields = ("evt.buffer", "proc.name", "fd.name", "container.name", "evt.rawtime", "thread.tid")

    def event(self, data: bytes | None, process: str, name: str, container: str, time: int, tid: int) -> None:
        """Each line of the message."""
        for line in (data or b"").split(b"\n"):
            kept = bytes(byte for byte in line if 32 <= byte < 127).decode()
            if kept:
                lower = kept.lower()
                colour = Colour.YELLOW if "warn" in lower else Colour.RED if "err" in lower else Colour.GREEN
                place = f"{container} " if self.settings.containers else ""
                self.say(f"{place}{process} {name} {kept}", colour)
        self.note(time, tid)

    def end(self) -> None:
        """Write what was around."""
        self.save("log entries")


class SpySyslog(_Around):
    """What is sent to the system log."""

    name = "spy_syslog"
    category = "Logs"
    summary = "Print every message written to syslog"
    description = "Messages to /dev/log with facility, severity and process: warnings yellow, errors red."
    arguments = (_FILE, _RANGE, NO_COLOURS)
    snaplen = 1000
    filter = "fd.name contains /dev/log and evt.is_io_write=true and evt.dir=< and evt.failed=false"
    fields = (
        *("syslog.facility.str", "syslog.severity.str", "syslog.severity", "syslog.message", "thread.tid"),
        *("proc.name", "container.name", "container.id", "evt.rawtime"),
    )

    def event(
        self, facility: str | None, severity: str | None, code: int | None, message: str | None, tid: int,
        process: str, container: str, container_id: str, time: int,
    ) -> None:  # fmt: skip
        """One message."""
        colour = Colour.GREEN
        if code is not None and code <= 4:
            colour = Colour.YELLOW if code == 4 else Colour.RED
        place = f"{fixed(container_id, 20)} {fixed(container, 20)} " if self.settings.containers else ""
        told = f"{facility or text.ABSENT}.{severity or text.ABSENT} {process}[{tid}] {message or text.ABSENT}"
        self.say(place + told, colour)
        self.note(time, tid)

    def end(self) -> None:
        """Write what was around."""
        self.save("syslog entries")


class Around(_Around):
    """What happened around the events of a filter."""

    name = "around"
    category = "Misc"
    summary = "Export to file the events around the time range where the given filter matches."
    description = "Prints the events the filter keeps, and writes what their threads did shortly before and after."
    arguments = (Argument("dump_file_name", "capture to write to"), _RANGE)
    fields = ("evt.time", "proc.name", "thread.tid", "evt.rawtime")

    def start(self) -> None:
        """Around what?"""
        super().start()
        if not self.settings.filter.strip():
            raise ChiselError("around needs a filter")
        if self.settings.live:
            raise ChiselError("around works on captures only")

    def event(self, when: str, process: str | None, tid: int, time: int) -> None:
        """A match."""
        self.say(f"{when} {process or text.ABSENT}({tid})")
        self.note(time, tid)

    def end(self) -> None:
        """Write what was around."""
        self.save("events")


CHISELS: tuple[type[Chisel], ...] = (SpyLogs, SpySyslog, Around)

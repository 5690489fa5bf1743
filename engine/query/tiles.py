"""The tiles of the overview: what each counts, and where it leads. Declarations only.

Their idea and most of their definitions are those of Sysdig Inspect's overview; differences are for truth's sake:
calls are counted once, by what they did and not by one spelling of their name, and every tile leads to exactly what
it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SYSTEM_PLACES = (
    "(fd.directory pmatch (/bin, /sbin, /boot, /etc, /lib, /lib32, /lib64, /usr/bin, /usr/sbin, /usr/lib, "
    "/usr/lib32, /usr/lib64, /usr/share))"
)
_DONE = "evt.dir=< and evt.rawres>=0"
_HTTP = "fd.type in (ipv4, ipv6) and evt.is_io=true and evt.dir=< and evt.rawres>0"
_INTERACTIVE = "(proc.pname in (bash, sh, dash, zsh, ksh, fish, tcsh, csh) and proc.tty!=0)"


class Counted(Enum):
    """What the total of a tile is."""

    EVENTS = "events"
    BYTES = "bytes"
    DIFFERENT = "different"
    """How many different values of a field there are."""
    OPEN = "open"
    """How many different values of a field open descriptors have, those on which nothing happened, too."""
    LOST = "lost"
    """Events that could not be captured, besides those there are."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the overview."""

    category: str
    title: str
    meaning: str
    filter: str
    view: str = ""
    """The view that explains it; "" for its events."""
    counted: Counted = Counted.EVENTS
    field: str = ""
    """Of which the values are told apart."""
    noteworthy: bool = False
    """Told first when it is not nothing."""
    always: bool = False
    """Told even when it is nothing."""
    sort: str = ""
    """Title of the column the view is sorted on; "" its own."""


def _bytes(category: str, title: str, meaning: str, text: str, view: str, sort: str) -> Tile:
    return Tile(category, title, meaning, f"{text} and {_DONE}", view, Counted.BYTES, always=True, sort=sort)


_IO, _IN, _OUT = "evt.io_dir exists", "evt.io_dir=read", "evt.io_dir=write"
_FILE, _NET = "fd.type=file", "fd.type in (ipv4, ipv6)"
_MODIFIED = f"{_FILE} and {_OUT} and {_DONE} and evt.type!=copy_file_range"
"""The descriptor of a copy is what it reads from."""
_NEW_CONNECTION = "evt.type in (accept, accept4) and evt.dir=< and evt.rawres>=0 and fd.sport exists"
_FAILED_CONNECTION = (
    f"evt.type=connect and evt.dir=< and {_NET} and evt.failed=true and not evt.res in (EINPROGRESS, EALREADY)"
)


def _slow(limit: str, noteworthy: bool) -> Tile:
    return Tile(
        "Performance", f"Slow file I/O, {limit} and more", f"Reads and writes of files that took {limit} or longer.",
        f"{_FILE} and {_IO} and evt.dir=< and evt.latency>={limit} and not fd.name startswith /dev/", "slow_io",
        noteworthy=noteworthy,
    )  # fmt: skip


TILES = (
    Tile("General", "Processes", "Processes that did something.", "proc.pid>=0", "procs", Counted.DIFFERENT, "proc.pid",
         always=True),
    Tile("General", "Containers", "Containers in which something was done.", "container.name!=host", "containers",
         Counted.DIFFERENT, "container.id"),
    Tile("General", "System calls", "Calls that ended, each once.", "evt.dir=< and syscall.type exists",
         "syscall_latency", always=True, sort="CALLS"),
    Tile("General", "Errors", "Calls that failed.", "evt.failed=true", "errors"),
    Tile("General", "Events lost", "Events that could not be captured, and marks in a capture that some are missing.",
         "evt.type=drop", "", Counted.LOST, noteworthy=True),
    Tile("General", "Notifications", "Notes that programs put into the capture.", "evt.type=notification",
         "notifications", noteworthy=True),
    _bytes("Files", "File bytes read", "Bytes read from files.", f"{_FILE} and {_IN}", "files", "BYTES IN"),
    _bytes("Files", "File bytes written", "Bytes written to files.", f"{_FILE} and {_OUT}", "files", "BYTES OUT"),
    Tile("Files", "Files read", "Different files something was read from.", f"{_FILE} and {_IN} and {_DONE}", "files",
         Counted.DIFFERENT, "fd.name"),
    Tile("Files", "Files modified", "Different files something was written to.", _MODIFIED, "files",
         Counted.DIFFERENT, "fd.name"),
    Tile("Files", "Failed opens", "Opening of a file or directory that failed.",
         "evt.type in (open, openat, openat2, creat) and evt.dir=< and evt.failed=true", "errors"),
    _bytes("Network", "Network bytes received", "Bytes received on IPv4 and IPv6 sockets.", f"{_NET} and {_IN}",
           "connections", "BYTES IN"),
    _bytes("Network", "Network bytes sent", "Bytes sent on IPv4 and IPv6 sockets.", f"{_NET} and {_OUT}", "connections",
           "BYTES OUT"),
    Tile("Network", "Connections used", "Different connections with traffic.", f"{_NET} and {_IO} and {_DONE}",
         "connections", Counted.DIFFERENT, "fd.name"),
    Tile("Network", "New connections in", "Connections that servers accepted.", _NEW_CONNECTION,
         "incoming_connections"),
    Tile("Network", "New connections out", "Connections that were opened, or are being opened, to IPv4 or IPv6.",
         f"evt.type=connect and evt.dir=< and {_NET} and (evt.rawres>=0 or evt.res=EINPROGRESS)"),
    Tile("Network", "Failed connections", "Attempts to connect that failed; being in progress is no failure.",
         _FAILED_CONNECTION, noteworthy=True),
    Tile("Network", "Listening ports", "Ports that something waits on, also those on which nothing happened.",
         "fd.is_server=true and not fd.cip exists and fd.sport exists", "listening", Counted.OPEN, "fd.sport"),
    Tile("Network", "New listening ports", "Sockets that began to listen.",
         f"evt.type=listen and evt.dir=< and evt.rawres>=0 and {_NET}", noteworthy=True),
    Tile("Network", "SSH connections", "Connections accepted or opened with a server port of 22.",
         "evt.type in (accept, accept4, connect) and evt.dir=< and fd.sport=22", noteworthy=True),
    Tile("Security", "Commands executed", "Programs that were started.",
         "evt.type in (execve, execveat) and evt.dir=< and evt.rawres=0", "spy_users", noteworthy=True, always=True),
    Tile("Security", "Interactive commands", "Programs started from a shell on a terminal.",
         f"evt.type in (execve, execveat) and evt.dir=< and evt.rawres=0 and {_INTERACTIVE}", "spy_users",
         noteworthy=True),
    Tile("Security", "sudo and su", "Starts of sudo, su, doas or pkexec.",
         "evt.type in (execve, execveat) and evt.dir=< and evt.rawres=0 and proc.name in (sudo, su, doas, pkexec)",
         "spy_users", noteworthy=True),
    Tile("Security", "Changes of user", "Successful calls that set user ids.",
         "evt.type in (setuid, setreuid, setresuid, setfsuid) and evt.dir=< and evt.rawres=0", noteworthy=True),
    Tile("Security", "Changes of namespace", "Calls of setns and unshare that succeeded.",
         "evt.type in (setns, unshare) and evt.dir=< and evt.rawres=0", noteworthy=True),
    Tile("Security", "Files deleted", "Files and directories removed.",
         "evt.type in (unlink, unlinkat, rmdir) and evt.dir=< and evt.rawres=0", noteworthy=True),
    Tile("Security", "Links made", "Symbolic and hard links made.",
         "evt.type in (symlink, symlinkat, link, linkat) and evt.dir=< and evt.rawres=0", noteworthy=True),
    Tile("Security", "System files modified", "Different files under system directories that were written to.",
         f"{_MODIFIED} and {SYSTEM_PLACES}", "files", Counted.DIFFERENT, "fd.name", noteworthy=True),
    Tile("Performance", "HTTP requests", "Requests seen in what was received or sent in the clear, once for each end.",
         f"{_HTTP} and (evt.buffer startswith 'GET ' or evt.buffer startswith 'POST ' or evt.buffer startswith 'PUT ' "
         "or evt.buffer startswith 'HEAD ' or evt.buffer startswith 'DELETE ' or evt.buffer startswith 'PATCH ' "
         "or evt.buffer startswith 'OPTIONS ')", "http_requests"),
    Tile("Performance", "HTTP errors", "Answers with a status of 400 and more, once for each end that was captured.",
         f"{_HTTP} and (evt.buffer startswith 'HTTP/1.0 4' or evt.buffer startswith 'HTTP/1.1 4' or "
         "evt.buffer startswith 'HTTP/1.0 5' or evt.buffer startswith 'HTTP/1.1 5')", "echo", noteworthy=True),
    Tile("Performance", "Processes started", "New processes and threads, each once.",
         "evt.type in (clone, clone3, fork, vfork) and evt.dir=< and evt.rawres>0"),
    Tile("Performance", "Signals", "Signals delivered.", "evt.type=signaldeliver"),
    Tile("Performance", "Segmentation faults", "Deliveries of SIGSEGV.",
         "evt.type=signaldeliver and evt.arg.sig=SIGSEGV", noteworthy=True),
    _slow("1ms", False),
    _slow("10ms", False),
    _slow("100ms", True),
    Tile("Logs", "Lines of logs", "Writes to files whose path says that they are logs.",
         f"{_FILE} and {_OUT} and {_DONE} and (fd.name contains .log or fd.name contains _log or "
         "fd.name startswith /var/log/)", "echo"),
    Tile("Logs", "Errors in logs", "Such writes that speak of an error.",
         f"{_FILE} and {_OUT} and {_DONE} and (fd.name contains .log or fd.name contains _log or "
         "fd.name startswith /var/log/) and (evt.buffer contains rror or evt.buffer contains ERROR or "
         "evt.buffer contains ritical or evt.buffer contains CRIT or evt.buffer contains mergency or "
         "evt.buffer contains lert)", "echo", noteworthy=True),
)  # fmt: skip
"""In the order of the page."""

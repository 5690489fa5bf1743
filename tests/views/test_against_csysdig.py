"""Rows of every view equal csysdig 0.29.3's, key by key and cell by cell, but for the listed rules.

A rule says for a row what csysdig's cell and what ours must be; both are counted from the events as sysdig prints
them, so that neither side may say anything else. Captures of sysdig's own time are compared: what
sysdig 0.29.3 misses in newer ones (calls it has no number for, and so every descriptor they made) is no business of
views, and is listed cell by cell in ``tests/engine/oracle_rules``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.store.store import Store
from engine.text import clean
from tests.views import csysdig
from tests.views.csysdig import Line
from tests.views.running import VIEWS, Row, Stores, as_rows, run

CAPTURES = (
    *("502Error.scap", "libs_curl_google.scap", "libs_sample_2023.scap"),
    *("own/services.scap.gz", "own/shells.scap.gz", "own/containers.scap.gz"),
)
THEIRS = (
    *("backlog", "connections", "containers", "containers_errors", "directories", "errors", "file_opens", "files"),
    *("incoming_connections", "io_by_type", "notifications", "page_faults", "port_bindings", "procs", "procs_cpu"),
    "procs_fd_usage",
    *("procs_errors", "slow_io", "sports", "spy_users", "syscall_procs", "syscalls", "threads"),
)
"""Views of csysdig's that it can show."""
PAIRS = (
    *((name, view) for name in CAPTURES for view in THEIRS),
    ("made/infra", "docker_events"),
    ("made/notifications", "notifications"),
    ("made/syslog", "spy_syslog"),
    ("made/spans", "traces_summary"),
    ("own/tracers.scap.gz", "traces_summary"),
    ("made/kubernetes", "kubernetes_pods"),
    *(("made/cluster", f"kubernetes_{view}") for view in ("pods", "services", "controllers")),
)
"""Captures and views compared."""
DOWNGRADE = Path("..") / "tools" / "downgrade_scap"
"""From the captures' folder, the program that copies one so that sysdig 0.29.3 reads it to its end."""
IP = ("ipv4", "ipv6")
PATHS = ("file", "directory")
STAND_IN = "sysdigevent"
"""The event csysdig adds at the end for every thread that lives, and counts where the view's filter lets it."""
NO_CALLS = ("procexit", "signaldeliver", STAND_IN)
"""What csysdig takes for calls besides."""
UNKNOWN_CALLS = {"<unknown>": ("rseq", "statx"), "sigreturn": ("rt_sigreturn",)}
"""Calls that sysdig 0.29.3 has no name for, or another."""
GARBAGE = "192.168.128.156:55441->145.216.3.255:514"
"""An address that sysdig 0.29.3 reads from memory of something else; the true one is 127.0.0.1:55441->127.0.0.1:514."""
UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


ANYTHING = object()
"""What sysdig's lines do not tell."""


class Both(NamedTuple):
    """What must stand in a cell: theirs (rates are not divided in JSON) and ours."""

    theirs: Any
    ours: Any


class Told:
    """Sysdig's lines of a capture, in the ways rules ask for them."""

    def __init__(self, copy: Path, seconds: float) -> None:
        self.seconds = seconds
        self.copy = copy
        self.lines = csysdig.lines(copy)
        self.calls = [line for line in self.lines if line.syscall_type]
        self.on_ip = [line for line in self.lines if line.fd_type in IP and line.fd_name]
        self.on_paths = [line for line in self.lines if line.fd_type in PATHS and line.fd_name]
        opens = ((line, opened(line)) for line in self.lines if line.is_exit and line.evt_type in OPENS)
        self.opens: list[tuple[Line, str]] = [(line, name) for line, name in opens if name]
        self.failed_opens = [(line, name) for line, name in self.opens if line.result < 0]
        self.named_late = {
            line.container_id for line in self.lines if line.container_id != "host" and not line.container_name
        }
        self.made, self.revived, ended = set[str](), set[str](), set[str]()
        """Processes and threads made; and those that ended before the call that made them did, which csysdig makes
        again, as copies of the caller."""
        for line in self.lines:
            if line.evt_type == "procexit":
                ended.add(line.thread_tid)
            elif line.is_exit and line.evt_type in CLONES:
                made = line.thread_tid if line.result == 0 else str(line.result)
                self.made.add(made)
                if made in ended and line.result:
                    self.revived.add(made)
        self.mappings = list(self._mapped())
        self.mapped = Counter(name for name, _ in self.mappings)
        self.names = {line.fd_name for line in self.on_ip}
        self.threads = {line.thread_tid for line in self.lines}
        self.headless = {line.proc_pid for line in self.lines if line.evt_type == "clone"} - self.threads
        """Processes of which only a second thread, seen from its clone on, has events."""

    def of(self, pid: str) -> list[Line]:
        """Calls of a process."""
        return [line for line in self.calls if line.proc_pid == pid]

    def _mapped(self) -> Iterable[tuple[str, int]]:
        """File and time of each mmap: its descriptor is in the enter's arguments, the file in lines before."""
        files: dict[tuple[str, int], str] = {}
        asked: dict[str, int | None] = {}
        for line in self.lines:
            if line.fd_num and line.fd_type in PATHS:
                files[line.proc_pid, int(line.fd_num)] = line.fd_name
            if line.evt_type == "mmap" and line.evt_dir == ">":
                asked[line.thread_tid] = line.argument("fd")
            elif line.evt_type == "mmap":
                number = asked.pop(line.thread_tid, None)
                if number is not None and number >= 0:
                    yield files[line.proc_pid, number], int(line.evt_latency)

    def on_cpu(self, tids: set[str]) -> float:
        """Percent of the time that threads ran, as switches tell: a CPU's thread changes with each."""
        used, running = 0, dict[str, tuple[str, int]]()
        for line in self.lines:
            if line.evt_type == "switch":
                now = int(line.evt_rawtime)
                runs, since = running.get(line.evt_cpu, ("", now))
                if line.thread_tid in tids and runs == line.thread_tid:
                    used += now - since
                running[line.evt_cpu] = str(line.argument("next")), now
        return used / 1e7 / self.seconds


CLONES = ("clone", "fork", "vfork", "clone3")
OPENS = ("open", "openat", "openat2", "creat")
"""Calls that open; csysdig's views know the first."""


def opened(line: Line) -> str:
    """The path of an open; of one that failed it is in the arguments only."""
    found = re.search(r"\bname=(\S+?)(?:\((/[^)]*)\))? ", line.evt_args)
    return line.fd_name or (found[2] or found[1] if found else "")


def both(number: float) -> Both:
    """Both say it, each in its way."""
    return Both(number, number)


def calls(lines: Iterable[Line]) -> Both:
    """csysdig counts enters and exits, we count calls."""
    kept = list(lines)
    return Both(len(kept), sum(line.is_exit for line in kept))


def times(lines: Iterable[Line]) -> Both:
    """Of calls whose enter was not seen csysdig knows 0, we nothing."""
    found = [int(line.evt_latency or 0) for line in lines if line.is_exit]
    return Both(sum(found), sum(found) if any(found) else None)


def averages(lines: Iterable[Line]) -> Both:
    """csysdig divides by enters and exits, we by the exits whose enter was seen (the others have a latency of 0)."""
    kept = list(lines)
    total = sum(int(line.evt_latency or 0) for line in kept if line.is_exit)
    timed = sum(line.is_exit and int(line.evt_latency or 0) > 0 for line in kept)
    return Both(total / len(kept), total / timed if timed else None)


def file_calls(told: Told, lines: Iterable[Line], names: Callable[[str], bool]) -> Both:
    """sysdig 0.29.3 does not know the file of mmap, nor has a failed open one."""
    exits = sum(line.is_exit for line in lines)
    failed = sum(names(name) for _, name in told.failed_opens)
    return Both(exits, exits + failed + sum(count for name, count in told.mapped.items() if names(name)))


def cpu(told: Told, tids: set[str], *parts: str) -> Both:
    """csysdig shows the mean of the samples' percentages, we the time on CPU in the window; threads are added up.
    Where no thread was sampled twice csysdig has nothing but zeros, we the times between switches."""
    sampled = [line for line in told.lines if line.evt_type == "procinfo"]
    if max(Counter(line.thread_tid for line in sampled).values(), default=0) < 2:
        switches = any(line.evt_type == "switch" for line in told.lines)
        return Both(0, told.on_cpu(tids) if switches and len(parts) == 2 else None)
    theirs = ours = 0.0
    for tid in tids:
        samples = [line for line in sampled if line.thread_tid == tid]
        if samples:
            first, last = (sum(each.argument(part) or 0 for part in parts) for each in (samples[0], samples[-1]))
            theirs += (last - first) / len(samples)
            ours += (last - first) / told.seconds
    return Both(theirs, ours)


TICKS = ("cpu_usr", "cpu_sys")


def network(lines: Iterable[Line]) -> Both:
    """csysdig takes every result for bytes, as fcntl's."""
    done = [line for line in lines if line.evt_dir == "<" and line.fd_type in IP and line.evt_buflen]
    return Both(
        sum(int(line.evt_buflen) for line in done),
        sum(int(line.evt_buflen) for line in done if line.evt_is_io == "true"),
    )


def threads_of(told: Told, container: str) -> Both:
    """csysdig shows how many there were at a sample."""
    return Both(ANYTHING, len({line.thread_tid for line in told.lines if line.container_id == container}))


def threads_of_process(told: Told, pid: str) -> set[str]:
    return {line.thread_tid for line in told.lines if line.proc_pid == pid}


def of_kind(told: Told, kind: str, number: Callable[[Line], int], of_mapping: Callable[[int], int]) -> Both:
    """csysdig counts enters (which take no time) and exits, we calls; it does not know the file of mmap, nor that of
    an open that failed, nor the socket of setsockopt."""
    mine = [line for line in told.lines if line.fd_type == kind and line.evt_type != STAND_IN]
    theirs = sum(map(number, mine))
    ours = sum(number(line) for line in mine if line.is_exit)
    if kind == "file":
        ours += sum(of_mapping(latency) for _, latency in told.mappings)
        ours += sum(number(line) for line, _ in told.failed_opens)
    ours += sum(number(line) for line in told.calls if line.is_exit and is_set(line, kind))
    return Both(theirs, ours)


def is_set(line: Line, kind: str) -> bool:
    """A setsockopt on such a socket."""
    return line.evt_type == "setsockopt" and not line.fd_type and f"(<{kind[-1]}" in line.evt_args


def unseen_limit(told: Told, pid: str) -> Both:
    """Of a main thread without any event csysdig knows no limit; its other threads were told it when they were made."""
    clones = (line for line in told.of(pid) if line.evt_type == "clone")
    return Both(-1, max(line.argument("fdlimit") or 0 for line in clones))


def unseen_usage(told: Told, pid: str) -> Both:
    """Nor does it then know what part of it is used."""
    opened = csysdig.rows(told.copy, "procs_fd_usage")[pid]["OPEN"]
    return Both(0, 100 * opened / unseen_limit(told, pid).ours)


def durations(told: Told, tag: str) -> list[int]:
    """ns of the spans of one tag, as the tracers in sysdig's lines have them."""
    begun: dict[str, int] = {}
    found = []
    for line in told.lines:
        if line.evt_type == "tracer" and f"tags={tag} " in line.evt_args:
            span = line.evt_args.split()[0]
            if line.evt_dir == ">":
                begun[span] = int(line.evt_rawtime)
            elif span in begun:
                found.append(int(line.evt_rawtime) - begun.pop(span))
    return found


def queue(told: Told, port: str, name: str) -> Both:
    """Theirs is the text of the first accept of a port, ours the average of all, of the limit the largest."""
    found = [
        line.argument(name) or 0
        for line in told.lines
        if line.evt_type.startswith("accept") and line.evt_dir == "<" and line.fd_sport == port
    ]
    return Both(str(found[0]), max(found) if name == "queuemax" else sum(found) / len(found))


def failures(told: Told, lines: Iterable[Line], names: Callable[[str], bool]) -> Both:
    """Nor does a failed open by a call newer than open count among the errors of its file."""
    failed = sum(line.is_exit and line.result < 0 for line in lines)
    return Both(failed, failed + sum(names(name) for _, name in told.failed_opens))


def openings(lines: Iterable[Line]) -> Both:
    """csysdig counts calls of open only, ours all calls that open."""
    kept = list(lines)
    return Both(sum(line.evt_type == "open" for line in kept), len(kept))


def file_bytes(lines: Iterable[Line]) -> Both:
    """csysdig takes every result for bytes, as fcntl's."""
    done = [line for line in lines if line.evt_dir == "<" and line.fd_type == "file" and line.evt_buflen]
    moved = sum(int(line.evt_buflen) for line in done if line.evt_is_io == "true" and line.result > 0)
    return Both(sum(int(line.evt_buflen) for line in done), moved)


def faults(told: Told, pid: str, title: str) -> Both:
    """A thread that was made begins without faults, for csysdig with its maker's; and what its own calls of clone tell
    is lost on csysdig."""
    name = {"MINOR": "pgft_min", "MAJOR": "pgft_maj"}[title]
    seen = max((line.argument(name) or 0 for line in told.lines if line.proc_pid == pid), default=0)
    shown = csysdig.rows(told.copy, "page_faults")[pid][title]
    return Both(ANYTHING, seen) if pid in told.made or seen > shown else both(shown)


def slow(told: Told, when: str) -> Both:
    """Theirs is a text."""
    return both(next(int(line.evt_latency) for line in told.calls if line.is_exit and time_of(line) == when))


def directory(name: str) -> str:
    return name.rpartition("/")[0] or "/"


Rule = Callable[[Told, str], Both]
RULES: dict[tuple[str, str], Rule] = {
    ("connections", "IOPS"): lambda told, key: calls(line for line in told.on_ip if line.fd_name == key),
    ("sports", "IO CALLS"): lambda told, key: calls(line for line in told.on_ip if line.fd_sport == key),
    ("syscalls", "CALLS/S"): lambda told, key: calls(line for line in told.calls if line.evt_type == key),
    ("syscalls", "TOT TIME"): lambda told, key: times(line for line in told.calls if line.evt_type == key),
    ("syscalls", "AVG TIME"): lambda told, key: averages(line for line in told.calls if line.evt_type == key),
    # Theirs has stand-ins added, how many is held below.
    ("syscall_procs", "CALLS/S"): lambda told, key: Both(ANYTHING, calls(told.of(key)).ours),
    ("syscall_procs", "TIME"): lambda told, key: times(told.of(key)),
    ("files", "OPS"): lambda told, key: file_calls(
        told, (line for line in told.on_paths if line.fd_name == key), lambda name: name == key
    ),
    ("directories", "OPS"): lambda told, key: file_calls(
        told, (line for line in told.on_paths if line.fd_directory == key), lambda name: directory(name) == key
    ),
    ("files", "ERRORS"): lambda told, key: failures(
        told, (line for line in told.on_paths if line.fd_name == key), lambda name: name == key
    ),
    ("directories", "ERRORS"): lambda told, key: failures(
        told, (line for line in told.on_paths if line.fd_directory == key), lambda name: directory(name) == key
    ),
    ("files", "OPENS"): lambda told, key: openings(line for line, name in told.opens if name == key),
    ("directories", "OPENS"): lambda told, key: openings(
        line for line, name in told.opens if (line.fd_directory or directory(name)) == key
    ),
    ("procs", "FILE"): lambda told, key: file_bytes(line for line in told.lines if line.proc_pid == key),
    ("threads", "FILE"): lambda told, key: file_bytes(line for line in told.lines if line.thread_tid == key),
    ("page_faults", "MINOR"): lambda told, key: faults(told, key, "MINOR"),
    ("page_faults", "MAJOR"): lambda told, key: faults(told, key, "MAJOR"),
    ("slow_io", "LATENCY"): slow,
    ("procs", "CPU"): lambda told, key: cpu(told, threads_of_process(told, key), *TICKS),
    ("threads", "CPU"): lambda told, key: cpu(told, {key}, *TICKS),
    ("containers", "CPU"): lambda told, key: cpu(
        told, {line.thread_tid for line in told.lines if line.container_id == key}, *TICKS
    ),
    **{
        (f"kubernetes_{view}", "CPU"): lambda told, key: cpu(told, set(), *TICKS)
        for view in ("pods", "services", "controllers")
    },
    # They cut the image's tag off.
    ("docker_events", "CONTAINER IMAGE"): lambda told, key: Both("nginx", "nginx:1.25"),
    ("procs_cpu", "TOT"): lambda told, key: cpu(told, threads_of_process(told, key), *TICKS),
    ("procs_cpu", "USER"): lambda told, key: cpu(told, threads_of_process(told, key), "cpu_usr"),
    ("procs_cpu", "SYS"): lambda told, key: cpu(told, threads_of_process(told, key), "cpu_sys"),
    # Theirs has switches' and stand-ins' like added.
    ("procs_cpu", "SYSCALLS"): lambda told, key: Both(ANYTHING, calls(told.of(key)).ours),
    # Theirs are texts.
    ("traces_summary", "AVG TIME"): lambda told, key: both(sum(durations(told, key)) / len(durations(told, key))),
    ("traces_summary", "MIN TIME"): lambda told, key: both(min(durations(told, key))),
    ("traces_summary", "MAX TIME"): lambda told, key: both(max(durations(told, key))),
    ("io_by_type", "IOPS"): lambda told, key: of_kind(told, key, lambda line: 1, lambda latency: 1),
    ("io_by_type", "TIME"): lambda told, key: of_kind(
        told, key, lambda line: int(line.evt_latency or 0), lambda latency: latency
    ),
    # Theirs are texts; the queue's length is that of every accept.
    ("backlog", "BACKLOG"): lambda told, key: queue(told, key, "queuelen"),
    ("backlog", "BACKLOG_PCT"): lambda told, key: queue(told, key, "queuepct"),
    ("backlog", "BACKLOG_MAX"): lambda told, key: queue(told, key, "queuemax"),
    ("procs", "NET"): lambda told, key: network(line for line in told.lines if line.proc_pid == key),
    ("threads", "NET"): lambda told, key: network(line for line in told.lines if line.thread_tid == key),
    ("containers", "NET"): lambda told, key: network(line for line in told.lines if line.container_id == key),
    ("containers", "THREADS"): threads_of,
}


def exceptional(told: Told, view: str, title: str, key: str) -> Rule | None:
    """A rule for some rows only."""
    if view == "connections" and title in ENDS and "." in key.partition("->")[0]:
        return lambda told, key: ends(told, key, title)
    if key in told.revived and title == "Command":
        return lambda told, key: Both(ANYTHING, command(told, key))
    if key in told.named_late and title in NAMED_LATE.get(view, {}):
        return lambda told, key: Both(ANYTHING, NAMED_LATE[view][title](told, in_container(told, key)))
    if view == "procs_cpu" and title == "USER" and (told.copy.name, key) in LOST_TICKS:
        return lambda told, key: Both(0, cpu(told, threads_of_process(told, key), "cpu_usr").ours)
    if view == "procs_fd_usage" and title in ("MAX", "PCT") and key in told.headless:
        return unseen_limit if title == "MAX" else unseen_usage
    if view == "procs" and title in OF_MAIN and key in told.headless:
        return lambda told, key: of_unseen_main(told, key, title)
    if view == "procs" and title in ("VIRT", "RES"):
        main, others = (memory(told, key, title, is_main) for is_main in (True, False))
        if others > main:
            return lambda told, key: Both(ANYTHING, others)
    return None


def command(told: Told, pid: str) -> str:
    """The last program and its arguments."""
    return clean(next(line.proc_exeline for line in reversed(told.of(pid))))


def in_container(told: Told, container: str) -> list[Line]:
    return [line for line in told.lines if line.container_id == container and line.evt_type not in UNCOUNTED]


UNCOUNTED = (STAND_IN, "container")
IN_CONTAINER = Callable[[Told, list[Line]], float | None]
NAMED_LATE: dict[str, dict[str, IN_CONTAINER]] = {
    "containers": {
        "CPU": lambda told, lines: None,
        "PROCS": lambda told, lines: len({line.proc_pid for line in lines}),
        "THREADS": lambda told, lines: len({line.thread_tid for line in lines}),
        "FILE": lambda told, lines: file_bytes(lines).ours,
        "NET": lambda told, lines: network(lines).ours,
        "VIRT": lambda told, lines: sum_of_memory(lines, "VIRT"),
        "RES": lambda told, lines: sum_of_memory(lines, "RES"),
    },
    "containers_errors": {
        "FILE": lambda told, lines: len([line for line in failed(lines) if is_about_files(line)]),
        "NET": lambda told, lines: len([line for line in failed(lines) if line.fd_type in IP]),
        "OTHER": lambda told, lines: len(
            [line for line in failed(lines) if not is_about_files(line) and line.fd_type not in IP]
        ),
    },
}
"""Of containers whose name the capture tells some time after their first events, csysdig counts from then on."""


def failed(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.is_exit and line.result < 0]


def is_about_files(line: Line) -> bool:
    return line.evt_type in OPENS or line.fd_type in PATHS


def sum_of_memory(lines: list[Line], title: str) -> int:
    """The most bytes that any thread of a process was told of, of all processes."""
    most: dict[str, int] = {}
    for line in lines:
        known = int((line.proc_vmsize if title == "VIRT" else line.proc_vmrss) or 0)
        told = line.argument(OF_MAIN[title]) or 0
        most[line.proc_pid] = max(most.get(line.proc_pid, 0), known * 1024, told * 1024)
    return sum(most.values())


LOST_TICKS = {("libs_curl_google.scap", "17496")}
"""Processes whose only tick in user mode csysdig counts in the total and not in its part."""


def memory(told: Told, pid: str, title: str, is_main: bool) -> int:
    """The most bytes that the main thread, or the others, told of: for csysdig only what the main thread tells counts,
    though threads share their memory."""
    of_process = [line for line in told.lines if line.proc_pid == pid and (line.thread_tid == pid) is is_main]
    known = (line.proc_vmsize if title == "VIRT" else line.proc_vmrss for line in of_process)
    return max((int(each) for each in known if each), default=0) * 1024


ENDS = ("LIP", "LPORT", "RIP", "RPORT")


def ends(told: Told, key: str, title: str) -> Both:
    """csysdig shows IPv4 ends as IPv6, and takes either end for the own one when no interface of the machine has it
    (as in containers); ours is that of the row's first event."""
    client, server = (end.rpartition(":")[::2] for end in key.split("->"))
    first = next(line for line in told.on_ip if line.fd_name == key)
    own, other = (server, client) if first.evt_type.startswith("accept") else (client, server)
    address, port = own if title.startswith("L") else other
    return Both(ANYTHING, address if title.endswith("IP") else int(port))


OF_MAIN = {"PPID": "ptid", "USER": "", "VIRT": "vm_size", "RES": "vm_rss"}


def of_unseen_main(told: Told, pid: str, title: str) -> Both:
    """Of a main thread without any event csysdig knows nothing, or what it finds under that pid on the machine it runs
    on; we know what its other threads were made with, and what memory they told of."""
    if title == "USER":
        return Both(ANYTHING, next(line.user_name for line in told.lines if line.proc_pid == pid))
    of_process = [line for line in told.lines if line.proc_pid == pid]
    if title == "PPID":
        return Both(ANYTHING, next(line.argument("ptid") for line in of_process if line.evt_type == "clone"))
    return Both(ANYTHING, max(line.argument(OF_MAIN[title]) or 0 for line in of_process) * 1024)


def without_blank(title: str, theirs: object, ours: object) -> object:
    """csysdig ends a command without arguments with a blank, and has line breaks in it as they are."""
    if title != "Command" or not isinstance(theirs, str) or theirs == ours:
        return theirs
    return clean(theirs.removesuffix(" "))


def agree(cell: object, expected: object) -> bool:
    """True when a cell says what it must; times as text are cut after three digits."""
    if isinstance(cell, str) and isinstance(expected, int | float):
        found = re.fullmatch(r"(\d+\.?(\d*))([a-z]+)", cell)
        assert found, cell
        unit = UNITS[found[3]]
        low = float(found[1]) * unit
        # One more ns on either side: latencies are whole ns, averages are not.
        return low - 1 <= expected < low + unit * 0.1 ** len(found[2]) + 1
    if isinstance(cell, float) and isinstance(expected, int | float):
        return bool(cell == pytest.approx(expected))
    return expected is ANYTHING or bool(cell == expected)


def told_by_time(rows: Collection[Row]) -> bool:
    """Rows that stand for one event each and tell when."""
    return bool(rows) and all(isinstance(row.get("TIME"), str) and ":" in row["TIME"] for row in rows)


def by_time(rows: Collection[Row]) -> dict[str, Row]:
    """Such rows by the time they tell; csysdig numbers them, and ours are more in some views."""
    kept = {row["TIME"]: row for row in rows}
    assert len(kept) == len(rows), "two events at the same time"
    return kept


def time_of(line: Line) -> str:
    """The time of day, as views tell it."""
    seconds, rest = divmod(int(line.evt_rawtime), 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest:09}"


class Compared(NamedTuple):
    """A capture in both programs' hands."""

    copy: Path
    store: Store
    told: Told

    def theirs(self, view: str) -> dict[str, Row]:
        """csysdig's rows by key."""
        rows = csysdig.rows(self.copy, view)
        return by_time(rows.values()) if told_by_time(rows.values()) else rows

    def ours(self, view: str) -> dict[str, Row]:
        """Our rows by key as csysdig writes it, rates multiplied by the seconds that csysdig does not divide by."""
        table = run(self.store, view)
        rows = as_rows(table)
        for column in VIEWS[view].columns_for(False):
            if column.aggregation.value == "rate":
                for row in rows:
                    row[column.title] *= self.told.seconds
        if told_by_time(csysdig.rows(self.copy, view).values() or rows):
            return by_time(rows)
        if not table.key_field:
            return {str(place): row for place, row in enumerate(rows, 1)}
        keys = (row.key for row in table.page(0, table.total))
        return {key.decode() if isinstance(key, bytes) else str(key): row for key, row in zip(keys, rows, strict=True)}


@pytest.fixture(scope="module")
def compared(
    captures: Path, path_of: Callable[[str], Path], read: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Compared]:
    if shutil.which("csysdig") is None:
        pytest.skip("needs csysdig 0.29.3")
    if not (captures / DOWNGRADE).exists():
        pytest.skip(f"needs {DOWNGRADE} beside the shared captures, which makes copies that sysdig reads to their end")

    @cache
    def compare(name: str) -> Compared:
        copy = tmp_path_factory.mktemp("copies") / Path(name).name
        subprocess.run([captures / DOWNGRADE, path_of(name), copy], check=True, stderr=subprocess.DEVNULL)
        store = read(copy)
        start, end = store.time_span
        return Compared(copy, store, Told(copy, (end - start) / 1e9))

    return compare


Comparing = Callable[[str], Compared]


def only_theirs(told: Told, view: str) -> set[str]:
    """Rows only csysdig has."""
    if view == "syscalls":
        # Happenings that are no calls.
        unknown = {line.evt_type for line in told.calls if line.evt_type in UNKNOWN_CALLS}
        return {line.evt_type for line in told.lines if line.evt_type in NO_CALLS} | unknown | {STAND_IN}
    if view == "syscall_procs":
        called = {line.proc_pid for line in told.calls if line.evt_type not in NO_CALLS}
        return set(csysdig.rows(told.copy, "procs")) - called
    if view == "traces_summary" and told.copy.name == "spans":
        # An end without a beginning, and what is no tracer.
        return {"lost", "invalid tracer > not a tracer, len14"}
    if view == "io_by_type":
        # Calls without a descriptor.
        return {""}
    return {GARBAGE} if view == "connections" and GARBAGE in told.names else set()


def only_ours(told: Told, view: str, ours: set[str]) -> set[str]:
    """Rows only we may have of ours."""
    if view == "files":
        return {name for _, name in told.failed_opens} - {line.fd_name for line in told.on_paths}
    if view == "directories":
        return {directory(name) for _, name in told.failed_opens} - {line.fd_directory for line in told.on_paths}
    if view == "connections":
        # Sockets without another end, which csysdig has columns for; and the true address.
        return {name for name in told.names if ":" in name and "->" not in name} | (
            {"127.0.0.1:55441->127.0.0.1:514"} if GARBAGE in told.names else set()
        )
    if view == "port_bindings":
        # Closes of what was bound, which csysdig means to list and never finds; and ports the system is to choose.
        binds = [line for line in told.lines if line.evt_type == "bind" and line.is_exit]
        bound = {line.fd_name for line in binds if line.fd_sport}
        closes = [line for line in told.lines if line.evt_type == "close" and line.is_exit and line.fd_name in bound]
        return {time_of(line) for line in (*closes, *(line for line in binds if line.evt_args.endswith(":0 ")))}
    if view == "file_opens":
        return {time_of(line) for line, _ in told.opens if line.evt_type != "open"}
    if view == "syscalls":
        return {name for names in UNKNOWN_CALLS.values() for name in names} & ours
    return set()


@pytest.mark.parametrize(("name", "view"), PAIRS)
def test_the_rows_are_csysdigs(compared: Comparing, name: str, view: str) -> None:
    both = compared(name)
    theirs, ours = set(both.theirs(view)), set(both.ours(view))
    assert theirs - ours == only_theirs(both.told, view)
    assert ours - theirs == only_ours(both.told, view, ours)


@pytest.mark.parametrize(("name", "view"), PAIRS)
def test_the_cells_are_csysdigs_or_follow_a_rule(compared: Comparing, name: str, view: str) -> None:
    both = compared(name)
    ours = both.ours(view)
    for key, theirs in both.theirs(view).items():
        for title, cell in theirs.items() if key in ours else ():
            rule = exceptional(both.told, view, title, key) or RULES.get((view, title))
            expected = rule(both.told, key) if rule else Both(cell, without_blank(title, cell, ours[key][title]))
            place = f"{view}, {key}, {title}"
            assert agree(cell, expected.theirs), f"{place}: theirs is {cell}, by the rule {expected.theirs}"
            assert agree(ours[key][title], expected.ours), f"{place}: ours is {ours[key][title]}, not {expected.ours}"


@pytest.mark.parametrize("name", [name for name in CAPTURES if name.startswith("own/")])
def test_calls_csysdig_has_no_name_for_are_those_we_name(compared: Comparing, name: str) -> None:
    both = compared(name)
    ours = both.ours("syscalls")
    for theirs, names in UNKNOWN_CALLS.items():
        exits = sum(line.evt_type == theirs and line.is_exit for line in both.told.calls)
        assert sum(ours[name]["CALLS/S"] for name in names if name in ours) == pytest.approx(exits)


@pytest.mark.parametrize("name", CAPTURES)
def test_what_csysdig_counts_beyond_sysdigs_lines_are_stand_ins(compared: Comparing, name: str) -> None:
    both = compared(name)
    callers = csysdig.rows(both.copy, "syscall_procs")
    added = sum(row["CALLS/S"] - len(both.told.of(pid)) for pid, row in callers.items())
    assert added == csysdig.rows(both.copy, "syscalls")[STAND_IN]["CALLS/S"]

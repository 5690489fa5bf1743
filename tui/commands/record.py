"""`tui record`: write what happens on this machine to .scap files that sysdig, Falco and Stratoshark open, or to
native ones that open at once."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import closing
from pathlib import Path

from engine import filters, text
from engine.recording.outputs import is_native
from engine.recording.recorder import Plan, Recorder
from engine.sources.live.source import ROOM, LiveSource, LoadError, Options
from tui.arguments import at_least, power_of_two
from tui.child import Child
from tui.digging import Stop
from tui.exit_codes import Exit

LEAST_ROOM = 1 << 18
"""Bytes of event blocks that are made at once at least; the largest event is smaller."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "record",
        usage="tui record -w FILE [-M SECONDS] [-n N] [-s BYTES] [-z] [-C MB] [-G SECONDS] [-W COUNT] "
        "[--compat 0.29] [FILTER ...] [-- COMMAND ...]",
        description="Record this machine's events, those a filter keeps, or those of a command and all it starts. "
        "Stops at Ctrl-C, after a time or a number of events, or when the command ends.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "-w",
        "--write",
        metavar="FILE",
        type=Path,
        required=True,
        help="file to write; NAME.syscope becomes a native capture, others .scap",
    )
    add("-M", "--seconds", metavar="SECONDS", type=at_least(0.001), help="stop after so long")
    add("-n", "--numevents", metavar="N", type=at_least(1), help="stop after N events; a call counts once")
    add("-s", "--snaplen", metavar="BYTES", type=at_least(1), default=80, help="data kept of each I/O (80)")
    add("-z", "--compress", action="store_true", help="write gzip, or deflated blocks")
    add("-C", "--file-size", metavar="MB", type=at_least(0.001), help="begin a new file, FILE0 FILE1 ..., every MB")
    add("-G", "--file-seconds", metavar="SECONDS", type=at_least(0.001),
        help="begin a new file every so often; %% in FILE makes it a pattern of the time")  # fmt: skip
    add("-W", "--files", metavar="COUNT", type=at_least(1), help="with -C or -G: keep only COUNT files")
    add("--compat", choices=["0.29"], help="write what sysdig 0.29.3 reads too")
    add("--buffer", metavar="MB", type=power_of_two, default=32, help="size of the buffer shared with the kernel (32)")
    add("--switches", action="store_true", help="record context switches too")
    add("--page-faults", action="store_true", help="record page faults too")
    add("filter", metavar="FILTER", nargs="*", help="which events, e.g. proc.name=nginx and evt.type=read")


def run(asked: argparse.Namespace) -> int:
    """Record; returns the exit status."""
    plan = Plan(
        asked.write, " ".join(asked.filter), asked.compress, asked.compat is not None, asked.numevents,
        asked.file_size, asked.file_seconds, asked.files,
    )  # fmt: skip
    if plan.old and is_native(plan.path):
        return _fail("--compat is about .scap files", Exit.USAGE)
    if asked.command and shutil.which(asked.command[0]) is None:
        return _fail(f"no command {asked.command[0]}", Exit.USAGE)
    options = Options(ring=asked.buffer << 20, switches=asked.switches, page_faults=asked.page_faults)
    try:
        if plan.filter:
            filters.compile(plan.filter)
        # Files are as large as asked for but for what is written at once.
        room = ROOM if plan.megabytes is None else max(LEAST_ROOM, min(ROOM, int(plan.megabytes * 1e6 / 16)))
        source = LiveSource(options, snaplen=asked.snaplen, room=room)
    except filters.FilterError as error:
        return _fail(str(error), Exit.USAGE)
    except LoadError as error:
        return _fail(f"{error}; `tui doctor` says what is missing", Exit.FAILED)
    with closing(source):
        try:
            events = _record(source, plan, asked)
        except OSError as error:
            return _fail(f"{plan.path}: {error.strerror}", Exit.FAILED)
        lost = f", {source.lost} lost" if source.lost else ""
        sys.stderr.write(f"tui record: {events} events{lost}\n")
    return Exit.OK


def _record(source: LiveSource, plan: Plan, asked: argparse.Namespace) -> int:
    child = Child(asked.command) if asked.command else None
    try:
        if child is not None:
            source.follow(child.pid)
        with closing(Stop()) as stop:
            recorder = Recorder(source, plan)
            stop.after(asked.seconds)
            if child is not None:
                child.go()
            recorder.run(lambda: stop.asked or (child is not None and child.ended()))
    finally:
        if child is not None:
            child.leave()
    return recorder.events


def _fail(message: str, status: Exit) -> int:
    sys.stderr.write(f"tui record: {text.clean(message)}\n")
    return status

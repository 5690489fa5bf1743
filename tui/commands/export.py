"""`tui export`: any capture into a smaller one, native or .scap."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine import text
from engine.filters import FilterError
from engine.recording.export import Choice, export
from engine.recording.moments import MomentError
from engine.recording.outputs import is_native
from tui.exit_codes import Exit
from tui.progress import Progress


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "export",
        usage="tui export CAPTURE -o FILE [--from T] [--to T] [-z] [--compat 0.29] [FILTER ...]",
        description="Write the events of a capture that a filter and a range of time keep to another one. "
        "FILE.syscope becomes a native capture, others .scap. What the events are about goes along: the processes, "
        "users and descriptors as they stood at the beginning, and hidden events for what came later.",
        epilog="T is a local time as in 2017-09-23T10:02:03.5, a time of day (10:02:03), ns since 1970, 5s after the "
        "beginning, or before the end: --from=-5s",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("capture", metavar="CAPTURE", type=Path, help="capture to read")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write")
    add("--from", dest="since", metavar="T", default="", help="first moment, see below")
    add("--to", dest="until", metavar="T", default="", help="last moment")
    add("-z", "--compress", action="store_true", help="write it deflated")
    add("--compat", choices=["0.29"], help="write what sysdig 0.29.3 reads too")
    add("filter", metavar="FILTER", nargs="*", help="which events, e.g. proc.name=nginx and evt.type=read")


def run(asked: argparse.Namespace) -> int:
    """Export; returns the exit status."""
    if asked.compat and is_native(asked.output):
        return _fail("--compat is about .scap files", Exit.USAGE)
    choice = Choice(" ".join(asked.filter), asked.since, asked.until, asked.compress, asked.compat is not None)
    progress = Progress("tui export")
    try:
        count, damaged = export(asked.capture, asked.output, choice, progress.tell)
    except (FilterError, MomentError) as error:
        return _fail(str(error), Exit.USAGE)
    except OSError as error:
        return _fail(f"{asked.output}: {error.strerror}", Exit.FAILED)
    finally:
        progress.end()
    for damage in damaged:
        sys.stderr.write(f"tui export: {text.clean(str(damage))}\n")
    sys.stderr.write(f"tui export: {count} events\n")
    return Exit.FAILED if damaged else Exit.OK


def _fail(message: str, status: Exit) -> int:
    sys.stderr.write(f"tui export: {text.clean(message)}\n")
    return status

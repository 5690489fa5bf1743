"""`tui dig`: print the events of captures, one line or JSON object each, as sysdig does.

Events go to standard output as soon as their part of the file is decoded; what is to be said about the capture
goes to standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from engine import filters, text
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.query.lines import CONTAINERS, DEFAULT, NOT_INTERNAL, Clock, FormatError, LineFormat
from engine.sources import open_capture
from engine.store.segment import Segment
from engine.store.store import Store
from tui.arguments import at_least
from tui.exit_codes import Exit

_PRESETS = {"c": CONTAINERS, "container": CONTAINERS}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "dig",
        usage="tui dig -r FILE [-p FORMAT] [-n N] [-t a|h|r|d|D] [-D] [-j] [-v] [FILTER ...]",
        description="Print the events of captures that a filter keeps, one line each.",
        epilog="A format is text with %FIELD or %WIDTHFIELD in it; \\n \\t \\e \\\\ are understood. A line with an "
        "absent field is left out, unless the format begins with *. `tui fields` lists the fields.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-r", "--readfile", metavar="FILE", type=Path, action="append", default=[], help="capture; may be repeated")
    add(
        "-p",
        "--print",
        metavar="FORMAT",
        help="format of a line; c: the default one with container columns; p: print the default one",
    )
    add("-n", "--numevents", metavar="N", type=at_least(1), help="stop after N lines")
    add("-t", "--timetype", choices=[style.value for style in Clock], default="h", help=_CLOCKS)
    add("-D", "--debug", action="store_true", help="also show internal events (procinfo, drops, containers …)")
    add("-d", "--displayfilter", action="store_true", help="as always here: a filter does not change what is known")
    add("-j", "--json", action="store_true", help="a JSON object for each event in place of a line")
    add("-v", "--verbose", action="store_true", help="do not cut payload at 80 characters")
    add("filter", metavar="FILTER", nargs="*", help="which events, e.g. proc.name=nginx and evt.type=read")


_CLOCKS = (
    "evt.outputtime: h time of day (default), a seconds since 1970, r seconds since the first line, "
    "d seconds the call took, D seconds since the previous line"
)


def run(args: argparse.Namespace) -> int:
    """Print; see ``tui.exit_codes``: 1 after a capture that is cut or damaged, 2 for a bad format or filter."""
    layout = _PRESETS.get(args.print, args.print)
    if layout == "p":
        print(DEFAULT)
        return Exit.OK
    if not args.readfile:
        sys.stderr.write("tui dig: which capture? Give one with -r FILE.\n")
        return Exit.USAGE
    try:
        lines = LineFormat(layout, clock=Clock(args.timetype), whole=args.verbose)
        kept = filters.compile(filters.combine(" ".join(args.filter), "" if args.debug else NOT_INTERNAL))
    except (FormatError, filters.FilterError) as error:
        sys.stderr.write(f"tui dig: {text.clean(str(error))}\n")
        return Exit.USAGE
    printer = _Printer(lines.json if args.json else lines.line, kept, args.numevents)
    status = Exit.OK
    for path in args.readfile:
        if printer.left != 0 and not printer.print(path):
            status = Exit.FAILED
    if args.verbose:
        sys.stderr.write(f"Captured Events: {printer.seen}, lines: {printer.printed}\n")
    return status


class _Printer:
    """Prints what a filter keeps of captures, up to a number of lines."""

    def __init__(self, make: Callable[[Event], str | None], kept: filters.Filter, most: int | None) -> None:
        self._make = make
        self._filter = kept
        self.left = most
        self.seen = 0
        self.printed = 0

    def print(self, path: Path) -> bool:
        """Print a capture while it is read; False when it was damaged, which is told on standard error."""
        with closing(open_capture(path)) as source:
            store = Store(source.raw)
            decoder = Decoder(store, str(path))
            printed = 0
            more = True
            while more and self.left != 0:
                more = source.step(decoder)
                for segment in store.segments[printed:]:
                    self._print(store, segment)
                printed = len(store.segments)
        for damage in store.damage:
            sys.stderr.write(f"tui dig: {text.clean(str(damage))}\n")
        return not store.damage

    def _print(self, store: Store, segment: Segment) -> None:
        mask = self._filter.mask(store, segment)
        self.seen += len(segment)
        lines: list[str] = []
        for row in np.flatnonzero(mask).tolist():
            if len(lines) == self.left:
                break
            line = self._make(Event(store, segment, row))
            if line is not None:
                lines.append(line + "\n")
        if self.left is not None:
            self.left -= len(lines)
        self.printed += len(lines)
        sys.stdout.write("".join(lines))
        sys.stdout.flush()

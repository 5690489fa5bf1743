"""`tui dig`: print the events of captures or of this machine, one line or JSON object each, as sysdig does.

Events go to standard output as soon as their part of the file is decoded; what is to be said about the capture
goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from engine import filters, text
from engine.chisels.chisel import ChiselError, Settings
from engine.chisels.library import Library, load
from engine.events import CATALOGUE, SCAP_TYPES, Trait
from engine.filters.syntax import quote
from engine.query.dumps import Payload
from engine.query.lines import COLOURED, CONTAINERS, DEFAULT, PODS, TASKS, TERMINAL, Clock, FormatError, LineFormat
from engine.store.segment import Segment
from engine.store.store import Store
from tui.arguments import at_least
from tui.chiselling import LIST, Running, described, find, joined, listed, settings, tables
from tui.digging import Lines, Machine, Progress, Stop, Summary, Taker, Wanted, of_captures
from tui.exit_codes import Exit

if TYPE_CHECKING:
    from engine.sources.live.source import LiveSource

_PRESETS = {
    "c": CONTAINERS, "container": CONTAINERS, "k": PODS, "kubernetes": PODS,
    "p": DEFAULT, "m": TASKS, "mesos": TASKS,
}  # fmt: skip


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "dig",
        usage="tui dig [OPTION ...] [-r FILE ...] [FILTER ...]",
        description="Print the events of captures, or of this machine, that a filter keeps, one line each.",
        epilog="A format is text with %FIELD or %WIDTHFIELD in it; \\n \\t \\e \\\\ are understood. A line with an "
        "absent field is left out, unless the format begins with *. `tui fields` lists the fields.",
        allow_abbrev=False,
    )
    source = parser.add_argument_group("which events").add_argument
    source("-r", "--read", "--readfile", metavar="FILE", type=Path, action="append", default=[], dest="readfile",
           help="capture, - for standard input; may be repeated; without it this machine's events")  # fmt: skip
    source("-n", "--numevents", metavar="N", type=at_least(1), help="stop after N events that the filter keeps")
    source("-M", metavar="SECONDS", type=at_least(0.001), dest="seconds", help="stop after so many seconds of events")
    source("-d", "--displayflt", "--displayfilter", action="store_true",
           help="as always here: a filter does not change what is known")  # fmt: skip
    source("-D", "--debug", action="store_true", help="internal events too (procinfo, drops, containers ...)")
    source("filter", metavar="FILTER", nargs="*", help="which events, e.g. proc.name=nginx and evt.type=read")
    live = parser.add_argument_group("this machine").add_argument
    live("-s", "--snaplen", metavar="BYTES", type=at_least(1), default=80, help="data kept of each read and write (80)")
    live("-U", "--suppress-comm", metavar="COMM", action="append", default=[],
         help="no events of processes of this name; may be repeated")  # fmt: skip
    live("--page-faults", action="store_true", help="page faults too")
    looks = parser.add_argument_group("how events look").add_argument
    looks("-p", "--print", metavar="FORMAT",
          help="format of a line; -pc: with containers; -pk: with pods; -pp: print the default one")  # fmt: skip
    looks("-t", "--timetype", choices=[style.value for style in Clock], default="h", help=_CLOCKS)
    looks("-j", "--json", action="store_true", help="a JSON object for each event in place of a line")
    looks("-v", "--verbose", action="store_true", help="do not cut data at 80 characters; at the end, how many events")
    looks("-R", action="store_true", dest="port_names", help="service names in place of port numbers")
    looks("-E", "--exclude-users", action="store_true", help="user and group numbers, not names")
    forms = parser.add_argument_group("how data look").add_mutually_exclusive_group().add_argument
    for form, (short, long, meaning) in _FORMS.items():
        forms(short, long, action="store_const", const=form, dest="payload", default=Payload.DOTS, help=meaning)
    write = parser.add_argument_group("writing").add_argument
    write("-w", "--write", metavar="FILE", type=Path, help="write the events to a capture in place of printing them")
    write("-z", "--compress", action="store_true", help="write gzip")
    write("-C", "--file-size", metavar="MB", type=at_least(0.001), help="begin a new file, FILE0 FILE1 ..., every MB")
    write("-e", metavar="N", type=at_least(1), dest="file_events", help="begin a new file every N events")
    write("-G", "--seconds", metavar="SECONDS", type=at_least(0.001), dest="file_seconds",
          help="begin a new file every so often; %% in FILE makes it a pattern of the time")  # fmt: skip
    write("-W", "--limit", metavar="COUNT", type=at_least(1), dest="files", help="keep only COUNT files")
    write("-F", "--fatfile", action="store_true",
          help="as always here: events that later ones need are kept, hidden")  # fmt: skip
    write("--filter-proclist", action="store_true",
          help="only processes that the filter keeps are written along")  # fmt: skip
    lists = parser.add_argument_group("what there is").add_argument
    lists("-l", "--list", action="store_true", help="list the fields, as `tui fields` does")
    lists("--list-markdown", action="store_true", help="list them as Markdown")
    lists("-L", "--list-events", action="store_true", help="list the event types and their parameters")
    chisels = parser.add_argument_group("chisels").add_argument
    chisels("-c", "--chisel", metavar="NAME [ARGS]", action="append", default=[],
            help="run a chisel in place of printing; several arguments in one word; -cl lists the chisels")  # fmt: skip
    chisels("--list-chisels", action="append_const", const=LIST, dest="chisel", help="list the chisels")
    chisels("-i", "--chisel-info", metavar="NAME", help="say all about a chisel")
    output = parser.add_argument_group("output").add_argument
    output("-S", "--summary", action="store_true", help="at the end how many events there were of each type")
    output("-q", "--quiet", action="store_true", help="print no events")
    output("-P", "--progress", action="store_true", help="say on standard error how much of a capture was read")
    output("--explain", action="store_true", help="at the end, on standard error, how the filter was answered")
    output("--unbuffered", action="store_true", help="as always here: what was found is printed at once")


_CLOCKS = (
    "evt.outputtime: h time of day (default), a seconds since 1970, r seconds since the first event, "
    "d seconds the call took, D seconds since the previous line"
)
_FORMS = {
    Payload.TEXT: ("-A", "--print-ascii", "data as text with its lines, other bytes left out"),
    Payload.HEX: ("-x", "--print-hex", "data in hex"),
    Payload.HEX_TEXT: ("-X", "--print-hex-ascii", "data in hex and beside it as text"),
    Payload.BASE64: ("-b", "--print-base64", "data in base64"),
}


words = joined
"""What is done to the words of the command line before the options in them are read."""


def run(asked: argparse.Namespace) -> int:
    """Print; see ``tui.exit_codes``: 1 after a capture that is cut or damaged, 2 for a bad format or filter."""
    if asked.print == "p":
        print(DEFAULT)
        return Exit.OK
    if asked.list or asked.list_markdown:
        from tui.commands import fields

        return fields.run(argparse.Namespace(search=[], json=False, markdown=asked.list_markdown))
    if asked.list_events:
        print("\n".join(_types()))
        return Exit.OK
    try:
        if asked.chisel_info or LIST in asked.chisel:
            library = _library()
            print(described(asked.chisel_info, library) if asked.chisel_info else listed(library), end="")
            return Exit.OK
        if asked.write is not None and not asked.readfile:
            return _record(asked)
        work = _Work(asked)
    except (FormatError, filters.FilterError, ChiselError) as error:
        return _fail(str(error), Exit.USAGE)
    except NotAttachedError as error:
        return _fail(f"{error}; `tui doctor` says what is missing", Exit.FAILED)
    with work:
        return work.run()


class NotAttachedError(Exception):
    """This machine cannot be watched; the text says why."""


def _attached(asked: argparse.Namespace, snaplen: int) -> LiveSource:
    """This machine's events. Raises NotAttachedError. What it takes is imported only when it is asked for."""
    from engine.sources.live.source import LiveSource, LoadError, Options

    try:
        return LiveSource(Options(page_faults=asked.page_faults), snaplen=snaplen)
    except LoadError as error:
        raise NotAttachedError(str(error)) from error


class _Work:
    """One run of the command: what is read, and what is done with it. A context: leaving it lets go of the machine."""

    def __init__(self, asked: argparse.Namespace) -> None:
        """Prepare. Raises FormatError, FilterError, ChiselError, NotAttachedError."""
        self._asked = asked
        self._damage: list[str] = []
        self._wanted = Wanted(_filter(asked), internal=asked.debug, most=asked.numevents, seconds=asked.seconds)
        layout = LineFormat(
            _layout(asked.print), clock=Clock(asked.timetype), whole=asked.verbose, payload=asked.payload,
            port_names=asked.port_names,
        )  # fmt: skip
        library = _library() if asked.chisel else None
        found = [find(told, library) for told in asked.chisel] if library is not None else []
        self._stop = Stop()
        self._source: LiveSource | None = None
        self._machine: Machine | None = None
        if not asked.readfile:
            snaplen = max([asked.snaplen, *(chisel.snaplen for chisel, _ in found)])
            self._source = _attached(asked, snaplen)
            # Chisels, and fields of a line that are told from other events, want those too.
            narrow = "" if found or layout.asks_of_others else _filter(asked)
            self._machine = Machine(self._source, narrow, user_names=not asked.exclude_users)
        self._chisels = [Running(chisel, self._settings(given)) for chisel, given in found]
        self._takers: list[Taker] = list(self._chisels)
        if asked.write is not None:
            self._takers.append(self._writer())
        self._prints = asked.write is None and not asked.quiet and not found
        if self._prints:
            self._takers.append(Lines(layout, as_json=asked.json, internal=asked.debug))
        if asked.summary:
            self._takers.append(Summary())

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        if self._source is not None:
            self._source.close()

    def _writer(self) -> Taker:
        from tui.writing import Plan, Writer

        asked = self._asked
        if len(asked.readfile) != 1:
            raise FormatError("-w writes the events of one capture, not of several")
        plan = Plan(
            asked.write, asked.compress, asked.file_size, asked.file_events, asked.file_seconds, asked.filter_proclist,
            asked.files,
        )  # fmt: skip
        return Writer(asked.readfile[0], _filter(asked), plan)

    def _settings(self, given: dict[str, str]) -> Settings:
        asked = self._asked
        made = settings(asked.readfile, " ".join(asked.filter), given)
        made.containers = asked.print in ("c", "container")
        made.json, made.payload, made.whole = asked.json, asked.payload, asked.verbose
        if self._machine is not None:
            made.tables = self._machine.tables
        else:
            made.tables = lambda store, number: tables(str(asked.readfile[-1]), number)
        return made

    def run(self) -> int:
        """Work through everything; the exit status. Raises CaptureError."""
        began = time.monotonic()
        for store, segment in self._segments():
            mask = self._wanted.mask(store, segment)
            for taker in self._takers:
                taker.take(store, segment, mask)
        for taker in self._takers:
            taker.end()
        for told in self._damage:
            _fail(told, Exit.FAILED)
        if self._asked.explain:
            sys.stderr.write(f"{self._wanted.filter.explain()}\n")
        if self._source is not None and self._source.lost:
            _fail(f"{self._source.lost} events were lost", Exit.FAILED)
        if self._asked.verbose:
            took, seen = time.monotonic() - began, self._wanted.seen
            sys.stderr.write(f"Elapsed time: {took:.3f}, Captured Events: {seen}, {seen / took:.2f} eps\n")
        return Exit.FAILED if self._damage or any(chisel.failed for chisel in self._chisels) else Exit.OK

    def _enough(self) -> bool:
        return self._wanted.enough or (bool(self._chisels) and all(chisel.done for chisel in self._chisels))

    def _segments(self) -> Iterator[tuple[Store, Segment]]:
        asked = self._asked
        if self._machine is not None:
            self._stop.after(asked.seconds)
            yield from self._machine.segments(lambda: self._stop.asked or self._enough(), self._clock)
            return
        progress = Progress(anyway=asked.progress, hidden=self._prints and sys.stdout.isatty())
        for store, segment, share in of_captures(asked.readfile, self._damage, user_names=not asked.exclude_users):
            yield store, segment
            progress.tell(share)
            if self._stop.asked or self._enough():
                break
        progress.end()

    def _clock(self) -> None:
        now = time.time_ns()
        for chisel in self._chisels:
            chisel.clock(now)


def _record(asked: argparse.Namespace) -> int:
    """Write what happens on this machine. Raises NotAttachedError, FilterError."""
    from engine.recording import recorder

    filter_text = _filter(asked)
    filters.compile(filter_text)
    plan = recorder.Plan(
        asked.write, filter_text, asked.compress, False, asked.numevents, asked.file_size, asked.file_seconds,
        asked.files, asked.file_events, asked.filter_proclist,
    )  # fmt: skip
    with closing(Stop()) as stop, closing(_attached(asked, asked.snaplen)) as source:
        stop.after(asked.seconds)
        try:
            recorder.Recorder(source, plan).run(lambda: stop.asked)
        except OSError as error:
            return _fail(f"{plan.path}: {error.strerror}", Exit.FAILED)
        if source.lost:
            _fail(f"{source.lost} events were lost", Exit.FAILED)
    return Exit.OK


def _types() -> Iterator[str]:
    """Every event type in use, with its parameters."""
    for kind in CATALOGUE[:SCAP_TYPES]:
        if not kind.traits & (Trait.UNUSED | Trait.OLD_VERSION):
            parameters = ", ".join(f"{each.type} {each.name}" for each in kind.params)
            yield f"{'<' if kind.is_exit else '>'} {kind.name}({parameters})"


def _library() -> Library:
    library = load()
    for problem in library.problems:
        sys.stderr.write(f"tui: {problem}\n")
    return library


def _filter(asked: argparse.Namespace) -> str:
    """The filter of the command line, and without events of the processes to be ignored."""
    ignored = " or ".join(f"proc.name={quote(name)}" for name in asked.suppress_comm)
    return filters.combine(" ".join(asked.filter), f"not ({ignored})" if ignored else "")


def _layout(asked: str | None) -> str:
    """The format of a line; on a terminal the default one is coloured, unless NO_COLOR forbids it."""
    if asked is not None:
        return _PRESETS.get(asked, asked)
    if not sys.stdout.isatty():
        return DEFAULT
    return TERMINAL if os.environ.get("NO_COLOR") else COLOURED


def _fail(message: str, status: Exit) -> int:
    sys.stderr.write(f"tui dig: {text.clean(message)}\n")
    return status

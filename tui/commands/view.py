"""`tui view`: the rows of a view as an aligned table, JSON or CSV; the list of views; checks of view files."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

from engine.text import clean
from tui.arguments import at_least
from tui.exit_codes import Exit

if TYPE_CHECKING:
    from engine.query.table import TableRun
    from engine.query.view import View
    from engine.store.segment import Window
    from engine.store.store import Store

_SHORTEST = 100_000_000
"""ns of the shortest interval."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command's options."""
    parser = subparsers.add_parser(
        "view",
        usage="tui view VIEW [-r FILE] [--from T] [--to T] [--every D] [--json | --csv] [-pc] [--sort COLUMN]\n"
        "                [--top N] [--explain] [FILTER ...]\n"
        "       tui view --list [--json]\n"
        "       tui view [VIEW] --schema\n"
        "       tui view --check FILE",
        description="Print the rows of a view over a capture, or of the live machine interval by interval.",
        epilog="T is a local time as in 2017-09-23T10:02:03.5, a time of day (10:02:03), ns since 1970, 5s after the "
        "beginning, or before the end: --from=-5s. D is a duration: 2s, 500ms.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("view", metavar="VIEW", nargs="?", help="id of a view, see --list")
    add("filter", metavar="FILTER", nargs="*", help="what the view is restricted to, e.g. proc.name=nginx")
    add("-r", "--readfile", metavar="FILE", type=Path, help="capture to read; without one the live machine is watched")
    add("-p", "--print", metavar="c", choices=("c", "container"), help="-pc: container columns and keys")
    add("--from", dest="since", metavar="T", default="", help="first moment of a capture, see below")
    add("--to", dest="until", metavar="T", default="", help="last moment")
    add("--every", metavar="D", help="a table for each interval of this length, live every 2s without it")
    add("--sort", metavar="COLUMN", help="title of the column to sort on")
    add("--top", metavar="N", type=at_least(1), help="print the first N rows only")
    add("--list", action="store_true", help="list the views there are")
    add("--explain", action="store_true", help="of a capture: say on standard error how the filter was answered")
    add("--schema", action="store_true", help="print a JSON schema: of the rows of VIEW, without one of view files")
    add("--check", metavar="FILE", type=Path, help="tell every mistake in a view file of your own")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON array of objects, numbers unscaled, unknown as null")
    form.add_argument("--csv", action="store_true", help="CSV with a header line, numbers unscaled, unknown as nothing")


def run(asked: argparse.Namespace) -> int:
    """Print what was asked for; the return value is the exit status."""
    from tui.tables import row_schema
    from views import json_schema, load

    if asked.check is not None:
        return _check(asked.check)
    library = load()
    for problem in library.problems:
        print(f"tui: {clean(problem)}", file=sys.stderr)
    if asked.list:
        return _list(library.views, asked.json)
    if asked.schema and asked.view is None:
        print(json.dumps(json_schema(), indent=2))
        return Exit.OK
    view = library.views.get(asked.view)
    if view is None:
        return _wrong("expected the id of a view" if asked.view is None else _no_view(asked.view, list(library.views)))
    if asked.schema:
        print(json.dumps(row_schema(view, asked.print is not None), indent=2))
        return Exit.OK
    return _rows(asked, view)


def _rows(asked: argparse.Namespace, view: View) -> int:
    from engine.filters import FilterError
    from engine.query.compose import compose
    from engine.recording.moments import MomentError

    try:
        rows = _Rows(asked, view, compose(" ".join(asked.filter), (), view))
        return rows.of_machine() if asked.readfile is None else rows.of_capture()
    except (FilterError, MomentError, _OptionError) as error:
        return _wrong(str(error))


class _OptionError(Exception):
    """An option that makes no sense; the text says why."""


class _Rows:
    """Prints the rows that were asked for."""

    def __init__(self, asked: argparse.Namespace, view: View, filter_text: str) -> None:
        from tui.tables import Form

        self._asked = asked
        self._view = view
        self._filter = filter_text
        self._containers = asked.print is not None
        self._titles = [column.title for column in view.columns_for(self._containers)]
        self._form = Form.JSON if asked.json else Form.CSV if asked.csv else Form.ALIGNED
        self._sort = _position(asked.sort, self._titles)
        if asked.sort is not None and self._sort is None:
            raise _OptionError(f"--sort: expected the title of a column, one of {', '.join(self._titles)}")
        self._every = None if asked.every is None else _interval(asked.every)
        if asked.readfile is None and (asked.since or asked.until):
            raise _OptionError("--from and --to are about captures: expected -r FILE")

    def of_capture(self) -> int:
        """Of a capture; returns the exit status."""
        from engine.query.table import TableRun
        from engine.query.work import Kept
        from engine.recording.moments import moment
        from tui.progress import Progress
        from tui.reading import Reading
        from tui.tables import write

        windowed = bool(self._asked.since or self._asked.until or self._every is not None)
        for text in filter(None, (self._asked.since, self._asked.until)):
            moment(text, (0, 0))
        progress = Progress("tui view")
        with Reading(self._asked.readfile) as reading:
            store, kept = reading.store, Kept(reading.store)
            made = kept.get(TableRun, (), lambda: self._begin(store))
            for _ in reading:
                progress.tell("reading", reading.progress)
                if not windowed:
                    made = kept.get(TableRun, (), lambda: self._begin(store))
                    made.update()
            progress.end()
            windowed = windowed and bool(reading.store.segments)
            if windowed and self._every is not None:
                self._each(reading.store, self._window(reading.store), self._every)
            else:
                if windowed:
                    made = self._run(reading.store, self._window(reading.store))
                write(made.table(self._sort), self._titles, self._asked.top, self._form)
                if self._asked.explain:
                    print(made.filter.explain(), file=sys.stderr)
            if lost := reading.store.lost():
                print(f"tui view: {lost} events were lost when it was recorded", file=sys.stderr)
            for damage in reading.store.damage:
                print(f"tui view: {clean(str(damage))}", file=sys.stderr)
            return Exit.FAILED if reading.store.damage else Exit.OK

    def of_machine(self) -> int:
        """Of the live machine, interval by interval until interrupted; returns the exit status."""
        from engine.sources.live.source import LoadError
        from tui.tables import write_next
        from tui.watching import INTERVAL_MS, Watch, Watching

        watching = Watching(Watch())
        length = INTERVAL_MS if self._every is None else self._every // 1_000_000
        ingest = watching.ingest(interval_ms=length)
        ingest.narrow(self._filter)
        news: Queue[Window | None] = Queue()
        told: Window | None = None

        def tell(_: object) -> None:
            nonlocal told
            if ingest.latest is not None and ingest.latest != told:
                told = ingest.latest
                news.put(told)

        def run() -> None:
            ingest.run(tell)
            news.put(None)

        thread = threading.Thread(target=run, name="ingest", daemon=True)
        thread.start()
        first = True
        try:
            while (window := news.get()) is not None:
                with ingest.reading:
                    table = self._run(ingest.store, window).table(self._sort)
                    lost = ingest.store.lost(window)
                    write_next(table, self._titles, self._asked.top, self._form, window, lost, first)
                first = False
        finally:
            ingest.close()
            thread.join()
            ingest.release()
            watching.leave()
        if ingest.live.lost:
            print(f"tui view: {ingest.live.lost} events were lost", file=sys.stderr)
        if ingest.failure is not None:
            hint = "; `tui doctor` says what is missing" if isinstance(ingest.failure, LoadError) else ""
            print(f"tui view: {clean(ingest.status().error or '')}{hint}", file=sys.stderr)
            return Exit.FAILED
        return Exit.OK

    def _window(self, store: Store) -> Window:
        from engine.recording.moments import window

        return window(self._asked.since, self._asked.until, store.time_span)

    def _begin(self, store: Store, window: Window | None = None) -> TableRun:
        from engine.query.table import TableRun

        return TableRun(store, self._view, self._filter, containers=self._containers, window=window)

    def _run(self, store: Store, window: Window) -> TableRun:
        made = self._begin(store, window)
        made.update()
        return made

    def _each(self, store: Store, window: Window, length: int) -> None:
        from tui.tables import write_next

        first, last = window
        for start in range(first, last + 1, length):
            span = (start, min(start + length, last + 1) - 1)
            table = self._run(store, span).table(self._sort)
            write_next(table, self._titles, self._asked.top, self._form, span, store.lost(span), start == first)


def _interval(text: str) -> int:
    """ns of an interval as it was written."""
    from engine.fields.field import FieldType
    from engine.filters import FilterError
    from engine.filters.literals import read
    from engine.filters.syntax import Text

    try:
        length = int(read(Text(text.encode(), 0), FieldType.DURATION))
    except FilterError:
        length = 0
    if length < _SHORTEST:
        raise _OptionError(f"--every: expected a duration such as 2s or 500ms, at least 100ms, not {text}")
    return length


def _check(path: Path) -> int:
    from views import check

    try:
        mistakes = check(path)
    except OSError as error:
        return _wrong(f"{path}: {error.strerror}")
    for mistake in mistakes:
        print(mistake)
    if mistakes:
        return Exit.FAILED
    print(f"{clean(str(path))}: right", file=sys.stderr)
    return Exit.OK


def _wrong(message: str) -> int:
    print(f"tui view: {clean(message)}\nTry `tui view --help`.", file=sys.stderr)
    return Exit.USAGE


def _no_view(name: str, ids: list[str]) -> str:
    near = difflib.get_close_matches(name, ids, 1)
    return f"there is no view {name}" + (f", did you mean {near[0]}?" if near else "; see `tui view --list`")


def _position(title: str | None, titles: list[str]) -> int | None:
    """Where a column is, upper and lower case the same."""
    wanted = None if title is None else title.casefold()
    return next((at for at, candidate in enumerate(titles) if candidate.casefold() == wanted), None)


def _list(views: dict[str, Any], as_json: bool) -> int:
    from tui.tables import aligned, write_json

    if as_json:
        write_json(asdict(view, dict_factory=_declared) for view in views.values())
    else:
        aligned(
            ["ID", "NAME", "SHOWS"],
            [False] * 3,
            [(view.id, view.name, view.description) for view in views.values()],
        )
    return Exit.OK


def _declared(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """A declaration as JSON has it."""
    return {name: getattr(value, "value", value) for name, value in items}

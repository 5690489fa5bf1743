"""The engine's threads: ingest turns a source into segments, query answers the newest request of each panel.

Owns the two threads, the panels' slots and the tables kept for going back. Each answer is one frozen snapshot
handed to ``publish`` on an engine thread. Knows nothing of screens; asks nothing of the source but its next step.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from engine import filters
from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.fields import UnknownField
from engine.filters.completion import Completion, complete
from engine.filters.macros import user_macros
from engine.filters.presence import Presence
from engine.filters.saved import field_uses
from engine.query.compose import compose
from engine.query.lines import NOT_INTERNAL, LineFormat
from engine.query.matches import Matches
from engine.query.snapshots import (
    CompletionRequest,
    CompletionSnapshot,
    LinesRequest,
    LinesSnapshot,
    Request,
    Snapshot,
    Status,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.query.table import TableRun
from engine.sources import open_capture
from engine.store.segment import Window
from engine.store.store import Store
from engine.text import safe
from engine.user_files import ConfigError

STATUS_INTERVAL = 250_000_000
"""Nanoseconds between two reports of progress while a file loads."""
KEPT_RUNS = 24
"""Tables and match lists kept, the least recently asked dropped first: enough to go back through a drill-down."""


class SupersededError(Exception):
    """A newer request took the place of the one at work."""


T = TypeVar("T")


class Kept(Generic[T]):
    """Results worth keeping, the least recently asked dropped first."""

    def __init__(self) -> None:
        """Start with nothing kept."""
        self._results: OrderedDict[tuple[object, ...], T] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of a key, made when there is none. O(1)."""
        if key not in self._results:
            self._results[key] = make()
        self._results.move_to_end(key)
        while len(self._results) > KEPT_RUNS:
            self._results.popitem(last=False)
        return self._results[key]


class Session:
    """A capture being read and asked."""

    def __init__(
        self,
        path: Path,
        publish: Callable[[Snapshot], None],
        *,
        limit: int | None = None,
        port_names: bool = False,
        user_names: bool = True,
    ) -> None:
        """Open a capture; ``limit`` stops after that many events, the rest is of ``Store``.

        Raises CaptureError when the file cannot be opened or is no capture.
        """
        self._publish = publish
        self._source = open_capture(path)
        self.store = Store(self._source.raw, port_names=port_names, user_names=user_names)
        self._decoder = Decoder(self.store, str(path), limit=limit)
        self._name = safe(path.name.encode("utf-8", "surrogateescape"))
        self._error = ""
        self._loaded = False
        self._closing = False
        self._changed = threading.Condition()
        self._newest: dict[str, Request] = {}
        self._unanswered: dict[str, Request] = {}
        self._tables: Kept[TableRun] = Kept()
        self._lists: Kept[Matches] = Kept()
        self._presence = Presence(self.store)
        self._macros: dict[str, str] | None = None
        self._threads = [
            threading.Thread(target=self._ingest, name="ingest", daemon=True),
            threading.Thread(target=self._answer_all, name="query", daemon=True),
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def ask(self, slot: str, request: Request) -> None:
        """Put a panel's newest request; an older one of the same slot is dropped or given up.

        It is answered once, from the segments there are; a panel that wants the growth of a file asks again.
        """
        with self._changed:
            self._newest[slot] = self._unanswered[slot] = request
            self._changed.notify()

    def drop(self, slot: str) -> None:
        """Forget a panel: nothing more is computed for it."""
        with self._changed:
            self._newest.pop(slot, None)
            self._unanswered.pop(slot, None)

    def close(self) -> None:
        """Stop both threads, wait for them, close the file."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._source.close()

    # ingest

    def _ingest(self) -> None:
        told = segments = 0
        self._publish(self.status())
        try:
            while not self._closing and self._source.step(self._decoder):
                now = time.monotonic_ns()
                if now - told >= STATUS_INTERVAL or not segments:
                    told, segments = now, len(self.store.segments)
                    self._publish(self.status())
            self._decoder.seal()
            if not self.store.events and not self._closing:
                self._error = str(self.store.damage[-1]) if self.store.damage else f"{self._name}: holds no events"
        except Exception as error:  # the screen must say why rows stop; what was read keeps answering
            self._decoder.seal()
            self._error = f"{self._name}: reading stopped: {type(error).__name__}: {error}"
        self._loaded = True
        self._publish(self.status())

    def status(self) -> Status:
        """State of the source now."""
        segments = self.store.segments
        start, end = self.store.time_span
        memory = self.store.memory
        return Status(
            source=self._name,
            events=self.store.events,
            start=start,
            end=end,
            progress=1.0 if self._loaded else min(self._source.progress, 0.99) if segments else 0.0,
            damage=tuple(safe(str(damage).encode("utf-8", "surrogateescape")) for damage in self.store.damage),
            error=safe(self._error.encode("utf-8", "surrogateescape")),
            memory=memory.columns + memory.tables + memory.raw,
        )

    # query

    def _answer_all(self) -> None:
        while True:
            with self._changed:
                while not self._unanswered and not self._closing:
                    self._changed.wait()
                if self._closing:
                    return
                slot, request = next(iter(self._unanswered.items()))
                del self._unanswered[slot]
            answer = self._answer(slot, request)
            if answer is not None:
                self._publish(answer)
            if isinstance(answer, CompletionSnapshot) and not answer.completion.complete:
                self._go_on(slot, request)

    def _go_on(self, slot: str, request: Request) -> None:
        """Have a request answered again after all others, unless a newer one has taken its place."""
        with self._changed:
            if self._newest.get(slot) is request:
                self._unanswered.setdefault(slot, request)

    def _answer(self, slot: str, request: Request) -> Snapshot | None:
        """The answer to a request; None when a newer one has taken its place."""

        def given_up() -> bool:
            return self._closing or self._newest.get(slot) is not request

        try:
            match request:
                case TableRequest():
                    return self._table(request, given_up)
                case LinesRequest():
                    return self._lines(request, given_up)
                case VerdictRequest():
                    return self._verdict(request, given_up)
                case CompletionRequest():
                    return self._completion(request)
        except SupersededError:
            return None
        except (filters.FilterError, UnknownField) as error:
            return _failed(request, str(error), getattr(error, "position", 0))
        except Exception as error:  # one panel's failure is shown in that panel; the others keep working
            return _failed(request, f"{type(error).__name__}: {error}", 0)

    def _table(self, request: TableRequest, given_up: Callable[[], bool]) -> TableSnapshot:
        filter_text = compose(request.filter, request.levels, request.view)
        run = self._tables.get(
            (request.view, filter_text, request.containers, request.window),
            lambda: TableRun(
                self.store, request.view, filter_text, containers=request.containers, window=request.window
            ),
        )
        if not run.update(given_up):
            raise SupersededError
        table = run.table(request.sort, request.descending)
        held = None if request.hold is None else table.index_of(request.hold)
        found = None
        if request.search:
            found = table.find(request.search, request.search_from, request.search_backwards)
        offset = max(0, min(request.offset, table.total - 1))
        return TableSnapshot(
            request=request,
            columns=table.columns,
            key_field=table.key_field,
            sort=table.sort,
            descending=table.descending,
            rows=table.page(offset, request.count),
            offset=offset,
            total=table.total,
            held=held,
            found=found,
            filter=filter_text,
        )

    def _matches(self, filter_text: str, window: Window | None, given_up: Callable[[], bool]) -> Matches:
        matches = self._lists.get(
            (filter_text, window), lambda: Matches(self.store, filters.combine(filter_text, NOT_INTERNAL), window)
        )
        if not matches.update(given_up):
            raise SupersededError
        return matches

    def _lines(self, request: LinesRequest, given_up: Callable[[], bool]) -> LinesSnapshot:
        filter_text = compose(request.filter, request.levels, None)
        matches = self._matches(filter_text, request.window, given_up)
        lines = LineFormat(containers=request.containers)

        def line(event: Event) -> str:
            return lines.line(event) or ""

        found = self._search(matches, line, request, given_up) if request.search else None
        offset = max(0, min(request.offset, len(matches) - 1))
        events = (matches.at(index) for index in range(offset, min(offset + request.count, len(matches))))
        return LinesSnapshot(request, tuple(map(line, events)), offset, len(matches), found, filter_text)

    def _search(
        self, matches: Matches, line: Callable[[Event], str], request: LinesRequest, given_up: Callable[[], bool]
    ) -> int | None:
        """Index of the nearest line holding the text, going round; every line is formatted until one is found."""
        wanted, total = request.search.casefold(), len(matches)
        step = -1 if request.search_backwards else 1
        for distance in range(total):
            index = (request.search_from + step * distance) % total
            if wanted in line(matches.at(index)).casefold():
                return index
            if not distance % 256 and given_up():
                raise SupersededError
        return None

    def _verdict(self, request: VerdictRequest, given_up: Callable[[], bool]) -> VerdictSnapshot:
        if request.filter.strip():
            # Positions of errors are those of the text as typed, not of the composed one.
            filters.compile(request.filter)
        kept = self._matches(compose(request.filter, request.levels, None), request.window, given_up)
        of = self._matches(compose("", request.levels, None), request.window, given_up)
        return VerdictSnapshot(request, kept=len(kept), of=len(of))

    def _completion(self, request: CompletionRequest) -> CompletionSnapshot:
        if self._macros is None:
            try:
                self._macros = user_macros()
            except ConfigError:  # told where a filter has a name in it, and at start
                self._macros = {}
        uses = field_uses(request.recent)
        offered = complete(request.filter, request.cursor, self._presence, macros=self._macros, uses=uses)
        return CompletionSnapshot(request, offered)


def _failed(request: Request, message: str, position: int) -> Snapshot:
    """The answer that says why there is none."""
    text = safe(message.encode("utf-8", "surrogateescape"))
    match request:
        case TableRequest():
            return TableSnapshot(request, (), "", None, False, (), 0, 0, None, None, request.filter, text)
        case LinesRequest():
            return LinesSnapshot(request, (), 0, 0, None, request.filter, text)
        case VerdictRequest():
            return VerdictSnapshot(request, error=text, position=position)
        case CompletionRequest():
            nothing = Completion(request.cursor, request.cursor, (), "", complete=True)
            return CompletionSnapshot(request, nothing, text)

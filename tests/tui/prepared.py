"""An engine that answers at once from prepared rows, and the views those rows belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.filters.completion import complete
from engine.query.selected import SelectedRequest, SelectedSnapshot
from engine.query.snapshots import (
    CompletionRequest,
    CompletionSnapshot,
    LinesRequest,
    LinesSnapshot,
    Request,
    Row,
    ShownColumn,
    Snapshot,
    Status,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.query.timeline import TimelineRequest, TimelineSnapshot
from engine.query.view import Aggregation, Column, Key, Kind, View
from engine.query.widths import width_for

PROCS = View(
    id="procs",
    name="Processes",
    description="Every process of the machine, with the work it asked the kernel for.",
    kind=Kind.TABLE,
    columns=(
        Column("PID", "proc.pid", "Process id.", 8),
        Column("CPU", "thread.cpu", "Share of one processor, percent.", 8, Aggregation.AVG),
        Column("USER", "user.name", "User it runs as.", 12),
        Column("FILE", "evt.buflen.file", "Bytes read from and written to files.", 8, Aggregation.RATE),
        Column("NET", "evt.buflen.net", "Bytes read from and written to the network.", 8, Aggregation.RATE),
        Column("Command", "proc.exeline", "Program and arguments.", 0),
    ),
    keys=(Key("proc.pid"),),
    filter="evt.type!=switch",
    sort="CPU",
    applies_to=("", "container.id", "fd.name"),
    drill_to="threads",
    tips=("Sort on NET to find who talks.",),
    root=True,
)
THREADS = replace(
    PROCS, id="threads", name="Threads", keys=(Key("thread.tid"),), applies_to=("", "proc.pid"), drill_to="nowhere",
    description="Every thread.", tips=(),
)  # fmt: skip
FILES = View(
    id="files",
    name="Files",
    description="Files and how much was read and written.",
    kind=Kind.TABLE,
    columns=(
        Column("BYTES", "evt.buflen.file", "Bytes moved.", 10, Aggregation.SUM),
        Column("OPENS", "evt.count.open", "Times it was opened.", 8, Aggregation.SUM),
        Column("File", "fd.name", "Its path.", 0),
    ),
    keys=(Key("fd.name"),),
    sort="BYTES",
    applies_to=("", "proc.pid", "thread.tid"),
    drill_to="procs",
)
VIEWS = {view.id: view for view in (FILES, PROCS, THREADS)}

START = 1_494_859_000_000_000_000


def processes(count: int = 41) -> list[tuple[Any, ...]]:
    """Raw cells of the processes view: no two rows alike, some figures unknown."""
    commands = (
        "/usr/sbin/haproxy -f /haproxy.cfg -db -q",
        "python /server.py",
        "curl -s http://192.168.0.1/",
        "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root=/var/lib/docker",
        "/lib/systemd/systemd --system --deserialize 19",
    )
    users = ("root", "systemd-timesync", "www-data")
    return [
        (
            100 + 7 * n,
            None if n % 9 == 8 else round(40 / (n + 1), 2),
            users[n % 3],
            64 * n % 4096,
            n * n % 977,
            commands[n % 5],
        )
        for n in range(count)
    ]


def files(count: int = 300) -> list[tuple[Any, ...]]:
    """Raw cells of the files view."""
    return [(10_000 - 31 * n, n % 5, f"/var/lib/app/data-{n:04}.bin") for n in range(count)]


@dataclass
class PreparedEngine:
    """Answers from lists of raw cells; a row's key is its first cell (files: the last)."""

    publish: Callable[[Snapshot], None]
    tables: dict[str, list[tuple[Any, ...]]]
    lines: list[str]
    status: Status = field(
        default_factory=lambda: Status("sample.scap", 22_381, START, START + 12_090_000_000, 1.0, (), "", 3 << 20)
    )
    asked: list[Request] = field(default_factory=list)
    silent: bool = False
    """When set, requests are only remembered."""
    closed: bool = False
    recorded: list[Path | None] = field(default_factory=list)
    narrowed: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Tell that all was read."""
        self.publish(self.status)

    def ask(self, slot: str, request: Request) -> None:
        """Answer at once."""
        self.asked.append(request)
        if not self.silent:
            self.publish(self.answer(request))

    def drop(self, slot: str) -> None:
        """Nothing is kept for a panel."""

    def hold(self, still: bool) -> None:
        """Nothing moves by itself."""

    def record(self, path: Path | None) -> None:
        """Remember it."""
        self.recorded.append(path)

    def narrow(self, filter_text: str) -> None:
        """Remember it."""
        self.narrowed.append(filter_text)

    def close(self) -> None:
        """Remember that the app let go."""
        self.closed = True

    def answer(self, request: Request) -> Snapshot:
        """What the engine says to a request."""
        match request:
            case TableRequest():
                return self._table(request)
            case LinesRequest():
                return self._lines(request)
            case VerdictRequest():
                wrong = request.filter.find("bad")
                if wrong >= 0:
                    return VerdictSnapshot(request, error="no field is called bad.field; near: fd.name", position=wrong)
                if request.filter.endswith((">", "=")):
                    ended = "the filter ends: expected a value"
                    return VerdictSnapshot(request, error=ended, position=len(request.filter))
                return VerdictSnapshot(request, kept=1204 if request.filter else 22_381, of=22_381)
            case CompletionRequest():
                return CompletionSnapshot(request, complete(request.filter, request.cursor))
            case TimelineRequest():
                return self._timeline(request)
            case SelectedRequest():
                values = tuple(request.key for _ in request.fields)
                return SelectedSnapshot(request, "", True, (), values)
            case _:
                return request.failed("not prepared")

    def _timeline(self, request: TimelineRequest) -> TimelineSnapshot:
        span = request.span or (self.status.start, self.status.end)
        width = width_for(span, request.cells)
        first = span[0] // width
        cells = np.arange(span[1] // width - first + 1)
        values = 900 + 700 * np.sin(cells / 7) + 3000 * (cells % 31 == 17)
        return TimelineSnapshot(request, "", True, first * width, width, values, cells == 40)

    def _table(self, request: TableRequest) -> TableSnapshot:
        view = request.view
        rows = list(self.tables[view.id])
        if request.filter:
            rows = [row for row in rows if request.filter.rpartition("=")[2] in str(row[-1])]
        titles = [column.title for column in view.columns]
        # What has no order of its own is in that of the first column.
        sort = (titles.index(view.sort) if view.sort else 0) if request.sort is None else request.sort
        is_text = isinstance(rows[0][sort], str) if rows else False
        descending = not is_text if request.descending is None else request.descending
        known = sorted((row for row in rows if row[sort] is not None), key=lambda row: row[sort], reverse=descending)
        rows = known + [row for row in rows if row[sort] is None]
        at = -1 if view is FILES else 0
        made = [Row(row[at], str(row[at]), tuple("-" if cell is None else str(cell) for cell in row)) for row in rows]
        columns = tuple(
            ShownColumn(c.title, c.width, c.width > 0 and c.title != "USER", c.description) for c in view.columns
        )
        keys = [row.key for row in made]
        return TableSnapshot(
            request, columns, view.key_for(request.containers), sort, descending,
            tuple(made[request.offset : request.offset + request.count]), request.offset, len(made),
            keys.index(request.hold) if request.hold in keys else None,
            _find([" ".join(row.cells) for row in made], request),
            " and ".join(text for text in (request.filter, view.filter) if text),
        )  # fmt: skip

    def _lines(self, request: LinesRequest) -> LinesSnapshot:
        lines = tuple(self.lines[request.offset : request.offset + request.count])
        level = request.levels[-1] if request.levels else None
        text = f"{level.field}={level.shown}" if level else ""
        numbers = tuple(range(request.offset + 1, request.offset + 1 + len(lines)))
        found = _find(self.lines, request)
        return LinesSnapshot(
            request, lines, request.offset, len(self.lines), found, text, tones=("",) * len(lines), numbers=numbers
        )


def _find(texts: list[str], request: TableRequest | LinesRequest) -> int | None:
    step = -1 if request.search_backwards else 1
    order = [(request.search_from + step * distance) % len(texts) for distance in range(len(texts))]
    return (
        next((index for index in order if request.search.lower() in texts[index].lower()), None)
        if request.search
        else None
    )


def event_lines(count: int = 500) -> list[str]:
    """Lines as dig prints them."""
    return [
        f"{n} 14:36:40.{n:09} 1 haproxy (13969) {'<>'[n % 2]} recvfrom res={n % 80} data=GET /index.html HTTP/1.1"
        for n in range(1, count + 1)
    ]

"""What crosses between the engine and a screen: requests one way, frozen snapshots the other.

Owns their shape only. Every text in a snapshot is safe to show (``engine.text``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.filters.completion import Completion
from engine.query.payload import Shape, ViewAs
from engine.query.view import View
from engine.query.work import EVERYTHING, Coverage, PanelRequest, PanelSnapshot
from engine.store.segment import Window


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a drill-down: the view it was made in and the selection made there."""

    view: View
    field: str | None = None
    """Selected field; None when only the view was switched."""
    value: Any = None
    """Selected value as the field yields it (bytes, int)."""
    shown: str = ""
    """The value as text for the crumb."""


@dataclass(frozen=True, slots=True)
class TableRequest:
    """Rows of a view: which, of what, in which order, from where."""

    view: View
    levels: tuple[Level, ...] = ()
    filter: str = ""
    """The user's filter, combined with the view's own and the levels'."""
    containers: bool = False
    """-pc: container columns and keys."""
    sort: int | None = None
    """Index of a shown column; None the view's default."""
    descending: bool | None = None
    """None: the column type's default (numbers descending)."""
    offset: int = 0
    count: int = 100
    hold: Any = None
    """Key of the row under the cursor: the snapshot says where it is now."""
    search: str = ""
    """Incremental search: the snapshot names the matching row nearest after ``search_from``."""
    search_from: int = 0
    search_backwards: bool = False
    window: Window | None = None
    """The range of time the rows are computed over; None for everything."""
    text: str = ""
    """Only rows that show this text, upper and lower case the same."""
    against: Window | None = None
    """A range to compare with: each row tells a measure there, in the window, and how it changed."""
    measure: str = ""
    """Title of the column that is compared; "" the one sorted on."""


@dataclass(frozen=True, slots=True)
class LinesRequest:
    """Event lines (dig) under a filter composed as for a table."""

    levels: tuple[Level, ...] = ()
    filter: str = ""
    containers: bool = False
    offset: int = 0
    """Index among the matching events."""
    count: int = 100
    search: str = ""
    search_from: int = 0
    search_backwards: bool = False
    window: Window | None = None
    text: str = ""
    """Only the lines of events that show this text."""
    view_as: ViewAs = ViewAs.DOTTED
    """How payload is shown."""
    shape: Shape = Shape.DIG
    latency: bool = False
    """In event lines, first the time each call took."""
    event: int = 0
    """Number of an event whose lines are searched, or those of the next one that has any; 0 for none. The page is the
    one around them."""


@dataclass(frozen=True, slots=True)
class VerdictRequest:
    """Check a filter while it is typed."""

    filter: str
    levels: tuple[Level, ...] = ()
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What can stand at a place of a filter being typed. Answered until complete, see ``filters.completion``."""

    filter: str
    cursor: int
    """Index into the filter."""
    recent: tuple[str, ...] = ()
    """Filters used before: fields in them come first."""


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column as the screen draws it."""

    title: str
    width: int
    """Cells, 0 for the rest of the line."""
    right: bool
    """Numbers are aligned right."""
    description: str
    fixed: bool = False
    """The width is wanted so, however little room there is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key for drill-downs, and safe, rendered cells."""

    key: Any
    shown_key: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """A page of a table, frozen."""

    request: TableRequest
    columns: tuple[ShownColumn, ...]
    key_field: str
    """Field a drill-down from a row filters on; "" in lists."""
    sort: int | None
    descending: bool
    rows: tuple[Row, ...]
    offset: int
    total: int
    held: int | None
    """Index of the row with ``request.hold``, None when it is gone."""
    found: int | None
    """Index of the row the search found."""
    filter: str
    """The complete composed filter."""
    error: str = ""
    """Why there is no table (bad filter, unknown field), for people."""
    coverage: Coverage = EVERYTHING


@dataclass(frozen=True, slots=True)
class LinesSnapshot:
    """A page of event lines, frozen; safe text."""

    request: LinesRequest
    lines: tuple[str, ...]
    offset: int
    total: int
    """Lines counted so far."""
    found: int | None
    """Index of the line that was searched."""
    filter: str
    error: str = ""
    tones: tuple[str, ...] = ()
    """The role of each line (``texts.TONES``)."""
    numbers: tuple[int, ...] = ()
    """The number of the event each line is of."""
    complete: bool = True
    """False while lines are left to be counted: the same request is answered again, with more."""
    coverage: Coverage = EVERYTHING


@dataclass(frozen=True, slots=True)
class VerdictSnapshot:
    """What a filter being typed would do."""

    request: VerdictRequest
    kept: int = 0
    of: int = 0
    error: str = ""
    position: int = 0
    """Where in the text the error is."""


@dataclass(frozen=True, slots=True)
class CompletionSnapshot:
    """What can stand at the cursor; counts grow from one snapshot to the next while it is not complete."""

    request: CompletionRequest
    completion: Completion
    error: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording by now."""

    path: Path
    events: int = 0
    """Events in the file, those of before it was begun included."""
    problem: str = ""
    """Why it ended before it was told to."""
    open: bool = True


@dataclass(frozen=True, slots=True)
class Live:
    """What there is to say of a live source besides. Times in ns since epoch."""

    started: int
    """When capture began; 0 before it has."""
    window: Window | None
    """The last whole interval, over which tables are made; None before the first, and when capture ended."""
    interval: int
    """Length of the interval in force, ns."""
    behind: bool
    """True when that is longer than asked for, because more would take more than a core may be used."""
    lost: int
    """Events the kernel side could not hand over, since the start."""
    lost_now: int
    """Those of the last whole interval."""
    forgotten: int
    """Events no longer kept, to keep within the memory budget."""
    share: float
    """Part of one core this program took in the last interval."""
    resident: int
    """Memory of this program, bytes."""
    narrowed: str
    """What the kernel side leaves out, for people; "" for nothing."""
    ended: bool
    """Nothing more is captured; what was stays."""
    recorded: Recorded | None = None
    """The recording there is, or the last one."""


@dataclass(frozen=True, slots=True)
class Status:
    """State of the source, for the header."""

    source: str
    """File name, safe to show."""
    events: int
    """Events ingested so far, hidden ones included."""
    start: int
    """First and last time stamp, ns since epoch; 0 before the first event."""
    end: int
    progress: float
    """0 to 1 while loading, 1 when all was read."""
    damage: tuple[str, ...]
    """Messages about cuts and damage."""
    error: str
    """Why nothing could be opened."""
    memory: int
    """Columns, tables and raw bytes held, bytes."""
    live: Live | None = None
    """None of a capture."""


Request = TableRequest | LinesRequest | VerdictRequest | CompletionRequest | PanelRequest
Snapshot = TableSnapshot | LinesSnapshot | VerdictSnapshot | CompletionSnapshot | PanelSnapshot | Status

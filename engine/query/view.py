"""What a view is. The declarations themselves are TOML files, read by the ``views`` package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Aggregation(Enum):
    """How a column combines the events of a row; ``COUNT`` only combines rows of a group."""

    FIRST = "first"
    LAST = "last"
    SUM = "sum"
    RATE = "rate"
    """Sum divided by the seconds of the window."""
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    P50 = "p50"
    """The value that half of the samples do not exceed, within ``spread.ERROR`` of it."""
    P95 = "p95"
    P99 = "p99"
    HISTOGRAM = "histogram"
    """How many samples have one digit, two digits and so on."""
    COUNT = "count"
    """How many different values there are."""


PERCENTILES = {Aggregation.P50: 50, Aggregation.P95: 95, Aggregation.P99: 99}
SPREADS = frozenset({*PERCENTILES, Aggregation.HISTOGRAM})
"""Aggregations made of the whole distribution of the samples."""
AND = "+"
"""Between the fields of a key of several: a row for each combination."""


class Kind(Enum):
    """A table groups events by key; a list shows each event; a spectrogram shows how a duration is distributed,
    moment by moment."""

    TABLE = "table"
    LIST = "list"
    SPECTROGRAM = "spectrogram"


@dataclass(frozen=True, slots=True)
class Column:
    """One shown column."""

    title: str
    field: str
    """Field name, with its argument if it takes one."""
    description: str
    width: int
    """Cells, the gap included; 0 takes the rest of the line."""
    aggregation: Aggregation = Aggregation.FIRST
    merge: Aggregation | None = None
    """How rows of the key merge into rows of the group; None keeps what the aggregation says."""
    containers: bool | None = None
    """True: only with -pc; False: only without; None: always."""
    where: str = ""
    """A filter: only these of the row's events count in the column."""
    subtree: bool = False
    """In a tree: what the rows below have is added."""
    fixed: bool = False
    """The width is wanted so, however little room there is."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a row, and the fields a drill-down from it filters on."""

    field: str
    """A field, or several joined with ``AND``."""
    containers: bool | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A command a user may run on a row: an argument list, an argument ``%field`` replaced whole."""

    key: str
    label: str
    command: tuple[str, ...]
    confirm: bool = False
    """It changes the system, or stops what runs on it: asked first, and run only where the settings allow it."""
    wait: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """A declared screenful."""

    id: str
    name: str
    description: str
    kind: Kind
    columns: tuple[Column, ...]
    keys: tuple[Key, ...] = ()
    """One, or two that differ by ``containers``; none in lists."""
    group: str | None = None
    """Field rows are merged by in a second step; drill-downs use it."""
    filter: str = ""
    sort: str | None = None
    """Title of the column sorted on at first; None keeps arrival order."""
    applies_to: tuple[str, ...] = ("",)
    """Fields of a selection this view can follow; "" is the whole machine."""
    drill_to: str | None = None
    propagate_filter: bool = True
    tips: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    root: bool = False
    """May be the start view."""
    tree: str | None = None
    """Title of the column that shows rows, which are processes, as a tree: each below its parent."""

    idle_fds: bool = False
    """Descriptors that were open without any event make rows, too."""

    def columns_for(self, containers: bool) -> tuple[Column, ...]:
        """The columns shown with or without container columns."""
        return tuple(column for column in self.columns if column.containers in (None, containers))

    def key_for(self, containers: bool) -> str:
        """The field that makes a row; "" for lists."""
        return next((key.field for key in self.keys if key.containers in (None, containers)), "")

    def drill_field(self, containers: bool) -> str:
        """The field a drill-down from a row of this view filters on; "" for lists."""
        return self.group or self.key_for(containers)

    def offered_after(self, field: str) -> bool:
        """True when the view can follow a selection of this field ("" for none), or of one of several."""
        return any(part in self.applies_to for part in field.split(AND))

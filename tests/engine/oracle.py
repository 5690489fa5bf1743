"""Takes lines of sysdig 0.29.3 and ours apart where they differ, and asks rules for an explanation.

Owns the captures and fields compared. The rules are in ``oracle_rules``, how often each holds in each capture in
``oracle_counts.json``, made by ``oracle_count``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.events import CATALOGUE
from engine.text import ABSENT

CAPTURES = (
    "502Error.scap",
    "containers.scap.gz",
    "libs_curl_google.scap",
    "libs_curl_google_comments.scap",
    "libs_sample_2023.scap",
    "libs_single_ipv6_conn.scap",
    "libs_test_ipv6_client.scap",
    "mixed.scap.gz",
    "mixed25_thin.scap.gz",
    "mixed_thin.scap.gz",
    "tiny.scap",
    "tiny25.scap.gz",
    "tiny_z.scap",
    "xxradar_docker_curl_2025.scap",
)
EXIT_ONLY = ("mixed25_thin.scap.gz", "tiny25.scap.gz")
"""Captures without enters; what sysdig learns of enters it does not know here."""
COUNTS = Path(__file__).with_name("oracle_counts.json")
"""By rule, capture and field, how often the rule holds."""
SEPARATOR = "\x1f"
FIELDS = (
    *("evt.rawtime", "evt.cpu", "evt.dir", "evt.type", "evt.category", "evt.rawres", "evt.failed", "evt.latency"),
    *("evt.args", "thread.tid", "thread.vtid", "proc.pid", "proc.vpid", "proc.ppid", "proc.name", "proc.exe"),
    *("proc.args", "proc.cwd", "proc.pname", "user.uid", "user.name", "user.loginuid", "group.gid", "container.id"),
    *("container.name", "container.image", "fd.num", "fd.type", "fd.typechar", "fd.name", "fd.l4proto", "fd.cip"),
    *("fd.sip", "fd.cport", "fd.sport", "fd.directory", "fd.filename"),
)
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """Differences that are right."""

    name: str
    fields: tuple[str, ...]
    """Fields it may explain; ``evt.args`` stands for one parameter of it."""
    holds: Callable[[Difference], bool]
    reason: str


@dataclass(slots=True)
class Difference:
    """One cell, or one parameter of evt.args, that differs."""

    number: str
    field: str
    theirs: str
    ours: str
    their_cells: Cells
    our_cells: Cells
    capture: Capture
    parameter: str = ""
    rule: Rule | None = None

    @property
    def type(self) -> str:
        """Name of the event."""
        return self.our_cells["evt.type"]

    @property
    def is_exit(self) -> bool:
        """True for exits."""
        return self.our_cells["evt.dir"] == "<"

    @property
    def is_alone(self) -> bool:
        """An exit whose enter is not in the capture."""
        return self.is_exit and self.our_cells["evt.latency"] == ABSENT

    def __str__(self) -> str:
        where = f"{self.field}:{self.parameter}" if self.parameter else self.field
        direction = self.our_cells["evt.dir"]
        return f"#{self.number} {direction}{self.type} {where}: sysdig {self.theirs[:120]!r}, ours {self.ours[:120]!r}"


class Capture:
    """A capture whose lines are compared in order."""

    def __init__(self, name: str, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self.exit_only = name in EXIT_ONLY
        self.ended: set[str] = set()
        """Threads that have ended by now."""
        self.names: dict[str, set[str]] = {}
        """Names that threads of a process have had."""
        self.renamed: set[str] = set()
        """Names that clone events tell of callers which sysdig still calls by an older name."""
        self.adopted: set[str] = set()
        """Processes made as children of their maker's parent, and what descends from them."""
        self.closing: set[str] = set()
        """Names of descriptors that exec closes."""
        self.siblings: set[str] = set()
        """Processes cloned as children of their caller's parent."""
        self.stale: set[tuple[str, str]] = set()
        """Processes and descriptors of theirs that sysdig takes for something closed."""

    def differences(self, their_line: str, our_line: str) -> Iterator[Difference]:
        """The differing cells of two lines, each with the rule that explains it."""
        number, *theirs = their_line.split(SEPARATOR)
        _, *ours = our_line.split(SEPARATOR)
        assert len(theirs) == len(ours) == len(FIELDS), f"#{number}: {len(theirs)} and {len(ours)} cells"
        their_cells, our_cells = dict(zip(FIELDS, theirs, strict=True)), dict(zip(FIELDS, ours, strict=True))
        for field in FIELDS:
            their_cell, our_cell = their_cells[field], our_cells[field]
            if their_cell in (our_cell, ABSENT):
                continue
            if field != "evt.args":
                yield self._explained(Difference(number, field, their_cell, our_cell, their_cells, our_cells, self))
                continue
            event = our_cells["evt.type"]
            their_parts, our_parts = parameters(event, their_cell), parameters(event, our_cell)
            for name in {**their_parts, **our_parts}:
                their_part, our_part = their_parts.get(name, MISSING), our_parts.get(name, MISSING)
                if their_part != our_part:
                    yield self._explained(
                        Difference(number, field, their_part, our_part, their_cells, our_cells, self, name)
                    )

    def _explained(self, difference: Difference) -> Difference:
        holding = (rule for rule in self._rules if difference.field in rule.fields and rule.holds(difference))
        difference.rule = next(holding, None)
        return difference

    def note(self, line: str, their_line: str) -> None:
        """Keep what later lines are judged by."""
        if CLONE in their_line:
            theirs = dict(zip(FIELDS, their_line.split(SEPARATOR)[1:], strict=True))
            told = parameters("clone", theirs["evt.args"]).get("comm")
            if theirs["evt.dir"] == "<" and told and told != theirs["proc.name"]:
                self.renamed.add(told)
            beside = theirs["evt.rawres"] == "0" and ("CLONE_PARENT)" in line or "CLONE_PARENT|" in line)
            if beside or theirs["proc.ppid"] in self.adopted:
                self.adopted.add(theirs["proc.pid"])
        cells = line.split(SEPARATOR)
        self.names.setdefault(cells[1 + FIELDS.index("proc.pid")], set()).add(cells[1 + FIELDS.index("proc.name")])
        if PROCEXIT in line:
            self.ended.add(cells[1 + FIELDS.index("thread.tid")])
        elif "CLOEXEC" in line:
            self.closing.add(cells[1 + FIELDS.index("fd.name")])
            self.closing.discard(ABSENT)
        elif "CLONE_PARENT)" in line or "CLONE_PARENT|" in line:
            self.siblings.add(cells[1 + FIELDS.index("proc.pid")])


CLONE = f"{SEPARATOR}clone"
"""Part of every line of a clone or clone3 event."""
PROCEXIT = f"{SEPARATOR}procexit{SEPARATOR}"
MISSING = "(not printed)"
"""A parameter that one side does not print at all."""


@cache
def _names(event: str) -> re.Pattern[str]:
    names = {parameter.name for kind in CATALOGUE if kind.name == event for parameter in kind.params}
    return re.compile(r"(?:^|(?<= ))(" + "|".join(map(re.escape, sorted(names))) + ")=" if names else r"(?!)")


def parameters(event: str, args: str) -> Cells:
    """The parameters of an evt.args text by name."""
    found = list(_names(event).finditer(args))
    ends = [match.start() for match in found[1:]] + [len(args)]
    return {match[1]: args[match.end() : end].removesuffix(" ") for match, end in zip(found, ends, strict=False)}


def listed(capture: str) -> dict[tuple[str, str], int]:
    """How often each rule holds for each field of a capture."""
    counts = json.loads(COUNTS.read_text("utf-8"))
    return {
        (rule, field): number
        for rule, by_capture in counts.items()
        for field, number in by_capture.get(capture, {}).items()
    }

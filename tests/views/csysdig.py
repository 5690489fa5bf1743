"""What sysdig and csysdig 0.29.3 say of a capture: rows of a view, and every event as a line."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.views.running import Row

_SEPARATOR = "\x1f"
_ABSENT = "<NA>"
_ENVIRONMENT = os.environ | {"TZ": "UTC", "LC_ALL": "C", "TERM": "xterm"}


class Line(NamedTuple):
    """One event as sysdig prints it; the names are those of the fields, with _ for the dot. "" is absent."""

    evt_num: str
    evt_rawtime: str
    evt_cpu: str
    evt_dir: str
    evt_type: str
    syscall_type: str
    evt_rawres: str
    evt_latency: str
    evt_is_io: str
    evt_buflen: str
    evt_args: str
    thread_tid: str
    proc_pid: str
    user_name: str
    proc_exeline: str
    proc_vmsize: str
    proc_vmrss: str
    container_id: str
    container_name: str
    fd_num: str
    fd_name: str
    fd_type: str
    fd_directory: str
    fd_sport: str

    @property
    def is_exit(self) -> bool:
        """True for exits of calls."""
        return self.evt_dir == "<" and self.syscall_type != ""

    @property
    def result(self) -> int:
        """Result of an exit, 0 where there is none."""
        return int(self.evt_rawres or 0)

    def argument(self, name: str) -> int | None:
        """A decimal parameter."""
        found = re.search(rf"\b{name}=(-?\d+)", self.evt_args)
        return None if found is None else int(found[1])


def lines(capture: Path) -> list[Line]:
    """Every event of a capture, internal ones included."""
    layout = "*" + _SEPARATOR.join("%" + name.replace("_", ".", 1) for name in Line._fields)
    out = _run("sysdig", "-D", "-r", str(capture), "-p", layout)
    # Some values are printed with their line breaks.
    texts = re.split(rf"\n(?=\d+{_SEPARATOR})", out.removesuffix("\n"))
    cells = (text.split(_SEPARATOR) for text in texts)
    return [Line(*("" if cell == _ABSENT else cell for cell in each)) for each in cells]


@cache
def rows(capture: Path, view: str) -> dict[str, Row]:
    """Rows of a view by key, the rows of a list by number from 1."""
    answer = json.loads(_run("csysdig", "-r", str(capture), "-v", view, "-j"))["slices"][-1]
    titles = [column["name"] for column in answer["info"]["legend"]]
    return {row["k"]: dict(zip(titles, map(_value, row["d"]), strict=True)) for row in answer.get("data", ())}


def _value(value: object) -> object:
    """A cell without its padding at the left; csysdig shows absent texts as empty ones."""
    return (value.lstrip(" ") or None) if isinstance(value, str) else value


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, check=True, env=_ENVIRONMENT, timeout=120)
    return done.stdout.decode("utf-8", "replace")

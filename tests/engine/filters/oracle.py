"""Asks sysdig 0.29.3 and us the same filters of the same captures; as a program, writes down what sysdig keeps.

``oracle_expressions.txt`` has the filters, one a line. ``oracle_events.json`` has for each capture and filter how many
events sysdig keeps and the CRC-32 of their numbers, and where ours are others: the same of ours, and the fields whose
values differ in those events, with how many. Why they do is told in ``oracle_reasons``. Sysdig runs with ``-d``:
without it, what a filter drops does not count for the state either, so that it answers by chance.

``python -m tests.engine.filters.oracle [NAME ...]`` writes the file again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from engine.decode.decoder import Decoder
from engine.events import CATALOGUE, Category
from engine.filters import compile, parse  # noqa: A004
from engine.filters.syntax import fields_of
from engine.query.lines import LineFormat
from engine.query.matches import event_at
from engine.sources import open_capture
from engine.store.store import Store
from tests.conftest import CAPTURES_VARIABLE, ROOT
from tests.engine.oracle_count import DOWNGRADE

CAPTURES = (
    "502Error.scap",
    "containers.scap.gz",
    "libs_curl_google.scap",
    "libs_curl_google_comments.scap",
    "libs_sample_2023.scap",
    "libs_single_ipv6_conn.scap",
    "libs_test_ipv6_client.scap",
    "tiny.scap",
    "xxradar_docker_curl_2025.scap",
)
EVENTS = Path(__file__).with_name("oracle_events.json")
EXPRESSIONS = tuple(Path(__file__).with_name("oracle_expressions.txt").read_text("utf-8").splitlines())
SEPARATOR = "\x1f"
_PARTLY = {"containers.scap.gz": 6}
"""Captures so long that only each n-th filter is asked of them."""
_PRINTED = np.array([kind.category is not Category.INTERNAL for kind in CATALOGUE])
_ENDS = ("fd.cip", "fd.sip", "fd.cport", "fd.sport", "fd.lip", "fd.rip", "fd.lport", "fd.rport")
_ANCESTORS = tuple(f"{name}[{level}]" for name in ("proc.aname", "proc.apid") for level in range(1, 5))
_INSTEAD = {
    **dict.fromkeys(("fd.ip", "fd.port", "fd.net", "fd.cnet", "fd.snet", "fd.lnet", "fd.rnet"), _ENDS),
    **dict.fromkeys(("proc.aname", "proc.apid"), _ANCESTORS),
    "evt.around": ("evt.rawtime",),
}
"""What is printed in place of fields that only filters have."""


def expressions(capture: str) -> tuple[str, ...]:
    """The filters that are asked of a capture."""
    return EXPRESSIONS[:: _PARTLY.get(capture, 1)]


def copied(path: Path, folder: Path) -> Path:
    """A copy of a capture that sysdig reads to its end."""
    copy = folder / path.name.removesuffix(".gz")
    subprocess.run([path.parent / DOWNGRADE, path, copy], check=True, stderr=subprocess.DEVNULL)
    return copy


def loaded(path: Path) -> Store:
    """A capture, read."""
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    return store


def ours(store: Store, text: str) -> list[int]:
    """Numbers of the events our filter keeps; like sysdig's, without internal ones."""
    asked = compile(text)
    numbers: list[int] = []
    for segment in store.segments:
        kept = asked.mask(store, segment) & _PRINTED[segment.type]
        numbers += (np.flatnonzero(kept) + segment.first + 1).tolist()
    return numbers


def theirs(copy: Path, text: str) -> list[int]:
    """Numbers of the events sysdig keeps."""
    return [int(line) for line in _sysdig(copy, "%evt.num", text).split()]


def told(numbers: list[int]) -> list[int]:
    """How many, and their CRC-32."""
    return [len(numbers), crc32(" ".join(map(str, numbers)).encode())]


def _sysdig(copy: Path, layout: str, text: str) -> str:
    environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    command = ["sysdig", "-r", str(copy), "-d", "-p", layout, *([text] if text else [])]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    if done.returncode:
        raise AssertionError(f"{text}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8", "replace")


def printed(text: str) -> tuple[str, ...]:
    """Fields that tell on what a filter decides."""
    names = [str(field) for field in fields_of(parse(text))]
    return tuple(
        dict.fromkeys(
            one for name in names for one in _INSTEAD.get(name.partition("[")[0] if "around" in name else name, (name,))
        )
    )


class Cells:
    """What sysdig and we print for fields of single events."""

    def __init__(self, copy: Path, store: Store) -> None:
        self._copy = copy
        self._store = store
        self._theirs: dict[str, dict[int, str]] = {}
        self._ours: dict[str, tuple[dict[int, str | None], LineFormat]] = {}

    def differing(self, number: int, fields: tuple[str, ...]) -> tuple[str, ...]:
        """Fields that differ in an event; not those that sysdig cannot print."""
        cells = {field: self._of(field).get(number) for field in fields}
        return tuple(field for field, cell in cells.items() if cell not in (None, self._our(field, number)))

    def _our(self, field: str, number: int) -> str | None:
        cells, layout = self._ours.setdefault(field, ({}, LineFormat(f"*%{field}")))
        if number not in cells:
            cells[number] = layout.line(event_at(self._store, number - 1))
        return cells[number]

    def _of(self, field: str) -> dict[int, str]:
        if field not in self._theirs:
            try:
                text = _sysdig(self._copy, f"*%evt.num{SEPARATOR}%{field}{SEPARATOR}", "")
            except AssertionError:
                text = ""
            lines = (line.split(SEPARATOR) for line in text.split(f"{SEPARATOR}\n") if SEPARATOR in line)
            self._theirs[field] = {int(number): cell for number, cell in lines}
        return self._theirs[field]


def asked(path: Path, folder: Path) -> dict[str, Any]:
    """What each filter keeps of a capture."""
    copy = copied(path, folder)
    store = loaded(copy)
    cells = Cells(copy, store)
    answers: dict[str, Any] = {}
    for text in expressions(path.name):
        their, our = theirs(copy, text), ours(store, text)
        answers[text] = told(their)
        if their != our:
            fields = printed(text)
            differing = set(their) ^ set(our)
            by = Counter(" ".join(cells.differing(number, fields)) for number in differing)
            answers[text] = {"theirs": told(their), "ours": told(our), "by": dict(sorted(by.items()))}
    return answers


def main(names: list[str]) -> None:
    """Ask again about these captures, or all."""
    named = os.environ.get(CAPTURES_VARIABLE)
    folder = Path(named) if named else ROOT.parent / "shared" / "captures"
    known: dict[str, Any] = json.loads(EVENTS.read_text("utf-8")) if EVENTS.exists() else {}
    for name in names or CAPTURES:
        with tempfile.TemporaryDirectory() as scratch:
            known[name] = asked(folder / name, Path(scratch))
        others = sum(isinstance(answer, dict) for answer in known[name].values())
        sys.stdout.write(f"{name}: {len(known[name])} filters, {others} keep others\n")
        sys.stdout.flush()
        blocks = (
            f"{json.dumps(each)}: {{\n"
            + ",\n".join(f"{json.dumps(text)}: {json.dumps(answer)}" for text, answer in known[each].items())
            + "\n}"
            for each in CAPTURES
            if each in known
        )
        EVENTS.write_text("{\n" + ",\n".join(blocks) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

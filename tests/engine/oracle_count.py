"""Runs sysdig and `tui dig` on a shared capture and counts how their lines differ; as a program, for all of them.

``python -m tests.engine.oracle_count [NAME ...]`` prints differences that no rule explains, and writes the counts of
those captures to ``oracle_counts.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO

from tests.conftest import CAPTURES_VARIABLE, ROOT
from tests.engine.oracle import CAPTURES, COUNTS, FIELDS, SEPARATOR, Capture
from tests.engine.oracle_rules import RULES

DOWNGRADE = Path("..") / "tools" / "downgrade_scap"
"""From the captures' folder, the program that copies one so that sysdig 0.29.3 reads it to its end."""
LAYOUT = "*%evt.num" + "".join(f"{SEPARATOR}%{field}" for field in FIELDS)


def _records(out: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Number and text of each line; sysdig prints some values with line breaks, which go on with the next line."""
    number, text = 0, ""
    for raw in out:
        line = raw.decode("utf-8", "replace")
        told, separator, _ = line.partition(SEPARATOR)
        if separator and told.isdigit():
            if number:
                yield number, text.removesuffix("\n")
            number, text = int(told), line
        else:
            text += line
    if number:
        yield number, text.removesuffix("\n")


def _start(*command: str | Path) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", PYTHONPATH=str(ROOT))
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT
    )


def compare(path: Path, folder: Path, tool: Path | None = None) -> tuple[int, Counter[tuple[str, str]], list[str]]:
    """Lines of a capture, how often each rule explains each field, and what no rule explains.

    The copy is made by ``tool``, which is else beside the capture.
    """
    copy = folder / "copy.scap"
    subprocess.run([tool or path.parent / DOWNGRADE, path, copy], check=True, stderr=subprocess.DEVNULL)
    asked: list[str | Path] = ["-D", "-d", "-r", copy, "-p", LAYOUT]
    found: Counter[tuple[str, str]] = Counter()
    unexplained: list[str] = []
    capture = Capture(path.name, RULES)
    lines = 0
    with _start("sysdig", *asked) as theirs, _start(sys.executable, "-m", "tui.cli", "dig", *asked) as ours:
        assert theirs.stdout is not None and ours.stdout is not None
        pairs = zip_longest(_records(theirs.stdout), _records(ours.stdout), fillvalue=(0, ""))
        for (their_number, their_line), (our_number, our_line) in pairs:
            assert their_number == our_number, "a line is missing"
            lines += 1
            capture.note(our_line, their_line)
            if their_line == our_line:
                continue
            for difference in capture.differences(their_line, our_line):
                if difference.rule is None:
                    unexplained.append(str(difference))
                else:
                    found[difference.rule.name, difference.field] += 1
    return lines, found, unexplained


def main(names: list[str]) -> None:
    """Count again for these captures, or all."""
    named = os.environ.get(CAPTURES_VARIABLE)
    folder = Path(named) if named else ROOT.parent / "shared" / "captures"
    counts = json.loads(COUNTS.read_text("utf-8"))
    for name in names or CAPTURES:
        with tempfile.TemporaryDirectory() as scratch:
            lines, found, unexplained = compare(folder / name, Path(scratch))
        told = [f"{name}: {lines} lines, {found.total()} cells explained, {len(unexplained)} not", *unexplained]
        sys.stdout.write("\n  ".join(told) + "\n")
        for rule in RULES:
            by_capture = counts.setdefault(rule.name, {})
            by_capture.pop(name, None)
            fields = {field: number for (holding, field), number in sorted(found.items()) if holding == rule.name}
            if fields:
                by_capture[name] = fields
    ordered = {rule.name: dict(sorted(counts[rule.name].items())) for rule in RULES}
    COUNTS.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

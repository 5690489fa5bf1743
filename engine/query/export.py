"""What a screen shows, written to a file: whole tables as CSV or JSON, lines and an event in full as text.

Owns the files' shape. Texts in them are safe to show; numbers are exact.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TextIO

from engine.query.answers import table_of, texts_of
from engine.query.cells import Plain, csv_row
from engine.query.detail import DetailRequest
from engine.query.snapshots import LinesRequest, TableRequest
from engine.query.work import PanelRequest, PanelSnapshot, Work

_OFTEN = 1024
"""Rows between two looks whether to go on."""


class Format(Enum):
    """How a file is written; the value is the end of its name."""

    CSV = "csv"
    JSON = "json"
    TEXT = "txt"


@dataclass(frozen=True)
class ExportSnapshot(PanelSnapshot):
    """What was written."""

    path: str = ""
    rows: int = 0
    text: str = ""
    """What would have been written, when no path was given; cut at ``most`` characters."""


@dataclass(frozen=True, slots=True)
class ExportRequest(PanelRequest):
    """Which rows to write, how and where to; a file that is there is not overwritten."""

    of: TableRequest | LinesRequest | DetailRequest
    format: Format
    path: Path | None
    """None returns the text instead."""
    most: int = 1 << 20

    def answer(self, work: Work) -> PanelSnapshot:
        """Write every row."""
        if self.path is None:
            kept = _Memory(self.most)
            rows = self._write(kept, work)
            return ExportSnapshot(self, "", True, "", rows, kept.text)
        try:
            # What was captured may be nobody else's business.
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8", newline="") as file:
                rows = self._write(file, work)
        except OSError as error:
            return self.failed(f"{self.path}: {error.strerror}")
        return ExportSnapshot(self, "", True, str(self.path), rows)

    def failed(self, message: str) -> PanelSnapshot:
        """Nothing was written."""
        return ExportSnapshot(self, message)

    def _write(self, file: TextIO | _Memory, work: Work) -> int:
        if isinstance(self.of, DetailRequest):
            told = self.of.told(work, whole=True).rows
            for row in told:
                file.write("\t".join((row.name, row.value, row.note)).rstrip("\t") + "\n")
            return len(told)
        if isinstance(self.of, LinesRequest):
            count = 0
            for _, (_, line) in texts_of(self.of, work, whole=True).page(0, 1 << 62):
                file.write(line + "\n")
                count += 1
                if not count % _OFTEN:
                    work.check()
            return count
        table = table_of(self.of, work)
        titles = [column.title for column in table.columns]
        values = _checked(table.values(), work)
        match self.format:
            case Format.CSV:
                writer = csv.writer(file)
                writer.writerow(titles)
                writer.writerows(map(csv_row, values))
            case Format.JSON:
                separator = "[\n"
                for each in values:
                    file.write(separator + json.dumps(dict(zip(titles, each, strict=True)), ensure_ascii=False))
                    separator = ",\n"
                file.write("[]\n" if separator == "[\n" else "\n]\n")
            case Format.TEXT:
                file.write("\t".join(titles) + "\n")
                for place in range(table.total):
                    file.write("\t".join(table.texts(place)) + "\n")
        return table.total


class _Memory:
    """A text being written, no longer than is wanted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text[: self._most - len(self.text)]
        return len(text)


def _checked(rows: Iterator[tuple[Plain, ...]], work: Work) -> Iterator[tuple[Plain, ...]]:
    while batch := list(islice(rows, _OFTEN)):
        work.check()
        yield from batch

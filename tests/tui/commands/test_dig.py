"""`tui dig` prints what a filter keeps of captures and says on standard error what was wrong with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from tests.engine.fields.recorded import CAT, INIT
from tests.scapfile import event, machine, pack, process_list, section
from tui.cli import main
from tui.exit_codes import Exit

READ_ENTER, READ_EXIT, PROCINFO = 6, 7, 234


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Ten reads of a process, with a CPU sample in between."""
    path = tmp_path / "reads.scap"
    blocks = [section(), machine(), process_list(9, [INIT, CAT])]
    for number in range(10):
        blocks.append(event(READ_ENTER, 10, 1_000 + number, pack(READ_ENTER, 2, fd=3, size=number)))
        if number == 4:
            blocks.append(event(PROCINFO, 10, 1_500, pack(PROCINFO, cpu_usr=1, cpu_sys=1)))
    path.write_bytes(b"".join(blocks))
    return path


def dig(*words: str | Path) -> int:
    """Run the command in this process."""
    return main(["dig", *map(str, words)])


def test_every_visible_event_has_a_line(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture) == Exit.OK
    out, err = capsys.readouterr()
    assert [line.split(" ")[0] for line in out.splitlines()] == ["1", "2", "3", "4", "5", "7", "8", "9", "10", "11"]
    assert err == ""


def test_internal_events_are_shown_on_demand(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-D", "-r", capture, "-p", "%evt.num %evt.type") == Exit.OK
    assert "6 procinfo" in capsys.readouterr().out.splitlines()


def test_a_filter_of_several_words_keeps_what_it_says(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture, "evt.num>3", "-p", "%evt.num", "and", "evt.num<=5") == Exit.OK
    assert capsys.readouterr().out == "4\n5\n"


def test_numevents_counts_lines(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture, "-r", capture, "-n", "13", "-p%evt.num") == Exit.OK
    assert capsys.readouterr().out.split() == ["1", "2", "3", "4", "5", "7", "8", "9", "10", "11", "1", "2", "3"]


def test_json_lines(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture, "-j", "-n", "1", "-p", "%evt.type %proc.pid") == Exit.OK
    assert json.loads(capsys.readouterr().out) == {"evt.type": "read", "proc.pid": 10}


def test_presets(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture, "-pc", "-n", "1") == Exit.OK
    assert " host (host) cat (10:10) > read " in capsys.readouterr().out


def test_the_default_format_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-pp") == Exit.OK
    assert capsys.readouterr().out.startswith("*%evt.num %evt.outputtime ")


def test_a_cut_capture_prints_what_there_was_and_fails(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture.write_bytes(capture.read_bytes()[:-30])
    assert dig("-r", capture, "-p", "%evt.num") == Exit.FAILED
    out, err = capsys.readouterr()
    assert out.split()[-1] == "10"
    assert str(capture) in err and "byte" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["proc.nmae=x"], "proc.name"),
        (["-p", "%evt.typ"], "evt.typ"),
        (["-p", "%"], "cannot end"),
        (["-n", "0"], "-n"),
        (["-t", "x"], "-t"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = dig("-r", "/nonexistent", *words)
    except SystemExit as leave:
        status = int(leave.code or 0)
    out, err = capsys.readouterr()
    assert status == Exit.USAGE
    assert said in err and out == ""


def test_what_is_no_capture_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("no capture")
    assert dig("-r", tmp_path / "x") == Exit.FAILED
    assert str(tmp_path / "x") in capsys.readouterr().err


def test_a_reader_that_had_enough_ends_it_quietly(capture: Path) -> None:
    command = [sys.executable, "-m", "tui.cli", "dig", *["-r", str(capture)] * 2000]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == Exit.OK


def test_fields_are_listed_and_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "latency"]) == Exit.OK
    assert "evt.latency" in capsys.readouterr().out
    assert main(["fields", "--json", "proc.name"]) == Exit.OK
    assert "proc.name" in [field["name"] for field in json.loads(capsys.readouterr().out)]
    assert main(["fields", "--markdown", "fd.num"]) == Exit.OK
    assert "| `fd.num` | id |" in capsys.readouterr().out
    assert main(["fields", "nosuchthing"]) == Exit.FAILED


def test_how_a_filter_was_answered_is_told_on_standard_error(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-r", capture, "--explain", "-q", "evt.type=read and proc.name=cat") == Exit.OK
    out, err = capsys.readouterr()
    assert out == ""
    assert "once per thread: proc.name = cat" in err
    assert "11 asked, 10 kept" in err


def written(path: Path, capsys: pytest.CaptureFixture[str]) -> list[int]:
    """Numbers of the events of a capture that are visible, internal ones too."""
    assert dig("-D", "-r", path, "-p*%evt.rawtime") == Exit.OK
    return [int(line) for line in capsys.readouterr().out.split()]


def test_events_are_written_in_place_of_printed(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, path = captures / "502Error.scap", tmp_path / "out.scap"
    assert dig("-r", source, "-w", path, "proc.name=curl", "and", "fd.type=file") == Exit.OK
    assert capsys.readouterr().out == ""
    assert dig("-r", path) == Exit.OK
    again = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert dig("-r", source, "proc.name=curl", "and", "fd.type=file") == Exit.OK
    assert again == [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]


def test_files_end_after_a_number_of_events_a_size_or_a_time(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = captures / "502Error.scap"
    everything = written(source, capsys)
    assert dig("-r", source, "-w", tmp_path / "n", "-e", "5000", "-n", "9000") == Exit.OK
    parts = [written(tmp_path / f"n{number}", capsys) for number in range(4)]
    assert [len(part) for part in parts[:3]] == [5000, 5000, 5000]
    assert list(chain(*parts)) == everything[: sum(map(len, parts))]
    assert dig("-r", source, "-w", tmp_path / "c", "-C", "0.5", "-W", "10") == Exit.OK
    parts = [written(tmp_path / f"c{number:02}", capsys) for number in range(3)]
    assert list(chain(*parts)) == everything
    assert all(400_000 < (tmp_path / f"c{number:02}").stat().st_size < 700_000 for number in range(2))
    assert dig("-r", source, "-w", tmp_path / "g%S", "-G", "5") == Exit.OK
    parts = [written(path, capsys) for path in sorted(tmp_path.glob("g*"))]
    assert list(chain(*parts)) == everything and len(parts) == 3
    assert all(part[-1] - part[0] < 5_000_000_000 for part in parts)


def test_only_the_last_files_stay(captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = captures / "502Error.scap"
    everything = written(source, capsys)
    assert dig("-r", source, "-w", tmp_path / "w", "-e", "4000", "-W", "2") == Exit.OK
    # Six files were begun: number 4 and number 5 are left.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w0", "w1"]
    assert written(tmp_path / "w0", capsys) + written(tmp_path / "w1", capsys) == everything[16000:]


def test_written_captures_may_be_gzip_native_and_without_other_processes(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = captures / "502Error.scap"
    assert dig("-r", source, "-w", tmp_path / "z", "-z", "proc.name=curl") == Exit.OK
    assert (tmp_path / "z").read_bytes()[:2] == b"\x1f\x8b"
    assert dig("-r", source, "-w", tmp_path / "x.syscope", "proc.name=curl") == Exit.OK
    assert written(tmp_path / "z", capsys) == written(tmp_path / "x.syscope", capsys) != []
    assert dig("-r", source, "-w", tmp_path / "p", "--filter-proclist", "proc.name=haproxy") == Exit.OK
    assert dig("-r", tmp_path / "p", "-c", "ps") == Exit.OK
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]] == ["haproxy"]


def test_what_can_be_asked_for_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert dig("-l") == Exit.OK
    assert "\nproc.name " in capsys.readouterr().out
    assert dig("--list-markdown") == Exit.OK
    assert "| `proc.name` |" in capsys.readouterr().out
    assert dig("-L") == Exit.OK
    assert "> open(FSPATH name, FLAGS32 flags, UINT32 mode)\n" in capsys.readouterr().out
    assert dig("-lv") == Exit.OK


def test_lines_to_a_pipe_are_plain_and_on_a_terminal_coloured_unless_forbidden(
    capture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert dig("-r", capture, "-n", "1") == Exit.OK
    assert " \x1b[01;32mcat\x1b[00m (\x1b[01;36m10\x1b[00m.10) > " in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert dig("-r", capture, "-n", "1") == Exit.OK
    assert " cat (10.10) > read " in capsys.readouterr().out

"""What sysdig 0.29.3 can be asked, `tui dig` can: every option is there, what it lists is listed, and captures are
written to the same files with the same events.

What differs, and why ours is right:

* ``-L``: the table of today has calls that sysdig does not know, and parameters of an enter with its exit.
* ``-E``: sysdig has no name at all then, ours has the number in place of each.
* ``-e``: sysdig's first file has an event less than was asked for; and with ``-W`` it gives no zeros to the numbers in
  names, as it does with ``-C``.
* ``-D``: sysdig writes samples of all processes, whatever the filter keeps.
* ``-G``: sysdig begins a file with a second of the clock, ours so long after the first event of the one before.
* ``-C``: sysdig wants whole megabytes. What a file begins with does not count for ours, lest a
  long list of processes fill it.
* ``-pc`` of ``topprocs_net``: what sysdig calls the container's process is a thread.
* ``-v``: numbers of sysdig's driver are not told; events that were lost are told without being asked.
"""

from __future__ import annotations

import json
import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from engine.fields.unavailable import UNAVAILABLE
from tests.tui.commands.test_dig_like_sysdig import Dig, capture, dig, pytestmark, sysdig, universal_time  # noqa: F401
from tui.cli import main
from tui.declared import command
from tui.exit_codes import Exit

LEFT_OUT = {
    **dict.fromkeys(("--bpf", "-B"), "the driver of sysdig; ours is the only one there is"),
    **dict.fromkeys(("--plugin", "-H", "--input", "-I", "-Il", "--plugin-config-file"), "plugins are not loaded"),
    **dict.fromkeys(("--k8s-api", "-k", "--k8s-api-cert", "-K", "--node-name"), "no server is asked"),
    **dict.fromkeys(("--mesos-api", "-m"), "no server is asked"),
    **dict.fromkeys(("--cri", "--cri-timeout"), "the runtimes there are are found"),
    **dict.fromkeys(("--force-tracers-capture", "-T"), "tracers were taken out of sysdig"),
    "--large-environment": "what is kept of an environment is what the kernel side reads",
    **dict.fromkeys(("--version", "--libs-version"), "of the program, not of the command: `tui --version`"),
}
"""Options of sysdig that there are not, and why."""


@pytest.fixture(scope="module")
def copy(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture that sysdig reads to the end, also when it was written again."""
    path = tmp_path_factory.mktemp("copy") / "tiny.scap"
    tool = captures.parent / "tools" / "downgrade_scap"
    subprocess.run([tool, captures / "tiny.scap", path], check=True, stderr=subprocess.DEVNULL, timeout=60)
    return path


def test_every_option_is_there_or_is_left_out_for_a_reason() -> None:
    told = re.findall(r"^ (-.*?)(?:  |$)", sysdig("--help").decode(), re.MULTILINE)
    theirs = {word for line in told for word in re.findall(r"(?:^|(?<= ))--?[A-Za-z][A-Za-z0-9-]*", line)}
    ours = {name for option in command("dig").options for name in option.names} | {"-cl"}
    assert len(theirs) > 60
    assert theirs - ours == set(LEFT_OUT)


def test_every_call_it_lists_is_listed_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    def parsed(text: str) -> dict[str, set[str]]:
        calls: dict[str, set[str]] = {}
        for line in text.splitlines():
            found = re.fullmatch(r"[<>] (\S+)\((.*)\)", line)
            assert found, line
            calls.setdefault(found[1], set()).update(each.split(" ")[-1] for each in found[2].split(", ") if each)
        return calls

    assert main(["dig", "--list-events"]) == Exit.OK
    ours, theirs = parsed(capsys.readouterr().out), parsed(sysdig("-L").decode())
    missing = {(call, name) for call in theirs for name in theirs[call] - ours.get(call, set())}
    assert theirs.keys() - ours.keys() == {"tracer"}
    assert {each for each in missing if each[0] != "tracer"} == {
        ("pluginevent", "ID"),
        *(("fstat64", "fd"), ("dup", "fd"), ("accept", "flags"), ("umount", "flags"), ("bpf", "res_or_fd")),
        *(("execveat", "pathname"), ("execveat", "dirfd")),
    }


def test_every_field_it_lists_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = set(re.findall(r"^([a-z][\w.]*\.\w[\w.]*) ", sysdig("-l").decode(), re.MULTILINE))
    assert len(theirs) > 240
    for words in (["-l"], ["--list"], ["--list-markdown"]):
        assert main(["dig", *words]) == Exit.OK
        ours = set(re.findall(r"^(?:\| `)?([a-z][\w.]*\.\w[\w.]*)", capsys.readouterr().out, re.MULTILINE))
        assert theirs <= ours | set(UNAVAILABLE) and set(UNAVAILABLE) <= ours


@pytest.mark.parametrize("option", ["-cl", "--list-chisels"])
def test_chisels_are_listed_in_the_same_categories(option: str, dig: Dig) -> None:  # noqa: F811
    def listed(text: bytes) -> list[str]:
        return re.findall(r"^(Category: .*|[a-z]\w*)(?:  ?|$)", text.decode(), re.MULTILINE)

    theirs = [line for line in listed(sysdig(option)) if line != "Use"]
    assert listed(dig(option)) == theirs
    assert len(theirs) > 49


@pytest.mark.parametrize("option", ["-i", "--chisel-info"])
def test_a_chisel_is_described_with_the_same_arguments(option: str, dig: Dig) -> None:  # noqa: F811
    for name in ("spy_port", "fileslower", "spy_logs", "netstat", "topconns", "fdbytes_by"):
        theirs, ours = (
            re.findall(rb"^(Category: .*|\[\w+\] \w+|\(None\))", each, re.MULTILINE)
            for each in (sysdig(option, name), dig(option, name))
        )
        assert [each.split(b"] ")[-1] for each in ours] == [each.split(b"] ")[-1] for each in theirs]


@pytest.mark.parametrize(
    "words",
    [
        "-pk proc.name=python",
        "-pkubernetes proc.name=haproxy",
        "-qn 5",
        "-Aj evt.buffer contains GET",
        "-vA evt.buffer contains HTTP",
        "-vb evt.buffer contains HTTP",
        "-vx evt.buffer contains HTTP",
        "-vj evt.buffer contains HTTP",
        "-x -p %evt.buffer evt.buffer contains HTTP",
        "-Rj evt.type=recvfrom",
        "-tD -j -n 3",
        "-tr -j -n 3",
        "-td -j -n 3",
        "-ta -j -n 3",
        "-n 20 evt.type in (open, close)",
        "-E -p %user.uid,%proc.name",
        "-c topfiles_bytes.lua",
        "--chisel=topfiles_bytes",
        "-c topports_server -c topfiles_bytes",
        "-c topcontainers_net -pc",
        "-c netstat.lua -pc",
        "-c lsof -pc",
    ],
)
def test_options_together_print_the_same(dig: Dig, capture: Path, words: str) -> None:  # noqa: F811
    given = words.split(" ")
    theirs = sysdig("-r", capture, *given)
    assert dig("-r", capture, *given) == theirs
    assert theirs or "-qn" in given


@pytest.mark.parametrize("option", ["-pm", "-pmesos", "-XA", "-p%", "-p%nofield", "-tx"])
def test_what_cannot_be_printed_is_refused(option: str, capture: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    try:
        status = main(["dig", "-r", str(capture), option])
    except SystemExit as leave:
        status = int(leave.code or 0)
    out, err = capsys.readouterr()
    assert status == Exit.USAGE and not out and err


def test_without_the_table_of_users_there_are_numbers_for_names(dig: Dig, capture: Path) -> None:  # noqa: F811
    words = ("-r", capture, "-E", "proc.name=curl", "-p*%user.uid %user.name %group.name %user.loginname")
    assert set(sysdig(*words).splitlines()) == {b"1000 <NA> <NA> <NA>"}
    assert set(dig(*words).splitlines()) == {b"1000 1000 1000 <NA>"}


def test_tables_are_the_same_json(dig: Dig, capture: Path) -> None:  # noqa: F811
    for chisel in ("topfiles_bytes", "topports_server", "topcontainers_net"):
        theirs = json.loads(sysdig("-r", capture, "-j", "-c", chisel))
        theirs["info"] = [each for each in theirs["info"] if each is not None]
        assert json.loads(dig("-r", capture, "-j", "-c", chisel)) == theirs


@pytest.mark.parametrize("words", ["", "evt.type=open", "-n 100"])
def test_how_many_events_there_were_is_told(
    words: str,
    capture: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["-r", str(capture), "-q", "-v", *words.split()]
    done = subprocess.run(["sysdig", *given], capture_output=True, text=True, timeout=60)
    assert main(["dig", *given]) == Exit.OK
    count = r"Captured Events: (\d+), [\d.]+ eps"
    assert re.findall(count, capsys.readouterr().err) == re.findall(count, done.stderr) != []


VISIBLE = ("-p*%evt.rawtime %evt.cpu %evt.dir %evt.type %thread.tid",)
EVERYTHING = ("-D", *VISIBLE)


def events(paths: list[Path], words: tuple[str, ...] = EVERYTHING) -> list[list[bytes]]:
    """The events sysdig finds in each of some captures."""
    return [sysdig("-r", path, *words).splitlines() for path in paths]


def both(copy: Path, folder: Path, words: str) -> tuple[list[Path], list[Path]]:
    """The files sysdig writes, and those of ours, in the order of their names."""
    made: list[list[Path]] = []
    for name in ("theirs", "ours"):
        (folder / name).mkdir()
        given = ["-r", str(copy), "-w", str(folder / name / "part"), *words.split()]
        if name == "theirs":
            sysdig(*given)
        else:
            assert main(["dig", *given]) == Exit.OK
        made.append(sorted((folder / name).iterdir()))
    assert [path.name for path in made[0]] == [path.name for path in made[1]] != []
    return made[0], made[1]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "-z",
        "--compress",
        "-F",
        "--fatfile -n 500",
        "-n 500",
        "-C 10",
        "--file-size=10 -W 3",
        "-e 100000",
        "-G 60 --limit=2",
    ],
)
def test_the_same_events_are_written_to_the_same_file(copy: Path, tmp_path: Path, words: str) -> None:
    theirs, ours = both(copy, tmp_path, words)
    assert events(ours) == events(theirs)
    compressed = [path.read_bytes()[:2] == b"\x1f\x8b" for path in (*theirs, *ours)]
    assert set(compressed) == {words in ("-z", "--compress")}


@pytest.mark.parametrize("words", ["evt.type=openat", "--filter-proclist proc.name=timeout", "-F evt.type=close"])
def test_the_events_a_filter_keeps_are_written(copy: Path, tmp_path: Path, words: str) -> None:
    theirs, ours = both(copy, tmp_path, words)
    assert events(ours, VISIBLE) == events(theirs, VISIBLE) != [[]]


def test_what_is_read_is_known_though_its_opening_is_hidden(copy: Path, tmp_path: Path) -> None:
    theirs, ours = both(copy, tmp_path, "--fatfile evt.type=read and proc.name!=bash")
    named = ("-p%evt.rawtime %fd.name",)
    assert events(ours, named) == events(theirs, named)
    assert any(line.endswith(b" /usr/share/locale/locale.alias") for line in events(ours, named)[0])


def test_only_processes_that_the_filter_keeps_are_written_along(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = []
    for (path,) in both(captures / "502Error.scap", tmp_path, "--filter-proclist proc.name in (haproxy, tini)"):
        assert main(["dig", "-r", str(path), "-c", "ps"]) == Exit.OK
        listed.append(sorted(line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]))
    assert listed[0] == listed[1] == ["haproxy", "tini"]


@pytest.mark.parametrize("words", ["-e 1000", "-e 1000 -W 3"])
def test_files_of_so_many_events_are_the_same_but_for_the_first(copy: Path, tmp_path: Path, words: str) -> None:
    theirs, ours = both(copy, tmp_path, words)
    numbers = [len(each) for each in events(ours)]
    whole = sysdig("-r", copy, *EVERYTHING).splitlines()
    if words == "-e 1000 -W 3":
        assert sorted(numbers) == [len(whole) % 1000, 1000, 1000]
        assert [len(each) for each in events(theirs)] == [numbers[0] + 1, 1000, 1000]
    else:
        assert numbers == [1000] * (len(whole) // 1000) + [len(whole) % 1000]
        assert [len(each) for each in events(theirs)] == [999, *numbers[1:-1], numbers[-1] + 1]
        assert list(chain(*events(ours))) == whole


@pytest.mark.parametrize("words", ["-C 1", "-C 1 -z", "-C 1 -W 10"])
def test_files_of_a_size_are_as_many_and_as_large(captures: Path, tmp_path: Path, words: str) -> None:
    large = tmp_path / "large.scap"
    tool = captures.parent / "tools" / "downgrade_scap"
    subprocess.run([tool, captures / "mixed_thin.scap.gz", large], check=True, stderr=subprocess.DEVNULL, timeout=60)
    theirs, ours = both(large, tmp_path, words)
    assert len(theirs) == (3 if "-z" in words else 10 if "-W" in words else 20)
    sizes = [path.stat().st_size for path in ours]
    last = len(sizes) - 1
    for path, size in zip(theirs, sizes, strict=True):
        if path.name not in ("part19", f"part{last}", "part09"):
            assert 1_000_000 < path.stat().st_size < 1_080_000 and 1_000_000 < size < 1_080_000


@pytest.mark.parametrize("words", ["-G 5", "--seconds=5 -W 2"])
def test_files_of_so_many_seconds_hold_them(
    captures: Path, tmp_path: Path, words: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    theirs, ours = both(captures / "502Error.scap", tmp_path, words)
    assert len(theirs) == (2 if "-W" in words else 3)
    whole = sysdig("-r", captures / "502Error.scap", "-D", "-p%evt.rawtime").splitlines()
    times: list[list[int]] = []
    for path in ours:
        capsysbinary.readouterr()
        assert main(["dig", "-D", "-r", str(path), "-p%evt.rawtime"]) == Exit.OK
        times.append([int(line) for line in capsysbinary.readouterr().out.split()])
    assert list(chain(*times)) == [int(line) for line in whole][: sum(map(len, times))]
    assert all(part[-1] - part[0] < 5e9 for part in times)

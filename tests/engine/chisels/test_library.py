"""All of sysdig's chisels are there by their names; a user's are found, and mistakes in them are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.chisels.chisel import ChiselError
from engine.chisels.library import arguments, load

LISTED = (
    *["httplog", "httptop", "memcachelog", "spectrogram", "subsecoffset", "topcontainers_cpu", "topprocs_cpu"],
    *[
        "topcontainers_error",
        "topfiles_errors",
        "topprocs_errors",
        "echo_fds",
        "fdbytes_by",
        "fdcount_by",
        "fdtime_by",
        "iobytes",
    ],
    *["iobytes_file", "spy_file", "stderr", "stdin", "stdout", "topcontainers_file", "topfiles_bytes", "topfiles_time"],
    *[
        "topprocs_file",
        "udp_extract",
        "spy_logs",
        "spy_syslog",
        "around",
        "iobytes_net",
        "spy_ip",
        "spy_port",
        "topconns",
    ],
    *[
        "topcontainers_net",
        "topports_server",
        "topprocs_net",
        "bottlenecks",
        "fileslower",
        "netlower",
        "proc_exec_time",
    ],
    *[
        "scallslower",
        "topscalls",
        "topscalls_time",
        "list_login_shells",
        "shellshock_detect",
        "spy_users",
        "lscontainers",
        "lsof",
    ],
    *["netstat", "ps", "tracers_2_statsd"],
)
"""What ``sysdig -cl`` lists."""
TABLE = """
category = "Mine"
summary = "Bytes by directory of a process"
filter = "evt.is_io=true and proc.name={name}"
keys = [["fd.directory", "Directory"]]
amount = "bytes"
title = "Bytes"
units = "bytes"

[[arguments]]
name = "name"
meaning = "the process"
"""
CLASS = """
from engine.chisels.chisel import Chisel


class Opens(Chisel):
    \"\"\"Counts opens.\"\"\"

    summary = "opens"
    filter = "evt.type=openat and evt.dir=<"
    fields = ("fd.name",)

    def start(self):
        self.count = 0

    def event(self, name):
        self.count += 1

    def end(self):
        self.say(f"{self.count} opens")
"""


@pytest.fixture
def folder() -> Path:
    made = Path(os.environ["XDG_CONFIG_HOME"]) / "syscope" / "chisels"
    made.mkdir(parents=True, exist_ok=True)
    for old in made.iterdir():
        old.unlink()
    return made


def test_every_chisel_of_sysdig_is_there() -> None:
    library = load()
    assert sorted(library.chisels) == sorted(LISTED)
    assert library.problems == ()
    for chisel in library.chisels.values():
        assert chisel.category and chisel.summary and chisel.description


def test_a_users_declaration_and_class_are_found(folder: Path) -> None:
    (folder / "by_directory.toml").write_text(TABLE)
    (folder / "opens.py").write_text(CLASS)
    library = load()
    assert library.problems == ()
    assert library.chisels["by_directory"].category == "Mine"
    assert library.chisels["opens"].summary == "opens"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "keys = 1", "a.toml:1: keys: expected pairs"),
        ("a.toml", 'keys = [["proc.nmae", "x"]]', "proc.name"),
        ("a.toml", 'keys = [["proc.name", "x"]]\nmost = -1', "a.toml:2: most: expected a whole number"),
        ("a.toml", 'keys = [["proc.name", "x"]]\nfilter = "proc.nmae=x"', "a.toml:2: filter: "),
        ("a.toml", 'format = "%evt.typ"', "a.toml:1: "),
        ("a.toml", "colour = 1", "unknown key colour"),
        ("a.toml", "", "expected either the key keys"),
        ("a.toml", "x = [", "not TOML"),
        ("a.toml", 'keys = [["proc.name", "x"]]\n[[arguments]]\nname = 3', "a.toml:3: name: expected a word"),
        ("a.py", "import nosuchmodule", "ModuleNotFoundError"),
        ("a.py", "raise SystemExit(3)", "SystemExit"),
        ("a.py", "x = (", "SyntaxError"),
        ("a.py", "", "expected one class made of Chisel, found 0"),
        ("a.py", "\xff", "Error"),
    ],
)
def test_a_mistake_in_a_users_file_is_told_and_the_rest_works(folder: Path, name: str, text: str, told: str) -> None:
    (folder / name).write_text(text)
    library = load()
    (problem,) = library.problems
    assert told in problem
    assert sorted(library.chisels) == sorted(LISTED)


def test_arguments_are_taken_apart_and_checked() -> None:
    chisels = load().chisels
    assert arguments(chisels["fileslower"], "10 disable_colors") == {"min_ms": "10", "disable_color": "disable_colors"}
    assert arguments(chisels["spy_file"], "R '/tmp/a b'") == {"read_or_write": "R", "spy_on_file_name": "/tmp/a b"}
    assert arguments(chisels["spy_file"], "R `/tmp/a b`")["spy_on_file_name"] == "/tmp/a b"
    assert arguments(chisels["netstat"], "fd.port=80 and proc.name=x") == {"filter": "fd.port=80 and proc.name=x"}
    assert arguments(chisels["spy_users"], None) == {}
    for name, given in (
        ("fileslower", "abc"),
        ("fileslower", ""),
        ("fdbytes_by", "proc.nmae"),
        ("spy_ip", "1.2.3"),
        ("spy_port", "70000"),
        ("netstat", "fd.prot=80"),
        ("topconns", "x"),
    ):
        with pytest.raises(ChiselError):
            arguments(chisels[name], given)


def test_an_argument_cannot_become_more_of_a_filter_than_one_value(folder: Path) -> None:
    (folder / "by_directory.toml").write_text(TABLE)
    from engine.chisels.chisel import Settings

    chisel = load().chisels["by_directory"](Settings(arguments={"name": "x or evt.num>0"}))
    assert chisel.filter == 'evt.is_io=true and proc.name="x or evt.num>0"'

"""What is known to have happened in the shared captures is found in them, whole and unchanged (their README)."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.query.lines import LineFormat
from engine.query.matches import Matches
from engine.sources import open_capture
from engine.store.store import Store

ENTER_AND_EXIT, EXIT_ONLY = "mixed_thin.scap.gz", "mixed25_thin.scap.gz"


@cache
def read(path: Path) -> Store:
    """A capture, read to its end."""
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    decoder.seal()
    assert store.damage == []
    return store


def events(path: Path, filter_text: str) -> list[Event]:
    matches = Matches(read(path), filter_text)
    assert matches.update()
    return [matches.at(index) for index in range(len(matches))]


def told(path: Path, filter_text: str, layout: str) -> list[str]:
    """A line for each event a filter keeps."""
    format_ = LineFormat(layout)
    return [format_.line(event) or "" for event in events(path, filter_text)]


COMMANDS = "evt.type in (execve, execveat) and evt.dir=< and evt.failed=false"


@pytest.mark.parametrize("name", ["tiny.scap", "tiny25.scap.gz"])
def test_every_end_of_a_process_is_there_by_its_name(captures: Path, name: str) -> None:
    ends = Counter(told(captures / name, "evt.type=procexit", "*%proc.name"))
    assert sum(ends.values()) == 18
    assert {"bash": 3, "cat": 2, "sleep": 2, "curl": 1, "python3": 1, "timeout": 1}.items() <= ends.items()


def test_the_failures_of_the_small_script(captures: Path) -> None:
    tiny = captures / "tiny.scap"
    opened = told(tiny, "proc.name=cat and evt.failed=true and evt.type=openat", "*%evt.arg.name %evt.res")
    assert "/nonexistent ENOENT" in opened
    connects = told(tiny, "evt.type=connect and evt.dir=<", "*%proc.name %evt.res")
    assert {"curl EINPROGRESS", "bash ECONNREFUSED"} <= set(connects)
    assert told(tiny, "proc.name=curl and evt.type=connect and fd.sport=1 and evt.dir=<", "*%evt.res") == [
        "EINPROGRESS"
    ]


def test_the_commands_of_the_small_script(captures: Path) -> None:
    commands = told(captures / "tiny.scap", COMMANDS, "*%proc.ppid %proc.cmdline")
    assert "4158 cat /etc/passwd" in commands
    assert any(command.endswith(" sleep 0.2") for command in commands)


def test_containers_have_their_names_and_images(captures: Path) -> None:
    store = read(captures / "containers.scap.gz")
    named = {one.id: (one.name, one.image, one.type) for one in store.containers.values() if one.name}
    image = "localhost/peers/busybox:1"
    assert named == {
        "ee61c84f49e8": ("peers-web", image, 11),
        "39ef390123e0": ("peers-writer", image, 11),
        "16f958bf6b94": ("peers-client", image, 11),
    }


def test_what_containers_did_is_theirs(captures: Path) -> None:
    path = captures / "containers.scap.gz"
    writes = told(path, "evt.type=write and evt.dir=< and fd.name=/var/log.txt", "*%container.name")
    assert writes == ["peers-writer"] * 40
    servers = told(path, f"{COMMANDS} and container.name=peers-web and proc.name=httpd", "*%proc.cmdline")
    assert "httpd -f -p 127.0.0.1:8090 -h /data/www" in servers


@pytest.mark.parametrize("name", [ENTER_AND_EXIT, EXIT_ONLY])
def test_the_port_scan_is_counted_call_by_call(captures: Path, name: str) -> None:
    path = captures / name
    results = Counter(told(path, "proc.name=nmap and evt.type=connect and evt.dir=<", "*%evt.rawres"))
    assert (results["-115"], results["-2"]) == (1002, 2)
    scan = told(path, f"{COMMANDS} and proc.name=nmap", "*%proc.cmdline")
    assert scan == ["nmap -n -sT -p 1-1000,6399,8088 127.0.0.1"]
    assert events(path, "proc.name=nmap and fd.name=/usr/share/nmap/nmap-services and evt.is_io_read=true")


def test_the_other_user_is_seen_at_what_is_not_allowed(captures: Path) -> None:
    path = captures / ENTER_AND_EXIT
    refused = "evt.type in (open, openat) and evt.dir=< and evt.res=EACCES and evt.arg.name=/etc/shadow"
    assert Counter(told(path, refused, "*%user.name %proc.name")) == {"www-data cat": 2, "www-data renamed-py": 1}
    missing = "evt.type in (open, openat) and evt.dir=< and evt.res=ENOENT and evt.arg.name=/etc/shadow_no"
    assert set(told(path, missing, "*%proc.name")) == {"python3"}
    commands = told(path, f"{COMMANDS} and user.name=www-data", "*%proc.cmdline")
    assert "sh -c cat /etc/shadow; touch /usr/bin/zz; id" in commands
    assert {"cat /etc/shadow", "touch /usr/bin/zz", "id"} <= set(map(str.strip, commands))

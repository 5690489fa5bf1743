"""Every filter of the language's reference on a real capture, counted against sysdig 0.29.3.

The counts are lines printed by ``sysdig -r 502Error.scap -p '%evt.num' FILTER``; like sysdig's, ours leave internal
events out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.events import CATALOGUE, Category
from engine.filters import compile  # noqa: A004
from engine.store.store import Store
from tests.engine.filters.oracle import loaded

LINES = {
    "evt.num>0": 9478,
    "evt.dir=<": 4349,
    "evt.dir=>": 5129,
    "evt.type=read": 666,
    "evt.type in (read, write, recvfrom)": 1310,
    "evt.type!=switch": 8772,
    "evt.type=procinfo": 0,
    "syscall.type exists": 8772,
    "fd.name exists": 4382,
    "not fd.name exists": 5096,
    "fd.num exists": 4832,
    "fd.type=file": 1776,
    "fd.type!=file": 2477,
    "not fd.type=file": 7702,
    "fd.type in (ipv4, ipv6)": 2033,
    "fd.name contains /etc": 1517,
    "fd.name endswith .conf": 999,
    "fd.name icontains ETC": 1517,
    "fd.name glob /etc/*.conf": 999,
    "fd.name pmatch (/etc)": 1517,
    "fd.name pmatch (/etc/host)": 0,
    'fd.name in (/etc/hosts, "/etc/host.conf")': 666,
    "fd.port=80": 1787,
    "fd.port!=80": 246,
    "not fd.port=80": 7691,
    "fd.sport in (80, 514)": 1860,
    "fd.sport>100": 74,
    "fd.ip=192.168.0.2": 1340,
    "fd.ip!=192.168.0.2": 693,
    "fd.sip=192.168.0.2": 1340,
    "fd.net=192.168.0.0/24": 1787,
    "fd.snet=145.216.0.0/16": 73,
    "fd.cnet!=192.168.0.0/24": 73,
    "fd.is_server=true": 173,
    "evt.failed=true": 280,
    "evt.failed=false": 9198,
    "evt.res=ENOENT": 111,
    "evt.rawres<0": 280,
    "evt.rawres>=0": 3125,
    "evt.rawres=-2": 111,
    "evt.is_io=true": 2090,
    "evt.buflen>100": 161,
    "evt.buffer contains GET": 148,
    'evt.buffer contains "GET /foo"': 4,
    "evt.buffer startswith HTTP": 111,
    "evt.latency>1000000": 125,
    "evt.cpu=1": 2135,
    "evt.category=net": 2704,
    "evt.category=ipc": 222,
    "evt.category=IPC": 954,
    "evt.arg.fd exists": 2592,
    "evt.arg[0] exists": 8961,
    "evt.rawarg.res>100": 568,
    "evt.arg.res>100": 1340,
    "proc.name=curl": 3746,
    "proc.name=CURL": 0,
    "proc.name in (curl, python)": 6476,
    "proc.name < d": 3746,
    "proc.pid>13000 and proc.pid<14000": 5732,
    "proc.aname=tini": 2942,
    "proc.aname[1]=tini": 21,
    "proc.pname=tini": 21,
    "proc.cmdline contains bar": 3645,
    'proc.args="localhost/foo"': 101,
    "proc.nthreads>1": 6105,
    "user.uid=0": 2811,
    "container.id=host": 3746,
    "container.id!=host": 5732,
    "container.name=example2_lb_1": 3002,
    "evt.type=open and (fd.name=/etc/hosts or fd.name=/etc/host.conf)": 74,
    "evt.around[1506127470000000000]=100": 219,
    "evt.deltatime>100000000": 45,
    "evt.num in (23, 24, 27)": 3,
    "evt.rawtime>=1506127471000000000 and evt.rawtime<1506127472000000000": 693,
}
"""What sysdig 0.29.3 keeps."""

_MAPPED = "222 mmap events are about the file they map, which newer libraries know too"
_UNCONNECTED = "172 events of sockets before their connect have no ends, there zero ones"

DIFFERENT: dict[str, tuple[int, str]] = {
    "syscall.type exists": (8698, "the ends of 74 processes are no system calls"),
    "evt.buflen>100": (309, "with -d sysdig keeps 309 too: without it, filtered opens leave its fds unknown"),
    "evt.latency>1000000": (123, "two switches are no calls and have no latency"),
    "fd.name exists": (4475, f"{_MAPPED}; 129 calls that failed on no descriptor have none, there an empty name"),
    "not fd.name exists": (5003, "as fd.name exists"),
    "fd.num exists": (4475, f"{_MAPPED}; without a descriptor there is no number, there -1"),
    "fd.type=file": (1998, _MAPPED),
    "not fd.type=file": (7480, _MAPPED),
    "fd.name contains /etc": (1591, _MAPPED),
    "fd.name icontains ETC": (1591, _MAPPED),
    "fd.name pmatch (/etc)": (1591, _MAPPED),
    "fd.port!=80": (74, _UNCONNECTED),
    "fd.ip!=192.168.0.2": (521, _UNCONNECTED),
    "fd.snet=145.216.0.0/16": (0, "a bound UDP socket's port and protocol number are not its peer's address"),
    "fd.is_server=true": (1151, "accepted connections are the server's end; unconnected sockets are neither's"),
}
"""What we keep instead, and why."""

_PRINTED = np.array([kind.category is not Category.INTERNAL for kind in CATALOGUE])


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return loaded(captures / "502Error.scap")


def kept(store: Store, text: str) -> int:
    asked = compile(text)
    return sum(int((asked.mask(store, segment) & _PRINTED[segment.type]).sum()) for segment in store.segments)


@pytest.mark.parametrize("text", LINES)
def test_a_filter_keeps_what_sysdig_keeps(text: str, store: Store) -> None:
    expected, _ = DIFFERENT.get(text, (LINES[text], ""))
    assert kept(store, text) == expected


def test_differences_are_differences() -> None:
    assert all(count != LINES[text] for text, (count, _) in DIFFERENT.items())

"""Every field has an event of which it says something, and says that.

``values.json`` has such events of the shared captures, ``known.json`` the fields that versions of sysdig and its
libraries know; what no shared capture tells is made here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from math import floor, log10
from pathlib import Path
from typing import Any

import pytest

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.events import CATALOGUE, FLAG_TABLES, SCAP_TYPES, FdKind
from engine.fields import FIELDS, look_up, times
from engine.fields.field import Value
from engine.fields.resolve import event_of
from engine.fields.unavailable import UNAVAILABLE
from engine.model.facts import Inside
from engine.query.assembly import shown
from engine.sources import open_capture
from engine.store.store import Store
from tests.engine.decode.decoded import Machine, listed
from tests.engine.oracle_count import DOWNGRADE

Expected = dict[str, Any]
HERE = Path(__file__)
KNOWN: dict[str, list[str]] = json.loads(HERE.with_name("known.json").read_text("utf-8"))
VALUES: dict[str, dict[str, Expected]] = json.loads(HERE.with_name("values.json").read_text("utf-8"))
"""By capture and number of an event the values of fields; texts as Latin-1."""


def plain(value: Value) -> Any:
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def of(event: Event, name: str) -> Any:
    field, argument = look_up(name)
    return plain(field.of(event, argument))


# --- captures ----------------------------------------------------------------------------------------------


@cache
def read(path: Path) -> Store:
    """A capture, decoded once for all tests."""
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    return store


@pytest.fixture(scope="module", autouse=True)
def greenwich() -> Iterator[None]:
    """Times of day are those of Greenwich."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    times.local.cache_clear()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()
    times.local.cache_clear()


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, told in VALUES.items() for number in told])
def test_an_event_of_a_capture_says(captures: Path, name: str, number: str) -> None:
    event = event_of(read(captures / name), int(number))
    assert event is not None
    assert {field: of(event, field) for field in VALUES[name][number]} == VALUES[name][number]


@pytest.mark.parametrize("name", VALUES)
def test_sysdig_says_the_same(captures: Path, name: str, tmp_path: Path) -> None:
    if shutil.which("sysdig") is None or not (captures / DOWNGRADE).exists():
        pytest.skip("needs sysdig 0.29.3, and the tool that copies captures for it")
    copy = tmp_path / "copy.scap"
    subprocess.run([captures / DOWNGRADE, captures / name, copy], check=True, stderr=subprocess.DEVNULL)
    copied = read(copy)
    events = (Event(copied, segment, row) for segment in copied.segments for row in range(len(segment)))
    numbers = {identified(event): event.number for event in events}
    differing: dict[str, str] = {}
    for number, expected in VALUES[name].items():
        event = event_of(read(captures / name), int(number))
        assert event is not None
        there = numbers.get(identified(event))
        asked = [field for field in expected if is_told(field)]
        if there is not None and asked:
            for field, theirs in said(copy, there, asked).items():
                declared, argument = look_up(field)
                value = declared.of(event, argument)
                ours = f"{value:.1f}" if isinstance(value, float) else shown(declared, value)
                if theirs.removesuffix(" ") != ours.removesuffix(" "):
                    differing[field] = theirs
    assert differing == {field: theirs for field, (theirs, _) in DIFFERENT.get(name, {}).items()}


def identified(event: Event) -> tuple[int, int, int]:
    """What tells an event from all others of a capture and its copies."""
    return event.time, event.type.code, -1 if event.thread is None else event.thread.tid


def is_told(name: str) -> bool:
    """Whether sysdig 0.29.3 prints a field."""
    field, argument = look_up(name)
    known = "0.29.3" in KNOWN.get(field.name, [])
    # Bare, a field of several values is the process's own; a format takes no event number.
    return known and not field.filter_only and not (field.multiple and argument is None) and name != "evt.type.is.3"


def said(copy: Path, number: int, fields: list[str]) -> dict[str, str]:
    """What sysdig prints of an event."""
    layout = "*" + "\x1f".join(f"%{field}" for field in fields)
    command = ["sysdig", "-D", "-d", "-r", str(copy), "-p", layout, f"evt.num={number}"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "TZ": "UTC"})
    return dict(zip(fields, done.stdout.decode("latin-1").removesuffix("\n").split("\x1f"), strict=True))


_PADDED = "numbers are numbers, not padded with zeros"
_INSIDE = "the client is inside a container, whose address is no interface's: sysdig takes it for the other end"
_SERVICE = "sysdig knows no names of services here"
DIFFERENT: dict[str, dict[str, tuple[str, str]]] = {
    "502Error.scap": {
        "proc.nchilds": ("0", "newer libraries count the threads that are not the main one, as we do"),
        "fd.is_server": ("false", "the connection was accepted"),
        "evt.deltatime.ns": ("000003844", _PADDED),
        "evt.latency.ns": ("000003844", _PADDED),
        "evt.latency.quantized": ("1", "a scale of its own; sysdig's depends on the width of the terminal"),
        "evt.time.iso8601": ("2017-09-23T00:44:34.654657599+0000", "UTC is written Z, as newer libraries do"),
        "fd.lip": ("192.168.0.2", _INSIDE),
        "fd.lport": ("80", _INSIDE),
        "fd.lproto": ("80", _INSIDE),
        "fd.rip": ("192.168.0.3", _INSIDE),
        "fd.rport": ("54830", _INSIDE),
        "fd.rproto": ("54830", _INSIDE),
        "fd.sproto": ("80", _SERVICE),
        "thread.totexectime": ("9528836381", "sysdig counts the time a CPU was idle, or ran what is not captured"),
        "util.cnt": ("8550", "leading events that are never shown count, as in evt.num"),
    },
    "xxradar_docker_curl_2025.scap": {
        "user.loginname": ("root", "sysdig reads another number of a newer process list as the login's"),
        "user.loginuid": ("0", "sysdig reads another number of a newer process list as the login's"),
        "fd.dev": ("2F", "sysdig prints it in hexadecimal"),
        "proc.exepath": ("", "the path is told by a parameter that is newer than sysdig 0.29.3"),
    },
}
"""By capture and field, what sysdig says instead, and why."""


# --- made events -------------------------------------------------------------------------------------------


def code(name: str) -> int:
    """The newest exit of a call, or a happening that has none."""
    return max(kind.code for kind in CATALOGUE[:SCAP_TYPES] if kind.name == name and kind.params and kind.counts[-1])


CONTAINER, ASYNC, INFRA, K8S, SENDTO, MMAP, EXECVE, OPENAT = map(
    code, ("container", "asyncevent", "infra", "k8s", "sendto", "mmap", "execve", "openat")
)
SANDBOX = "9" * 64
INSIDE = (f"memory=/kubepods/besteffort/pod0d5485a2-9f2b-11e7-a1ba-507b9d85a8c2/{'c' * 64}".encode(),)
POD = {
    "io.kubernetes.pod.name": "web-5d89cbf7b4-x2x9w",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "0d5485a2-9f2b-11e7-a1ba-507b9d85a8c2",
    "io.kubernetes.sandbox.id": SANDBOX,
}


def told(**details: Any) -> str:
    """What an event says of the container ``INSIDE`` names."""
    return json.dumps({"container": {"id": "c" * 12, "name": "web", "type": 0, **details}})


def of_a_container() -> tuple[Event, Expected]:
    seen = Machine(listed(10, cgroups=INSIDE, exe=b"/check", args=(b"-q",)))
    probes = {name: {"exe": "/check", "args": ["-q"]} for name in ("Healthcheck", "LivenessProbe", "ReadinessProbe")}
    mount = {"Source": "/srv", "Destination": "/data", "Mode": "ro", "RW": False, "Propagation": "rprivate"}
    facts = {"privileged": True, "host_pid": True, "host_network": True, "host_ipc": True, "cni_json": "{}"}
    seen.happens(CONTAINER, -1, json=told(Mounts=[mount, {"Source": "/etc", "RW": True}], **probes, **facts))
    expected = {
        "container.privileged": True,
        "container.host_pid": True,
        "container.host_network": True,
        "container.host_ipc": True,
        "container.cni.json": "{}",
        "container.healthcheck": "/check -q",
        "container.liveness_probe": "/check -q",
        "container.readiness_probe": "/check -q",
        "container.mounts": "/srv:/data:ro:false:rprivate,/etc:::true:",
        "container.mount[0]": "/srv:/data:ro:false:rprivate",
        "container.mount[/s*]": "/srv:/data:ro:false:rprivate",
        "container.mount[/var]": None,
        "container.mount[7]": None,
        "container.mount.source[/data]": "/srv",
        "container.mount.dest[/srv]": "/data",
        "container.mount.mode[0]": "ro",
        "container.mount.rdwr[1]": "true",
        "container.mount.propagation[/srv]": "rprivate",
        "proc.is_container_healthcheck": True,
        "proc.is_container_liveness_probe": True,
        "proc.is_container_readiness_probe": True,
    }
    return seen.happens(MMAP, 10, res=0), expected


def of_a_pod() -> tuple[Event, Expected]:
    seen = Machine(listed(10, cgroups=INSIDE))
    seen.happens(CONTAINER, -1, json=told(labels=POD, ip="10.0.0.9"))
    holder = {"id": SANDBOX[:12], "ip": "10.0.0.1", "cni_json": "[]", "labels": {"app": "shop", "annotation.x": "y"}}
    seen.happens(CONTAINER, -1, json=json.dumps(holder))
    expected = {
        "k8s.pod.name": "web-5d89cbf7b4-x2x9w",
        "k8s.rs.name": "web-5d89cbf7b4",
        "k8s.deployment.name": "web",
        "k8s.ns.name": "shop",
        "k8s.pod.uid": POD["io.kubernetes.pod.uid"],
        "k8s.pod.id": POD["io.kubernetes.pod.uid"],
        "k8s.pod.sandbox_id": SANDBOX[:12],
        "k8s.pod.full_sandbox_id": SANDBOX,
        "k8s.pod.label[app]": "shop",
        "k8s.pod.labels": "app:shop",
        "k8s.pod.ip": "10.0.0.1",
        "k8s.pod.cni.json": "[]",
    }
    return seen.happens(MMAP, 10, res=0), expected


def of_a_pod_by_name_and_control_group() -> tuple[Event, Expected]:
    seen = Machine(listed(10, cgroups=INSIDE))
    seen.happens(CONTAINER, -1, json=told(name="k8s_web.bd53_web-2_shop_c6a443fd7470d526a9d9fbded1a75153_8e3d"))
    uid = "c6a443fd7470d526a9d9fbded1a75153"
    return seen.happens(MMAP, 10, res=0), {"k8s.pod.name": "web-2", "k8s.ns.name": "shop", "k8s.pod.uid": uid}


def of_a_control_group() -> tuple[Event, Expected]:
    unit = b"memory=/kubepods.slice/kubepods-pod0d5485a2_9f2b_11e7_a1ba_507b9d85a8c2.slice/crio-%s.scope" % (b"d" * 64)
    seen = Machine(listed(10, cgroups=(unit,)))
    seen.happens(CONTAINER, -1, json=json.dumps({"id": "d" * 12}))
    return seen.happens(MMAP, 10, res=0), {"k8s.pod.uid": POD["io.kubernetes.pod.uid"], "k8s.pod.name": None}


def of_a_cluster() -> tuple[Event, Expected]:
    seen = Machine(listed(10, cgroups=INSIDE))
    pod = {
        "metadata": {"name": "shop-1", "namespace": "web", "uid": "pod-1", "labels": {"app": "shop", "tier": "front"}},
        "status": {"podIP": "10.1.0.1", "containerStatuses": [{"containerID": "docker://" + "c" * 64}]},
        "spec": {"nodeName": "node"},
    }
    seen.happens(K8S, -1, json=json.dumps({"type": "ADDED", "kind": "Pod", "object": pod}))
    expected: Expected = {
        "k8s.pod.name": "shop-1",
        "k8s.ns.name": "web",
        "k8s.pod.uid": "pod-1",
        "k8s.pod.ip": "10.1.0.1",
        "k8s.pod.label[app]": "shop",
        "k8s.pod.labels": "app:shop, tier:front",
    }
    of = {"svc": "Service", "rc": "ReplicationController", "rs": "ReplicaSet", "deployment": "Deployment"}
    for part, kind in {"ns": "Namespace", **of}.items():
        told = {"name": "web", "uid": f"{part}-1", "namespace": "web", "labels": {"team": "t", "a": "b"}}
        told["selector"] = {"app": "shop"} if part in ("svc", "rc") else {"matchLabels": {"app": "shop"}}
        seen.happens(K8S, -1, json=json.dumps({"type": "ADDED", "kind": kind, "items": [told]}))
        expected |= {f"k8s.{part}.name": "web", f"k8s.{part}.id": f"{part}-1", f"k8s.{part}.label[team]": "t"}
        expected |= {f"k8s.{part}.labels": "a:b, team:t"}
    return seen.happens(MMAP, 10, res=0), expected


def of_the_system_log() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.fd(10, 4, FdKind.UNIX, b"/dev/log")
    sent = seen.happens(SENDTO, 10, res=20, data=b"<35>su: denied", fd=4)
    expected = {
        "evt.is_syslog": True,
        "syslog.facility": 4,
        "syslog.facility.str": "auth",
        "syslog.severity": 3,
        "syslog.severity.str": "err",
        "syslog.message": "su: denied",
    }
    return sent, expected


def of_a_span() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.fd(10, 4, FdKind.FILE_V2, b"/dev/null")
    begun = seen.happens(SENDTO, 10, res=20, data=b">:7:web.db:q=1:", fd=4)
    ended = seen.happens(SENDTO, 10, res=20, data=b"<:7:web.db::", fd=4)
    expected = {
        "span.id": 7,
        "span.ntags": 2,
        "span.tags": "web.db",
        "span.tag[1]": "db",
        "span.enterargs": "q=1",
        "span.duration": ended.time - begun.time,
        "span.duration.quantized": floor(10 * log10(ended.time - begun.time)),
    }
    return ended, expected


def of_a_plugin() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.happens(MMAP, 10, res=0)
    return seen.happens(ASYNC, -1, name="weather", data=b"x"), {"evt.is_async": True, "evt.asynctype": "weather"}


def of_docker() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.happens(MMAP, 10, res=0)
    text = f"Event: start; ID: {'e' * 64}; Image: nginx:1; name: web"
    expected = {
        "evt.infra.docker.name": "start",
        "evt.infra.docker.container.id": "e" * 12,
        "evt.infra.docker.container.image": "nginx:1",
        "evt.infra.docker.container.name": "web",
    }
    return seen.happens(INFRA, -1, source="docker", name="Docker Event", description=text), expected


def of_memory() -> tuple[Event, Expected]:
    seen = Machine(listed(10, vm_swap=12))
    return seen.happens(MMAP, 10, res=-12), {"evt.count.error.memory": 1, "proc.vmswap": 12}


def of_an_overlay() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    flags = dict(FLAG_TABLES["execve_flags"])
    told = flags["EXE_UPPER_LAYER"] | flags["EXE_FROM_MEMFD"]
    seen.happens(*(EXECVE, 10), res=0, exe="/x", tid=10, pid=10, ptid=1, comm="x", flags=told)
    opened = seen.happens(
        *(OPENAT, 10), fd=3, dirfd=-100, name="x", flags=1 | dict(FLAG_TABLES["file_flags"])["FD_UPPER_LAYER"]
    )
    expected = {"fd.is_upper_layer": True, "proc.is_exe_upper_layer": True, "proc.is_exe_from_memfd": True}
    return opened, expected


def of_a_changed_executable() -> tuple[Event, Expected]:
    seen = Machine(listed(10, exe_ino=7, exe_ino_ctime=1_700, pidns_init_start=1_000))
    return seen.happens(MMAP, 10, res=0), {"proc.exe_ino.ctime_duration_pidns_start": 700}


def of_a_link_in_a_directory() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.fd(10, 5, FdKind.DIRECTORY, b"/srv")
    made = seen.happens(code("symlinkat"), 10, res=0, target="../etc/x", linkdirfd=5, linkpath="a//b/")
    expected = {
        "fs.path.source": "/srv/a/b",
        "fs.path.sourceraw": "a//b/",
        "fs.path.target": "/srv/etc/x",
        "fs.path.targetraw": "../etc/x",
        "evt.abspath": "/srv/a/b",
        "fs.path.name": None,
    }
    return made, expected


def of_a_failed_call() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    made = seen.happens(code("renameat2"), 10, res=-2, olddirfd=-100, oldpath="a", newdirfd=-100, newpath="b")
    expected = {
        "fs.path.source": None,
        "evt.abspath[src]": "/home/a",
        "evt.abspath[dst]": "/home/b",
        "evt.path": "/home/a",
        "evt.path[dst]": "/home/b",
        "fd.uid": None,
    }
    return made, expected


def of_a_refused_removal() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    made = seen.happens(code("unlink"), 10, res=-13, path="../etc/shadow")
    return made, {"fs.path.name": None, "evt.path": "/etc/shadow", "evt.path[dst]": None}


def of_refused_rights() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.fd(10, 5, FdKind.FILE, b"/etc/shadow")
    return seen.happens(code("fchmod"), 10, res=-1, fd=5, mode=0), {"fs.path.name": None, "evt.path": "/etc/shadow"}


def of_an_old_call_told_by_its_enter() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    seen.happens(98, 10, path="new", mode=0)
    return seen.happens(99, 10, res=0), {"fs.path.name": "/home/new", "fs.path.nameraw": "new"}


def inside_of_a_call() -> tuple[Event, Expected]:
    seen = Machine(listed(10))
    made = seen.happens(code("read") - 1, 10, fd=3, size=9)
    seen.store.inside = {seen.store.threads[0].life: Inside(code("read"), made.time, 3, b"/x")}
    seen.store.inside_at = made.time + 70
    return made, {"thread.call": "read", "thread.calltime": 70, "thread.callfd": "/x"}


MADE: tuple[Callable[[], tuple[Event, Expected]], ...] = (
    of_a_container,
    of_a_pod,
    of_a_pod_by_name_and_control_group,
    of_a_control_group,
    of_a_cluster,
    of_the_system_log,
    of_a_span,
    of_a_plugin,
    of_docker,
    of_memory,
    of_an_overlay,
    of_a_changed_executable,
    of_a_link_in_a_directory,
    of_a_failed_call,
    of_a_refused_removal,
    of_refused_rights,
    of_an_old_call_told_by_its_enter,
    inside_of_a_call,
)


@pytest.mark.parametrize("make", MADE, ids=lambda make: str(make.__name__))
def test_a_made_event_says(make: Callable[[], tuple[Event, Expected]]) -> None:
    event, expected = make()
    assert {field: of(event, field) for field in expected} == expected


# --- all of them -------------------------------------------------------------------------------------------


def test_every_field_says_something_somewhere() -> None:
    tables = [*(told for events in VALUES.values() for told in events.values()), *(make()[1] for make in MADE)]
    said = {look_up(field)[0].name for expected in tables for field, value in expected.items() if value is not None}
    assert said == FIELDS.keys()


def test_every_field_of_sysdig_is_there_or_says_why_not() -> None:
    assert KNOWN.keys() - FIELDS.keys() - UNAVAILABLE.keys() == set()
    assert UNAVAILABLE.keys() <= KNOWN.keys()


def test_fields_that_sysdig_does_not_have_say_so() -> None:
    assert {name for name, field in FIELDS.items() if field.own} == FIELDS.keys() - KNOWN.keys()

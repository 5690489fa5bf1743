"""Captures made for views that no recording at hand gives rows."""

from __future__ import annotations

import json

from engine.events import FdKind, codes_by_name
from engine.model.facts import Thread
from tests.scapfile import Entry, event, fd_list, machine, pack, process_list, section

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
WRITE, WRITTEN = 8, 9
CONTAINER = 272
K8S = 260
_CGROUP = "/kubepods/besteffort/pod{}/{}"


def code(name: str) -> int:
    """The newest scap type of a happening that is no call."""
    return max(found for found in codes_by_name()[name] if found < 1024)


def process(pid: int, name: bytes, *args: bytes, **facts: object) -> Thread:
    """A process that was there when the capture began."""
    return Thread(
        tid=pid,
        pid=pid,
        ptid=1,
        comm=name,
        exe=b"/usr/bin/" + name,
        args=args,
        cwd=b"/",
        vtid=pid,
        vpid=pid,
        **facts,  # type: ignore[arg-type]
    )


def written(pid: int, fd: int, time: int, data: bytes, took: int = 10_000) -> bytes:
    """A write that succeeded."""
    enter = event(WRITE, pid, time, pack(WRITE, 2, fd=fd, size=len(data)))
    return enter + event(WRITTEN, pid, time + took, pack(WRITTEN, 2, res=len(data), data=data))


def notifications() -> bytes:
    """Two notifications of an agent."""
    kind = code("notification")
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [process(7, b"agent")])
        + event(kind, 7, START, pack(kind, id="policy-1", desc="a shell in a container"))
        + event(kind, 7, START + SECOND, pack(kind, id="policy-2", desc="a write below /etc"))
    )


def infra() -> bytes:
    """Events of a Docker engine."""
    kind = code("infra")
    told = "Event: {}; ID: 0123456789abcdef; name: web; Image: nginx:1.25; "
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [process(7, b"agent")])
        + b"".join(
            event(
                kind,
                7,
                START + at * SECOND,
                pack(kind, source="docker", name=f"Container {name}", description=told.format(name), scope=""),
            )
            for at, name in enumerate(("start", "die"))
        )
    )


def syslog() -> bytes:
    """Messages to the system log, one of them no message, one that failed."""
    unix = Entry(3, FdKind.UNIX, b"/dev/log")
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [process(10, b"sshd"), process(11, b"cron")])
        + fd_list(10, [unix])
        + fd_list(11, [unix])
        + written(10, 3, START, b"<38>sshd[10]: Accepted publickey for root")
        + written(11, 3, START + SECOND, b"<78>CRON[11]: (root) CMD (backup)")
        + written(11, 3, START + 2 * SECOND, b"<3>kernel: disk on fire")
    )


_PODS = (
    ("shop-6d4cf56db6-x7k2p", "web", "11111111-1111-4111-8111-111111111111"),
    ("shop-6d4cf56db6-b9zqw", "web", "22222222-2222-4222-8222-222222222222"),
    ("node-exporter-4hx2l", "monitoring", "33333333-3333-4333-8333-333333333333"),
)


def kubernetes(between: bytes = b"") -> bytes:
    """Two pods of a deployment and one of another namespace, a container each; ``between`` the facts and the calls."""
    threads, told, moved = [], b"", b""
    for number, (pod, namespace, uid) in enumerate(_PODS):
        pid, container = 100 + number, f"{number + 1:x}" * 64
        path = _CGROUP.format(uid, container)
        cgroups = (f"cpuset={path}".encode(), f"cpu={path}".encode(), f"memory={path}".encode())
        threads.append(process(pid, b"app", b"--serve", cgroups=cgroups, vm_size=1000, vm_rss=500))
        labels = {
            "io.kubernetes.pod.name": pod,
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.uid": uid,
            "io.kubernetes.container.name": "app",
        }
        facts = {"id": container[:12], "name": f"k8s_app_{pod}_{namespace}_{uid}_0", "type": 0, "labels": labels}
        facts |= {"full_id": container, "image": "registry.example/app:1", "Mounts": []}
        raw = json.dumps({"container": facts}).encode()
        told += event(CONTAINER, -1, START, pack(CONTAINER, json=raw))
        moved += written(pid, 5, START + (number + 1) * 100 * MS, b"x" * (10 << number))
    files = b"".join(fd_list(100 + number, [Entry(5, FdKind.FILE_V2, b"/data/log")]) for number in range(3))
    return section() + machine(cpus=1) + process_list(9, threads) + files + told + between + moved


def of_cluster(type_: str, kind: str, *items: dict[str, object]) -> bytes:
    """An event that tells of objects of a cluster."""
    told = {"apiVersion": "v1", "type": type_, "kind": kind, "items": items}
    return event(K8S, -1, START, pack(K8S, json=json.dumps(told).encode()))


def cluster() -> bytes:
    """The same pods, with what an API server told of them and what selects them."""
    pods: list[dict[str, object]] = [
        {
            "namespace": namespace,
            "name": pod,
            "uid": uid,
            "phase": "Running",
            "podIP": f"10.1.0.{number}",
            "labels": {"app": pod.partition("-")[0], "tier": "front"},
            "containerStatuses": [{"containerID": "docker://" + f"{number:x}" * 64, "restartCount": 0}],
        }
        for number, (pod, namespace, uid) in enumerate(_PODS, 1)
    ]
    shop = {"namespace": "web", "labels": {"team": "shop"}, "selector": {"app": "shop"}}
    return kubernetes(
        of_cluster("ADDED", "Namespace", {"name": "web", "uid": "ns-1", "labels": {"team": "shop"}})
        + of_cluster("ADDED", "Pod", *pods)
        + of_cluster("ADDED", "Service", {"name": "shop", "uid": "svc-1", "clusterIP": "10.2.0.1", "ports": [], **shop})
        + of_cluster("ADDED", "Service", {"name": "gone", "uid": "svc-2", **shop, "selector": {"tier": "front"}})
        + of_cluster("DELETED", "Service", {"name": "gone", "uid": "svc-2"})
        + of_cluster("ADDED", "ReplicaSet", {"name": "shop-6d4cf56db6", "uid": "rs-1", **shop})
        + of_cluster("ADDED", "Deployment", {"name": "shop", "uid": "deployment-1", **shop})
        + of_cluster(
            "ADDED",
            "ReplicationController",
            {"namespace": "monitoring", "name": "exporters", "uid": "rc-1", "selector": {"app": "node"}},
        )
    )


def spans() -> bytes:
    """Two traces a program tells of itself, one with a span below; and what is no end of any."""
    told = (
        (0, b">:17:web:path=/a:"),
        (2, b">:17:web.db:q=1:"),
        (5, b"<:17:web.db::"),
        (10, b"<:17:web::"),
        (20, b">:18:web::"),
        (50, b"<:18:web::"),
        (60, b"<:99:lost::"),
        (70, b"> not a tracer"),
    )
    return (
        section()
        + machine(cpus=1)
        + process_list(9, [process(10, b"app")])
        + fd_list(10, [Entry(4, FdKind.FILE_V2, b"/dev/null")])
        + b"".join(written(10, 4, START + at * MS, data) for at, data in told)
    )


MADE = {
    "notifications": notifications,
    "infra": infra,
    "syslog": syslog,
    "kubernetes": kubernetes,
    "spans": spans,
    "cluster": cluster,
}
"""By name, what writes the bytes."""

"""containerd and CRI-O, as Kubernetes' nodes ask them: ``runtime.v1`` of the Container Runtime Interface."""

from __future__ import annotations

import json
from typing import Any

from engine.sources.runtimes import grpc, protobuf
from engine.sources.runtimes.deadline import UnansweredError
from engine.sources.runtimes.docker import image_parts
from engine.sources.runtimes.protobuf import Message

CRI, CONTAINERD, CRIO = 6, 7, 8
"""Types of containers (``events.CONTAINER_TYPES``)."""
_SERVICE = "/runtime.v1.RuntimeService/"
_TYPES = {"containerd": CONTAINERD, "cri-o": CRIO}
_SHORT = 12


def _call(path: str, method: str, request: bytes, seconds: float) -> Message | None:
    """The answer, None when the server knows nothing of that. Raises UnansweredError."""
    try:
        return Message(grpc.call(path, _SERVICE + method, request, seconds))
    except grpc.StatusError as error:
        if error.status == grpc.NOT_FOUND:
            return None
        raise
    except protobuf.MalformedError:
        raise UnansweredError("expected a message of the Container Runtime Interface") from None


def _version(path: str, seconds: float) -> tuple[str, str]:
    told = _call(path, "Version", protobuf.text(1, "v1"), seconds)
    if told is None or not told.text(2):
        raise UnansweredError("expected a version")
    return told.text(2), told.text(3)


def version(path: str, seconds: float) -> str:
    """Name and version of who answers. Raises UnansweredError."""
    return " ".join(_version(path, seconds))


def inspect(path: str, container: str, seconds: float) -> dict[str, Any] | None:
    """A container or the sandbox of a pod as the scap format has it, None when the runtime knows none of this id.

    ``container`` is an id of hexadecimal digits, or its first ones. Raises UnansweredError.
    """
    try:
        kind = _TYPES.get(_version(path, seconds)[0], CRI)
        told = _call(path, "ContainerStatus", protobuf.text(1, container) + protobuf.flag(2), seconds)
        if told is not None:
            return _container(path, container, kind, told, seconds)
        pod = _call(path, "PodSandboxStatus", protobuf.text(1, container), seconds)
        return None if pod is None else _sandbox(container, kind, pod.message(1))
    except protobuf.MalformedError:
        raise UnansweredError("expected a message of the Container Runtime Interface") from None


def _container(path: str, container: str, kind: int, told: Message, seconds: float) -> dict[str, Any]:
    status = told.message(1)
    full_id = status.text(1)
    if not full_id.startswith(container):
        raise UnansweredError("expected the container that was asked for")
    labels = status.map(12)
    more = _information(told.map(2).get("info", ""))
    sandbox = more.get("sandboxID")
    pod = Message(b"")
    if isinstance(sandbox, str) and sandbox.isascii() and sandbox.isalnum() and len(sandbox) < 128:
        found = _call(path, "PodSandboxStatus", protobuf.text(1, sandbox), seconds)
        pod = found.message(1) if found is not None else pod
    else:
        sandbox = ""
    reference = status.text(9)
    return {
        "id": container[:_SHORT],
        "full_id": full_id,
        "type": kind,
        "name": labels.get("io.kubernetes.container.name") or status.message(2).text(1),
        **image_parts(status.message(8).text(18) or status.message(8).text(1)),
        **({"imagedigest": reference.partition("@")[2]} if "@" in reference else {}),
        "imageid": reference.rpartition("sha256:")[2] if "@" not in reference else "",
        "ip": pod.message(5).text(1),
        "privileged": _is_privileged(more),
        "is_pod_sandbox": False,
        "pod_sandbox_id": sandbox,
        "pod_sandbox_labels": pod.map(7),
        "labels": labels,
        "Mounts": [
            {
                "Source": mount.text(2),
                "Destination": mount.text(1),
                "Mode": "",
                "RW": not mount.number(3),
                "Propagation": ("private", "rslave", "rshared")[min(mount.number(5), 2)],
            }
            for mount in status.messages(14)
        ],
        "created_time": status.number(4) // 10**9,
    }


def _sandbox(container: str, kind: int, status: Message) -> dict[str, Any]:
    full_id = status.text(1)
    if not full_id.startswith(container):
        raise UnansweredError("expected the pod that was asked for")
    about = status.message(2)
    return {
        "id": container[:_SHORT],
        "full_id": full_id,
        "type": kind,
        "name": about.text(1),
        "ip": status.message(5).text(1),
        "is_pod_sandbox": True,
        "pod_sandbox_id": full_id,
        "pod_sandbox_labels": status.map(7),
        "labels": {
            "io.kubernetes.pod.name": about.text(1),
            "io.kubernetes.pod.uid": about.text(2),
            "io.kubernetes.pod.namespace": about.text(3),
            **status.map(7),
        },
        "created_time": status.number(4) // 10**9,
    }


def _information(text: str) -> dict[str, Any]:
    """What a runtime tells besides, as JSON of its own shape."""
    try:
        told = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _is_privileged(more: dict[str, Any]) -> bool:
    if isinstance(more.get("privileged"), bool):
        return bool(more["privileged"])
    found: Any = more.get("config")
    for name in ("linux", "security_context", "privileged"):
        found = found.get(name) if isinstance(found, dict) else None
    return found is True

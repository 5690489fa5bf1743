"""Docker and Podman, which speaks the same: HTTP over a unix socket.

One request a connection, answered within bounds; whatever it holds is looked at before it is believed.
"""

from __future__ import annotations

import io
import json
import socket
from datetime import datetime
from typing import Any, cast

from engine.sources.runtimes.deadline import Deadline, UnansweredError

MOST = 1 << 22
"""Bytes of an answer."""
DOCKER, PODMAN = 0, 11
"""Types of containers (``events.CONTAINER_TYPES``)."""
_SHORT = 12


class _Received:
    """An answer received wholly, as the parser of ``http.client`` wants it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        """The bytes."""
        return io.BytesIO(self._data)


def _get(path: str, target: str, seconds: float) -> Any:
    """The JSON a GET is answered with; None for 404. Raises UnansweredError."""
    # Most machines have no containers, and no start needs this.
    import http.client

    received = bytearray()
    with Deadline(path, seconds) as server:
        # HTTP/1.0: the server ends the connection where the answer ends.
        server.send(f"GET {target} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode("ascii"))
        while piece := server.receive():
            received += piece
            if len(received) > MOST:
                raise UnansweredError(f"expected an answer of up to {MOST} bytes")
    answer = http.client.HTTPResponse(cast(socket.socket, _Received(bytes(received))))
    try:
        answer.begin()
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise UnansweredError(f"expected status 200, found {answer.status}")
        return json.loads(answer.read())
    except (http.client.HTTPException, ValueError, RecursionError, OSError) as error:
        raise UnansweredError(f"expected HTTP with JSON: {type(error).__name__}") from None


def version(path: str, seconds: float) -> str:
    """Name and version of who answers. Raises UnansweredError."""
    told = _get(path, "/version", seconds)
    if not isinstance(told, dict):
        raise UnansweredError("expected a version")
    platform = _text(_map(told.get("Platform")).get("Name"))
    parts = told.get("Components")
    names = [_text(_map(part).get("Name")) for part in parts] if isinstance(parts, list) else []
    name = "Podman" if any("podman" in one.lower() for one in names) else platform or "Docker"
    return f"{name} {_text(told.get('Version'))}".strip()


def inspect(path: str, container: str, kind: int, seconds: float) -> dict[str, Any] | None:
    """A container as the scap format has it, None when the runtime knows none of this id. Raises UnansweredError.

    ``container`` is an id of hexadecimal digits; ``kind`` is DOCKER or PODMAN.
    """
    told = _get(path, f"/containers/{container}/json", seconds)
    if told is None:
        return None
    if not isinstance(told, dict) or not _text(told.get("Id")).startswith(container):
        raise UnansweredError("expected the container that was asked for")
    config, host = _map(told.get("Config")), _map(told.get("HostConfig"))
    network = _map(told.get("NetworkSettings"))
    labels = _texts(config.get("Labels"))
    image = _text(config.get("Image")) or _text(told.get("ImageName"))
    return {
        "id": container[:_SHORT],
        "full_id": _text(told.get("Id")),
        "type": kind,
        "name": _text(told.get("Name")).removeprefix("/"),
        "imageid": _text(told.get("Image")).removeprefix("sha256:"),
        **image_parts(image),
        "User": _text(config.get("User")),
        "ip": _address(network),
        "privileged": host.get("Privileged") is True,
        "is_pod_sandbox": labels.get("io.kubernetes.docker.type") == "podsandbox",
        "labels": labels,
        "env": [one for one in _list(config.get("Env")) if isinstance(one, str)],
        "Mounts": [_mount(_map(one)) for one in _list(told.get("Mounts"))],
        "created_time": _seconds(_text(told.get("Created"))),
        "cpu_shares": _number(host.get("CpuShares")),
        "cpu_quota": _number(host.get("CpuQuota")),
        "cpu_period": _number(host.get("CpuPeriod")),
        "memory_limit": _number(host.get("Memory")),
        "swap_limit": _number(host.get("MemorySwap")),
        "host_pid": host.get("PidMode") == "host",
        "host_ipc": host.get("IpcMode") == "host",
        "host_network": host.get("NetworkMode") == "host",
    }


def image_parts(image: str) -> dict[str, str]:
    """An image's name and what it is made of: repository, tag, digest."""
    name, _, digest = image.partition("@")
    repository, tag = name, ""
    if ":" in name.rsplit("/", 1)[-1]:
        repository, _, tag = name.rpartition(":")
    return {"image": name, "imagerepo": repository, "imagetag": tag, "imagedigest": digest}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    return {key: one for key, one in _map(value).items() if isinstance(one, str)}


def _number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**63 else 0


def _address(network: dict[str, Any]) -> str:
    found = [_text(network.get("IPAddress"))]
    found += [_text(_map(one).get("IPAddress")) for one in _map(network.get("Networks")).values()]
    return next(filter(None, found), "")


def _mount(mount: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {name: _text(mount.get(name)) for name in ("Source", "Destination", "Mode", "Propagation")}
    return {**told, "RW": mount.get("RW") is True}


def _seconds(moment: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(moment).timestamp()))
    except (ValueError, OverflowError):
        return 0

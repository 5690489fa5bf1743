"""Fields of containers: of the thread version, from the container's metadata when the capture has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from engine.events import CONTAINER_TYPES
from engine.fields.family import ancestors, process_of, since
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.model.facts import Container, Thread
from engine.store.store import Store

HOST = b"host"
"""Id and name of what runs in no container."""


def container_id(thread: Thread) -> bytes:
    """Short id of the container a thread runs in."""
    return thread.container.encode() or HOST


def container_of(thread: Thread, store: Store) -> Container | None:
    """The container a thread runs in, when its metadata are known."""
    return store.containers.get(thread.container) if thread.container else None


def value_of(found: Any) -> Value:
    """A text, number or truth of metadata; absent when it is empty or anything else."""
    if isinstance(found, str):
        return found.encode("utf-8", "backslashreplace") or None
    return found if isinstance(found, int) else None


def told(read: Callable[[Container], Any], host: bytes | None = None) -> Callable[..., Value]:
    """A fact of the container, absent while it is unknown or empty."""

    def extract(thread: Thread, store: Store, _: str | None) -> Value:
        if not thread.container:
            return host
        container = container_of(thread, store)
        return None if container is None else value_of(read(container))

    return extract


def _detail(key: str, kind: type) -> Callable[..., Value]:
    """An entry of the metadata that has no meaning to the model."""

    def read(container: Container) -> Any:
        found = container.details.get(key)
        return found if type(found) is kind else None

    return told(read)


def _engine(container: Container) -> str | None:
    return None if container.type is None else CONTAINER_TYPES.get(container.type)


def _label(thread: Thread, store: Store, name: str | None) -> Value:
    container = container_of(thread, store)
    return None if container is None else value_of(container.labels.get(name or ""))


def joined_labels(labels: dict[str, str]) -> str:
    """``key:value, key:value`` in order of the keys."""
    return ", ".join(f"{name}:{value}" for name, value in sorted(labels.items()))


# --- mounts ------------------------------------------------------------------------------------------------

_PARTS = ("Source", "Destination", "Mode", "RW", "Propagation")

Mount = tuple[str, ...]
"""Source, destination, mode, whether it may be written, propagation."""


def _mounts(container: Container) -> list[Mount]:
    listed = container.details.get("Mounts")
    found = [mount for mount in listed if isinstance(mount, dict)] if isinstance(listed, list) else []
    return [tuple(map(_shown, (mount.get(part, "") for part in _PARTS))) for mount in found]


def _shown(part: Any) -> str:
    return str(part).lower() if isinstance(part, bool) else part if isinstance(part, str) else ""


def _all_mounts(container: Container) -> str | None:
    return ",".join(map(":".join, _mounts(container))) or None


def _mount(part: int | None, by: int = 0) -> Callable[..., Value]:
    """The mount of a number, or whose source or destination (``by``) is the argument, which may be a glob."""

    def value(thread: Thread, store: Store, wanted: str | None) -> Value:
        container = container_of(thread, store)
        if container is None or not wanted:
            return None
        mounts: Iterable[Mount] = _mounts(container)
        if wanted.isdecimal():
            mounts = list(mounts)[int(wanted) : int(wanted) + 1]
        else:
            mounts = (one for one in mounts if fnmatchcase(one[by], wanted))
        found = next(iter(mounts), None)
        return None if found is None else value_of(":".join(found) if part is None else found[part])

    return value


# --- health checks -----------------------------------------------------------------------------------------


def _probe(container: Container, key: str) -> tuple[str, ...]:
    probe = container.details.get(key)
    if not isinstance(probe, dict) or not isinstance(probe.get("exe"), str):
        return ()
    args = probe.get("args")
    return (probe["exe"], *(one for one in (args if isinstance(args, list) else []) if isinstance(one, str)))


def _command(key: str) -> Callable[..., Value]:
    return told(lambda container: " ".join(_probe(container, key)) or "NONE")


def _runs(key: str) -> Callable[..., Value]:
    """Whether a process is the command of a container's check, or descends from one that is."""

    def value(thread: Thread, store: Store, _: str | None) -> Value:
        container = container_of(thread, store)
        probe = [] if container is None else [part.encode() for part in _probe(container, key)]
        if not probe:
            return False
        line = (process_of(thread, store), *ancestors(thread, store))
        return any([one.exe, *one.args] == probe for one in line if one.container == thread.container)

    return value


# --- times -------------------------------------------------------------------------------------------------


def _started(thread: Thread, *_: object) -> int | None:
    return (thread.pidns_init_start or None) if thread.container else None


TEXT, BOOL = FieldType.TEXT, FieldType.BOOL
_field = partial(Field, place=Place.THREAD, group="container")
_mounted = partial(_field, argument=Argument.REQUIRED)
_process = partial(Field, type=BOOL, place=Place.THREAD, group="process")
FIELDS = (
    _field(
        "container.id",
        TEXT,
        "short container id, host outside containers",
        lambda t, *_: container_id(t),
        example="container.id != host",
    ),
    _field("container.full_id", TEXT, "whole container id", told(lambda c: c.full_id)),
    _field(
        "container.name",
        TEXT,
        "container name, host outside containers",
        told(lambda c: c.name, HOST),
        example="container.name = web",
    ),
    _field("container.type", TEXT, "what runs the container: docker, podman …", told(_engine, HOST)),
    _field("container.image", TEXT, "image name with tag", told(lambda c: c.image)),
    _field("container.image.id", TEXT, "image id", told(lambda c: c.image_id)),
    _field("container.image.repository", TEXT, "image name without tag", told(lambda c: c.image_repo)),
    _field("container.image.tag", TEXT, "image tag", told(lambda c: c.image_tag)),
    _field("container.image.digest", TEXT, "image digest", told(lambda c: c.image_digest)),
    _field("container.ip", TEXT, "address of the container", told(lambda c: c.ip)),
    _field("container.cni.json", TEXT, "network interfaces of the container, as JSON", _detail("cni_json", str)),
    _field("container.privileged", BOOL, "true for a privileged container", told(lambda c: c.privileged)),
    _field("container.host_pid", BOOL, "true when it shares the host's process ids", _detail("host_pid", bool)),
    _field("container.host_network", BOOL, "true when it shares the host's network", _detail("host_network", bool)),
    _field("container.host_ipc", BOOL, "true when it shares the host's IPC", _detail("host_ipc", bool)),
    _field(
        "container.label",
        TEXT,
        "one label",
        _label,
        argument=Argument.REQUIRED,
        takes="NAME",
        example="container.label[app] = shop",
    ),
    _field("container.labels", TEXT, "all labels", told(lambda c: joined_labels(c.labels))),
    _field("container.mounts", TEXT, "all mounts, source:destination:mode:writable:propagation", told(_all_mounts)),
    _mounted(
        "container.mount",
        TEXT,
        "one mount, by number or by its source, a glob",
        _mount(None),
        takes="N or SOURCE",
        example="container.mount[/var/run/docker.sock] exists",
    ),
    _mounted(
        "container.mount.source",
        TEXT,
        "source of a mount, by number or by its destination, a glob",
        _mount(0, by=1),
        takes="N or DEST",
        example="container.mount.source[/data] startswith /etc",
    ),
    _mounted(
        "container.mount.dest",
        TEXT,
        "destination of a mount, by number or by its source, a glob",
        _mount(1),
        takes="N or SOURCE",
        example="container.mount.dest[/proc*] exists",
    ),
    _mounted(
        "container.mount.mode",
        TEXT,
        "mode of a mount, by number or by its source, a glob",
        _mount(2),
        takes="N or SOURCE",
        example="container.mount.mode[0] = ro",
    ),
    _mounted(
        "container.mount.rdwr",
        TEXT,
        "true or false, whether a mount may be written, by number or by its source, a glob",
        _mount(3),
        takes="N or SOURCE",
        example="container.mount.rdwr[/etc*] = true",
    ),
    _mounted(
        "container.mount.propagation",
        TEXT,
        "propagation of a mount, by number or by its source, a glob",
        _mount(4),
        takes="N or SOURCE",
        example="container.mount.propagation[0] = rprivate",
    ),
    _field("container.healthcheck", TEXT, "command of the health check, NONE without one", _command("Healthcheck")),
    _field(
        "container.liveness_probe", TEXT, "command of the liveness probe, NONE without one", _command("LivenessProbe")
    ),
    _field(
        "container.readiness_probe",
        TEXT,
        "command of the readiness probe, NONE without one",
        _command("ReadinessProbe"),
    ),
    _field("container.start_ts", FieldType.TIME, "when the container's first process started", _started),
    Field(
        "container.duration",
        FieldType.DURATION,
        "time since the container's first process started",
        since(_started),
        Place.EVENT,
        "container",
    ),
    _process(
        "proc.is_container_healthcheck",
        meaning="true for the container's health check and what it started",
        value=_runs("Healthcheck"),
    ),
    _process(
        "proc.is_container_liveness_probe",
        meaning="true for the container's liveness probe and what it started",
        value=_runs("LivenessProbe"),
    ),
    _process(
        "proc.is_container_readiness_probe",
        meaning="true for the container's readiness probe and what it started",
        value=_runs("ReadinessProbe"),
    ),
)

"""Fields of containers: of the thread version, from the container's metadata when the capture has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.events import CONTAINER_TYPES
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.model.facts import Container, Thread
from engine.store.store import Store

HOST = b"host"
"""Id and name of what runs in no container."""


def container_id(thread: Thread) -> bytes:
    """Short id of the container a thread runs in."""
    return thread.container.encode() or HOST


def _told(value: Callable[[Container], str | int | bool | None], host: bytes | None = None) -> Callable[..., Value]:
    """A fact of the container, absent while it is unknown or empty."""

    def extract(thread: Thread, store: Store, _: str | None) -> Value:
        if not thread.container:
            return host
        container = store.containers.get(thread.container)
        found = None if container is None else value(container)
        return (found.encode() or None) if isinstance(found, str) else found

    return extract


def _engine(container: Container) -> str | None:
    return None if container.type is None else CONTAINER_TYPES.get(container.type)


def _label(thread: Thread, store: Store, name: str | None) -> Value:
    container = store.containers.get(thread.container)
    value = None if container is None else container.labels.get(name or "")
    return None if value is None else value.encode()


def _labels(container: Container) -> str:
    return ", ".join(f"{name}:{value}" for name, value in sorted(container.labels.items()))


TEXT = FieldType.TEXT
_field = partial(Field, place=Place.THREAD, group="container")
FIELDS = (
    _field("container.id", TEXT, "short container id, host outside containers", lambda t, *_: container_id(t)),
    _field("container.full_id", TEXT, "whole container id", _told(lambda c: c.full_id)),
    _field("container.name", TEXT, "container name, host outside containers", _told(lambda c: c.name, HOST)),
    _field("container.type", TEXT, "what runs the container: docker, podman …", _told(_engine, HOST)),
    _field("container.image", TEXT, "image name with tag", _told(lambda c: c.image)),
    _field("container.image.id", TEXT, "image id", _told(lambda c: c.image_id)),
    _field("container.image.repository", TEXT, "image name without tag", _told(lambda c: c.image_repo)),
    _field("container.image.tag", TEXT, "image tag", _told(lambda c: c.image_tag)),
    _field("container.image.digest", TEXT, "image digest", _told(lambda c: c.image_digest)),
    _field("container.ip", TEXT, "address of the container", _told(lambda c: c.ip)),
    _field("container.privileged", FieldType.BOOL, "true for a privileged container", _told(lambda c: c.privileged)),
    _field("container.label", TEXT, "one label", _label, argument=Argument.REQUIRED),
    _field("container.labels", TEXT, "all labels", _told(_labels)),
)

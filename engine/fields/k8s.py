"""Fields of Kubernetes: of the pod a thread's container belongs to.

From the labels that the container's runtime tells, from the names docker gives to containers of pods
(``k8s_CONTAINER_POD_NAMESPACE_UID_N``), from control groups, whose paths have the pod's uid, and from events that older
sysdig wrote when it asked an API server: without those, services and controllers are not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import chain

from engine.fields.container import container_of, joined_labels, value_of
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.model.cluster import Component
from engine.model.facts import Container, Thread
from engine.store.store import Store

_SHORT = 12
"""Digits of a short container id."""
_POD = re.compile(rb"(?:^|[-/])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./:]|$)")
_LABEL = {
    "name": "io.kubernetes.pod.name",
    "namespace": "io.kubernetes.pod.namespace",
    "uid": "io.kubernetes.pod.uid",
    "sandbox": "io.kubernetes.sandbox.id",
}
_TOLD = {"name": "name", "namespace": "namespace", "uid": "id"}
_OF_NAME = {"name": 2, "namespace": 3, "uid": 4}
"""Which part of a name that docker gives."""
_HASHED = re.compile(rb"(.+)-([bcdfghjklmnpqrstvwxz2456789]{6,10})-[bcdfghjklmnpqrstvwxz2456789]{5}")
"""The name that a deployment's replica set gives to a pod: the deployment's, a hash, five random characters, of an
alphabet without vowels."""
_INTERNAL = ("annotation.", "io.kubernetes.")
"""How labels begin that are not the pod's own."""


@lru_cache(4096)
def _uid_of(cgroups: tuple[bytes, ...]) -> str | None:
    """The pod's uid in the paths of control groups; systemd writes underscores for its dashes."""
    found = next((match for item in cgroups if (match := _POD.search(item))), None)
    return None if found is None else found[1].decode().replace("_", "-")


def _fact(container: Container, fact: str) -> str | None:
    label = container.labels.get(_LABEL[fact])
    if label:
        return label
    if fact == "sandbox":
        told = container.details.get("pod_sandbox_id")
        if container.details.get("is_pod_sandbox") is True:
            return container.full_id or container.id
        return told if isinstance(told, str) and told else None
    parts = container.name.split("_")
    return parts[_OF_NAME[fact]] if parts[0] == "k8s" and len(parts) == 6 else None


def _pod_of(thread: Thread, store: Store) -> Component | None:
    """The pod that events tell of."""
    return store.cluster.pod_of(thread.container) if thread.container else None


def _of_pod(fact: str) -> Callable[..., Value]:
    def value(thread: Thread, store: Store, _: str | None) -> Value:
        container = container_of(thread, store)
        found = None if container is None else _fact(container, fact)
        if found is None and fact in _TOLD and (pod := _pod_of(thread, store)) is not None:
            found = getattr(pod, _TOLD[fact])
        if found is None and fact == "uid":
            found = _uid_of(thread.cgroups)
        return value_of(found)

    return value


def _sandbox(thread: Thread, store: Store, _: str | None) -> Value:
    whole = _of_pod("sandbox")(thread, store, None)
    return whole[:_SHORT] if isinstance(whole, bytes) else None


def _part(thread: Thread, store: Store, part: str) -> Component | None:
    """The namespace, service, controller, replica set or deployment of the pod, where events tell of it."""
    pod = _pod_of(thread, store)
    if pod is None:
        return None
    return store.cluster.namespace_of(pod) if part == "ns" else store.cluster.selecting(pod, part)


def _of_part(part: str, read: Callable[[Component, str | None], object]) -> Callable[..., Value]:
    def value(thread: Thread, store: Store, argument: str | None) -> Value:
        found = _part(thread, store, part)
        return None if found is None else value_of(read(found, argument))

    return value


def _of_maker(part: str, parts: int) -> Callable[..., Value]:
    """The name of what made the pod: as told, else derived from the pod's, the first ``parts`` of deployment and
    hash."""

    def value(thread: Thread, store: Store, _: str | None) -> Value:
        told = _part(thread, store, part)
        if told is not None:
            return value_of(told.name)
        name = _of_pod("name")(thread, store, None)
        made = _HASHED.fullmatch(name) if isinstance(name, bytes) else None
        return None if made is None else b"-".join(made.groups()[:parts])

    return value


def _labels(thread: Thread, store: Store) -> dict[str, str]:
    """The labels of the pod: told with the container, or those of the container that holds the pod's network."""
    pod = _pod_of(thread, store)
    if pod is not None and pod.labels:
        return pod.labels
    container = container_of(thread, store)
    if container is None:
        return {}
    told = container.details.get("pod_sandbox_labels")
    if not isinstance(told, dict):
        holder = store.containers.get((_fact(container, "sandbox") or "")[:_SHORT])
        told = {} if holder is None else holder.labels
    return {
        key: value
        for key, value in told.items()
        if isinstance(key, str) and isinstance(value, str) and not key.startswith(_INTERNAL)
    }


def _label(thread: Thread, store: Store, name: str | None) -> Value:
    return value_of(_labels(thread, store).get(name or ""))


def _of_holder(
    read: Callable[[Container], object], otherwise: Callable[[Component], object] = lambda _: None
) -> Callable[..., Value]:
    """A fact of the container that holds the pod's network, else of the thread's own, ``otherwise`` of the pod."""

    def value(thread: Thread, store: Store, _: str | None) -> Value:
        container = container_of(thread, store)
        sandbox = None if container is None else _fact(container, "sandbox")
        if container is None or sandbox is None:
            pod = _pod_of(thread, store)
            return None if pod is None else value_of(otherwise(pod))
        return value_of(read(store.containers.get(sandbox[:_SHORT], container)))

    return value


_field = partial(Field, type=FieldType.TEXT, place=Place.THREAD, group="k8s")
_THINGS = {"ns": "namespace", "svc": "service", "rc": "controller", "rs": "replica set", "deployment": "deployment"}


def _told_of(part: str) -> Iterator[Field]:
    """What only events of a cluster tell."""
    thing = f"the pod's {_THINGS[part]}, where the capture tells of it"
    if part in ("svc", "rc"):
        example = "k8s.svc.name = shop" if part == "svc" else ""
        name = _of_part(part, lambda found, _: found.name)
        yield _field(f"k8s.{part}.name", meaning=f"name of {thing}", value=name, example=example)
    yield _field(f"k8s.{part}.id", meaning=f"uid of {thing}", value=_of_part(part, lambda found, _: found.id))
    yield _field(
        f"k8s.{part}.label",
        meaning=f"one label of {thing}",
        value=_of_part(part, lambda found, name: found.labels.get(name or "")),
        argument=Argument.REQUIRED,
        takes="NAME",
        example=f"k8s.{part}.label[team] = shop",
    )
    yield _field(
        f"k8s.{part}.labels",
        meaning=f"all labels of {thing}",
        value=_of_part(part, lambda found, _: joined_labels(found.labels)),
    )


FIELDS = (
    _field("k8s.pod.name", meaning="name of the pod", value=_of_pod("name"), example="k8s.pod.name startswith web-"),
    _field("k8s.pod.uid", meaning="uid of the pod", value=_of_pod("uid")),
    _field("k8s.pod.id", meaning="uid of the pod", value=_of_pod("uid"), deprecated="k8s.pod.uid says the same"),
    _field(
        "k8s.pod.label",
        meaning="one label of the pod",
        value=_label,
        argument=Argument.REQUIRED,
        takes="NAME",
        example="k8s.pod.label[app] = shop",
    ),
    _field(
        "k8s.pod.labels",
        meaning="all labels of the pod",
        value=lambda thread, store, _: value_of(joined_labels(_labels(thread, store))),
    ),
    _field(
        "k8s.pod.ip", meaning="address of the pod", value=_of_holder(lambda container: container.ip, lambda pod: pod.ip)
    ),
    _field(
        "k8s.pod.cni.json",
        meaning="network interfaces of the pod, as JSON",
        value=_of_holder(lambda container: container.details.get("cni_json")),
    ),
    _field("k8s.pod.sandbox_id", meaning="short id of the container that holds the pod's network", value=_sandbox),
    _field(
        "k8s.pod.full_sandbox_id",
        meaning="whole id of the container that holds the pod's network",
        value=_of_pod("sandbox"),
    ),
    _field(
        "k8s.rs.name",
        meaning="name of the pod's replica set, as told, else derived from the pod's name",
        value=_of_maker("rs", 2),
    ),
    _field(
        "k8s.deployment.name",
        meaning="name of the pod's deployment, as told, else derived from the pod's name",
        value=_of_maker("deployment", 1),
        example="k8s.deployment.name = shop",
    ),
    _field(
        "k8s.ns.name",
        meaning="namespace of the pod",
        value=_of_pod("namespace"),
        example="k8s.ns.name = kube-system",
    ),
    *chain.from_iterable(map(_told_of, _THINGS)),
)

"""What a capture tells of a Kubernetes cluster: events that older sysdig wrote when it asked an API server.

Owns the objects told of, and which of them a container belongs to: a pod has containers; a namespace holds it by name;
a service, controller, replica set or deployment of its namespace selects it by labels, the first that does.
The JSON has either the API server's shape, one ``object`` with ``metadata``, ``spec`` and ``status``, or, later, a list
``items`` of those made flat. It may be hostile: what has another shape tells nothing, and there are bounds.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

_MOST = 1 << 14
"""Objects known of a cluster; more are not taken in."""
_MOST_LABELS = 256
"""Labels and selectors of an object."""
SHORT = 12
"""Digits of a short container id."""
POD, NAMESPACE = "Pod", "Namespace"
SELECTING = {"svc": "Service", "rc": "ReplicationController", "rs": "ReplicaSet", "deployment": "Deployment"}
"""Kind of the objects that select pods, by their name in fields."""
_KINDS = frozenset((POD, NAMESPACE, *SELECTING.values()))


class Component(NamedTuple):
    """An object of a cluster."""

    kind: str
    id: str
    """Its uid."""
    name: str
    namespace: str
    labels: dict[str, str]
    selector: dict[str, str]
    """Labels of the pods it selects; none selects none."""
    containers: tuple[str, ...] = ()
    """Short ids of a pod's containers."""
    ip: str = ""
    """Address of a pod, of a service that of the cluster."""


class Cluster:
    """The objects known by now."""

    def __init__(self) -> None:
        self._known: dict[str, Component] = {}
        self._pods: dict[str, Component] = {}
        """By short id of a container."""
        self._places: dict[tuple[str, str], dict[str, Component]] = {}
        """By kind and namespace, by uid."""

    def known(self) -> dict[str, Component]:
        """All objects by uid."""
        return dict(self._known)

    def told(self, text: bytes) -> bool:
        """Take in an event's JSON; False when it tells nothing."""
        try:
            root = json.loads(text.decode("utf-8", "backslashreplace"))
        except (ValueError, RecursionError):
            return False
        if not isinstance(root, dict) or _text(root.get("kind")) not in _KINDS:
            return False
        items = [_flat(root["object"])] if isinstance(root.get("object"), dict) else root.get("items")
        changed = False
        for item in items if isinstance(items, list) else ():
            made = _component(root["kind"], item)
            if made is not None:
                changed = True
                self.remove(made.id)
                if root.get("type") in ("ADDED", "MODIFIED"):
                    self.add(made)
        return changed

    def since(self, before: dict[str, Component]) -> list[bytes]:
        """What events would tell of the objects that are new, changed or gone since these were all, by uid."""
        gone = [("DELETED", one) for uid, one in before.items() if uid not in self._known]
        new = [("ADDED", one) for uid, one in list(self._known.items()) if before.get(uid) != one]
        return [_event(kind, one) for kind, one in gone + new]

    def add(self, component: Component) -> None:
        """Take in an object, in place of one with its uid."""
        self.remove(component.id)
        if len(self._known) >= _MOST:
            return
        self._known[component.id] = component
        self._places.setdefault((component.kind, component.namespace), {})[component.id] = component
        for container in component.containers:
            self._pods[container] = component

    def remove(self, uid: str) -> None:
        """Forget an object, if it is known."""
        known = self._known.pop(uid, None)
        if known is None:
            return
        del self._places[known.kind, known.namespace][uid]
        for container in known.containers:
            if self._pods.get(container) is known:
                del self._pods[container]

    def pod_of(self, container: str) -> Component | None:
        """The pod of a container, by its short id."""
        return self._pods.get(container)

    def namespace_of(self, pod: Component) -> Component | None:
        """The namespace of a pod."""
        named = self._places.get((NAMESPACE, ""), {}).values()
        return next((one for one in named if one.name == pod.namespace), None)

    def selecting(self, pod: Component, part: str) -> Component | None:
        """The first service, controller, replica set or deployment, a key of ``SELECTING``, that selects a pod."""
        beside = self._places.get((SELECTING[part], pod.namespace), {}).values()
        return next((one for one in beside if one.selector and one.selector.items() <= pod.labels.items()), None)


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """An object of the API server's shape made flat."""
    metadata, spec, status = (_table(told.get(part)) for part in ("metadata", "spec", "status"))
    return {
        **{name: metadata.get(name) for name in ("namespace", "name", "uid", "labels")},
        "selector": spec.get("selector"),
        "clusterIP": spec.get("clusterIP"),
        "podIP": status.get("podIP"),
        "containerStatuses": status.get("containerStatuses"),
    }


def _event(type_: str, component: Component) -> bytes:
    address = "podIP" if component.kind == POD else "clusterIP"
    item = {
        "uid": component.id,
        "name": component.name,
        "namespace": component.namespace,
        "labels": component.labels,
        "selector": component.selector,
        address: component.ip,
        "containerStatuses": [{"containerID": container} for container in component.containers],
    }
    return json.dumps({"type": type_, "kind": component.kind, "items": [item]}).encode()


def _component(kind: str, item: object) -> Component | None:
    told = _table(item)
    uid, name = _text(told.get("uid")), _text(told.get("name"))
    if not uid or not name:
        return None
    selector = _table(told.get("selector"))
    statuses = told.get("containerStatuses") if kind == POD else None
    ids = (_text(_table(each).get("containerID")) for each in (statuses if isinstance(statuses, list) else ()))
    return Component(
        kind,
        uid,
        name,
        _text(told.get("namespace")) if kind != NAMESPACE else "",
        _texts(told.get("labels")),
        _texts(selector.get("matchLabels", selector)) if kind in SELECTING.values() else {},
        tuple(short for each in ids if (short := each.rpartition("/")[2][:SHORT]))[:_MOST_LABELS],
        _text(told.get("podIP" if kind == POD else "clusterIP")),
    )


def _table(told: object) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _texts(told: object) -> dict[str, str]:
    pairs = ((name, value) for name, value in _table(told).items() if isinstance(value, str))
    return dict(list(pairs)[:_MOST_LABELS])

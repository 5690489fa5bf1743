"""Containers, users, groups and clusters, as the events about them tell (state-tracking §3, §6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.model.call import Call
from engine.model.facts import Container, Group, User
from engine.store.store import Store

_NAMES = {
    "name": "name",
    "image": "image",
    "imageid": "image_id",
    "imagerepo": "image_repo",
    "imagetag": "image_tag",
    "imagedigest": "image_digest",
    "ip": "ip",
    "full_id": "full_id",
}


class People:
    """The rules of those events."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rules(self) -> Mapping[str, Callable[[Call], None]]:
        """Rules by the name of the events they are for."""
        return {
            "container": self.container,
            "asyncevent": self.told,
            "k8s": self.cluster,
            "useradded": self.user,
            "userdeleted": self.user,
            "groupadded": self.group,
            "groupdeleted": self.group,
        }

    def container(self, call: Call) -> None:
        """A container's metadata: JSON, or in the oldest event four parameters."""
        told = call.text("json")
        if told is not None:
            self._json(told)
            return
        name = call.text("id")
        if name:
            known = self._container(name.decode("utf-8", "backslashreplace"))
            known.type = call.unsigned("type")
            known.name = (call.text("name") or b"").decode("utf-8", "backslashreplace")
            known.image = (call.text("image") or b"").decode("utf-8", "backslashreplace")
            self._store.revision += 1

    def told(self, call: Call) -> None:
        """An event of a plug-in; the one named ``container`` brings the same JSON."""
        if call.text("name") == b"container":
            self._json((call.raw("data") or b"").partition(b"\0")[0])

    def cluster(self, call: Call) -> None:
        """Objects of a Kubernetes cluster."""
        if self._store.cluster.told(call.text("json") or b""):
            self._store.revision += 1

    def _container(self, name: str) -> Container:
        return self._store.containers.setdefault(name, Container(name))

    def _json(self, told: bytes) -> None:
        """Complete a container; metadata that is no such object tells nothing."""
        try:
            details = json.loads(told.decode("utf-8", "backslashreplace"))
        except (ValueError, RecursionError):
            return
        if isinstance(details, dict):
            details = details.get("container", details)
        if not isinstance(details, dict) or not isinstance(details.get("id"), str):
            return
        known = self._container(details["id"])
        known.details = details
        for key, fact in _NAMES.items():
            if isinstance(details.get(key), str):
                setattr(known, fact, details[key])
        kind = details.get("type")
        known.type = kind if isinstance(kind, int) and not isinstance(kind, bool) else known.type
        privileged = details.get("privileged")
        known.privileged = privileged if isinstance(privileged, bool) else known.privileged
        labels: Any = details.get("labels")
        if isinstance(labels, dict):
            known.labels = {key: value for key, value in labels.items() if isinstance(value, str)}
        self._store.revision += 1

    def user(self, call: Call) -> None:
        """A user was added, or is known no more."""
        uid = call.unsigned("uid")
        if uid is None or not self._store.user_names:
            return
        key = (call.text("container_id") or b"").decode("utf-8", "backslashreplace"), uid
        if call.kind.name == "userdeleted":
            self._store.users.pop(key, None)
        else:
            name, home, shell = (call.text(one) or b"" for one in ("name", "home", "shell"))
            self._store.users[key] = User(uid, call.unsigned("gid") or 0, name, home, shell)
        self._store.revision += 1

    def group(self, call: Call) -> None:
        """A group was added, or is known no more."""
        gid = call.unsigned("gid")
        if gid is None or not self._store.user_names:
            return
        key = (call.text("container_id") or b"").decode("utf-8", "backslashreplace"), gid
        if call.kind.name == "groupdeleted":
            self._store.groups.pop(key, None)
        else:
            self._store.groups[key] = Group(gid, call.text("name") or b"")
        self._store.revision += 1

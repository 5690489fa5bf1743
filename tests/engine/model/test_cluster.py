"""Objects of a cluster, as events tell of them, and what belongs to what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.cluster import Cluster
from tests.views.made import MADE
from tui.cli import main

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
KINDS = st.sampled_from(["Pod", "Service", "Namespace", "ReplicaSet", "Deployment", "ReplicationController"])
NAMES = ("uid", "name", "namespace", "labels", "selector", "containerStatuses", "metadata", "spec", "status")
ITEM = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6) | JSON


def told(cluster: Cluster, kind: str, item: dict[str, Any], type_: str = "ADDED") -> bool:
    return cluster.told(json.dumps({"type": type_, "kind": kind, "items": [item]}).encode())


def pod(**labels: str) -> dict[str, Any]:
    statuses = [{"containerID": "containerd://" + "a" * 64}]
    return {"uid": "1", "name": "p", "namespace": "web", "labels": labels, "containerStatuses": statuses}


def service(uid: str, **selector: str) -> dict[str, Any]:
    return {"uid": uid, "name": f"service {uid}", "namespace": "web", "selector": selector}


def test_a_service_selects_pods_of_its_namespace_that_have_all_its_labels() -> None:
    cluster = Cluster()
    told(cluster, "Pod", pod(app="shop", tier="front"))
    told(cluster, "Service", service("no", app="shop", tier="back"))
    told(cluster, "Service", {**service("elsewhere", app="shop"), "namespace": "test"})
    told(cluster, "Service", service("all"))
    found = cluster.pod_of("a" * 12)
    assert found is not None and found.name == "p"
    assert cluster.selecting(found, "svc") is None
    told(cluster, "Service", service("yes", app="shop"))
    selecting = cluster.selecting(found, "svc")
    assert selecting is not None and selecting.id == "yes"
    told(cluster, "Service", service("yes", app="other"), "MODIFIED")
    assert cluster.selecting(found, "svc") is None


def test_what_is_deleted_is_gone() -> None:
    cluster = Cluster()
    told(cluster, "Pod", pod())
    told(cluster, "Pod", pod(), "DELETED")
    assert cluster.pod_of("a" * 12) is None and cluster.known() == {}


def test_objects_are_told_again_as_they_were_and_what_changed_since() -> None:
    cluster, other = Cluster(), Cluster()
    told(cluster, "Pod", pod(app="shop"))
    told(cluster, "Service", service("1s", app="shop"))
    before = cluster.known()
    for text in cluster.since({}):
        assert other.told(text)
    assert other.known() == before
    told(cluster, "Service", service("1s", app="shop"), "DELETED")
    told(cluster, "Pod", pod(app="bakery"), "MODIFIED")
    assert len(cluster.since(before)) == 2
    for text in cluster.since(before):
        other.told(text)
    assert other.known() == cluster.known()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"kind": "Pod"}', b'{"kind": {}, "items": [1]}', b"[" * 100_000])
def test_what_has_another_shape_tells_nothing(text: bytes) -> None:
    assert not Cluster().told(text)


@given(st.lists(st.tuples(KINDS, st.sampled_from(["ADDED", "MODIFIED", "DELETED", ""]), ITEM), max_size=8))
def test_whatever_is_told_what_is_known_holds_together(events: list[tuple[str, str, Any]]) -> None:
    cluster = Cluster()
    for kind, type_, item in events:
        cluster.told(json.dumps({"type": type_, "kind": kind, "items": [item]}).encode())
        cluster.told(json.dumps({"type": type_, "kind": kind, "object": item}).encode())
    again = Cluster()
    for text in cluster.since({}):
        assert again.told(text)
    assert again.known() == cluster.known()
    for one in cluster.known().values():
        for container in one.containers:
            assert cluster.pod_of(container) is not None


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
@pytest.mark.parametrize("filter_text", ["", "evt.num>=13"])
def test_written_captures_tell_of_the_cluster(
    tmp_path: Path, suffix: str, filter_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "cluster.scap", tmp_path / f"x.{suffix}"
    source.write_bytes(MADE["cluster"]())
    assert main(["dig", "-r", str(source), "-w", str(target), *filter_text.split()]) == 0
    capsys.readouterr()
    assert main(["view", "kubernetes_services", "-r", str(target), "--json"]) == 0
    assert [row["NAME"] for row in json.loads(capsys.readouterr().out)] == ["shop"]

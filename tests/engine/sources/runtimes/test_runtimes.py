"""Runtimes are believed as far as they answer what was asked, in time, within bounds."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.decoder import Decoder
from engine.sources.raw import KeptBytes
from engine.sources.runtimes import cri, docker, lookup
from engine.sources.runtimes.deadline import UnansweredError
from engine.sources.runtimes.events import container_event
from engine.sources.runtimes.lookup import Lookup, Runtime, answering
from engine.sources.runtimes.protobuf import MalformedError, Message
from engine.store.store import Store
from tests.engine.sources.runtimes import servers
from tests.engine.sources.runtimes.servers import DOCKER_CONTAINER, ID, POD, kubernetes, saying, serving

SHORT = ID[:12]
DOCKER = servers.docker(
    {f"/containers/{SHORT}/json": DOCKER_CONTAINER, "/version": {"Version": "27.1", "Platform": {"Name": "Docker"}}}
)


def dockers(path: str) -> Runtime:
    return Runtime(path, docker.version, lambda path, one, seconds: docker.inspect(path, one, docker.DOCKER, seconds))


def nodes(path: str) -> Runtime:
    return Runtime(path, cri.version, cri.inspect)


def answered(known: Lookup, seconds: float = 5.0) -> list[dict[str, Any]]:
    end = time.monotonic() + seconds
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < end:
        found = known.answers()
        time.sleep(0.01)
    return found


def test_docker_tells_a_container(tmp_path: Path) -> None:
    with serving(tmp_path / "s", DOCKER) as path:
        told = docker.inspect(path, SHORT, docker.DOCKER, 2.0)
        assert told is not None
        assert docker.inspect(path, "f" * 12, docker.DOCKER, 2.0) is None
        assert docker.version(path, 2.0) == "Docker 27.1"
    assert (told["id"], told["full_id"], told["type"], told["name"]) == (SHORT, ID, 0, "web-1")
    assert (told["image"], told["imagerepo"], told["imagetag"]) == (
        "registry:5000/shop/web:1.2", "registry:5000/shop/web", "1.2",
    )  # fmt: skip
    assert told["imageid"] == "ab" * 32
    assert (told["ip"], told["privileged"], told["labels"]) == ("172.17.0.2", True, {"app": "shop"})
    assert told["env"] == ["A=1", "B=2"]
    assert told["Mounts"][0]["Destination"] == "/data"
    assert told["created_time"] == 1715933350


def test_podman_is_told_by_its_components(tmp_path: Path) -> None:
    version = {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}
    with serving(tmp_path / "s", servers.docker({"/version": version})) as path:
        assert docker.version(path, 2.0) == "Podman 4.3.1"


def test_a_node_tells_a_container_and_its_pod(tmp_path: Path) -> None:
    with kubernetes(tmp_path / "s") as path:
        told = cri.inspect(path, SHORT, 5.0)
        pod = cri.inspect(path, POD[:12], 5.0)
        assert cri.inspect(path, "a" * 12, 5.0) is None
        assert cri.version(path, 5.0) == "containerd v1.7.9"
    assert told is not None
    assert (told["id"], told["full_id"], told["type"], told["name"]) == (SHORT, ID, cri.CONTAINERD, "web")
    assert (told["image"], told["imagedigest"]) == ("docker.io/shop/web:1.2", "sha256:" + "cd" * 32)
    assert (told["ip"], told["privileged"]) == ("10.1.0.7", True)
    assert (told["pod_sandbox_id"], told["pod_sandbox_labels"]) == (POD, {"app": "shop"})
    assert told["labels"]["io.kubernetes.pod.name"] == "web-7f"
    assert told["Mounts"] == [
        {"Source": "/srv", "Destination": "/data", "Mode": "", "RW": False, "Propagation": "private"}
    ]
    assert told["created_time"] == 1715933350
    assert pod is not None
    assert (pod["name"], pod["is_pod_sandbox"], pod["ip"]) == ("web-7f", True, "10.1.0.7")
    assert pod["labels"]["io.kubernetes.pod.namespace"] == "shop"


WRONG = {
    "nothing": (b"",),
    "noise": (bytes(range(256)) * 10,),
    "a status": (b"HTTP/1.0 500 No\r\n\r\n{}",),
    "no json": (b"HTTP/1.0 200 OK\r\n\r\n<html>",),
    "deep json": (b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000,),
    "a list": (b"HTTP/1.0 200 OK\r\n\r\n[]",),
    "another container": (b'HTTP/1.0 200 OK\r\n\r\n{"Id": "ffff"}',),
    "a cut answer": (b"HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\n{}",),
    "without end": (b"HTTP/1.0 200 OK\r\n\r\n", *[b" " * (1 << 20)] * 5),
    "endless headers": (b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 100_000,),
}


@pytest.mark.parametrize("pieces", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("inspect", [dockers, nodes], ids=["docker", "cri"])
def test_a_server_that_answers_wrongly_is_told_and_not_believed(tmp_path: Path, pieces: Any, inspect: Any) -> None:
    with serving(tmp_path / "s", saying(*pieces)) as path, pytest.raises(UnansweredError):
        inspect(path).inspect(path, SHORT, 2.0)


@pytest.mark.parametrize("inspect", [dockers, nodes], ids=["docker", "cri"])
@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.0 200 OK\r\n", *[b"a"] * 100)], ids=["hangs", "drips"])
def test_a_server_that_hangs_or_drips_costs_its_time_and_no_more(tmp_path: Path, inspect: Any, pieces: Any) -> None:
    with serving(tmp_path / "s", saying(*pieces, wait=0.05)) as path:
        began = time.monotonic()
        with pytest.raises(UnansweredError):
            inspect(path).inspect(path, SHORT, 0.3)
        assert time.monotonic() - began < 2


def test_an_answer_of_another_shape_is_believed_where_it_fits(tmp_path: Path) -> None:
    odd = {"Id": ID, "Name": 7, "Config": [], "HostConfig": None, "Mounts": {"a": 1}, "Created": "soon"}
    with serving(tmp_path / "s", servers.docker({f"/containers/{SHORT}/json": odd})) as path:
        told = docker.inspect(path, SHORT, docker.DOCKER, 2.0)
    assert told is not None
    assert (told["name"], told["image"], told["labels"], told["Mounts"], told["created_time"]) == ("", "", {}, [], 0)
    assert json.dumps(told)


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd_for_a_message(data: bytes) -> None:
    try:
        message = Message(data)
        message.texts(1)
        message.number(2)
        message.map(12)
    except MalformedError:
        pass


def test_questions_do_not_wait_for_answers(tmp_path: Path) -> None:
    with serving(tmp_path / "hangs", saying()) as hanging, serving(tmp_path / "s", DOCKER) as path:
        known = Lookup([nodes(hanging), dockers(path)], seconds=0.5)
        began = time.monotonic()
        known.ask([SHORT, "host", "lxc-name", ""])
        assert known.answers() == []
        assert time.monotonic() - began < 0.3
        (told,) = answered(known)
        assert told["name"] == "web-1"
        known.ask([SHORT])
        time.sleep(0.1)
        assert known.answers() == []
        known.close()


def test_an_answer_that_breaks_something_of_ours_keeps_no_other_from_answering(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with serving(tmp_path / "s", DOCKER) as path, serving(tmp_path / "odd", saying()) as odd:
        known = Lookup([Runtime(odd, docker.version, broken), dockers(path)])
        known.ask([SHORT])
        (told,) = answered(known)
        assert told["name"] == "web-1"
        known.close()


def test_a_container_that_is_known_only_later_is_asked_about_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "RETRIES", (0.1, 0.1, 0.1, 0.1, 0.1))
    known = Lookup([dockers(str(tmp_path / "s"))])
    known.ask([SHORT])
    time.sleep(0.15)
    with serving(tmp_path / "s", DOCKER):
        (told,) = answered(known)
    assert told["id"] == SHORT
    known.close()


def test_many_questions_are_bounded(tmp_path: Path) -> None:
    known = Lookup([dockers(str(tmp_path / "none"))])
    known.ask(f"{number:012x}" for number in range(50_000))
    assert len(known._waiting) <= lookup.MOST_WAITING
    known.close()


def test_who_answers_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "s", DOCKER) as path, serving(tmp_path / "hangs", saying()) as hanging:
        asked = [dockers(path), nodes(hanging), dockers(str(tmp_path / "none"))]
        assert answering(asked, 0.3) == [(path, "Docker 27.1", True), (hanging, "no answer in time", False)]


@pytest.mark.parametrize("labels", [{}, {"app": "shop"}, {"a": "\ud800", "b": "x" * 100_000}])
def test_an_answer_becomes_an_event_that_names_the_container(labels: dict[str, str]) -> None:
    block = container_event({"id": SHORT, "name": "web-1", "type": 11, "labels": labels}, 5)
    assert struct.unpack_from("<I", block, 4) == (len(block),)
    raw = KeptBytes()
    raw.append(memoryview(block))
    store = Store(raw)
    decoder = Decoder(store, "live")
    decoder.feed(memoryview(block), 0, 0)
    decoder.seal()
    assert store.events == 1
    assert (store.containers[SHORT].name, store.containers[SHORT].type) == ("web-1", 11)
    assert store.containers[SHORT].labels == labels

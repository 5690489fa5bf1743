"""Containers are named by the runtimes that answer, and recordings keep the names."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.sources.runtimes import servers
from tests.live.observing import Observer
from tests.live.test_containers import HOST_FOLDERS, bundle, root

__all__ = ["root"]
pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("runc"), reason="needs root and runc")
TUI = (sys.executable, "-m", "tui.cli")


def docker(path: Path, container: str) -> AbstractContextManager[str]:
    told = servers.DOCKER_CONTAINER | {"Id": container}
    return servers.serving(path, servers.docker({f"/containers/{container[:12]}/json": told}))


def node(path: Path, container: str) -> AbstractContextManager[str]:
    told = servers.CONTAINER.replace(servers.ID.encode(), container.encode())
    answers = {
        "Version": lambda _: servers.VERSION,
        "ContainerStatus": lambda request: told if container[:12].encode() in request else None,
        "PodSandboxStatus": lambda request: servers.SANDBOX if servers.POD.encode() in request else None,
    }
    runtime: AbstractContextManager[str] = servers.cri(path, answers)
    return runtime


@pytest.mark.parametrize("suffix", ["scap", "syscope"])
@pytest.mark.parametrize(
    ("serve", "variable", "shown"),
    [
        (docker, "DOCKER_HOST", "web-1 docker registry:5000/shop/web:1.2 <NA> <NA>"),
        (node, "CONTAINER_RUNTIME_ENDPOINT", "web containerd docker.io/shop/web:1.2 web-7f shop"),
    ],
)
def test_a_recording_names_containers_as_their_runtime_does(
    observer: Observer, tmp_path: Path, root: Path, serve: Any, variable: str, shown: str, suffix: str
) -> None:
    container, capture = secrets.token_hex(32), tmp_path / f"x.{suffix}"
    script = f"runc run -b {bundle(root, container)} {container}; sleep 1"
    with serve(tmp_path / "s", container) as path:
        done = subprocess.run(
            [*TUI, "record", "-w", str(capture), "--", "sh", "-c", script],
            env=dict(os.environ, **{variable: f"unix://{path}"}), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    fields = "*%container.id %container.name %container.type %container.image %k8s.pod.name %k8s.ns.name"
    lines = subprocess.run(
        [*TUI, "dig", "-r", str(capture), "-p", fields, "proc.name=cat"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert set(lines) == {f"{container[:12]} {shown}"}


@pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed")
def test_podman_names_its_containers(observer: Observer, tmp_path: Path, root: Path) -> None:
    # Podman wants the path of its files to be short.
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    store = ["--root", str(short / "root"), "--runroot", str(short / "run"), "--storage-driver", "vfs"]
    podman = ["podman", *store, "--runtime", "runc", "--cgroup-manager=cgroupfs"]
    place, name = tmp_path / "s", f"named-{secrets.token_hex(4)}"
    service = subprocess.Popen(
        [*podman, "system", "service", "--time=0", f"unix://{place}"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        binds = [word for folder in HOST_FOLDERS for word in ("-v", f"{folder}:{folder}:ro")]
        run = [
            "env", "-u", "CONTAINER_HOST", *podman, "run", "--rm", "--name", name, "--network", "none",
            "--log-driver", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", *binds,
            "--rootfs", str(root), "/bin/sh", "-c", "cat /etc/inside; sleep 2",
        ]  # fmt: skip
        capture = tmp_path / "x.syscope"
        done = subprocess.run(
            [*TUI, "record", "-w", str(capture), "--", *run],
            env=dict(os.environ, CONTAINER_HOST=f"unix://{place}"), capture_output=True, text=True, timeout=90,
        )  # fmt: skip
    finally:
        service.terminate()
        service.wait()
        shutil.rmtree(short, ignore_errors=True)
    if "known only inside" not in done.stdout:
        pytest.skip(f"podman does not run containers here: {done.stderr[-300:]}")
    fields = "*%container.name %container.type"
    lines = subprocess.run(
        [*TUI, "dig", "-r", str(capture), "-p", fields, "proc.name=cat"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert set(lines) == {f"{name} podman"}

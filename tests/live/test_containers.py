"""Real containers: known by the id that is in their cgroup, inside and out."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from engine.sources.live.source import Narrowing
from tests.live.observing import Observer, Run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run a container")
HOST_FOLDERS = [folder for folder in ("/bin", "/usr", "/lib", "/lib64") if Path(folder).exists()]
INSIDE = "cat /etc/inside; exit 5"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory that borrows the host's programs."""
    place = tmp_path / "root"
    for folder in (*HOST_FOLDERS, "/proc", "/dev", "/etc"):
        (place / folder[1:]).mkdir(parents=True)
    (place / "etc/inside").write_text("known only inside\n")
    return place


def bundle(root: Path, container: str) -> Path:
    """What runc wants to know, beside the root."""
    mounts = [
        {"destination": folder, "type": "none", "source": folder, "options": ["rbind", "ro"]} for folder in HOST_FOLDERS
    ]
    config = {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", INSIDE], "env": ["PATH=/bin"], "cwd": "/"},
        "root": {"path": str(root), "readonly": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, *mounts],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
            "cgroupsPath": f"/docker/{container}",
        },
    }
    (root.parent / "config.json").write_text(json.dumps(config))
    return root.parent


def check(run: Run, container: str) -> None:
    (opened,) = run.calls("openat", name=b"/etc/inside")
    cat = opened.thread
    assert (cat.comm, cat.container, cat.args) == (b"cat", container[:12], (b"/etc/inside",))
    # What the host numbers by the thousands is the first few in there.
    assert 1 <= cat.vpid < 20 < cat.pid
    shells = {event.thread.pid: event.thread for event in run.calls("execve") if event.thread.comm == b"sh"}
    (shell,) = (thread for thread in shells.values() if thread.args[-1:] == (INSIDE.encode(),))
    assert (shell.container, shell.vpid) == (container[:12], 1)
    assert cat.pid == shell.pid or cat.ptid == shell.pid
    assert run.calls("write", data=b"known only inside\n")
    assert {event.ret for event in run.calls("procexit") if event.thread.tid == shell.tid} == {5}
    outside = [event.thread for event in run.events if event.thread.pid == run.pid]
    # The tests may run in a container themselves.
    assert container[:12] not in {thread.container for thread in outside}


@pytest.mark.skipif(not shutil.which("runc"), reason="runc is not installed")
def test_what_runs_in_a_runc_container_has_its_id(observer: Observer, root: Path) -> None:
    container = secrets.token_hex(32)
    run = observer.run(str(shutil.which("runc")), "run", "-b", str(bundle(root, container)), container)
    assert run.status == 5
    check(run, container)


@pytest.mark.skipif(not shutil.which("runc"), reason="runc is not installed")
def test_a_container_can_be_narrowed_to_before_its_processes_are_known(observer: Observer, root: Path) -> None:
    container = secrets.token_hex(32)
    made = [Path("/sys/fs/cgroup", *way, "docker", container) for way in (("memory",), ("unified",), ())]
    made = [path for path in made if (path.parent.parent / "cgroup.procs").exists()]
    for path in made:
        path.mkdir(parents=True, exist_ok=True)
    try:
        names = ("memory", "unified")
        observer.source.narrow(Narrowing(cgroups=frozenset(f"{name}=/docker/{container}".encode() for name in names)))
        assert observer.source.narrowing.cgroups
        run = observer.run(str(shutil.which("runc")), "run", "-b", str(bundle(root, container)), container)
    finally:
        observer.source.narrow(Narrowing())
        for path in made:
            if path.exists():
                path.rmdir()
    assert run.status == 5
    check(run, container)
    # Runc puts its own helpers into the cgroup, but stays outside, where it reads and writes a lot.
    talking = {event.thread.pid for event in run.calls("write") + run.calls("read")}
    assert talking and run.pid not in talking


@pytest.mark.skipif(not shutil.which("podman") or not shutil.which("runc"), reason="podman and runc are not installed")
def test_what_runs_in_a_podman_container_has_its_id(observer: Observer, root: Path) -> None:
    told = root.parent / "id"
    # Podman wants the path of its files to be short.
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    store = [f"--{kind}={short / kind}" for kind in ("root", "runroot")]
    volumes = [word for folder in HOST_FOLDERS for word in ("-v", f"{folder}:{folder}:ro")]
    run = observer.run(
        str(shutil.which("podman")), "--runtime", "runc", "--cgroup-manager=cgroupfs", "--storage-driver", "vfs",
        *store, "run", "--rm", "--cidfile", str(told), "--network", "none", "--log-driver", "none",
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", *volumes,
        "--rootfs", str(root), "/bin/sh", "-c", INSIDE,
    )  # fmt: skip
    shutil.rmtree(short, ignore_errors=True)
    if run.status != 5:
        pytest.skip(f"podman does not run containers here: {run.status}")
    check(run, told.read_text())

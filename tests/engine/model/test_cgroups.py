"""Containers are told by control groups (vectors of state-tracking §6)."""

from __future__ import annotations

import pytest

from engine.model.cgroups import container_of, renamed

ID = b"0123456789abcdef" * 4
SHORT = "0123456789ab"
POD = b"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice"


@pytest.mark.parametrize(
    ("path", "container"),
    [
        (b"/docker/" + ID, SHORT),
        (b"/docker.slice/docker-" + ID + b".scope", SHORT),
        (b"/kubepods/besteffort/pod1/" + ID, SHORT),
        (POD + b"/crio-" + ID + b".scope", SHORT),
        (POD + b":cri-containerd:" + ID, SHORT),
        (POD + b"/cri-containerd-" + ID + b".scope", SHORT),
        (b"/system.slice/nerdctl-" + ID + b".scope", SHORT),
        (b"/machine.slice/libpod-" + ID + b".scope/container", SHORT),
        (b"/machine.slice/libpod-payload-" + ID, SHORT),
        (b"/user.slice/podman-12.scope/" + ID, SHORT),
        (b"/default/redis", "redis"),
        (b"/lxc/web/init.scope", "web"),
        (b"/lxc.payload.web/x", "web"),
        (b"/machine/vm.libvirt-lxc", "vm"),
        (b"/garden/bpm-a.b_c.scope", "a.b_c"),
        (b"/user.slice/user-1000.slice/user@1000.service/init.scope", ""),
        (b"/system.slice/ssh.service", ""),
        (b"/a/b/" + ID + b"0", ""),
        (b"/a/b/" + b"x" * 64, ""),
        (b"/", ""),
    ],
)
def test_a_path_tells_its_container(path: bytes, container: str) -> None:
    assert container_of((b"memory=" + path,)) == container


def test_the_first_path_that_tells_one_decides() -> None:
    assert container_of((b"cpu=/", b"memory=/docker/" + ID, b"pids=/default/other")) == SHORT


def test_subsystems_have_one_name_each() -> None:
    told = (b"perf_cgroup=/a", b"io=/b=c", b"mem_cgroup=/", b"cpuset=/d", b"odd")
    assert renamed(told) == (b"perf_event=/a", b"blkio=/b=c", b"memory=/", b"cpuset=/d", b"odd")

"""Which container a process is in, as its control groups tell (state-tracking §6)."""

from __future__ import annotations

import re
from functools import lru_cache

_ID = rb"([0-9a-f]{64})"
_LONG_IDS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"/libpod-(?:payload-)?" + _ID + rb"(?:\.scope)?(?:/container)?\Z",
        rb"/podman-[^/]*\.scope/" + _ID + rb"\Z",
        rb"/" + _ID + rb"\Z",
        rb"/(?:docker|crio|cri-containerd|nerdctl)-" + _ID + rb"\.scope\Z",
        rb"/crio-" + _ID + rb"\Z",
        rb":cri-containerd:" + _ID + rb"\Z",
    )
)
"""Engines whose ids are 64 hex digits, of which the first 12 are shown; more specific ones first."""
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        rb"/lxc(?:/|\.payload[/.])([^/]+)",
        rb"/([^/]+)\.libvirt-lxc\Z",
        rb"-lxc\\x2d(.+)\.scope(?:/libvirt)?\Z",
        rb"/libvirt/lxc/(.+)\Z",
        rb"/mesos/([^/]+)",
        rb"/bpm-([A-Za-z0-9._-]+)\.scope",
    )
)
"""Engines whose ids are names, shown whole."""
_CTR = re.compile(rb"/[^/]+/([^/]{1,64})\Z")
_UNITS = (b".service", b".slice", b".scope")


_SUBSYSTEMS = {b"perf": b"perf_event", b"mem": b"memory", b"io": b"blkio"}


@lru_cache(4096)
def renamed(cgroups: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The items with the names their subsystems have elsewhere: without ``_cgroup``, and not shortened."""
    return tuple(map(_renamed, cgroups))


def _renamed(item: bytes) -> bytes:
    subsystem, equals, path = item.partition(b"=")
    short = subsystem.removesuffix(b"_cgroup")
    return _SUBSYSTEMS.get(short, short) + equals + path


@lru_cache(4096)
def container_of(cgroups: tuple[bytes, ...]) -> str:
    """Short id of the container the ``subsystem=path`` items belong to; empty on the host."""
    for item in cgroups:
        found = _container_of_path(item.partition(b"=")[2])
        if found:
            return found.decode("utf-8", "backslashreplace")
    return ""


def _container_of_path(path: bytes) -> bytes:
    for pattern in _LONG_IDS:
        if match := pattern.search(path):
            return match[1][:12]
    for pattern in _NAMES:
        if match := pattern.search(path):
            return match[1]
    # A name ctr was given: exactly two elements, and no unit of systemd. The loosest shape comes last.
    if (match := _CTR.fullmatch(path)) and not path.endswith(_UNITS):
        return match[1][:12]
    return b""

"""Asks the runtimes of this machine about containers, on a thread of its own: nobody waits for a runtime.

Owns which sockets are tried, how often, and what is remembered. Each container is asked for a few times, for a
runtime may know it only a moment after its first process ran.
"""

from __future__ import annotations

import heapq
import os
import re
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from typing import Any

from engine.sources.runtimes import cri, docker
from engine.sources.runtimes.deadline import UnansweredError

TIMEOUT = 2.0
"""Seconds a runtime has for an answer."""
MOST_WAITING = 1024
"""Containers asked about at a time; a further one is asked about when it is seen again."""
MOST_KNOWN = 1 << 14
"""Containers remembered as asked about; past that all are forgotten."""
RETRIES = (0.5, 2.0, 10.0, 60.0)
"""Seconds after which a container that nobody knew is asked about again."""
REST = 30.0
"""Seconds for which a socket that did not answer in time is left alone."""
_ID = re.compile(r"[0-9a-f]{12,64}")


@dataclass(frozen=True, slots=True)
class Runtime:
    """A socket and what is spoken there."""

    path: str
    version: Callable[[str, float], str]
    inspect: Callable[[str, str, float], dict[str, Any] | None]


def _docker(path: str, container: str, seconds: float) -> dict[str, Any] | None:
    return docker.inspect(path, container, docker.DOCKER, seconds)


def _podman(path: str, container: str, seconds: float) -> dict[str, Any] | None:
    return docker.inspect(path, container, docker.PODMAN, seconds)


def runtimes() -> list[Runtime]:
    """The sockets there may be, those of the system first."""
    sockets = ["/run/docker.sock", "/var/run/docker.sock", *_named("DOCKER_HOST")]
    podman = ["/run/podman/podman.sock", *sorted(glob("/run/user/*/podman/podman.sock")), *_named("CONTAINER_HOST")]
    nodes = ["/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/k3s/containerd/containerd.sock"]
    nodes += _named("CONTAINER_RUNTIME_ENDPOINT")
    found = [Runtime(path, docker.version, _docker) for path in sockets]
    found += [Runtime(path, docker.version, _podman) for path in podman]
    found += [Runtime(path, cri.version, cri.inspect) for path in nodes]
    return list({os.path.realpath(runtime.path): runtime for runtime in reversed(found)}.values())[::-1]


def _named(variable: str) -> list[str]:
    value = os.environ.get(variable, "")
    return [value.removeprefix("unix://")] if value.startswith("unix:///") else []


def _is_there(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def answering(asked: Sequence[Runtime] | None = None, seconds: float = TIMEOUT) -> list[tuple[str, str, bool]]:
    """Of every socket that exists: its path, who answers or why nobody does, and whether somebody does."""
    found = []
    for runtime in runtimes() if asked is None else asked:
        if _is_there(runtime.path):
            try:
                found.append((runtime.path, runtime.version(runtime.path, seconds), True))
            except UnansweredError as error:
                found.append((runtime.path, str(error), False))
    return found


class Lookup:
    """Containers to ask about, and answers."""

    def __init__(self, asked: Sequence[Runtime] | None = None, seconds: float = TIMEOUT) -> None:
        """Ask these runtimes, or those of the machine. Nothing is done before the first question."""
        self._runtimes = list(runtimes() if asked is None else asked)
        self._seconds = seconds
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, str]] = []
        """When to ask, how often it was asked, container."""
        self._known: set[str] = set()
        self._answers: deque[dict[str, Any]] = deque()
        self._rests: dict[str, float] = {}
        self._closing = False
        self._thread: threading.Thread | None = None

    def ask(self, containers: Iterable[str]) -> None:
        """Ask about containers, each once; those whose ids no runtime gives are left out. Returns at once."""
        new = [one for one in containers if one not in self._known and _ID.fullmatch(one)]
        if not new:
            return
        with self._changed:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            for container in new[: MOST_WAITING - len(self._waiting)]:
                self._known.add(container)
                heapq.heappush(self._waiting, (0.0, 0, container))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="runtimes", daemon=True)
                self._thread.start()
            self._changed.notify()

    def answers(self) -> list[dict[str, Any]]:
        """What was learned since the last time, as JSON objects of the scap format. Returns at once."""
        found = []
        while self._answers:
            found.append(self._answers.popleft())
        return found

    def close(self) -> None:
        """Ask no more. A question that is being asked is not waited for."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closing and not (self._waiting and self._waiting[0][0] <= time.monotonic()):
                    due = self._waiting[0][0] - time.monotonic() if self._waiting else None
                    self._changed.wait(due)
                if self._closing:
                    return
                _, times, container = heapq.heappop(self._waiting)
            answer = self._inspect(container)
            if answer is not None:
                self._answers.append(answer)
            elif times < len(RETRIES):
                with self._changed:
                    heapq.heappush(self._waiting, (time.monotonic() + RETRIES[times], times + 1, container))

    def _inspect(self, container: str) -> dict[str, Any] | None:
        """What the first runtime that knows a container tells."""
        for runtime in self._runtimes:
            if self._closing or self._rests.get(runtime.path, 0.0) > time.monotonic() or not _is_there(runtime.path):
                continue
            try:
                found = runtime.inspect(runtime.path, container, self._seconds)
            except Exception:  # unanswered, or an answer that something of ours breaks at: others may know it
                self._rests[runtime.path] = time.monotonic() + REST
                continue
            if found is not None:
                return found
        return None

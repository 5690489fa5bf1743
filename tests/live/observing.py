"""Runs a process and tells what the live source saw of it and of what it started."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.decode.decoder import Decoder
from engine.decode.event import Event
from engine.events import PARAM_SIZES
from engine.model.facts import Thread
from engine.sources.live.source import LiveSource
from engine.store.store import Store

_SIGNED = {"INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "PID"}


@dataclass(frozen=True)
class Seen:
    """One event."""

    event: str
    """Name of its type."""
    thread: Thread
    values: dict[str, Any]
    """Parameters by name: numbers, bytes without their NUL; None where absent."""
    result: int | None
    latency: int
    """-1 when unknown."""
    fd_name: bytes | None
    time: int
    is_exit: bool

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Run:
    """Everything seen of one process and its descendants."""

    def __init__(self, pid: int, status: int, events: list[Seen]) -> None:
        self.pid = pid
        self.status = status
        self.events = events

    def calls(self, name: str, /, **values: Any) -> list[Seen]:
        """Events of a name whose parameters have these values."""
        return [
            event
            for event in self.events
            if event.event == name and all(event.values.get(key) == value for key, value in values.items())
        ]

    def call(self, name: str, /, **values: Any) -> Seen:
        """The only event of a name with these values."""
        found = self.calls(name, **values)
        assert len(found) == 1, f"{len(found)} events {name} {values}: {self.calls(name)}"
        return found[0]


class Observer:
    """One live source and what came from it."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        # They come when they are due, whatever a test waits for.
        source.samples = False
        self.store = Store(source.raw)
        self._decoder = Decoder(self.store, "live")
        self._begun = False

    def run(
        self,
        *words: str,
        before: Callable[[int], object] = lambda pid: None,
        environment: dict[str, str] | None = None,
    ) -> Run:
        """Run a command to its end, from its first call on; ``before`` it is told the process id."""
        pid = os.fork()
        if not pid:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execve(words[0], words, os.environ if environment is None else environment)
        os.waitpid(pid, os.WUNTRACED)
        self.source.follow(pid)
        if not self._begun:
            self.source.begin(self._decoder)
            self._begun = True
        first = len(self.store.segments)
        before(pid)
        os.kill(pid, signal.SIGCONT)
        status = None
        deadline = time.monotonic() + 20
        while status is None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            self.source.step(self._decoder)
            ended, code = os.waitpid(pid, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if ended else None
        # What the exiting task still told is in the ring when it can be waited for; a look finds it.
        self.step()
        self.step()
        return Run(pid, status, self.seen(first))

    def step(self) -> None:
        """Take what has come."""
        self.source.step(self._decoder)

    def seen(self, first: int) -> list[Seen]:
        """The events of segments from that one on; faults and switches of children before their first event have no
        thread and are left out."""
        self._decoder.seal()
        return [
            _seen(event)
            for segment in self.store.segments[first:]
            for row in np.arange(len(segment))
            if (event := Event(self.store, segment, int(row))).thread is not None or event.type.is_syscall
        ]

    def python(self, script: str, *words: str, before: Callable[[int], object] = lambda pid: None) -> Run:
        """Run a Python script that must succeed."""
        run = self.run(sys.executable, "-I", "-S", "-c", script, *words, before=before)
        assert run.status == 0, f"the script ended with {run.status}"
        return run

    def close(self) -> None:
        """Detach."""
        self.source.close()


def _seen(event: Event) -> Seen:
    values: dict[str, Any] = {}
    for parameter, raw in zip(event.type.params, event.params, strict=False):
        size = PARAM_SIZES.get(parameter.type)
        if raw is None:
            values[parameter.name] = None
        elif size:
            assert len(raw) == size, f"{event.type.name}.{parameter.name} has {len(raw)} bytes, not {size}"
            values[parameter.name] = int.from_bytes(raw, "little", signed=parameter.type in _SIGNED)
        else:
            value = bytes(raw)
            text = parameter.type in ("CHARBUF", "FSPATH", "FSRELPATH")
            values[parameter.name] = value.removesuffix(b"\0") if text else value
    identity, thread = event.fd, event.thread
    assert thread is not None
    return Seen(
        event.type.name,
        thread,
        values,
        event.result,
        -1 if event.latency is None else event.latency,
        identity.name if identity else None,
        event.time,
        event.type.is_exit,
    )

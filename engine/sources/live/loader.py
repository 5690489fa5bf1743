"""Has the C program compiled, loaded and attached, in a process that ends right after.

Owns what the child (``engine.sources.bcc_loader``) is asked and what becomes of its answer. The child keeps BCC's
compiler, its memory, its privileges and its change of working directory away from the process with the screen, and
hands over nothing but descriptors: closing them detaches.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import socket
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from engine.sources import bcc_loader
from engine.sources.live import btf, layout
from engine.sources.live.btf import BtfError
from engine.sources.live.calls import ALWAYS, CALLS, COMPAT, MAX_PARTS, MAX_STEPS, PROGRAMS, Kind, Step
from engine.sources.live.narrowing import KEPT_ALWAYS, KEPT_NEVER, MAX_CGROUPS

TIMEOUT = 60.0
"""Seconds a child may take to compile and attach."""
CAPABILITIES = {39: "CAP_BPF", 38: "CAP_PERFMON"}
"""What loading and attaching needs, by number."""
_SYS_ADMIN = 21
_BPF, _RAW_TRACEPOINT_OPEN, _ITER_CREATE = 321, 17, 33
"""Number of the call bpf, and of two of its commands (linux/bpf.h)."""
MAPS = ("events", "config", "calls", "running", "lost", "chosen", "programs")
ON_DEMAND = {"switches": "sched_switch", "faults": "page_fault_user"}
"""Programs that are attached only while they are asked for, and where to."""
_TRACEPOINTS = (
    "sys_enter", "sys_exit", "sched_process_fork", "sched_process_exec", "sched_process_exit", "signal_deliver",
    "task_rename",
)  # fmt: skip


class LoadError(Exception):
    """The kernel cannot be watched; the message says why, ``log`` has the compiler's words."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True)
class Options:
    """What is watched from the start."""

    ring: int = 32 << 20
    """Bytes of the ring buffer, a power of two of whole pages."""
    switches: bool = False
    """Context switches."""
    page_faults: bool = False


@dataclass(slots=True)
class Loaded:
    """Descriptors of what runs in the kernel. Closing them stops it."""

    maps: dict[str, int]
    on_demand: dict[str, int]
    """Programs of ``ON_DEMAND``, loaded."""
    tasks: int
    """The task iterator's link."""
    attached: list[int]
    ring: int
    cpus: int
    pid_max: int
    _demanded: dict[str, int] = field(default_factory=dict)

    def switch(self, name: str, on: bool) -> None:
        """Attach or detach a program of ``ON_DEMAND``. Raises LoadError."""
        if not on and name in self._demanded:
            os.close(self._demanded.pop(name))
        elif on and name not in self._demanded:
            point = ctypes.create_string_buffer(ON_DEMAND[name].encode())
            attributes = struct.pack("<QI4x", ctypes.addressof(point), self.on_demand[name])
            self._demanded[name] = _bpf(_RAW_TRACEPOINT_OPEN, attributes, f"attach to {ON_DEMAND[name]}")

    def in_progress(self) -> bytes:
        """One ``struct in_progress`` for each task that is in a call. Raises LoadError."""
        number = _bpf(_ITER_CREATE, struct.pack("<II", self.tasks, 0), "look at the tasks there are")
        pieces = []
        with open(number, "rb", buffering=0) as entries:
            while piece := entries.read(1 << 16):
                pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Detach and let go of the maps."""
        for number in [*self._demanded.values(), *self.attached, self.tasks, *self.on_demand.values(),
                       *self.maps.values()]:  # fmt: skip
            os.close(number)
        self._demanded, self.attached, self.on_demand, self.maps = {}, [], {}, {}


def load(options: Options) -> Loaded:
    """Have a child compile and attach. Raises LoadError."""
    if platform.machine() != "x86_64":
        raise LoadError(f"the live source knows x86-64 only, this is {platform.machine()}")
    if missing := [name for number, name in CAPABILITIES.items() if not capabilities() >> number & 1]:
        raise LoadError(f"watching the kernel needs {' and '.join(missing)}: start it with sudo")
    cpus = os.sysconf("SC_NPROCESSORS_CONF")
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, tempfile.TemporaryFile() as log, as_file(files("bpf_src")) as folder:
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-I", "-S", bcc_loader.__file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        ours.settimeout(TIMEOUT)
        answer: dict[str, str] = {}
        descriptors: list[int] = []
        try:
            ours.send(json.dumps(_request(options, cpus, pid_max, str(folder))).encode())
            message, descriptors, _, _ = socket.recv_fds(ours, 1 << 16, 64)
            for number in descriptors:
                # As long as anybody has them, the programs run.
                os.set_inheritable(number, False)
            answer = json.loads(message) if message else {}
        except OSError as error:
            answer = {"error": f"the loader does not answer: {error}"}
        except BtfError as error:
            answer = {"error": str(error)}
        finally:
            if not descriptors:
                child.kill()
            child.wait()
        log.seek(0)
        words = log.read().decode("utf-8", "replace")
    if len(descriptors) <= len(MAPS):
        raise LoadError(answer.get("error", f"the loader ended with status {child.returncode}"), words)
    rest = iter(descriptors)
    maps, on_demand = dict(zip(MAPS, rest, strict=False)), dict(zip(ON_DEMAND, rest, strict=False))
    loaded = Loaded(maps, on_demand, next(rest), list(rest), options.ring, cpus, pid_max)
    try:
        for name, on in zip(ON_DEMAND, (options.switches, options.page_faults), strict=True):
            loaded.switch(name, on)
    except LoadError:
        loaded.close()
        raise
    return loaded


def _bpf(command: int, attributes: bytes, what: str) -> int:
    """A descriptor from the kernel; raises LoadError."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = int(libc.syscall(_BPF, command, attributes, len(attributes)))
    if number < 0:
        raise LoadError(f"cannot {what}: {os.strerror(ctypes.get_errno())}")
    os.set_inheritable(number, False)
    return number


def capabilities() -> int:
    """The effective capabilities of this process, one bit each. CAP_SYS_ADMIN includes those needed."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.M)
    held = int(found[1], 16) if found else 0
    return held | sum(1 << number for number in CAPABILITIES) if held >> _SYS_ADMIN & 1 else held


def _request(options: Options, cpus: int, pid_max: int, folder: str) -> dict[str, Any]:
    values: dict[str, int] = {f"STEP_{step.name}": step for step in Step}
    values |= {f"KIND_{kind.name}": kind for kind in Kind}
    page = os.sysconf("SC_PAGESIZE")
    values |= {"CALLS": CALLS, "MAX_STEPS": MAX_STEPS, "MAX_PARTS": MAX_PARTS, "ALWAYS": ALWAYS}
    values |= {"CPUS": cpus, "PID_MAX": pid_max, "RING_PAGES": options.ring // page}
    values |= {"KEPT_ALWAYS": KEPT_ALWAYS, "KEPT_NEVER": KEPT_NEVER, "MAX_CGROUPS": MAX_CGROUPS, "COMPAT_BIT": COMPAT}
    values["PAGE_SHIFT_"] = page.bit_length() - 1
    values |= layout.macros(btf.load())
    flags = ["-Wno-unused-function", *(f"-D{name}={value}" for name, value in values.items())]
    return {"folder": folder, "flags": flags, "tails": PROGRAMS[1:], "maps": MAPS, "tracepoints": _TRACEPOINTS,
            "on_demand": list(ON_DEMAND)}  # fmt: skip

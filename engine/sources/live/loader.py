"""Has the C program loaded and attached.

Owns what is told to it in macros, the sizes of its maps, and the descriptors of what runs: closing them detaches.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.sources.bcc_compiler import LOAD_64, PSEUDO_MAP
from engine.sources.live import bpf
from engine.sources.live.bpf import BpfError
from engine.sources.live.calls import ALWAYS, CALLS, COMPAT, DATA_MAX, MAX_PARTS, MAX_STEPS, PROGRAMS, Kind, Step
from engine.sources.live.image import CompileError, Image, image
from engine.sources.live.narrowing import KEPT_ALWAYS, KEPT_NEVER, MAX_CGROUPS

CAPABILITIES = {39: "CAP_BPF", 38: "CAP_PERFMON"}
"""What loading and attaching needs, by number."""
_SYS_ADMIN = 21
_TRACEPOINTS = (
    "sched_process_fork", "sched_process_exec", "sched_process_exit", "signal_deliver", "task_rename", "sys_enter",
    "sys_exit",
)  # fmt: skip
_ON_DEMAND = {"switches": "sched_switch", "faults": "page_fault_user"}
"""Programs that are attached only while they are asked for, and where to."""
_ITERATOR = "bpf_iter__task"


class LoadError(Exception):
    """The kernel cannot be watched; the message says why, ``log`` has the compiler's or the verifier's words."""

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

    ring: int
    cpus: int
    pid_max: int
    maps: dict[str, int] = field(default_factory=dict)
    programs: dict[str, int] = field(default_factory=dict)
    attached: dict[str, int] = field(default_factory=dict)
    """By name of the program."""

    def attach(self, name: str, tracepoint: str) -> None:
        """Let a program run at a tracepoint, if it does not yet. Raises LoadError."""
        if name not in self.attached:
            with _told():
                self.attached[name] = bpf.attach(self.programs[name], tracepoint)

    def switch(self, name: str, on: bool) -> None:
        """Attach or detach one of the programs ``switches`` and ``faults``. Raises LoadError."""
        if on:
            self.attach(name, _ON_DEMAND[name])
        elif name in self.attached:
            os.close(self.attached.pop(name))

    def tasks(self) -> bytes:
        """One ``struct task_now`` for each task there is. Raises LoadError."""
        with _told():
            return bpf.iterate(self.attached[_ITERATOR])

    def close(self) -> None:
        """Detach and let go of the maps."""
        for numbers in (self.attached, self.programs, self.maps):
            for number in numbers.values():
                os.close(number)
            numbers.clear()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """The kernel's refusals become LoadErrors."""
    try:
        yield
    except BpfError as error:
        raise LoadError(str(error), error.log) from error


def load(options: Options) -> Loaded:
    """Compile, unless that was done before, and attach. Raises LoadError."""
    if platform.machine() != "x86_64":
        raise LoadError(f"the live source knows x86-64 only, this is {platform.machine()}")
    if missing := [name for number, name in CAPABILITIES.items() if not capabilities() >> number & 1]:
        raise LoadError(f"watching the kernel needs {' and '.join(missing)}: start it with sudo")
    programs = [*map(_of, _TRACEPOINTS), *PROGRAMS[1:], *_ON_DEMAND, _ITERATOR]
    try:
        compiled = image(_values(), programs)
        try:
            return _load(compiled, options)
        except LoadError:
            # What was kept may be damaged; what was compiled just now is what it is.
            if not compiled.kept:
                raise
            return _load(image(_values(), programs, fresh=True), options)
    except CompileError as error:
        raise LoadError(str(error), error.log) from error


def capabilities(status: str | None = None, which: str = "CapEff") -> int:
    """The effective capabilities of this process, one bit each, or another set that a ``/proc/PID/status`` tells.

    CAP_SYS_ADMIN includes those needed.
    """
    found = re.search(rf"^{which}:\s*([0-9a-f]+)", status or Path("/proc/self/status").read_text(), re.M)
    held = int(found[1], 16) if found else 0
    return held | sum(1 << number for number in CAPABILITIES) if held >> _SYS_ADMIN & 1 else held


def _of(tracepoint: str) -> str:
    """What the program of a tracepoint is called."""
    return f"raw_tracepoint__{tracepoint}"


def _values() -> dict[str, int]:
    """The macros that do not depend on the kernel."""
    values: dict[str, int] = {f"STEP_{step.name}": step for step in Step}
    values |= {f"KIND_{kind.name}": kind for kind in Kind}
    values |= {"CALLS": CALLS, "MAX_STEPS": MAX_STEPS, "MAX_PARTS": MAX_PARTS, "ALWAYS": ALWAYS, "COMPAT_BIT": COMPAT}
    values |= {"DATA_MAX": DATA_MAX}
    values |= {"KEPT_ALWAYS": KEPT_ALWAYS, "KEPT_NEVER": KEPT_NEVER, "MAX_CGROUPS": MAX_CGROUPS}
    return values | {"PAGE_SHIFT_": os.sysconf("SC_PAGESIZE").bit_length() - 1}


def _load(compiled: Image, options: Options) -> Loaded:
    # Numbers of processors may have gaps, and those that are off now may come.
    cpus = int(re.findall(r"\d+", Path("/sys/devices/system/cpu/possible").read_text())[-1]) + 1
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    loaded = Loaded(options.ring, cpus, pid_max)
    entries = {"events": options.ring, "running": pid_max, "chosen": pid_max // 64 + 1, "lost": cpus, "buffers": cpus}
    try:
        with _told():
            for of in compiled.maps:
                size = entries.get(of.name, of.entries)
                loaded.maps[of.name] = bpf.create_map(of.name, of.kind, of.key, of.value, size, of.flags)
            numbers = list(loaded.maps.values())

            for name, code in compiled.programs.items():
                kind, to = (bpf.TRACING, compiled.iterator) if name == _ITERATOR else (bpf.RAW_TRACEPOINT, 0)
                loaded.programs[name] = bpf.load_program(name, kind, _with_maps(code, numbers), to)
            for index, name in enumerate(PROGRAMS[1:], 1):
                bpf.put(loaded.maps["programs"], index, loaded.programs[name])
            loaded.attached[_ITERATOR] = bpf.link_iterator(loaded.programs[_ITERATOR])
        for tracepoint in _TRACEPOINTS:
            loaded.attach(_of(tracepoint), tracepoint)
        loaded.switch("switches", options.switches)
        loaded.switch("faults", options.page_faults)
    except BaseException:
        loaded.close()
        raise
    return loaded


def _with_maps(instructions: bytes, numbers: list[int]) -> bytes:
    """Instructions with descriptors in the place of indices."""
    code = bytearray(instructions)
    for at in range(0, len(code), 8):
        if code[at] == LOAD_64 and code[at + 1] >> 4 == PSEUDO_MAP:
            (index,) = struct.unpack_from("<i", code, at + 4)
            if not 0 <= index < len(numbers):
                raise LoadError(f"instruction {at // 8} wants map {index} of {len(numbers)}")
            struct.pack_into("<i", code, at + 4, numbers[index])
    return bytes(code)

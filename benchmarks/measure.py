"""Whole-process measurements: wall time, CPU time and peak memory of commands, run in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class MeasureError(Exception):
    """A measured command failed, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run, or the medians of several."""

    wall: float
    """Seconds from start to exit."""
    cpu: float
    """Seconds of all cores, user and system."""
    peak: int
    """Largest resident memory, bytes."""


def measure(command: Sequence[str]) -> Run:
    """Run a command to its end, its output thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise MeasureError(f"{' '.join(command)}: exit status {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def interleaved(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Run]:
    """Medians of each command; they take turns, so that a slow moment of the machine meets all of them.

    A round more is run first and not counted: it brings the files into memory.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            run = measure(command)
            if turn:
                runs[name].append(run)
    return {
        name: Run(
            statistics.median(run.wall for run in own),
            statistics.median(run.cpu for run in own),
            round(statistics.median(run.peak for run in own)),
        )
        for name, own in runs.items()
    }

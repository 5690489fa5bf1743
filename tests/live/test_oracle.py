"""One run observed by strace and by us at once: every call of every thread in order, results, paths and bytes.

What may differ, and nothing else: calls that do not return (exit, exit_group) are calls for strace only, for us the end
of the process; an interrupted call that is begun again has, for strace, no result yet.
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.events import CATALOGUE, ERRNO
from tests.live.observing import Observer, Seen
from tests.live.scenario import SCRIPT

OURS = {"pread": "pread64", "pwrite": "pwrite64", "prlimit": "prlimit64"}
"""What the format calls a call otherwise than strace does."""
NO_CALLS = ("signaldeliver", "procexit")
NO_RETURN = ("exit", "exit_group")
MOVES = ("read", "write", "pread64", "pwrite64", "readv", "writev", "sendto", "recvfrom", "sendmsg", "recvmsg")
RESTARTED = range(-516, -511)
"""ERESTARTSYS and its like."""


@dataclass(frozen=True)
class Call:
    """One call, as both can tell it."""

    name: str
    result: int | str | None
    """Errors by name; None: not told."""
    paths: tuple[bytes, ...]


def told_by_strace(log: Path) -> dict[int, list[Call]]:
    """Calls in the order they ended, by thread."""
    begun: dict[int, str] = {}
    found: dict[int, list[Call]] = defaultdict(list)
    for line in log.read_text("latin-1").splitlines():
        tid, _, text = line.partition(" ")
        text = text.lstrip()
        if text.endswith("<unfinished ...>"):
            begun[int(tid)] = text.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>", text):
            text = begun.pop(int(tid)) + text[resumed.end() :]
        call = re.fullmatch(r"(\w+)\((.*)\) += (-?\w+|\?)(?: (\w+).*| .*)?", text)
        if call is None:
            continue  # a signal, an end, the name of a process
        name, arguments, result, error = call.groups()
        value: int | str | None = None
        if result == "-1":
            value = error
        elif result != "?":
            value = int(result, 8 if re.fullmatch(r"0[0-7]+", result) else 0)
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
        found[int(tid)].append(Call(name, value, tuple(ast.literal_eval(f'b"{text}"') for text in strings)))
    return found


def told_by_us(event: Seen) -> Call:
    kind = next(kind for kind in reversed(CATALOGUE) if kind.name == event.event and kind.is_exit)
    paths = [
        event.values.get(parameter.name)
        for parameter in kind.params
        if parameter.type in ("FSPATH", "FSRELPATH") and parameter.name != "trusted_exepath"
    ]
    result: int | str | None = event.result
    if event.result is not None and event.result in RESTARTED:
        result = None
    elif event.result is not None and -4096 < event.result < 0:
        result = ERRNO[-event.result]
    if event.event == "brk":
        result = event.res
    return Call(OURS.get(event.event, event.event), result, tuple(path for path in paths if path is not None))


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_strace_sees_the_same_calls_results_paths_and_bytes(observer: Observer, tmp_path: Path) -> None:
    log, place, strace = tmp_path / "log", tmp_path / "place", shutil.which("strace")
    place.mkdir()
    assert strace
    script = [sys.executable, "-I", "-S", "-c", SCRIPT, str(place)]
    run = observer.run(strace, "-f", "-qq", "-s", "65536", "-o", str(log), *script)
    assert run.status == 0
    theirs = told_by_strace(log)
    ours: dict[int, list[Call]] = defaultdict(list)
    for event in run.events:
        if event.event not in NO_CALLS and event.is_exit and event.thread.tid in theirs:
            ours[event.thread.tid].append(told_by_us(event))
    assert theirs.keys() == ours.keys()
    counts, moved = Counter[str](), [Counter[str](), Counter[str]()]
    for thread, calls in theirs.items():
        wanted = [call for call in calls if call.name not in NO_RETURN]
        # The first calls of strace's child, before it is traced, are strace's own.
        mine = ours[thread][-len(wanted) :]
        assert [call.name for call in mine] == [call.name for call in wanted]
        for told, call in zip(mine, wanted, strict=True):
            if told.result is not None and call.result is not None:
                assert told.result == call.result, (told, call)
            assert told.paths == call.paths[: len(told.paths)], (told, call)
            counts[call.name] += 1
            for total, side in zip(moved, (told, call), strict=True):
                if side.name in MOVES and isinstance(side.result, int):
                    total[side.name] += side.result
    assert moved[0] == moved[1]
    assert moved[0].keys() == set(MOVES), "every way of moving bytes was looked at"
    assert sum(counts.values()) > 1200
    # Only one that is begun again may have no result; those without parameters in the table have none either.
    without = {call.name for calls in ours.values() for call in calls if call.result is None}
    assert without <= {"getsockname", "getpeername", "wait4", "clock_nanosleep", "read", "futex"}

"""`tui doctor`: what the live source needs of this machine, and what to do about what is missing."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import text
from engine.sources import bcc_compiler
from engine.sources.live import btf, layout
from engine.sources.live.loader import CAPABILITIES, LoadError, Options, capabilities, load
from engine.sources.runtimes import lookup
from tui.exit_codes import Exit

_NAMING = {19: "CAP_SYS_PTRACE", 2: "CAP_DAC_READ_SEARCH"}


_SETCAP = (
    "sudo tui, or once: sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep "
    + os.path.realpath(sys.executable)
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    good: bool | None
    """None: not needed, but of use."""
    found: str
    mend: str = ""
    """What to do about it."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    subparsers.add_parser(
        "doctor",
        usage="tui doctor",
        description="Look at everything live capture needs. The exit status is 1 when something is missing.",
        allow_abbrev=False,
    )


def run(asked: argparse.Namespace) -> int:
    """Print what was found; returns the exit status."""
    bad = False
    for finding in _findings():
        sign = "ok  " if finding.good else "note" if finding.good is None else "MISS"
        sys.stdout.write(f"{sign} {finding.what:<14} {text.clean(finding.found)}\n")
        if finding.mend and not finding.good:
            sys.stdout.write(f"     {'':<14} {finding.mend}\n")
        bad |= finding.good is False
    return Exit.FAILED if bad else Exit.OK


def _findings() -> Iterator[Finding]:
    machine, release = platform.machine(), platform.release()
    yield Finding("machine", machine == "x86_64", machine, "live capture knows x86-64 only; captures open anywhere")
    version = tuple(int(part) for part in release.split("-")[0].split(".")[:2])
    yield Finding("kernel", version >= (5, 15), release, "5.15 or newer is needed")
    try:
        layout.macros(btf.load())
        yield Finding("BTF", True, f"{btf.VMLINUX} has every structure needed")
    except btf.BtfError as error:
        yield Finding("BTF", False, str(error), "use the distribution's kernel, or build one with BTF")
    yield from _permissions()
    try:
        module = bcc_compiler.binding()
        yield Finding("BCC binding", True, str(module.__file__))
    except bcc_compiler.BindingError as error:
        yield Finding("BCC binding", False, str(error))
    yield Finding("headers", True, "not needed")
    try:
        load(Options(ring=1 << 20)).close()
        yield Finding("attaching", True, "programs load and attach")
    except LoadError as error:
        words = error.log.strip().splitlines()
        yield Finding("attaching", False, f"{error}{': ' + words[-1] if words else ''}")
    yield from _runtimes()
    term = os.environ.get("TERM", "")
    size = shutil.get_terminal_size()
    mend = "make the terminal larger, 80 by 24 or more; export TERM=xterm-256color where it is none"
    fits = bool(term and term != "dumb") and size.columns >= 80 and size.lines >= 24
    yield Finding("terminal", fits or None, f"{term or 'none'}, {size.columns} by {size.lines}", mend)


def _runtimes() -> Iterator[Finding]:
    """Who can name containers; without anybody they go by their ids."""
    asked = lookup.answering()
    for path, told, answers in asked:
        mend = "containers go by their ids; see that it runs, and that you may use its socket"
        yield Finding("runtime", answers or None, f"{path}: {told}", mend)
    if not asked:
        yield Finding("runtime", None, "no container runtime's socket: containers go by their ids")


def _permissions() -> Iterator[Finding]:
    held = capabilities()
    for needed, names in ((False, CAPABILITIES), (None, _NAMING)):
        for number, name in names.items():
            has = bool(held >> number & 1)
            use = "needed" if needed is False else "for names and fds of other users' processes"
            yield Finding(name, has or needed, "held" if has else f"missing, {use}", _SETCAP)
    try:
        lockdown = Path("/sys/kernel/security/lockdown").read_text()
    except OSError:
        return
    strict = "[confidentiality]" in lockdown
    yield Finding("lockdown", not strict, lockdown.strip(), "boot with lockdown=integrity or none")

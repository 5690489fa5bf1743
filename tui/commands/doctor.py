"""`tui doctor`: what the live source needs of this machine, and what to do about what is missing."""

from __future__ import annotations

import argparse
import errno
import os
import platform
import re
import shlex
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
from tui.mending import Distribution, of_container, weaker_lockdown, with_capabilities

MOST_LINES = 200
"""Lines of a compiler's words that are printed."""

_NAMING = {19: "CAP_SYS_PTRACE", 2: "CAP_DAC_READ_SEARCH"}
_ROOT = Path("/")
_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_UNITS = {
    "docker.sock": "docker",
    "podman.sock": "podman.socket",
    "containerd.sock": "containerd",
    "crio.sock": "crio",
}
"""What listens at sockets of these names, for systemd."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    good: bool | None
    """None: not needed, but of use."""
    found: str
    mend: str = ""
    """What to do about it."""
    words: str = ""
    """What the compiler or the kernel said."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    subparsers.add_parser(
        "doctor",
        usage="tui doctor",
        description="Look at everything live capture needs. The exit status is 1 when something is missing.",
        allow_abbrev=False,
    )


def run(asked: argparse.Namespace) -> int:
    """Print what was found; returns the exit status. The whole words of a compiler that failed go to standard error."""
    bad, words = False, ""
    mend = ""
    for finding in _findings():
        sign = "ok  " if finding.good else "note" if finding.good is None else "MISS"
        # What mends several things is said once, below the last of them.
        mend = _tell(mend, "" if finding.good else finding.mend)
        sys.stdout.write(f"{sign} {finding.what:<14} {text.clean(finding.found)}\n")
        bad |= finding.good is False
        words += finding.words
    _tell(mend, "")
    sys.stdout.flush()
    for line in words.splitlines()[:MOST_LINES]:
        sys.stderr.write(f"{text.clean(line)}\n")
    return Exit.FAILED if bad else Exit.OK


def _tell(mend: str, following: str) -> str:
    """Print what mends the findings before, unless the following one is mended by the same, which is returned."""
    if mend and mend != following:
        sys.stdout.write(f"     {'':<14} {text.clean(mend)}\n")
    return following


def _findings() -> Iterator[Finding]:
    distribution = Distribution.found(_ROOT)
    machine = platform.machine()
    needed = [
        Finding("machine", machine == "x86_64", machine, "captures open on any machine: tui -r FILE"),
        kernel(platform.release(), distribution),
        types(_ROOT, distribution),
        *permissions(_ROOT, distribution),
        binding(distribution),
    ]
    yield from needed
    yield Finding("headers", True, "not needed")
    yield attaching(all(finding.good is not False for finding in needed))
    yield from runtimes()
    size = shutil.get_terminal_size()
    yield terminal(os.environ.get("TERM", ""), size.columns, size.lines)


def kernel(release: str, distribution: Distribution) -> Finding:
    """A kernel of a release."""
    found = re.match(r"(\d+)\.(\d+)", release)
    good = found is not None and (int(found[1]), int(found[2])) >= (5, 15)
    told = release if good else f"{release}, 5.15 or newer is needed"
    return Finding("kernel", good, told, distribution.newer_kernel())


def types(root: Path, distribution: Distribution) -> Finding:
    """The kernel's description of its own structures."""
    if not (root / "sys/kernel").is_dir():
        return Finding("BTF", False, "/sys is not mounted", "sudo mount -t sysfs sysfs /sys")
    if not btf.VMLINUX.exists():
        told = f"{btf.VMLINUX} is missing: this kernel was built without CONFIG_DEBUG_INFO_BTF"
        return Finding("BTF", False, told, distribution.own_kernel())
    try:
        layout.macros(btf.load())
    except btf.BtfError as error:
        # It has types, but not those of the kernels we know.
        return Finding("BTF", False, str(error), distribution.newer_kernel())
    return Finding("BTF", True, f"{btf.VMLINUX} has every structure needed")


def permissions(root: Path, distribution: Distribution) -> Iterator[Finding]:
    """Capabilities, and what no capability helps against."""
    status = (root / "proc/self/status").read_text()
    held, possible = (capabilities(status, of) for of in ("CapEff", "CapBnd"))
    tui = shutil.which("tui") or "tui"
    for needed, names in ((False, CAPABILITIES), (None, _NAMING)):
        for number, name in names.items():
            use = "needed" if needed is False else "for names and fds of other users' processes"
            if not possible >> number & 1:
                mend = of_container()
            elif os.geteuid() == 0:
                mend = f"it was given up by what started this; begin from a fresh root shell: sudo {tui}"
            else:
                less = with_capabilities(tui, os.geteuid(), os.getegid())
                mend = f"sudo {tui}, or with no more than is needed: {less}"
            has = bool(held >> number & 1)
            yield Finding(name, has or needed, "held" if has else f"missing, {use}", mend)
    try:
        lockdown = (root / "sys/kernel/security/lockdown").read_text().strip()
    except OSError:  # a kernel without it
        return
    try:
        secure = (root / _SECURE_BOOT).read_bytes()[-1:] == b"\1"
    except OSError:
        secure = False
    command_line = (root / "proc/cmdline").read_text("utf-8", "replace")
    mend = weaker_lockdown(command_line, secure, distribution)
    yield Finding("lockdown", "[confidentiality]" not in lockdown, lockdown, mend)


def binding(distribution: Distribution) -> Finding:
    """The distribution's binding of BCC, and not the other program of that name."""
    try:
        return Finding("BCC binding", True, str(bcc_compiler.binding().__file__))
    except bcc_compiler.BindingError as error:
        mend = distribution.install(apt="python3-bpfcc", dnf="python3-bcc", again=error.there)
        if error.foreign:
            mend = f"sudo /usr/bin/python3 -m pip uninstall --break-system-packages bcc && {mend}"
        return Finding("BCC binding", False, str(error), mend)


def attaching(possible: bool) -> Finding:
    """Whether programs load and attach; not tried where something needed is missing."""
    if not possible:
        return Finding("attaching", False, "not tried: mend the above first")
    try:
        load(Options(ring=1 << 20)).close()
    except LoadError as error:
        mend = "what the kernel or the compiler said follows on standard error: tui doctor 2>words"
        return Finding("attaching", False, str(error), mend if error.log else "", error.log)
    return Finding("attaching", True, "programs load and attach")


def runtimes() -> Iterator[Finding]:
    """Who can name containers; without anybody they go by their ids."""
    asked = lookup.answering()
    for path, told, answers in asked:
        unit = _UNITS.get(os.path.basename(path), "")
        if told == os.strerror(errno.EACCES):
            mend = (
                f"containers go by their ids; run as root, or: sudo setfacl -m u:{os.geteuid()}:rw {shlex.quote(path)}"
            )
        elif unit:
            mend = f"containers go by their ids; sudo systemctl restart {unit}"
        else:
            mend = "containers go by their ids; see that what listens there runs"
        yield Finding("runtime", answers or None, f"{path}: {told}", mend)
    if not asked:
        yield Finding("runtime", None, "no container runtime's socket: containers go by their ids")


def terminal(term: str, columns: int, lines: int) -> Finding:
    """Where the screen would be shown."""
    told = f"{term or 'none'}, {columns} by {lines}"
    if term in ("", "dumb"):
        return Finding("terminal", None, told, "export TERM=xterm-256color")
    if columns < 80 or lines < 24:
        return Finding("terminal", None, told, "make it larger, 80 by 24 or more")
    return Finding("terminal", True, told)

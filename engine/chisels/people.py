"""Chisels about what people do: commands in shells."""

from __future__ import annotations

import re
from typing import Any

from engine import text
from engine.chisels.chisel import Argument, Chisel, Colour, cell
from engine.chisels.payloads import NO_COLOURS

_ANCESTORS = 16
"""Ancestors looked at."""
_MOST = 1 << 16
"""Processes remembered; past that all are forgotten."""


class SpyUsers(Chisel):
    """Commands that people type, and the directories they go to."""

    name = "spy_users"
    category = "Security"
    summary = "Display interactive user activity"
    description = "Every command started from a shell, and every directory a shell goes to, below its login shell."
    arguments = (
        Argument("max_depth", "levels below the login shell that are shown", "number", optional=True),
        NO_COLOURS,
    )
    filter = (
        "((evt.type=execve and evt.dir=<) or (evt.type=chdir and evt.dir=< and proc.name contains sh "
        "and not proc.name contains sshd)) and evt.failed=false"
    )
    fields = (
        *("evt.type", "proc.exe", "proc.args", "evt.arg.path", "user.name", "evt.time.s", "proc.pid", "proc.ppid"),
        "container.name",
        *(f"proc.aname[{level}]" for level in range(_ANCESTORS + 1)),
        *(f"proc.apid[{level}]" for level in range(_ANCESTORS + 1)),
    )

    def start(self) -> None:
        """No process is known."""
        self._deepest = self.number("max_depth", -1)
        self._levels: dict[int, tuple[int, int] | None] = {}
        """By process: how far below a shell its children are, and the shell; None below no shell."""

    def event(
        self, kind: str, exe: str, args: str, path: str, user: str, when: str, pid: int, ppid: int, container: str,
        *ancestors: Any,
    ) -> None:  # fmt: skip
        """Find the shell it came from."""
        names, pids = ancestors[: _ANCESTORS + 1], ancestors[_ANCESTORS + 1 :]
        moved = kind == "chdir"
        if len(self._levels) > _MOST:
            self._levels.clear()
        parent = pid if moved else ppid
        if moved:
            names, pids = (None, *names), (None, *pids)
        if parent not in self._levels:
            self._levels[parent] = self._shell_of(names, pids)
        level = self._levels[parent]
        if level is None:
            return
        if pid not in self._levels:
            self._levels[pid] = (level[0] + 1, level[1])
        depth, shell = self._levels[pid] or level
        depth -= 0 if moved else 1
        if 0 <= self._deepest < depth:
            return
        place = f"@{container}" if self.settings.containers else ""
        what = f"cd {path}" if moved else f"{exe} {args}"
        colour = Colour.NONE
        if self.settings.containers:
            colour = Colour.GREEN if container == "host" else Colour.BLUE
        indent = (4 if self.settings.containers or moved else 3) * depth
        self.say(f"{' ' * indent}{shell} {when} {user or text.ABSENT}{place}) {what}", colour)

    def _shell_of(self, names: tuple[Any, ...], pids: tuple[Any, ...]) -> tuple[int, int] | None:
        """The oldest shell among the ancestors, and how far above its child it is, unless that one is known."""
        found = None
        for level in range(1, _ANCESTORS + 1):
            name, pid = names[level], pids[level]
            if name is None and pid is None:
                break
            if name is not None and name.endswith("sh"):
                found = (level - 1 if self._levels.get(pid) is not None or pid in self._levels else 0, pid)
        return found


class ListLoginShells(Chisel):
    """Login shells in which something was run."""

    name = "list_login_shells"
    category = "Security"
    summary = "List the login shell IDs"
    description = "The process ids of login shells, all or those in which a command was run; use them in filters."
    arguments = (
        Argument("command", "part of the name of the command; * for any", optional=True),
        Argument("arguments", "part of the command's arguments", optional=True),
    )
    filter = "evt.type=execve"
    fields = ("proc.loginshellid", "evt.arg.exe", "evt.arg.args", "container.name", "container.id")

    def start(self) -> None:
        """None yet."""
        wanted = self.argument("command", "*")
        self._command = "" if wanted == "*" else wanted
        self._arguments = self.argument("arguments")
        self._found: dict[int, tuple[str, str]] = {}

    def event(self, shell: int | None, exe: str | None, args: str | None, container: str, container_id: str) -> None:
        """Note its shell."""
        if shell is None or not exe or self._command not in exe or (args and self._arguments not in args):
            return
        self._found[shell] = (container, container_id)

    def end(self) -> None:
        """Their ids."""
        self.say(f"Shells containing {self._command}:" if self._command else "All shells:")
        for shell, place in sorted(self._found.items()):
            self.say(" ".join([str(shell), *(map(str, place) if self.settings.containers else ())]))


class ShellshockDetect(Chisel):
    """Attempts of the attack on bash of 2014."""

    name = "shellshock_detect"
    category = "Security"
    summary = "print shellshock attacks"
    description = "Starts of a shell with a function in its environment that hides a command (CVE-2014-6271)."
    filter = "(proc.name=bash or proc.name=sh) and evt.type=execve and evt.dir=<"
    fields = ("evt.time", "proc.pname", "proc.ppid", "proc.env")
    _FUNCTION = re.compile(r"=(\(\) ?\{.+)")

    def start(self) -> None:
        """The headings."""
        self.say(cell("TIME", 22) + cell("PROCNAME", 22) + cell("PID", 8) + "FUNCTION")

    def event(self, when: str, parent: str | None, ppid: int | None, environment: Any) -> None:
        """Look at the environment."""
        told = environment if isinstance(environment, str) else " ".join(environment or ())
        if found := self._FUNCTION.search(told):
            self.say(cell(when, 22) + cell(parent or text.ABSENT, 22) + cell(ppid, 8) + found[1])


CHISELS: tuple[type[Chisel], ...] = (SpyUsers, ListLoginShells, ShellshockDetect)

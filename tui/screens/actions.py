"""Commands on the selected row: the panel, what may be run at all, and running it.

Commands are argument lists; a captured value is always one argument whole, whatever is in it, and never reaches a
shell. Those that change the system are run from the panel only, when the settings allow it, after a question.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from textual.app import SuspendNotSupported
from textual.content import Content

from engine.fields.field import Value
from engine.query.selected import SelectedRequest, SelectedSnapshot
from engine.query.snapshots import Row, Snapshot, TableRequest, TableSnapshot
from engine.query.view import Action
from engine.text import clean, safe
from engine.user_files import ConfigError, read_config
from tui.place import Wanted
from tui.screens.part import Part
from tui.widgets.dialog import CHOOSING, Fact

SETTING = "change_system"
NOT_ALLOWED = f"This changes the system: allow it with {SETTING} = true in [actions] of config.toml."
ENVIRONMENT = {"LESSSECURE": "1", "LESSOPEN": ""}
"""Set for every command: a pager shows files here and does nothing else."""


class Actions(Part):
    """Runs the present view's actions."""

    _asked: SelectedRequest | None = None
    _wanted: Action | None = None

    @property
    def _offered(self) -> Sequence[Action]:
        view = self.screen.place.view
        return view.actions if view else ()

    @property
    def refusal(self) -> str:
        """Why no action is run here at all; "" when they are."""
        live = self.screen.status.live
        if live is None or live.ended:
            return (
                "What is shown was captured earlier, perhaps on another machine: "
                "processes, files and addresses of that name here need not be the same. Actions are for live use."
            )
        return ""

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only where a view declares some."""
        return True if self._offered else None

    def action_actions(self) -> None:
        """Offer the view's actions on the row that is selected now, whatever row is in its place later."""
        actions, row, snapshot = list(self._offered), self.screen.grid.row(), self.screen.place.snapshot
        field = snapshot.key_field if isinstance(snapshot, TableSnapshot) else ""
        caption = f"Actions on {field}={row.shown_key}" if row and field else "Actions"
        labels = [Content.assemble((f"{action.key} ", "bold $text-accent"), action.label) for action in actions]
        hotkeys = {action.key: at for at, action in enumerate(actions)}
        self.screen.dialog.choose(
            caption, labels, lambda at: self._facts(actions[at]), 0, lambda at: self._start(actions[at], row),
            ("f8", "a"), hotkeys, keys=(((), "its key runs one"), *CHOOSING[1:]),
        )  # fmt: skip

    def _facts(self, action: Action) -> list[Fact]:
        return [
            ("", " ".join(action.command)),
            *([("", "Changes the system; asks first.")] if action.confirm else []),
            *([("Not now", ""), ("", reason)] if (reason := self._reason(action)) else []),
        ]

    def _reason(self, action: Action) -> str:
        """Why an action is not run; "" when it is."""
        return self.refusal or (NOT_ALLOWED if action.confirm and not _may_change() else "")

    def run_hotkey(self, character: str) -> bool:
        """Run the harmless action of a key; False when there is none."""
        for action in self._offered:
            if action.key == character and not action.confirm:
                self._start(action, self.screen.grid.row())
                return True
        return False

    def _start(self, action: Action, row: Row | None) -> None:
        """Ask for the row's values, or say why not."""
        snapshot = self.screen.place.snapshot
        if reason := self._reason(action):
            self.screen.notify(reason, title=action.label, severity="warning", markup=False)
        elif row is not None and isinstance(snapshot, TableSnapshot):
            request = self.screen.place.rows(Wanted())
            assert isinstance(request, TableRequest)
            fields = tuple(part[1:] for part in action.command if part.startswith("%"))
            self._wanted, self._asked = action, SelectedRequest(request, row.key, fields)
            self.screen.engine.ask("action", self._asked)

    def take(self, snapshot: Snapshot) -> bool:
        """Run with the values of the row, after a question where one is due."""
        if not isinstance(snapshot, SelectedSnapshot) or snapshot.request is not self._asked:
            return False
        action, self._asked = self._wanted, None
        assert action is not None
        if snapshot.error:
            self.screen.notify(snapshot.error, severity="warning", markup=False)
            return True
        try:
            command = filled(action.command, snapshot.values)
        except ValueError as error:
            self.screen.notify(str(error), title=action.label, severity="warning", markup=False)
            return True
        if action.confirm:
            self._confirm(action, command)
        else:
            self._run(action, command)
        return True

    def _confirm(self, action: Action, command: Sequence[str]) -> None:
        told = clean(shlex.join(command))
        self.screen.dialog.choose(
            f"{action.label}?", [Content("No"), Content(f"Yes, {action.label}")], lambda _: [("", told)], 0,
            lambda at: self._run(action, command) if at else None, (), keys=CHOOSING[2:],
        )  # fmt: skip

    def _run(self, action: Action, command: Sequence[str]) -> None:
        """Hand the terminal to the command until it has ended."""
        try:
            with self.screen.app.suspend():
                failure = run(command, wait=action.wait)
        except SuspendNotSupported:
            failure = "this terminal cannot be lent to a command"
        if failure:
            self.screen.notify(failure, title=action.label, severity="error", markup=False)


def filled(command: Sequence[str], values: Sequence[Value]) -> list[str]:
    """The command with the values of its fields, in order. Raises ValueError, its text for people, for a value that
    is not known or that a program would take for an option."""
    left = iter(values)
    arguments = []
    for part in command:
        if not part.startswith("%"):
            arguments.append(part)
            continue
        value = next(left)
        if value is None or isinstance(value, tuple):
            raise ValueError(f"{part[1:]} of this row is not known")
        text = os.fsdecode(value) if isinstance(value, bytes) else str(value)
        if not text or "\0" in text or text.startswith("-"):
            raise ValueError(f"{part[1:]} of this row is {safe(os.fsencode(text))!r}: no command is given that")
        arguments.append(text)
    return arguments


def run(command: Sequence[str], *, wait: bool) -> str:
    """Run a command in the terminal; why that failed, "" when it did not. ``wait`` leaves its output to be read."""
    if wait:
        sys.stdout.write(f"$ {clean(shlex.join(command))}\n")
        sys.stdout.flush()
    try:
        done = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, check=False)
    except OSError as error:
        return clean(f"{command[0]}: {error.strerror}")
    except KeyboardInterrupt:
        return ""
    if wait:
        try:
            ended = f"It ended with status {done.returncode}. " if done.returncode else ""
            input(f"\n{ended}Enter goes back to syscope. ")
        except (EOFError, KeyboardInterrupt):
            return ""
    return ""


def _may_change() -> bool:
    try:
        return read_config().section("actions").get(SETTING) is True
    except ConfigError:
        return False

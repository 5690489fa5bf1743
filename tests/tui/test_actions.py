"""Commands on a row: what may be run, with which arguments, and what never is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import views
from engine.query.snapshots import Live
from engine.query.view import Action
from tests.tui.conftest import Stage, until
from tui.screens import actions
from tui.screens.actions import NOT_ALLOWED, Actions, filled, run

WIDE = (120, 40)
LIVE = Live(
    started=1, window=None, interval=500_000_000, behind=False, lost=0, lost_now=0, forgotten=0, share=0.01,
    resident=1 << 26, narrowed="", ended=False,
)  # fmt: skip
LIST = Action("z", "list files", ("lsof", "-p", "%proc.pid"), wait=False)
KILL = Action("k", "kill", ("kill", "%proc.pid"), confirm=True, wait=False)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, stage: Stage, tmp_path: Path) -> list[list[str]]:
    """What was run on the stage, whose machine is this one and whose view has two actions."""
    commands: list[list[str]] = []

    def remember(self: Actions, action: Action, command: Sequence[str]) -> None:
        commands.append(list(command))

    monkeypatch.setattr(Actions, "_run", remember)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    screen = stage.app._explorer
    stage.engine.status = replace(stage.engine.status, live=LIVE)
    view = replace(screen.views["procs"], actions=(LIST, KILL))
    screen.places[0].view = view
    stage.engine.tables["procs"] = stage.engine.tables["procs"]
    return commands


def allow(tmp_path: Path) -> None:
    (tmp_path / "syscope").mkdir()
    (tmp_path / "syscope" / "config.toml").write_text("[actions]\nchange_system = true\n")


async def test_an_action_gets_the_values_of_the_row(stage: Stage, ran: list[list[str]]) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "f8", "enter")
        await until(pilot, lambda: bool(ran))
    assert ran == [["lsof", "-p", "107"]]


async def test_an_action_is_on_the_row_it_was_offered_for_whatever_is_in_its_place_by_then(
    stage: Stage, ran: list[list[str]]
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f8")
        await until(pilot, lambda: "Actions on proc.pid=100" in "\n".join(stage.text()))
        table = stage.engine.tables["procs"]
        table[3] = (table[3][0], 99.0, *table[3][2:])
        stage.engine.publish(replace(stage.engine.status, events=30_000))
        await until(pilot, lambda: stage.row.lstrip().startswith("121 "))
        await pilot.press("enter")
        await until(pilot, lambda: bool(ran))
    assert ran == [["lsof", "-p", "100"]]


async def test_a_harmless_action_has_its_own_key(stage: Stage, ran: list[list[str]]) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("z")
        await until(pilot, lambda: bool(ran))
    assert ran == [["lsof", "-p", "100"]]


async def test_what_changes_the_system_is_off_until_allowed(stage: Stage, ran: list[list[str]]) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f8", "k")
        await until(pilot, lambda: any(toast.message == NOT_ALLOWED for toast in stage.app._notifications))
    assert ran == []


async def test_what_changes_the_system_asks_first(stage: Stage, ran: list[list[str]], tmp_path: Path) -> None:
    allow(tmp_path)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f8", "k")
        await until(pilot, lambda: "kill 100" in "\n".join(stage.text()))
        await pilot.press("enter")
        await pilot.pause()
        assert ran == []
        await pilot.press("f8", "k")
        await until(pilot, lambda: "kill 100" in "\n".join(stage.text()))
        await pilot.press("down", "enter")
        await until(pilot, lambda: bool(ran))
    assert ran == [["kill", "100"]]


async def test_it_is_not_run_by_its_key_outside_the_panel(stage: Stage, ran: list[list[str]], tmp_path: Path) -> None:
    allow(tmp_path)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down", "k")
        await pilot.pause()
        assert stage.screen.grid.position.index == 0
    assert ran == []


async def test_nothing_is_run_on_a_capture_and_the_reason_is_told(stage: Stage, ran: list[list[str]]) -> None:
    stage.engine.status = replace(stage.engine.status, live=None)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("f8")
        await pilot.pause()
        assert "captured earlier, perhaps on another machine" in " ".join("\n".join(stage.text()).split("│"))
        await pilot.press("enter", "z")
        await pilot.pause()
    assert ran == []


@given(st.binary(max_size=200))
def test_a_crafted_name_is_one_argument_or_none(name: bytes) -> None:
    command = ("less", "%fd.name")
    try:
        arguments = filled(command, [name])
    except ValueError:
        assert not name or name.startswith(b"-") or b"\0" in name
        return
    assert len(arguments) == 2
    assert arguments[1].encode("utf-8", "surrogateescape") == name


@given(st.binary(min_size=1, max_size=60))
def test_no_shipped_action_makes_more_of_a_crafted_name_than_one_argument(name: bytes) -> None:
    for view in views.load().views.values():
        for action in view.actions:
            captured = sum(part.startswith("%") for part in action.command)
            try:
                arguments = filled(action.command, [name] * captured)
            except ValueError:
                assert captured
                assert name.startswith(b"-") or b"\0" in name
                continue
            assert len(arguments) == len(action.command)
            for part, argument in zip(action.command, arguments, strict=True):
                assert os.fsencode(argument) == (name if part.startswith("%") else os.fsencode(part))


@pytest.mark.parametrize(
    "name", [b"$(touch ran)", b"; touch ran", b"`touch ran`", b"a\ntouch ran", b"|touch ran", b"*"]
)
def test_a_crafted_name_runs_nothing(
    name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(filled(("echo", "%fd.name"), [name]), wait=False) == ""
    assert capfd.readouterr().out == name.decode() + "\n"
    assert list(tmp_path.iterdir()) == []


def test_no_command_is_given_to_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: given.append({"command": command, **options}))
    run(["ls", "-al", "/tmp"], wait=False)
    assert given[0]["command"] == ["ls", "-al", "/tmp"]
    assert not given[0].get("shell")


def test_a_program_that_is_not_there_is_told() -> None:
    assert "No such file" in actions.run(["no-such-program-of-any-kind"], wait=False)


def test_what_was_run_and_how_it_ended_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", asked.append)
    assert run(["ls", "/nowhere \x1b[2J"], wait=True) == ""
    told = capfd.readouterr().out
    assert told.startswith("$ ls '/nowhere ")
    assert "\x1b" not in told
    assert asked == ["\nIt ended with status 2. Enter goes back to syscope. "]
    run(["true"], wait=True)
    assert asked[1] == "\nEnter goes back to syscope. "


def test_a_process_can_be_made_nicer() -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        before = os.getpriority(os.PRIO_PROCESS, process.pid)
        action = next(a for a in views.load().views["procs"].actions if a.label == "increment nice by 1")
        for _ in range(2):
            assert run(filled(action.command, [process.pid]), wait=False) == ""
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == before + 2
    finally:
        process.kill()
        process.wait()


def test_no_shipped_action_is_a_shell() -> None:
    for view in views.load().views.values():
        for action in view.actions:
            assert action.command[0] not in ("sh", "bash", "dash", "zsh"), (view.id, action.label)

"""The options of every command as their parsers declare them, for completion and man pages.

Owns reading argparse's declarations; each option is declared once, in its command's ``add_parser``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Option:
    """An option, or a word that is none."""

    names: tuple[str, ...]
    """Short and long ones; none for words."""
    value: str
    """What its value is called, empty when it takes none."""
    choices: tuple[str, ...]
    meaning: str
    repeats: bool
    """May be given more than once, or be of several words."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its options."""

    name: str
    """Empty for the explorer."""
    usage: str
    description: str
    epilog: str
    groups: tuple[tuple[str, tuple[Option, ...]], ...]
    """Title and options."""

    @property
    def options(self) -> tuple[Option, ...]:
        """All of them."""
        return tuple(option for _, options in self.groups for option in options)


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of a command; the explorer's is that of no name."""
    if not name:
        from tui.cli import explorer_parser

        return explorer_parser()
    commands = argparse.ArgumentParser(prog="tui").add_subparsers()
    import_module(f"tui.commands.{name}").add_parser(commands)
    made: argparse.ArgumentParser = commands.choices[name]
    return made


def command(name: str) -> Command:
    """What is declared of a command."""
    parser = parser_of(name)
    groups = []
    for group in parser._action_groups:
        options = tuple(_option(action) for action in group._group_actions)
        if options:
            groups.append((group.title or "", options))
    usage = " ".join((parser.usage or parser.prog).split())
    return Command(name, usage, parser.description or "", parser.epilog or "", tuple(groups))


def _option(action: argparse.Action) -> Option:
    metavar = action.metavar if isinstance(action.metavar, str) else (action.dest or "").upper()
    takes = action.nargs != 0
    meaning = (action.help or "").replace("%%", "%")
    return Option(
        names=tuple(action.option_strings),
        value=metavar if takes else "",
        choices=tuple(map(str, action.choices or ())),
        meaning=meaning,
        repeats=action.nargs in ("*", "+") or isinstance(action, argparse._AppendAction),
    )

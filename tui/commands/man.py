"""`tui man`: the manual page of a command, made of what its options declare."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tui import __version__
from tui.cli import COMMANDS
from tui.declared import Command, Option, command
from tui.exit_codes import Exit

_STATUS = (
    ("0", "Everything asked was done."),
    ("1", "A file cannot be read, or is damaged; what came before the damage was printed."),
    ("2", "A wrong option, filter, format, field, view or chisel; nothing was read."),
    ("130", "Stopped by Ctrl-C."),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "man",
        usage="tui man [COMMAND] | tui man --write FOLDER",
        description="Print the manual page of a command, or write all of them to a folder. "
        "Read one with: tui man dig | man -l -",
        allow_abbrev=False,
    )
    parser.add_argument("page", metavar="COMMAND", nargs="?", choices=["", *COMMANDS], default="", help="which command")
    parser.add_argument("--write", metavar="FOLDER", type=Path, help="write tui.1, tui-dig.1 ... to a folder")


def run(asked: argparse.Namespace) -> int:
    """Print or write; returns the exit status."""
    if asked.write is None:
        sys.stdout.write(page(command(asked.page)))
        return Exit.OK
    try:
        asked.write.mkdir(parents=True, exist_ok=True)
        for name in ("", *COMMANDS):
            (asked.write / f"{_title(name)}.1").write_text(page(command(name)), "utf-8")
    except OSError as error:
        sys.stderr.write(f"tui man: {asked.write}: {error.strerror}\n")
        return Exit.FAILED
    return Exit.OK


def page(of: Command) -> str:
    """The page of a command, in the language of man."""
    title = _title(of.name)
    purpose = COMMANDS.get(of.name, "explore system calls full-screen, live or from a capture")
    lines = [
        f'.TH {title.upper().replace("-", chr(92) + "-")} 1 "" "syscope {__version__}" "syscope"',
        ".SH NAME",
        f"{_plain(title)} \\- {_plain(purpose)}",
        ".SH SYNOPSIS",
        f".B {_plain(of.usage)}",
        ".SH DESCRIPTION",
        _plain(of.description),
    ]
    for heading, options in of.groups:
        lines.append(f'.SH "{_heading(heading)}"')
        for option in options:
            lines += [".TP", _names(option), _plain(option.meaning) or "Not described."]
    if of.epilog:
        note = _plain(of.epilog)
        lines += [".SH NOTES", *([".nf", note, ".fi"] if "\n" in note else [note])]
    lines.append(".SH EXIT STATUS")
    for status, meaning in _STATUS:
        lines += [".TP", f".B {status}", _plain(meaning)]
    others = [name for name in ("", *COMMANDS) if name != of.name]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{_plain(_title(name))}\\fR(1)" for name in others)]
    return "\n".join(lines) + "\n"


def _title(name: str) -> str:
    return f"tui-{name}" if name else "tui"


def _heading(title: str) -> str:
    return {"positional arguments": "WORDS", "options": "OPTIONS"}.get(title, title).upper()


def _names(option: Option) -> str:
    value = f" \\fI{_plain(option.value)}\\fR" if option.value else ""
    if not option.names:
        return value.strip() + (" ..." if option.repeats else "")
    return ", ".join(f"\\fB{_plain(name)}\\fR{value}" for name in option.names)


def _plain(text: str) -> str:
    """Text that means nothing to man but itself."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return re.sub(r"(?m)^\.", r"\\&.", escaped)

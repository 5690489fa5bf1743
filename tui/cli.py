"""The command `tui`: picks a sub-command, or starts the explorer with csysdig's options.

Owns the options of the explorer and the exit status of everything. Each sub-command is a module of
``tui.commands`` with ``add_parser`` and ``run``, imported only when asked for, so that ``--help`` and
``--version`` answer at once and no sub-command pays for a screen.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tui import __version__
from tui.arguments import at_least, power_of_two
from tui.exit_codes import Exit

COMMANDS = {
    "dig": "print events, one line each",
    "view": "print a view's rows as a table, JSON or CSV",
    "fields": "list the fields filters and formats can use",
    "record": "write what happens on this machine to a capture",
    "export": "make a smaller capture of another, by filter and time",
    "doctor": "say what live capture needs and what is missing",
    "man": "print a manual page",
    "completion": "print what makes a shell complete words",
}
"""Sub-commands and what they do; a filter never starts with a bare word, so they hide none."""

SHORTEST_DELAY = 100
"""Shortest refresh period, milliseconds."""
CAPTURE_DELAY = 500
"""Refresh period while a capture is read, milliseconds."""

FRAMES = "120"
"""Frames a second at most, as its variable of the environment has it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the return value is the process's exit status (``exit_codes``)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        return _told("standard output is closed: there is nowhere to print to")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal's encoding lacks is spelt out.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _command(words) if words and words[0] in COMMANDS else _explore(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has enough. Nothing may be written any more, not even by the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except OSError as error:
        # Most often a disk that is full. Nothing more can be written, not even by the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        place = f"{error.filename}: " if error.filename else ""
        return _told(f"{place}{error.strerror or error}")
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return status


def _told(message: str) -> Exit:
    from engine.text import clean

    sys.stderr.write(f"tui: {clean(message)}\n")
    return Exit.FAILED


def _command(words: list[str]) -> int:
    name, *rest = words
    module = import_module(f"tui.commands.{name}")
    commands = _Parser(prog="tui").add_subparsers()
    module.add_parser(commands)
    rest = getattr(module, "words", list)(rest)
    # Options may stand anywhere among the words of a filter, as they may for sysdig.
    command = rest[rest.index("--") + 1 :] if "--" in rest else []
    asked = commands.choices[name].parse_intermixed_args(rest[: rest.index("--")] if "--" in rest else rest)
    asked.command = command
    from engine.sources import CaptureError

    try:
        return int(module.run(asked))
    except CaptureError as error:
        return _told(str(error))


def _explore(words: list[str]) -> int:
    parser = explorer_parser()
    end = words.index("--") if "--" in words else len(words)
    command = tuple(words[end + 1 :])
    asked = parser.parse_intermixed_args(words[:end])
    piped = str(asked.readfile) == "-"
    if piped and sys.stdin.isatty():
        parser.error("standard input is the terminal; expected a capture there, as in `tui -r - < FILE`")
    if not (sys.stdout.isatty() and (piped or sys.stdin.isatty())):
        parser.error("the explorer needs a terminal; `tui view` and `tui dig` print to pipes and files")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until the screen takes it: an exception is lost where Python is busy importing.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is imported stays: looking through it for garbage again and again is time.
    gc.disable()
    watching = None
    if asked.readfile is None:
        from tui.watching import INTERVAL_MS, Watch, Watching

        watch = Watch(
            asked.snaplen, ring_mb=asked.buffer, memory_mb=asked.memory, page_faults=asked.page_faults, command=command
        )
        try:
            # Before anything slow is imported: the kernel side is compiled meanwhile.
            watching = Watching(watch, quiet=True)
        except FileNotFoundError as error:
            parser.error(str(error.strerror))
    elif command:
        parser.error("a command is for the live machine, not for a capture")
    # Read once, when the framework is imported: how long what changed waits to be painted.
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    from tui.app import run
    from tui.options import Options

    return run(
        Options(
            path=asked.readfile,
            view=asked.view,
            filter=" ".join(asked.filter),
            containers=asked.print is not None,
            limit=asked.numevents,
            delay_ms=asked.delay or (CAPTURE_DELAY if watching is None else INTERVAL_MS),
            port_names=asked.resolve_ports,
            user_names=not asked.exclude_users,
        ),
        watching,
    )


class _Parser(argparse.ArgumentParser):
    """Says where help is when an option is wrong, in place of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def explorer_parser() -> argparse.ArgumentParser:
    """The options of the explorer."""
    commands = "\n".join(f"  tui {name:<22}{meaning}" for name, meaning in COMMANDS.items())
    parser = _Parser(
        prog="tui",
        usage="tui [-r FILE] [-v VIEW] [-n N] [-pc] [-E] [-R] [-d MS] [-s LEN] [FILTER ...] [-- COMMAND ...]",
        description="Explore system calls full-screen: of this machine, of a command, or from a capture file.",
        epilog=f"other commands (each has --help):\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "-r",
        "--readfile",
        metavar="FILE",
        type=Path,
        help="capture to open (.scap, plain or gzip, or native); - is standard input",
    )
    add("-v", "--view", metavar="VIEW", default="procs", help="view to start with (default: procs)")
    add("-n", "--numevents", metavar="N", type=at_least(1), help="stop reading after N events")
    add("-p", "--print", metavar="c", choices=("c", "container"), help="-pc: container columns and keys")
    add("-E", "--exclude-users", action="store_true", help="show user and group numbers, not names")
    add("-R", "--resolve-ports", action="store_true", help="show service names in place of port numbers")
    add("-d", "--delay", metavar="MS", type=at_least(SHORTEST_DELAY), help="live: length of an interval, ms (2000)")
    add(
        "-s",
        "--snaplen",
        metavar="LEN",
        type=at_least(0),
        default=80,
        help="bytes kept of each buffer, live only (80)",
    )
    add("--page-faults", action="store_true", help="capture page faults too, live only")
    add("--buffer", metavar="MB", type=power_of_two, default=32, help="buffer shared with the kernel (32)")
    add(
        "--memory",
        metavar="MB",
        type=at_least(32),
        help="live: memory for events (1/4 of the free, at most 2048)",
    )
    add("--version", action="version", version=f"syscope {__version__}")
    add("filter", metavar="FILTER", nargs="*", help="what every view is restricted to, e.g. proc.name=nginx")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Chisels on the command line: finding the one asked for and its arguments, and running it.

What goes wrong in a chisel, a user's among them, is told and ends that chisel, not the program.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from engine import filters
from engine.chisels.chisel import Argument, Chisel, ChiselError, Mask, Settings
from engine.chisels.library import Library, arguments, load
from engine.decode.decoder import Decoder
from engine.fields import UnknownField
from engine.query.lines import FormatError
from engine.sources import CaptureError, open_capture
from engine.store.segment import Segment
from engine.store.store import Store
from engine.text import clean

LIST = "l"
"""``-cl`` lists the chisels: it is no chisel's name."""
_JOINT = "\x1f"
"""Between a chisel's name and its arguments, once found."""
_OPTIONS = ("-c", "--chisel")


def joined(words: list[str]) -> list[str]:
    """The words of a command line with each chisel's arguments behind its name.

    They are the next word, where the chisel needs some; where it may go without, unless that is an option or the
    rest of the words is a filter. A chisel whose argument is a filter takes all the words that are left.
    """
    out: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name = ""
        if word in _OPTIONS and rest:
            name = rest.pop(0)
        elif word.startswith("--chisel="):
            name = word.removeprefix("--chisel=")
        elif word.startswith("-c") and not word.startswith("--"):
            name = word[2:]
        if not name:
            out.append(word)
            continue
        chisel = load().chisels.get(name.removesuffix(".lua"))
        given = _given(chisel, rest) if chisel is not None else []
        out += ["-c", name + (_JOINT + " ".join(given) if given else "")]
    return out


def _given(chisel: type[Chisel], rest: list[str]) -> list[str]:
    """The words that are the chisel's arguments, taken out of the rest."""
    declared = chisel.arguments
    if not declared or not rest or rest[0].startswith("-"):
        return []
    if len(declared) == 1 and declared[0].type == "filter":
        end = next((at for at, word in enumerate(rest) if word.startswith("-")), len(rest))
        given, rest[:end] = rest[:end], []
        return given
    if all(each.optional for each in declared):
        try:
            filters.compile(" ".join(word for word in rest if not word.startswith("-")))
            return []
        except filters.FilterError:
            pass
    return [rest.pop(0)]


def find(told: str, library: Library) -> tuple[type[Chisel], dict[str, str]]:
    """The chisel and arguments of a word of ``joined``. Raises ChiselError."""
    name, _, given = told.partition(_JOINT)
    name = name.removesuffix(".lua")
    chisel = library.chisels.get(name)
    if chisel is None:
        raise ChiselError(f"there is no chisel {name}; `tui dig -cl` lists them")
    return chisel, arguments(chisel, given)


def settings(captures: Iterable[Path], filter_text: str, given: dict[str, str]) -> Settings:
    """How a chisel is run on this terminal."""
    terminal = sys.stdout.isatty()
    return Settings(
        arguments=given,
        filter=filter_text,
        captures=tuple(map(str, captures)),
        colours=terminal and not os.environ.get("NO_COLOR") and "disable_color" not in given,
        terminal=terminal,
        width=shutil.get_terminal_size().columns,
    )


def tables(path: str, number: int) -> tuple[Store, list[tuple[int, int, int]]]:
    """The tables of a capture as they stood at an event, and what was open then."""
    with closing(open_capture(path)) as source:
        store = Store(source.raw)
        decoder = Decoder(store, path, limit=number)
        while source.step(decoder):
            pass
        decoder.seal()
        return store, [(tid, fd, row) for tid, fd, row, _ in decoder.open_fds()]


class Running:
    """A chisel at work."""

    def __init__(self, chisel: type[Chisel], how: Settings) -> None:
        """Begin. Raises ChiselError."""
        self._name = chisel.name
        try:
            self._chisel: Chisel | None = chisel(how)
        except (ChiselError, filters.FilterError, UnknownField, FormatError) as error:
            raise ChiselError(f"chisel {chisel.name}: {error}") from None
        except Exception as error:  # whatever is wrong in a chisel of the user's
            raise ChiselError(f"chisel {chisel.name}: {type(error).__name__}: {error}") from error
        self.failed = False

    @property
    def done(self) -> bool:
        """It wants no more events."""
        return self._chisel is None or self._chisel.done

    def take(self, store: Store, segment: Segment, mask: Mask) -> None:
        """Work on the events of a new segment."""
        self._do(lambda chisel: chisel.take(store, segment, mask))

    def clock(self, now: int) -> None:
        """Tell the time."""
        self._do(lambda chisel: chisel.clock(now))

    def end(self) -> None:
        """There are no more events."""
        self._do(lambda chisel: chisel.end())

    def _do(self, what: object) -> None:
        if self._chisel is None:
            return
        try:
            what(self._chisel)  # type: ignore[operator]
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except (ChiselError, CaptureError, OSError) as error:
            self._tell(str(error))
        except Exception as error:  # whatever is wrong in a chisel of the user's
            self._tell(f"{type(error).__name__}: {error}")

    def _tell(self, message: str) -> None:
        self._chisel, self.failed = None, True
        sys.stdout.flush()
        sys.stderr.write(f"tui dig: chisel {self._name}: {clean(message)}\n")


def listed(library: Library) -> str:
    """All chisels by category."""
    categories = sorted({chisel.category for chisel in library.chisels.values()})
    lines = []
    for category in categories:
        lines += ["", f"Category: {category}", "-" * len(f"Category: {category}")]
        for name, chisel in library.chisels.items():
            if chisel.category == category:
                lines += _entry(name, chisel)
    return "\n".join([*lines, "", "`tui dig -i NAME` says more of one.", ""])


def described(told: str, library: Library) -> str:
    """Everything about a chisel. Raises ChiselError."""
    chisel = library.chisels.get(told.removesuffix(".lua"))
    if chisel is None:
        raise ChiselError(f"there is no chisel {told}; `tui dig -cl` lists them")
    head = f"Category: {chisel.category}"
    lines = ["", head, "-" * len(head), *_entry(chisel.name, chisel), "", clean(chisel.description), "Args:"]
    lines += map(_argument, chisel.arguments) if chisel.arguments else ["(None)"]
    return "\n".join([*lines, ""])


def _entry(name: str, chisel: type[Chisel]) -> list[str]:
    name, summary = clean(name), clean(chisel.summary)
    return [f"{name:<16}{summary}"] if len(name) < 16 else [name, f"{'':16}{summary}"]


def _argument(argument: Argument) -> str:
    optional = ", may be left out" if argument.optional else ""
    return clean(f"[{argument.type}] {argument.name} - {argument.meaning}{optional}")

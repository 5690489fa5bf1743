"""Finds all chisels: the project's own, and those of the user, which may take the place of one of ours.

A user's file with a mistake in it is left out and told; everything else works.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from engine import filters
from engine.chisels.chisel import Argument, Chisel, ChiselError
from engine.chisels.declared import read
from engine.fields import UnknownField, look_up
from engine.text import clean
from engine.toml import TomlError
from engine.user_files import config_folder

_MODULES = ("top", "payloads", "logs", "slow", "people", "state", "web", "rates", "heat", "spans")
_MOST_BYTES = 1 << 20
"""Size of a user's file at most."""


class Library(NamedTuple):
    """All chisels there are."""

    chisels: dict[str, type[Chisel]]
    """By name."""
    problems: tuple[str, ...]
    """A text for each file left out, safe to show."""


def load() -> Library:
    """Ours and those in ``chisels`` of the configuration's folder."""
    found: dict[str, type[Chisel]] = {}
    for module in _MODULES:
        for chisel in import_module(f"engine.chisels.{module}").CHISELS:
            found[chisel.name] = chisel
    for file in files("engine.chisels.built_in").iterdir():
        if file.name.endswith(".toml"):
            chisel = read(file.read_text("utf-8"), file.name)
            found[chisel.name] = chisel
    problems: list[str] = []
    folder = config_folder()
    for path in sorted((folder / "chisels").glob("*")) if folder is not None else ():
        if path.suffix in (".toml", ".py"):
            try:
                chisel = _of_user(path)
                found[chisel.name] = chisel
            except (TomlError, ChiselError) as error:
                place = f"{path}:{error.line}" if isinstance(error, TomlError) else str(path)
                problems.append(clean(f"{place}: {error}"))
    return Library(dict(sorted(found.items())), tuple(problems))


def _of_user(path: Path) -> type[Chisel]:
    """The chisel in a file. Raises TomlError, ChiselError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ChiselError(f"expected at most {_MOST_BYTES} bytes")
        text = path.read_text("utf-8")
    except OSError as error:
        raise ChiselError(error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise ChiselError(f"expected UTF-8, at byte {error.start}: {error.reason}") from None
    if path.suffix == ".toml":
        return read(text, path.name)
    spec = importlib.util.spec_from_file_location(f"syscope_chisel_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a mistake of the user's must not take the program down
        raise ChiselError(f"{type(error).__name__}: {error}") from None
    finally:
        sys.dont_write_bytecode = bytecode
    own = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Chisel) and each.__module__ == spec.name
    ]
    if len(own) != 1:
        raise ChiselError(f"expected one class made of Chisel, found {len(own)}")
    (chisel,) = own
    if not chisel.name:
        chisel.name = path.stem
    return chisel


def arguments(chisel: type[Chisel], words: str | None) -> dict[str, str]:
    """The arguments given in one word: values separated by blanks, those in ' or ` may hold blanks.

    Raises ChiselError when one is missing, too much or of another type.
    """
    values = _split(words or "")
    declared = chisel.arguments
    if len(declared) == 1 and declared[0].type == "filter" and words:
        values = [words]
    needed = sum(not each.optional for each in declared)
    if len(values) < needed:
        missing = " ".join(each.name for each in declared[len(values) : needed])
        raise ChiselError(f"{chisel.name} needs {missing}, see `tui dig -i {chisel.name}`")
    if len(values) > len(declared):
        raise ChiselError(f"{chisel.name} takes {len(declared)} arguments, not {len(values)}")
    for each, value in zip(declared, values, strict=False):
        _check(each, value)
    return {each.name: value for each, value in zip(declared, values, strict=False)}


def _check(argument: Argument, value: str) -> None:
    try:
        match argument.type:
            case "number":
                float(value)
            case "port":
                if not 0 <= int(value) < 65536:
                    raise ValueError
            case "address":
                ipaddress.ip_address(value)
            case "field":
                look_up(value)
            case "filter":
                filters.compile(value)
    except UnknownField as error:
        raise ChiselError(f"{argument.name}: {error}") from None
    except filters.FilterError as error:
        raise ChiselError(f"{argument.name}: {error}") from None
    except ValueError:
        raise ChiselError(f"{argument.name} must be a {argument.type}, not {value!r}") from None


def _split(words: str) -> list[str]:
    values: list[str] = []
    at = 0
    while at < len(words):
        if words[at] == " ":
            at += 1
        elif words[at] in "'`" and (end := words.find(words[at], at + 1)) > 0:
            values.append(words[at + 1 : end])
            at = end + 1
        else:
            end = words.find(" ", at)
            end = len(words) if end < 0 else end
            values.append(words[at:end])
            at = end
    return values

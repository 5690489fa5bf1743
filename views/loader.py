"""Finds view files, reads them, and keeps what is right of them.

A user's file of a known name takes that view's place, any other adds a view; either may extend a shipped one. A file
with mistakes is left out and they are reported with their lines; everything else works.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from engine.query.view import View
from engine.text import clean
from engine.user_files import config_folder
from views.schema import Read, read


class Library(NamedTuple):
    """All views there are."""

    views: dict[str, View]
    """By id, in order of name."""
    problems: tuple[str, ...]
    """One text for each mistake in files left out, safe to show: ``file:line: what was expected``."""


def load() -> Library:
    """The project's views and those in ``$XDG_CONFIG_HOME/syscope/views``."""
    found: dict[str, View] = {}
    problems: list[str] = []
    shipped = {_id(file): file.read_text("utf-8") for file in _toml(files("views"))}
    mine = config_folder()
    own = [*_toml(mine / "views")] if mine else []
    ids = frozenset((*shipped, *map(_id, own)))
    for view_id, text in shipped.items():
        _take(read(view_id, text, ids, shipped), view_id, f"{view_id}.toml", found, problems)
    for file in own:
        try:
            made = read(_id(file), file.read_text("utf-8"), ids, shipped)
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
        except UnicodeDecodeError as error:
            problems.append(f"{file}: expected UTF-8, at byte {error.start}: {error.reason}")
        else:
            _take(made, _id(file), str(file), found, problems)
    views = sorted(found.values(), key=lambda view: view.name)
    return Library({view.id: view for view in views}, tuple(map(clean, problems)))


def check(path: Path) -> tuple[str, ...]:
    """The mistakes in a view file, each ``file:line: what was expected``, safe to show. Raises OSError."""
    shipped = {_id(file): file.read_text("utf-8") for file in _toml(files("views"))}
    mine = config_folder()
    others = frozenset(map(_id, _toml(mine / "views"))) if mine else frozenset()
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        return (clean(f"{path}: expected UTF-8, at byte {error.start}: {error.reason}"),)
    made = read(_id(path), text, {_id(path), *shipped, *others}, shipped)
    return tuple(clean(f"{path}:{mistake.line}: {mistake}") for mistake in made.mistakes)


def _take(made: Read, view_id: str, where: str, found: dict[str, View], problems: list[str]) -> None:
    if made.view is not None:
        found[view_id] = made.view
    problems.extend(f"{where}:{mistake.line}: {mistake}" for mistake in made.mistakes)


def _id(file: Traversable) -> str:
    return file.name.removesuffix(".toml")


def _toml(folder: Traversable) -> Iterable[Traversable]:
    try:
        if not folder.is_dir():
            return []
    except OSError:  # somebody else's settings
        return []
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)

"""Finds view files, reads them, and keeps what is right of them.

A user's file of a known name takes that view's place, any other adds a view. A file with a mistake is left
out and reported with its line; everything else works.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from engine.query.view import View
from engine.text import clean
from engine.toml import TomlError
from engine.user_files import config_folder
from views.schema import read


class Library(NamedTuple):
    """All views there are."""

    views: dict[str, View]
    """By id, in order of name."""
    problems: tuple[str, ...]
    """One text for each file left out, safe to show: ``file:line: what was expected``."""


def load() -> Library:
    """The project's views and those in ``$XDG_CONFIG_HOME/syscope/views``."""
    found: dict[str, View] = {}
    problems: list[str] = []
    mine = config_folder()
    candidates = [*_toml(files("views")), *(_toml(mine / "views") if mine else ())]
    ids = frozenset(map(_id, candidates))
    for file in candidates:
        try:
            found[_id(file)] = read(_id(file), file.read_text("utf-8"), ids)
        except TomlError as error:
            problems.append(f"{file}:{error.line}: {error}")
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
        except UnicodeDecodeError as error:
            problems.append(f"{file}: expected UTF-8, at byte {error.start}: {error.reason}")
    views = sorted(found.values(), key=lambda view: view.name)
    return Library({view.id: view for view in views}, tuple(map(clean, problems)))


def _id(file: Traversable) -> str:
    return file.name.removesuffix(".toml")


def _toml(folder: Traversable) -> Iterable[Traversable]:
    if not folder.is_dir():
        return []
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)

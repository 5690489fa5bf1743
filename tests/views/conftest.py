"""Views run over whole captures, each capture read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from engine.store.store import Store
from tests.conftest import OWN
from tests.views.made import MADE
from tests.views.running import Find, Stores
from tui.reading import Reading


@pytest.fixture(scope="session")
def read() -> Iterator[Stores]:
    """Reads a capture into a store, once."""

    with ExitStack() as opened:
        # Files stay open: what events recorded is read when it is asked for.

        @cache
        def reading(path: Path) -> Store:
            made = opened.enter_context(Reading(path))
            for _ in made:
                pass
            return made.store

        yield reading


@pytest.fixture(scope="session")
def path_of(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where a shared capture is, or one of ``made``, asked for as made/NAME, or one recorded for tests, as own/NAME."""
    folder = tmp_path_factory.mktemp("made")
    for name, write in MADE.items():
        (folder / name).write_bytes(write())
    folders = {"made": folder, "own": OWN}
    return lambda name: folders.get(name.partition("/")[0], captures) / name.rpartition("/")[2]


@pytest.fixture(scope="session")
def find(path_of: Callable[[str], Path], read: Stores) -> Find:
    """Reads a capture by name."""
    return lambda name: read(path_of(name))

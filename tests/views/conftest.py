"""Views run over whole captures, each capture read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.store.store import Store
from tests.views.running import Stores
from tui.reading import Reading


@pytest.fixture(scope="session")
def read() -> Stores:
    """Reads a capture into a store, once."""

    @cache
    def reading(path: Path) -> Store:
        with Reading(path) as made:
            for _ in made:
                pass
        return made.store

    return reading

"""The running kernel, observed: one attachment for all live tests, skipped where it is not allowed or cannot be.

A program that the compiler or the kernel refuses is a mistake of ours and no reason to skip.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.sources.live.source import LiveSource, LoadError, Options
from tests.live.observing import Observer
from tests.live.terminal import Terminal


@pytest.fixture(scope="session")
def observer() -> Iterator[Observer]:
    try:
        source = LiveSource(Options(ring=8 << 20))
    except LoadError as error:
        if error.log:
            raise
        pytest.skip(f"this machine's kernel cannot be watched: {error}")
    observer = Observer(source)
    yield observer
    observer.close()


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Programs in terminals, ended after the test."""
    made: list[Terminal] = []
    yield made
    for terminal in made:
        terminal.close()

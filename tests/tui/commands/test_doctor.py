"""`tui doctor` tells which container runtimes answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sources.runtimes import lookup
from tests.engine.sources.runtimes.servers import saying, serving
from tests.engine.sources.runtimes.test_runtimes import DOCKER, dockers, nodes
from tui.commands import doctor


def test_runtimes_that_answer_are_told_and_those_that_do_not_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "s", DOCKER) as path, serving(tmp_path / "odd", saying(b"no")) as odd:
        monkeypatch.setattr(lookup, "runtimes", lambda: [dockers(path), nodes(odd), dockers(str(tmp_path / "none"))])
        first, second = doctor._runtimes()
    assert (first.good, first.found) == (True, f"{path}: Docker 27.1")
    assert second.good is None
    assert second.found.startswith(f"{odd}: ")
    assert "socket" in second.mend
    monkeypatch.setattr(lookup, "runtimes", list)
    (alone,) = doctor._runtimes()
    assert alone.good is None
    assert "ids" in alone.found

"""Rows of every view as programs get them: on the bundled capture, read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tui
from engine.query.compose import compose
from engine.query.table import TableRun
from engine.store.store import Store
from tui.reading import Reading
from tui.tables import row_schema
from views import load

VIEWS = load().views
NOT_THERE = {
    *("container_lifecycle", "docker_events", "notifications", "port_bindings", "spy_syslog"),
    "dns_queries",
    *("spans_list", "spans_summary", "spectro_traces", "traces_list", "traces_summary"),
    *("kubernetes_deployments", "kubernetes_namespaces", "kubernetes_pods", "kubernetes_replicasets"),
    *("kubernetes_services", "kubernetes_controllers"),
}
"""Views of what does not happen in the bundled capture; ``tests/views`` has captures in which it does."""
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "array": (list,),
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Store]:
    with Reading(Path(tui.__file__).with_name("demo.scap.gz")) as reading:
        for _ in reading:
            pass
        yield reading.store


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_what_happens_in_the_capture_as_its_schema_says(demo: Store, view: str) -> None:
    items = row_schema(VIEWS[view], containers=True)["items"]
    run = TableRun(demo, VIEWS[view], compose("", (), VIEWS[view]), containers=True)
    run.update()
    table = run.table()
    assert bool(table.total) is (view not in NOT_THERE)
    assert [column.title for column in table.columns] == items["required"]
    for row in list(table.values())[:100]:
        for title, cell in zip(items["required"], row, strict=True):
            told = items["properties"][title]["type"]
            kinds = [told] if isinstance(told, str) else told
            assert isinstance(cell, tuple(kind for name in kinds for kind in KINDS[name])), title

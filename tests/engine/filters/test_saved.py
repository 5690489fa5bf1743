"""Saved and recent filters last from one run to the next, and are bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.filters.saved import MOST_LENGTH, MOST_RECENT, MOST_SAVED, SavedFilters, field_uses
from engine.user_files import write_state


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_filters_are_saved_by_name() -> None:
    assert SavedFilters().add(" web ", "fd.port=80")
    assert SavedFilters().add("errors", "evt.failed=true")
    assert list(SavedFilters().saved.items()) == [("errors", "evt.failed=true"), ("web", "fd.port=80")]
    SavedFilters().add("web", "fd.port=443")
    SavedFilters().remove("errors")
    SavedFilters().remove("unknown")
    assert SavedFilters().saved == {"web": "fd.port=443"}


def test_the_last_used_comes_first_and_once() -> None:
    filters = SavedFilters()
    for text in ("a.b exists", "c.d exists", " ", "a.b exists"):
        assert filters.use(text)
    assert SavedFilters().recent == filters.recent == ("a.b exists", "c.d exists")
    assert filters.forget("a.b exists")
    assert SavedFilters().recent == ("c.d exists",)


def test_two_programs_do_not_forget_each_others_filters() -> None:
    one, other = SavedFilters(), SavedFilters()
    one.add("a", "fd.port=1")
    other.add("b", "fd.port=2")
    one.use("fd.port=3")
    assert one.saved == {"a": "fd.port=1", "b": "fd.port=2"}
    assert SavedFilters().recent == ("fd.port=3",)


def test_what_is_kept_is_bounded() -> None:
    filters = SavedFilters()
    for number in range(MOST_RECENT + 5):
        filters.use(f"evt.num={number}")
    assert len(SavedFilters().recent) == MOST_RECENT
    filters.use("x" * (MOST_LENGTH + 1))
    assert filters.recent[0] == f"evt.num={MOST_RECENT + 4}"
    write_state("filters", {"saved": {str(number): "fd.port=1" for number in range(MOST_SAVED)}})
    with pytest.raises(ValueError, match="remove one first"):
        SavedFilters().add("more", "fd.port=1")
    assert SavedFilters().add("7", "fd.port=2")


@pytest.mark.parametrize(("name", "text"), [("", "a.b exists"), ("a\nb", "a.b exists"), ("\x1b", "x"), ("a", " ")])
def test_nameless_and_empty_filters_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        SavedFilters().add(name, text)


@pytest.mark.parametrize("state", [3, {"saved": [], "recent": {}}, {"saved": {"a": 1, "\x1b": "x"}, "recent": [None]}])
def test_odd_state_is_left_out(state: object) -> None:
    write_state("filters", state)
    assert SavedFilters().saved == {}
    assert SavedFilters().recent == ()


def test_without_a_place_to_write_they_last_as_long_as_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    filters = SavedFilters()
    assert not filters.add("web", "fd.port=80")
    assert not filters.use("fd.port=80")
    assert (filters.saved, filters.recent) == ({"web": "fd.port=80"}, ("fd.port=80",))


def test_uses_of_fields_are_counted_by_filter() -> None:
    uses = field_uses(["fd.port=80 or fd.port=81", "len(fd.name) > 3 and not proc.name=val(proc.pname)", "("])
    assert uses == {"fd.port": 1, "fd.name": 1, "proc.name": 1, "proc.pname": 1}

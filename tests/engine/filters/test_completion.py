"""What is offered while a filter is typed: what the grammar has there, what fits the field, what is in the data."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fields import FIELDS
from engine.fields.field import Argument, FieldType, Place
from engine.filters import FilterError, compile, parse  # noqa: A004
from engine.filters.completion import Completion, Item, Kind, complete
from engine.filters.parser import spots
from engine.filters.presence import Presence
from engine.filters.syntax import quote
from engine.ingest import CaptureIngest
from engine.query.snapshots import CompletionRequest, CompletionSnapshot, Snapshot
from engine.session import Session
from engine.store.store import Store
from tests.engine.filters.oracle import loaded
from tests.engine.filters.trees import trees

NOT_INTERNAL = "not evt.category=internal"


@pytest.fixture(scope="module")
def store(captures: Path) -> Store:
    return loaded(captures / "502Error.scap")


@pytest.fixture(scope="module")
def presence(store: Store) -> Presence:
    return Presence(store)


def at_end(text: str, presence: Presence | None = None) -> Completion:
    """The completion at the end of a text, or at the bar in it."""
    cursor = text.index("|") if "|" in text else len(text)
    return complete(text.replace("|", ""), cursor, presence, seconds=10)


def offered(text: str, presence: Presence | None = None) -> list[str]:
    return [item.text for item in at_end(text, presence).items]


def after(text: str, completion: Completion, item: Item) -> str:
    return text[: completion.start] + item.text + text[completion.end :]


def test_a_condition_begins_with_the_fields_asked_most(presence: Presence) -> None:
    assert offered("")[:3] == ["proc.name", "evt.type", "fd.name"]
    assert offered("proc.na") == ["proc.name"]
    assert {item.kind for item in at_end("").items} == {Kind.FIELD}
    assert "not " in offered("no")
    assert "tolower(" in offered("tol")


def test_fields_used_before_come_first() -> None:
    used = complete("", 0, uses={"group.gid": 3, "user.shell": 5})
    assert [item.text for item in used.items[:2]] == ["user.shell", "group.gid"]


def test_every_field_is_offered_by_its_name() -> None:
    for name, field in FIELDS.items():
        more = "" if field.argument is not Argument.REQUIRED else "." if field.named else "["
        # Behind the whole name of another field an operator follows.
        assert name + more in offered(name[:-1]) or name[:-1] in FIELDS, name


def test_fields_are_also_found_within() -> None:
    assert "container.name" in offered("name")
    assert offered("evt.arg.na")[0] == "evt.arg.name"
    assert "evt.arg.flags" in offered("evt.arg.")
    assert "flags]" in offered("evt.arg[fl")
    assert "fd.name" in offered("proc.name=curl and (fd.")


def test_a_misspelt_field_is_told_what_may_be_meant() -> None:
    assert offered("proc.nmae")[0] == "proc.name"


def test_operators_are_those_of_the_type() -> None:
    assert "contains " in offered("fd.name ")
    assert "contains " not in offered("proc.pid ")
    assert offered("fd.ip ") == ["=", "!=", "in (", "intersects (", "exists"]
    assert "bcontains " in offered("evt.buffer ")
    assert offered("fd.name con") == ["contains ", "icontains "]
    assert offered("fd.name")[:2] == ["=", "!="]
    assert " contains " in offered("fd.name")


def test_values_are_those_in_the_data_with_their_counts(presence: Presence) -> None:
    values = at_end("proc.name=", presence).items
    assert [(item.text, item.count) for item in values[:3]] == [("curl", 3746), ("haproxy", 2921), ("python", 2730)]
    assert offered("proc.name = pyt", presence) == ["python"]
    assert offered("proc.name in (curl, h", presence)[:1] == ["haproxy"]
    assert sorted(offered("fd.name = '/etc/ho", presence)) == ['"/etc/host.conf"', '"/etc/hosts"']
    assert at_end("evt.failed=", presence).items[1] == Item("true", Kind.VALUE, "", 280, "true")


def test_networks_are_those_of_the_addresses(presence: Presence) -> None:
    first = at_end("fd.net=", presence).items[0]
    assert (first.text, first.count) == ("192.168.0.0/24", 1787)


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.argument is not Argument.REQUIRED])
def test_counts_are_those_of_the_filter(name: str, store: Store, presence: Presence) -> None:
    operator = "in" if FIELDS[name].is_list else "="
    items = [item for item in at_end(f"{name} {operator} (", presence).items if item.kind is Kind.VALUE and item.count]
    if FIELDS[name].place is Place.LATE or FIELDS[name].type in (FieldType.TIME, FieldType.DURATION, FieldType.FLOAT):
        assert not items
    for item in items[:5] if operator == "=" else ():
        asked = compile(f"{name} = {item.text} and {NOT_INTERNAL}")
        assert sum(int(asked.mask(store, segment).sum()) for segment in store.segments) == item.count


def test_event_types_not_in_the_data_are_offered_last(presence: Presence) -> None:
    items = at_end("evt.type=ope", presence).items
    assert [(item.text, item.count) for item in items[:2]] == [("open", 444), ("openat", 0)]


def test_after_a_condition_come_and_or_and_the_bracket() -> None:
    assert offered("proc.name=curl ") == ["and ", "or "]
    assert offered("(proc.name=curl ") == [")", "and ", "or "]
    assert offered("proc.name in (curl ") == [", ", ")"]
    assert offered("fd.name exists a") == ["and "]
    assert offered("fd.name exists") == [" and ", " or "]


def test_what_the_cursor_is_in_is_replaced_whole(presence: Presence) -> None:
    text, cursor = "proc.nxx=curl and fd.name exists", 6
    completion = complete(text, cursor)
    assert (completion.start, completion.end) == (0, 8)
    assert after(text, completion, completion.items[0]).startswith("proc.name=curl and")
    text = "proc.name=cuXX and fd.name exists"
    completion = complete(text, 12, presence)
    assert after(text, completion, completion.items[0]) == "proc.name=curl and fd.name exists"


def test_a_longer_value_goes_on_where_the_cursor_is(presence: Presence) -> None:
    text = "fd.name=/etc/host"
    completion = at_end(text, presence)
    assert after(text, completion, completion.items[0]) in ("fd.name=/etc/hosts", "fd.name=/etc/host.conf")


def test_macros_are_offered_where_they_may_stand() -> None:
    macros = {"web": "fd.port in (80, 443)", "shells": "(bash, sh)"}
    items = complete("we", 2, macros=macros).items
    assert items[0] == Item("web", Kind.MACRO, "fd.port in (80, 443)", None, "web")
    assert [item.text for item in complete("proc.name in ", 13, macros=macros).items] == ["(", "shells"]


def test_a_hint_says_what_is_read() -> None:
    assert "ns, us, ms" in at_end("evt.latency>").hint
    assert "and, or" in at_end("fd.name exists ").hint
    assert FIELDS["fd.name"].meaning in at_end("fd.name ").hint


@given(trees.map(str), st.data())
@settings(max_examples=80, deadline=None)
def test_any_place_of_any_filter_can_be_asked(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    completion = complete(text, cursor)
    assert 0 <= completion.start <= cursor <= completion.end <= len(text)
    assert all(item.text.isprintable() and item.shown.isprintable() for item in completion.items)


@given(st.text(max_size=40), st.integers(-2, 50))
@settings(max_examples=500, deadline=None)
def test_any_text_can_be_asked(text: str, cursor: int) -> None:
    complete(text, cursor)


@given(trees)
@settings(max_examples=40, deadline=None)
def test_spots_are_in_the_text(tree: object) -> None:
    text = str(tree)
    assert all(0 <= spot.start <= len(text) for spot in spots(text))


@pytest.mark.parametrize("start", ["", "not ", "(", "proc.name", "fd.port=80 or ", "evt.type in (open, "])
def test_what_is_offered_reads(start: str, presence: Presence) -> None:
    completion = at_end(start, presence)
    for item in completion.items:
        text = after(start, completion, item)
        try:
            parse(text)
        except FilterError as error:
            assert error.position >= len(text.rstrip("( .")), text


def test_hostile_values_are_offered_quoted(presence: Presence) -> None:
    assert quote(b"a\x1b[0m") == '"a\\x1b[0m"'


def test_a_session_answers_until_everything_is_counted(captures: Path) -> None:
    answers: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
    session = Session(CaptureIngest(captures / "502Error.scap"), answers.put)
    session.start()
    request = CompletionRequest("proc.name=", 10)
    try:
        session.ask("completion", request)
        while True:
            answer = answers.get(timeout=10)
            if isinstance(answer, CompletionSnapshot):
                assert answer.request is request
                if answer.completion.complete and answer.completion.items[0].count == 3746:
                    break
                if answer.completion.complete:
                    session.ask("completion", request)
    finally:
        session.close()


def test_parameters_with_names_are_offered_them_uncounted() -> None:
    assert "O_TRUNC" in offered("evt.arg.flags contains O_")
    assert offered("evt.arg.sig=SIGKI") == ["SIGKILL"]
    items = at_end("evt.arg.res=ENOEN").items
    assert [(item.text, item.count) for item in items] == [("ENOENT", None)]
    assert offered("evt.arg.name=") == ["val("]

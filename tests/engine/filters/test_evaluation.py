"""What filters keep: by plan the same as by looking at each event."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decode.event import Event
from engine.events import FdKind
from engine.fields.field import FieldType
from engine.filters import Filter, FilterError, combine, compile, macros, parse, sides  # noqa: A004
from engine.filters.operators import ALLOWED, ALLOWED_LIST
from engine.filters.parser import MAX_NESTING
from engine.filters.syntax import (
    LIST_OPERATORS,
    ORDERINGS,
    QUANTIFIERS,
    Comparison,
    Exists,
    Expression,
    FieldName,
    Text,
    Values,
)
from engine.model.facts import Thread
from engine.store.segment import HIDDEN, Segment
from engine.store.store import Store
from tests.engine.filters.machine import FIELDS, add_fd, look_up, make_segment, make_store, obvious
from tests.engine.filters.trees import expressions


@pytest.fixture(autouse=True, scope="module")
def fields_of_the_tests() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sides, "look_up", look_up)
        patch.setattr(macros, "look_up", look_up)
        yield


STORE = make_store()

_LITERALS: dict[FieldType, list[bytes]] = {
    FieldType.TEXT: [
        b"curl",
        b"nginx",
        b"n",
        b"-x",
        b"",
        b"/etc",
        b"/etc/hosts",
        b"*n*",
        b"[!c]?*",
        b"SUCCESS",
        b"1-2",
        b"\xff",
    ],
    FieldType.BYTES: [b"1", b"-", b"", b"2-1"],
    FieldType.BOOL: [b"true", b"false"],
    FieldType.ADDRESS: [b"10.0.0.1", b"10.0.1.2", b"::1", b"1.1.1.1"],
    FieldType.NETWORK: [b"10.0.0.0/24", b"0.0.0.0/0", b"::/64", b"11.0.0.0/8"],
    FieldType.PORT: [b"80", b"4000", b"0"],
    FieldType.FLOAT: [b"50.5", b"0", b"52"],
}
_NUMBERS = [b"-2", b"0", b"1", b"7", b"50", b"101", b"-9223372036854775808", b"18446744073709551615"]


@st.composite
def checks(draw: st.DrawFn) -> Expression:
    """A comparison or existence that makes sense for its field."""
    field = draw(st.sampled_from([field for name, field in FIELDS.items() if name != "evt.type"]))
    name = FieldName(field.name)
    operators = sorted(ALLOWED_LIST if field.is_list else ALLOWED[field.type])
    operator = draw(st.sampled_from([word for word in operators if word not in ("regex", "bcontains", "bstartswith")]))
    if operator == "exists":
        return Exists(name)
    literals = _LITERALS.get(field.type, _NUMBERS)
    if operator == "pmatch":
        literals = [b"/etc", b"/etc/hosts", b"/etc/host"]
    values = st.sampled_from(literals).map(Text)
    lists = st.lists(values, max_size=3).map(lambda items: Values(tuple(items)))
    if operator in LIST_OPERATORS:
        return Comparison(name, operator, draw(lists))
    if operator not in ORDERINGS and draw(st.booleans()):
        return Comparison(name, operator, draw(lists), draw(st.sampled_from(QUANTIFIERS)))
    return Comparison(name, operator, draw(values))


def mask(tree: Expression | str, store: Store = STORE) -> list[list[bool]]:
    asked = compile(str(tree))
    return [asked.mask(store, segment).tolist() for segment in store.segments]


@cache
def events(segment: Segment) -> list[Event]:
    return [Event(STORE, segment, row) for row in range(len(segment))]


def visible(segment: Segment) -> list[bool]:
    return [not flags & HIDDEN for flags in segment.flags]


@given(expressions(checks(), 6))
@settings(max_examples=400, deadline=None)
def test_the_plan_keeps_what_looking_at_each_event_keeps(tree: Expression) -> None:
    assert mask(tree) == [
        [shown and obvious(tree, event) for shown, event in zip(visible(segment), events(segment), strict=True)]
        for segment in STORE.segments
    ]


@given(expressions(checks(), 4), expressions(checks(), 4))
@settings(max_examples=100, deadline=None)
def test_and_or_and_not_are_those_of_the_masks(a: Expression, b: Expression) -> None:
    segment = STORE.segments[0]

    def kept(text: str) -> list[bool]:
        return [bool(held) for held in compile(text).mask(STORE, segment)]

    of_a, of_b, shown = kept(str(a)), kept(str(b)), visible(segment)
    assert kept(f"({a}) and ({b})") == [x and y for x, y in zip(of_a, of_b, strict=True)]
    assert kept(f"({a}) or ({b})") == [x or y for x, y in zip(of_a, of_b, strict=True)]
    assert kept(f"not ({a})") == [s and not x for s, x in zip(shown, of_a, strict=True)]
    assert kept(f"not (({a}) and ({b}))") == kept(f"(not ({a})) or (not ({b}))")
    assert kept(f"not (({a}) or ({b}))") == kept(f"(not ({a})) and (not ({b}))")


@given(expressions(checks(), 5))
@settings(max_examples=50, deadline=None)
def test_answers_hold_while_tables_grow(tree: Expression) -> None:
    store = make_store()
    asked = compile(str(tree))
    for number in range(3):
        store.threads.append(Thread(200 + number, pid=7, comm=b"curl" if number else b"new"))
        add_fd(store, FdKind.FILE, b"/etc/%d" % number)
        store.segments.append(make_segment(store, number, store.events, 50))
        segment = store.segments[-1]
        assert asked.mask(store, segment).tolist() == compile(str(tree)).mask(store, segment).tolist()
        assert (
            asked.mask(store, store.segments[0]).tolist() == compile(str(tree)).mask(store, store.segments[0]).tolist()
        )


def test_facts_learned_late_change_answers() -> None:
    store = make_store()
    asked = compile("thread.name = late")
    segment = store.segments[0]
    assert not asked.mask(store, segment).any()
    store.threads[0].comm = b"late"
    store.revision += 1
    assert asked.mask(store, segment).tolist() == ((segment.thread == 0) & (segment.flags & HIDDEN == 0)).tolist()


def test_a_filter_can_be_asked_about_another_store() -> None:
    asked = compile("thread.name = curl and fd.name startswith /etc")
    first, second = make_store(1), make_store(5)
    second.threads[0].comm, second.threads[1].comm = b"nginx", b"curl"
    for store in (first, second, first):
        segment = store.segments[0]
        assert asked.mask(store, segment).tolist() == compile(asked.text).mask(store, segment).tolist()


def test_hidden_events_are_never_kept() -> None:
    for segment in STORE.segments:
        assert compile("").mask(STORE, segment).tolist() == visible(segment)
        assert compile("not evt.type exists").mask(STORE, segment).sum() == 0
        assert compile("evt.type exists").mask(STORE, segment).tolist() == visible(segment)


def count(text: str) -> int:
    return sum(sum(rows) for rows in mask(text))


def total(keep: Callable[[Event], bool]) -> int:
    return sum(
        keep(event)
        for segment in STORE.segments
        for event, shown in zip(events(segment), visible(segment), strict=True)
        if shown
    )


def test_a_comparison_with_an_absent_value_is_false_and_not_is_the_complement() -> None:
    everything = count("evt.type exists")
    assert 0 < count("fd.name = /etc/hosts") < everything
    assert count("fd.name = /etc/hosts") + count("fd.name != /etc/hosts") == count("fd.name exists") < everything
    assert count("not fd.name = /etc/hosts") == everything - count("fd.name = /etc/hosts")
    assert count("not fd.name exists") == everything - count("fd.name exists")


def test_either_end_may_be_equal_and_both_must_differ() -> None:
    sockets = count("fd.ip exists")
    assert count("fd.port = 4000") + count("fd.port != 4000") == sockets > count("fd.port = 4000") > 0
    assert count("fd.port = 80") == sockets
    assert count("fd.port != 80") == 0
    assert count("fd.ip = 10.0.0.1") == count("fd.ip = 10.0.1.2") == count("fd.net = 10.0.0.0/8") > 0
    assert count("fd.net != 10.0.0.0/8") == count("fd.ip in (::1, ::9)") == sockets - count("fd.net = 10.0.0.0/8")
    assert count("fd.port = http") == sockets


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("thread.name regex 'c.*l'", "thread.name = curl"),
        ("thread.name regex ur", "thread.name = zzz"),
        ("thread.name regex '(curl|nginx)'", "thread.name in (curl, nginx)"),
        ("thread.name iglob NG*", "thread.name in (nginx, NGINX)"),
        ("thread.name glob [[:upper:]]*", "thread.name = NGINX"),
        ("thread.name glob '[^n]*l'", "thread.name = curl"),
        ("thread.name glob 'a\\\\ b'", "thread.name = 'a b'"),
        ("thread.name glob [", "thread.name = ["),
        ("fd.name glob /etc/*.conf", "fd.name endswith .conf"),
        ("fd.name pmatch (/etc/*/nginx.conf)", "fd.name endswith nginx.conf"),
        ("fd.name pmatch (/etc/h)", "fd.name = nothing"),
        ("event.bytes bcontains 2d", "event.bytes contains -"),
        ("event.bytes bstartswith 312D", "event.bytes startswith 1-"),
        ("event.result = 7.9", "event.result = 7"),
        ("event.result = +7", "event.result = 7"),
        ("event.num in 10..20", "event.num >= 10 and event.num <= 20"),
        ("event.result < 0.1K", "event.result < 102"),
        ("thread.name in a..n", "thread.name >= a and thread.name <= n"),
        ("thread.any in '-a'..-z", "thread.any exists"),
        ("event.num < 1e1", "event.num < 10"),
        (
            "thread.name = curl and (not event.line exists or event.cpu = 1)",
            "thread.name = curl and not (event.line exists and event.cpu != 1)",
        ),
        ("tolower(thread.name) = nginx", "thread.name in (nginx, NGINX)"),
        ("toupper(thread.name) = val(thread.name)", "thread.name in (NGINX, '', \"\\xff\\n\")"),
        ("len(thread.name) = 4", "thread.name = curl"),
        ("len(thread.list) >= 1", "thread.list exists"),
        ("len(thread.list) = 0", "thread.tid exists and not thread.list exists"),
        ("basename(fd.name) = hosts", "fd.name = /etc/hosts"),
        ("concat(thread.name, '-', fd.name) = curl-/etc/hosts", "thread.name = curl and fd.name = /etc/hosts"),
        ("join(',', (thread.name, thread.name)) = 'curl,curl'", "thread.name = curl"),
        ("b64(thread.name) exists", "thread.name in (curl, '')"),
        ("getopt(thread.list, 'x') intersects (x, y)", "thread.list exists"),
        ("getopt(thread.list, 'x')[x] = ''", "thread.list exists"),
        ("getopt(thread.list, 'x:')[x] exists", "len(thread.list) = 2"),
        ("getopt('-ab c', 'ab:')[b] = c", "evt.type exists"),
        ("thread.tid > val(thread.pid)", "thread.tid exists"),
        ("thread.tid = val(thread.pid)", "thread.tid = 0"),
        ("event.num >= val(event.num)", "event.num exists"),
        ("event.num > val(event.result)", "event.result exists and not event.num <= val(event.result)"),
        ("event.num > val(event.result) and event.result >= 2", "event.result = 7 and event.num > 7"),
        ("event.cpu >= val(event.num)", "event.num <= 3 and event.cpu >= val(event.num)"),
        ("thread.any = -x", "thread.any exists"),
        ("thread.list in val(thread.list)", "thread.list exists"),
        ("evt.type in (open, read)", "evt.type = open or evt.type = read"),
    ],
)
def test_filters_that_keep_the_same(text: str, same: str) -> None:
    assert mask(text) == mask(same)


def test_an_ordering_of_texts_is_by_bytes() -> None:
    assert count("thread.name < a") == total(
        lambda event: event.thread is not None and event.thread.comm is not None and event.thread.comm < b"a"
    )


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("thread.nmae = x", 0, "unknown field thread.nmae, did you mean thread.name"),
        ("thread.name = x and a_macro", 20, "unknown name a_macro"),
        ("thread.name in some_list", 15, "unknown name some_list: expected a list in brackets, or a macro"),
        ("evt.type = opne", 11, "unknown event type opne, did you mean open"),
        ("evt.type in (open, raed)", 19, "unknown event type raed, did you mean read"),
        ("event.result = 0x10", 15, "expected a decimal number"),
        ("event.result > 5ms", 15, "expected a decimal number, perhaps with K, M, G or T"),
        ("event.result in 1..x", 19, "expected a decimal number"),
        ("event.failed in true..true", 16, "takes no range"),
        ("thread.name pmatch a..b", 19, "takes no range"),
        ("event.result > 1e99", 15, "64 bits"),
        ("event.result = " + "9" * 5000, 15, "expected a decimal number"),
        ("event.failed = yes", 15, "true or false"),
        ("fd.port = 65536", 10, "a port"),
        ("fd.port = nosuchservice", 10, "a port"),
        ("fd.ip = 10.0.0", 8, "an IPv4 or IPv6 address"),
        ("fd.net = 10.0.0.0", 9, "unrecognized IP network 10.0.0.0"),
        ("fd.net = 10.0.0.0/33", 9, "unrecognized IP network"),
        ("fd.net = 10.0.0.0/255.0.0.0", 9, "unrecognized IP network"),
        ("event.bytes bcontains 4", 22, "hexadecimal"),
        ("event.result contains 4", 13, "event.result is a field of type integer"),
        ("event.failed < true", 13, "event.failed is a field of type bool"),
        ("event.bytes glob x", 12, "event.bytes is a field of type bytes"),
        ("thread.list = x", 12, "thread.list is a list"),
        ("thread.name regex '('", 18, "bad pattern"),
        ("thread.name regex '\\\\d'", 18, "bad pattern"),
        ("thread.name glob [z-a]", 17, "bad pattern"),
        ("thread.name glob '" + "*?" * 3000 + "'", 17, "too long"),
        ("thread.name = val(thread.tid)", 14, "thread.tid) is of type id"),
        ("thread.name = val(thread.any)", 18, "several values"),
        ("thread.name = val(thread.list)", 14, "a single value"),
        ("thread.name in val(thread.name)", 15, "a list"),
        ("thread.name glob val(thread.name)", 17, "a literal"),
        ("tolower(thread.tid) = x", 8, "thread.tid is of type id"),
        ("tolower(thread.name, thread.name) = x", 0, "takes 1 arguments"),
        ("join(thread.list, ',') = x", 5, "a single value"),
        ("getopt(thread.list, 'x')[y] exists", 0, "does not read the option y"),
        ("getopt(thread.list) exists", 0, "takes arguments and options"),
        ("getopt(thread.tid, 'x') exists", 0, "thread.tid has no arguments"),
        ("tolower(thread.name)[x] exists", 0, "takes nothing in brackets"),
    ],
)
def test_errors_of_meaning_name_their_place(text: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile(text)
    assert message in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize("leaf", ["evt.type exists", "thread.name exists", "event.failed = true", "event.line exists"])
def test_filters_nested_as_deep_as_allowed_are_answered(leaf: str) -> None:
    level = f"event.cpu = 9 or {leaf} and not ("
    text = level * MAX_NESTING + leaf + ")" * MAX_NESTING
    printed = str(parse(text))
    assert str(parse(printed)) == printed
    assert mask(text) == mask(f"{leaf} and not ({leaf} and not {leaf})")


def test_combining_keeps_what_all_parts_keep() -> None:
    assert combine() == combine("", " \n") == ""
    assert combine("thread.name = curl", "") == "thread.name = curl"
    both = combine("thread.name = curl or fd.name exists", "event.failed = true")
    assert parse(both) == parse("(thread.name = curl or fd.name exists) and (event.failed = true)")
    with pytest.raises(FilterError) as caught:
        combine("event.failed = true", "fd.name exists) or (fd.name exists")
    assert caught.value.position == 14


@given(
    st.lists(
        st.sampled_from(
            ["and ", "or ", "not ", "(", ")", "= ", "< ", "in ", "(x, 1) ", "1 ", "contains ", "regex "]
            + [f"{name} " for name in FIELDS]
            + ["val(", "len(", "tolower(", "anyof ", "'[' ", "10.0.0.0/8 ", "open "]
        ),
        max_size=12,
    ).map("".join)
)
@settings(max_examples=2000, deadline=None)
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    try:
        asked = Filter(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert asked.mask(STORE, STORE.segments[0]).dtype == np.bool_

"""The parameters of every call that has an event type of its own, told of real calls."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from engine.decode.event import Event
from engine.events import CATALOGUE
from engine.fields.values import renderer_of
from engine.sources.live.calls import table
from tests.live.arguments import CASES, WITHOUT
from tests.live.observing import Observer

PREAMBLE = """
import ctypes, json, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
held = []
def kept(thing):
    held.append(thing)
    return thing
def call(number, *words):
    given = [ctypes.c_long(word) if isinstance(word, int) else
             kept(ctypes.create_string_buffer(word)) if isinstance(word, bytes) else
             ctypes.byref(word) if isinstance(word, ctypes._SimpleCData) else word
             for word in words]
    result = libc.syscall(ctypes.c_long(number), *given)
    return -ctypes.get_errno() if result < 0 else result
def p(name):
    return os.fsencode(os.path.join(here, name))
def quad(value):
    return struct.pack("<Q", value)
def parts(*buffers):
    rooms = [kept(ctypes.create_string_buffer(buffer, len(buffer))) for buffer in buffers]
    return kept(ctypes.create_string_buffer(
        b"".join(struct.pack("<QQ", ctypes.addressof(room), len(room)) for room in rooms), 16 * len(rooms)))
def tell():
    out.seek(0)
    json.dump({key: value for key, value in globals().items() if isinstance(value, (int, str))}, out)
    out.flush()
comm = open("/proc/self/comm").read().strip()
top = sys.argv[1]
compiled = {name: compile(text, name, "exec") for name, text in json.loads(sys.argv[2]).items()}
for name, code in compiled.items():
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    here = f"{top}/{name}"
    os.mkdir(here)
    os.chdir(here)
    out = open(f"{top}/{name}.json", "w")
    os.access(f"/begin/{name}", 0)
    try:
        exec(code)
        os.access("/end", 0)
    finally:
        tell()
        os._exit(0)
"""


@pytest.fixture(scope="module")
def told(observer: Observer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Event, dict[str, Any]]]:
    """By case, its event and the names of its script."""
    top = tmp_path_factory.mktemp("arguments").resolve()
    first = len(observer.store.segments)
    run = observer.python(PREAMBLE, str(top), json.dumps({name: script for name, (script, _) in CASES.items()}))
    assert run.status == 0
    inside: dict[int, str] = {}
    found: dict[str, Event] = {}
    for segment in observer.store.segments[first:]:
        for row in range(len(segment)):
            event = Event(observer.store, segment, row)
            if event.thread is None:
                continue
            pid = event.thread.pid
            if event.type.name == "access":
                path = bytes(event.params[1] or b"").rstrip(b"\0").decode()
                if path.startswith("/begin/"):
                    inside[pid] = path.removeprefix("/begin/")
                    continue
                if path == "/end":
                    del inside[pid]
                    continue
            if inside.get(pid) == event.type.name and event.type.is_exit:
                found[event.type.name] = event
    return {name: (event, json.loads((top / f"{name}.json").read_text())) for name, event in found.items()}


def shown(event: Event) -> dict[str, str]:
    texts = {}
    for place, parameter in enumerate(event.type.params):
        raw = event.params[place] if place < len(event.params) else None
        if raw is None:
            texts[parameter.name] = "-"
            continue
        text, stands_for = renderer_of(parameter, place)(event, raw)
        texts[parameter.name] = (text + (b"(" + stands_for + b")" if stands_for else b"")).decode("latin-1")
    return texts


def test_every_call_with_a_type_of_its_own_has_a_case_or_a_reason() -> None:
    assert {CATALOGUE[call.type].name for call in table()} == CASES.keys() | WITHOUT.keys()


@pytest.mark.parametrize("name", CASES)
def test_the_arguments_of_a_call(told: dict[str, tuple[Event, dict[str, Any]]], name: str) -> None:
    assert name in told, "no such call was seen"
    event, names = told[name]
    texts = shown(event)
    wanted = dict(item.split("=", 1) for item in re.split(r" (?=[a-z_0-9]+=)", CASES[name][1]) if item)
    assert wanted.keys() == texts.keys()
    for parameter, pattern in wanted.items():
        text = texts[parameter]
        expression = re.escape(pattern.format(**names)).replace(r"\*", ".+" if pattern == "*" else ".*")
        assert re.fullmatch(expression, text, re.S), f"{parameter}: told {text!r}, not {pattern.format(**names)!r}"

"""Whatever a capture claims, every field has a value of its type or none, and can be filtered on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import CATALOGUE, SCAP_TYPES, FdKind
from engine.fields import FIELDS, look_up
from engine.fields.field import Argument, Field, FieldType
from engine.filters import compile  # noqa: A004
from engine.model.facts import Role, Socket, Thread
from tests.engine.decode.decoded import Machine, listed
from tests.scapfile import event

TYPES: dict[FieldType, tuple[type, ...]] = {
    FieldType.TEXT: (bytes,),
    FieldType.BYTES: (bytes,),
    FieldType.ADDRESS: (bytes,),
    FieldType.NETWORK: (bytes,),
    FieldType.BOOL: (bool,),
    FieldType.FLOAT: (float,),
    **dict.fromkeys((FieldType.INTEGER, FieldType.ID, FieldType.PORT, FieldType.DURATION, FieldType.TIME), (int,)),
}
MOST = 2**64 - 1
CONTAINER = 324
ODD = (b"", b"\0", b"\x02\xff", b"\xff" * 8, b"<999999>x")

KEYS = (
    *("id", "name", "labels", "Mounts", "Source", "RW", "Healthcheck", "exe", "args", "ip", "cni_json", "host_pid"),
    *("is_pod_sandbox", "pod_sandbox_id", "pod_sandbox_labels", "io.kubernetes.pod.name", "privileged", "type"),
)
Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)


def extreme(tid: int) -> Thread:
    """A thread whose facts are the largest there can be."""
    facts: dict[str, Any] = {
        "cgroups": (b"memory=/docker/" + b"c" * 64, b"", b"="),
        "fdlimit": -(2**63),
        "env": (b"=", b"", b"A"),
        "args": (b"",) * 3,
        **dict.fromkeys(("vm_size", "vm_rss", "vm_swap"), 2**32 - 1),
        **dict.fromkeys(("pf_major", "pf_minor", "exe_ino", "exe_ino_ctime", "exe_ino_mtime"), MOST),
        **dict.fromkeys(("cap_inheritable", "cap_permitted", "cap_effective", "pidns_init_start"), MOST),
        **dict.fromkeys(("sid", "pgid", "vpgid"), 2**63 - 1),
    }
    return listed(tid, b"\xff\x1b[2J", **facts)


def spelled(field: Field) -> str:
    if field.argument is not Argument.REQUIRED:
        return field.name
    return f"{field.name}[{'0' if field.whole_argument else next(iter(sorted(field.named or ('0',))))}]"


def check(machine: Machine, feed: bytes) -> None:
    """Feed an event; every field must make sense of it."""
    happened = machine.feed(feed)
    for field in FIELDS.values():
        name = spelled(field)
        declared, argument = look_up(name)
        value = declared.of(happened, argument)
        wanted = TYPES[field.type] if field.name != "evt.rawarg" else (int, bytes)
        for one in value if isinstance(value, tuple) else (value,):
            assert one is None or isinstance(one, wanted), (name, happened.type.name, value)


@pytest.fixture(scope="module")
def machine() -> Machine:
    made = Machine(extreme(10))
    ends = Socket(b"\x7f\0\0\x01", 1, b"", 0, 9, Role.NONE)
    made.fd(10, 0, FdKind.UNIX, b"/dev/log\n")
    made.fd(10, -1 & 0x7FFFFFFF, FdKind.IPV4, b"", ends)
    return made


@pytest.mark.parametrize("raw", ODD, ids=repr)
def test_every_field_takes_any_event(machine: Machine, raw: bytes) -> None:
    for code in range(2, SCAP_TYPES):
        if CATALOGUE[code].params:
            check(machine, event(code, 10, 1, [raw] * len(CATALOGUE[code].params)))


def test_every_field_can_be_asked_of_extreme_facts() -> None:
    machine = Machine(extreme(10))
    happened = machine.feed(event(6, 10, 1, [bytes(8), bytes(4)]))
    for field in FIELDS.values():
        compile(f"{spelled(field)} exists").mask(machine.store, happened.segment)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), Json, max_size=10))
def test_every_field_takes_any_metadata(details: dict[str, Any]) -> None:
    machine = Machine(extreme(10))
    told = json.dumps({"container": {**details, "id": "c" * 12}}).encode()
    machine.feed(event(CONTAINER, -1 & MOST, 1, [told + b"\0"]))
    check(machine, event(6, 10, 1, [bytes(8), bytes(4)]))

"""Offsets from BTF, on blobs made here."""

from __future__ import annotations

import struct

import pytest

from engine.sources.live.btf import Btf, BtfError


class Blob:
    """Builds BTF: types in order, numbered from 1."""

    def __init__(self) -> None:
        self._types = b""
        self._strings = b"\0"

    def name(self, text: str) -> int:
        at = len(self._strings)
        self._strings += text.encode() + b"\0"
        return at if text else 0

    def add(self, kind: int, name: str = "", refers: int = 0, entries: list[bytes] | None = None) -> None:
        entries = entries or []
        self._types += struct.pack("<III", self.name(name), kind << 24 | len(entries), refers) + b"".join(entries)

    def member(self, name: str, kind: int, offset: int) -> bytes:
        return struct.pack("<III", self.name(name), kind, offset * 8)

    def bytes(self) -> bytes:
        sizes = struct.pack("<IIII", 0, len(self._types), len(self._types), len(self._strings))
        return struct.pack("<HBBI", 0xEB9F, 1, 0, 24) + sizes + self._types + self._strings


def blob() -> Blob:
    made = Blob()
    made.add(1, "int", 4, [])  # 1: int, with 4 bytes of encoding
    made._types += bytes(4)
    made.add(4, "inner", 8, [made.member("deep", 1, 4)])  # 2
    made.add(8, "inner_t", 2)  # 3: typedef
    made.add(5, "", 8, [made.member("either", 1, 0), made.member("other", 2, 0)])  # 4: unnamed union
    made.add(4, "outer", 40, [made.member("first", 1, 0), made.member("", 4, 8), made.member("last", 3, 16)])  # 5
    made.add(6, "numbers", 4, [struct.pack("<Ii", made.name("one"), 1), struct.pack("<Ii", made.name("minus"), -2)])
    return made


def test_members_are_found_through_typedefs_and_unnamed_unions() -> None:
    btf = Btf(blob().bytes())
    outer = btf.find({"outer"})["outer"]
    assert btf.offset(outer, "first") == 0
    assert btf.offset(outer, "either") == 8
    assert btf.offset(outer, "other.deep") == 12
    assert btf.offset(outer, "last.deep") == 20
    assert btf.offset(outer, "absent") is None
    assert btf.size(outer) == 40


def test_only_names_that_exist_are_found() -> None:
    assert set(Btf(blob().bytes()).find({"outer", "inner", "nowhere"})) == {"outer", "inner"}


def test_enumerators_have_their_values() -> None:
    btf = Btf(blob().bytes())
    assert (btf.enumerator("numbers", "one"), btf.enumerator("numbers", "minus")) == (1, -2)
    assert btf.enumerator("numbers", "three") is None
    assert btf.enumerator("nothing", "one") is None


@pytest.mark.parametrize("wrong", [b"", b"\0" * 24, blob().bytes()[:40]])
def test_what_is_no_btf_is_said_to_be_none(wrong: bytes) -> None:
    with pytest.raises(BtfError):
        Btf(wrong)

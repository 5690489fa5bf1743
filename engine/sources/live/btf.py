"""Offsets of kernel structures, read from the running kernel's BTF.

Owns a reader of the type section of `/sys/kernel/btf/vmlinux` that knows just enough of the format
(Documentation/bpf/btf.rst of the kernel) to find members by path; what the offsets are for is told by the caller.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_INT, _POINTER, _ARRAY, _STRUCT, _UNION, _ENUM, _PROTOTYPE, _VARIABLE, _SECTION = 1, 2, 3, 4, 5, 6, 13, 14, 15
_DECL_TAG, _ENUM64 = 17, 19
_EXTRA = {_INT: (4, 0), _ARRAY: (12, 0), _STRUCT: (0, 12), _UNION: (0, 12), _ENUM: (0, 8), _PROTOTYPE: (0, 8),
          _VARIABLE: (4, 0), _SECTION: (0, 12), _DECL_TAG: (4, 0), _ENUM64: (0, 12)}  # fmt: skip
"""Bytes after a type's header: fixed, and for each of its entries."""
_TRANSPARENT = {8, 9, 10, 11, 18}  # typedef, volatile, const, restrict, type tag


FUNCTION = 12
"""Kind of a function's type."""


class BtfError(Exception):
    """The kernel's type information is missing or does not have what is needed."""


@dataclass(slots=True)
class _Type:
    kind: int
    count: int
    has_bits: bool
    refers: int
    entries: int


@dataclass(slots=True)
class Btf:
    """The types of one BTF blob. Only named structures asked for are found by name."""

    blob: bytes
    _types: list[int] = field(default_factory=list)
    """Position of each type's header; index 0 is void."""
    _strings: int = 0
    _end: int = 0

    def __post_init__(self) -> None:
        if len(self.blob) < 24:
            raise BtfError("BTF is too short for its header")
        magic, _, _, header, types, types_len, strings, strings_len = struct.unpack_from("<HBBIIIII", self.blob)
        if magic != 0xEB9F:
            raise BtfError(f"BTF has magic {magic:#x}, not 0xeb9f")
        self._strings, self._end = header + strings, header + strings + strings_len
        position, end = header + types, header + types + types_len
        if max(self._end, end) > len(self.blob):
            raise BtfError("BTF sections reach beyond its end")
        self._types = [-1]
        info_at = struct.Struct("<I").unpack_from
        add = self._types.append
        extra = [_EXTRA.get(kind, (0, 0)) for kind in range(32)]
        while position < end:
            add(position)
            (info,) = info_at(self.blob, position + 4)
            fixed, each = extra[(info >> 24) & 0x1F]
            position += 12 + fixed + each * (info & 0xFFFF)

    def _type(self, index: int) -> _Type:
        position = self._types[index]
        _, info, refers = struct.unpack_from("<III", self.blob, position)
        return _Type((info >> 24) & 0x1F, info & 0xFFFF, bool(info >> 31), refers, position + 12)

    def _name(self, offset: int) -> str:
        start = self._strings + offset
        return self.blob[start : self.blob.index(b"\0", start, self._end)].decode("ascii", "replace")

    def _string_offset(self, name: str) -> int:
        found = self.blob.find(b"\0" + name.encode() + b"\0", self._strings, self._end)
        if found < 0:
            raise BtfError(f"the kernel's BTF has no name {name!r}")
        return found + 1 - self._strings

    def find(self, names: set[str], kinds: tuple[int, ...] = (_STRUCT, _UNION)) -> dict[str, int]:
        """Type numbers of what has these names and is of these kinds, of those that exist."""
        wanted: dict[bytes, str] = {}
        for name in names:
            try:
                wanted[struct.pack("<I", self._string_offset(name))] = name
            except BtfError:
                continue
        found: dict[str, int] = {}
        for index, position in enumerate(self._types):
            known = wanted.get(self.blob[position : position + 4]) if index else None
            if known and known not in found:
                kind = self._type(index)
                # A structure that is only named somewhere has no members.
                if kind.kind in kinds and (kind.count or kind.kind == FUNCTION):
                    found[known] = index
        return found

    def _resolve(self, index: int) -> int:
        while index and (kind := self._type(index)).kind in _TRANSPARENT:
            index = kind.refers
        return index

    def _member(self, index: int, name: str) -> tuple[int, int] | None:
        """Byte offset and type of a member, looked for inside unnamed members too."""
        kind = self._type(index)
        for entry in range(kind.count):
            name_at, refers, offset = struct.unpack_from("<III", self.blob, kind.entries + 12 * entry)
            start = (offset & 0xFFFFFF if kind.has_bits else offset) // 8
            if name_at and self._name(name_at) == name:
                return start, self._resolve(refers)
            if not name_at and self._type(inner := self._resolve(refers)).kind in (_STRUCT, _UNION):
                found = self._member(inner, name)
                if found:
                    return start + found[0], found[1]
        return None

    def offset(self, structure: int, path: str) -> int | None:
        """Byte offset of ``a.b.c`` from the start of a structure; None when a member does not exist."""
        total = 0
        for name in path.split("."):
            found = self._member(structure, name)
            if found is None:
                return None
            total, structure = total + found[0], found[1]
        return total

    def size(self, structure: int) -> int:
        """Size of a structure in bytes."""
        return self._type(structure).refers

    def enumerator(self, enumeration: str, name: str) -> int | None:
        """Value of a name of an enumeration."""
        index = self.find({enumeration}, (_ENUM,)).get(enumeration)
        if index is None:
            return None
        kind = self._type(index)
        for entry in range(kind.count):
            name_at, value = struct.unpack_from("<Ii", self.blob, kind.entries + 8 * entry)
            if self._name(name_at) == name:
                return int(value)
        return None


def load() -> Btf:
    """The running kernel's types. Raises BtfError when the kernel has none."""
    try:
        return Btf(VMLINUX.read_bytes())
    except OSError as error:
        raise BtfError(f"{VMLINUX}: {error.strerror}; a kernel built with CONFIG_DEBUG_INFO_BTF is needed") from error

"""How the parameters of each event type become the text of a line: the plans ``pieces.Parameters`` works by.

Texts are those of ``engine.fields.values``; here is only decided which of them compiled code makes by itself, which
are remembered by their bytes, and which depend on more than that and are asked for every time.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.decode.event import Event
from engine.events import CATALOGUE, ERRNO, GENERIC
from engine.events import Parameter as Declared
from engine.fields.values import CURRENT_DIRECTORY, Rendered, absent, flag_names, renderer_of
from engine.model.fds import Identity
from engine.query.recorded import Kind, Parameter

Look = Callable[[int], Event]
"""The event in a row of the batch at work."""
_OF_BYTES = frozenset({"RELTIME", "SIGTYPE", "SIGSET", "SYSCALLID", "SOCKADDR", "SOCKTUPLE", "IPV4ADDR", "IPV6ADDR"})
"""Types whose text depends on nothing but their bytes, without numbers and flags."""
_ENDS = frozenset({"SOCKADDR", "SOCKTUPLE"})
_SIGNED = frozenset({"INT8", "INT16", "INT32", "INT64"})
_UNSIGNED = frozenset({"UINT8", "UINT16", "UINT32", "UINT64", "BOOL", "PORT", "L4PROTO", "SOCKFAMILY", "ABSTIME"})


Path = Callable[[int, int, bytes], bytes]
"""The text of a relative path, see ``pieces.Parameter``."""
Ports = Callable[[Identity | None, bytes], bytes]
"""Names the ports in a text of addresses of an fd."""


def plan(code: int, look: Look, path: Path, ports: Ports | None) -> list[Parameter] | None:
    """The parameters of a type; ``ports`` is applied to texts of addresses. None for a type that shows none."""
    if code >= GENERIC:
        # Its parameters only say which call it is, and so does the event's name.
        return None
    return [_parameter(declared, place, look, path, ports) for place, declared in enumerate(CATALOGUE[code].params)]


def joined(rendered: Rendered) -> bytes:
    """A value, and in parentheses what it stands for."""
    value, meaning = rendered
    return b"%s(%s)" % (value, meaning) if meaning else value


def meant(rendered: Rendered) -> bytes:
    """What a value stands for, in parentheses, or nothing."""
    return b"(%s)" % rendered[1] if rendered[1] else b""


def _negative(number: int) -> bytes:
    """What a descriptor below zero stands for, in parentheses."""
    return b"(AT_FDCWD)" if number == CURRENT_DIRECTORY else meant((b"", ERRNO.get(-number, "").encode()))


def _named(ports: Ports | None, event: Event, told: bytes) -> bytes:
    return told if ports is None else ports(event.fd, told)


def _parameter(declared: Declared, place: int, look: Look, path: Path, ports: Ports | None) -> Parameter:
    kind, render = _kind(declared, place, look, path, ports)
    return Parameter(declared.name.encode() + b"=", absent(declared), kind, place, render)


def _kind(
    declared: Declared, place: int, look: Look, path: Path, ports: Ports | None
) -> tuple[Kind, Callable[..., bytes] | None]:
    name, slow = declared.type, renderer_of(declared, place)

    def ask(row: int, raw: bytes) -> bytes:
        return joined(slow(look(row), raw))

    if name == "BYTEBUF":
        return Kind.PAYLOAD, None
    if name == "CHARBUF":
        return Kind.STRING, None
    if name == "FSPATH":
        return Kind.PATH, path
    if name == "FSRELPATH" and declared.dirfd_param == place - 1:
        return Kind.PATH_AT, path
    if name in ("FD", "FD32"):
        return Kind.DESCRIPTOR, _negative
    if name in _ENDS and ports is not None:
        return Kind.ASKED, lambda row, raw: _named(ports, look(row), ask(row, raw))
    if name in _OF_BYTES:
        # The renderers of these types do not look at the event.
        return Kind.REMEMBERED, lambda raw: joined(slow(None, raw))  # type: ignore[arg-type]
    if name == "ERRNO" and declared.format != "HEX":
        return Kind.RESULT, lambda number: meant((b"", ERRNO.get(-number, "").encode()))
    if name in _SIGNED | _UNSIGNED | {"ERRNO"} or name.startswith(("FLAGS", "ENUMFLAGS", "MODE")):
        if declared.table is not None:
            table, exact = declared.table, name.startswith("ENUM")
            shape = Kind.NAMED_OCTAL if declared.format == "OCT" else Kind.NAMED
            return shape, lambda number: meant((b"", flag_names(table, number, exact)))
        if declared.format in ("HEX", "OCT"):
            return (Kind.HEX if declared.format == "HEX" else Kind.OCTAL), None
        return (Kind.SIGNED if name in _SIGNED else Kind.UNSIGNED), None
    return Kind.ASKED, ask

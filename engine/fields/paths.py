"""Fields of the paths that calls are given, made absolute or as they were passed.

Which parameter of which call is meant is declared here; how a path is resolved is ``values``'. Old generations of a
call tell its paths in the enter only, which is looked for then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from engine.decode.event import Event
from engine.events import EventType
from engine.fields.columns import OPENS
from engine.fields.field import Argument, Field, FieldType, Place, Value
from engine.fields.render import argument_text, argument_value
from engine.fields.resolve import enter_of
from engine.model.paths import joined
from engine.text import without_controls

Parameters = Mapping[str, str]
"""Name of a parameter by name of the call."""

_ONE: Parameters = {
    **dict.fromkeys(("mkdir", "mkdirat", "rmdir", "unlink", "chown", "lchown", "open_by_handle_at"), "path"),
    **dict.fromkeys(("open", "openat", "openat2", "creat", "unlinkat", "umount", "umount2"), "name"),
    **dict.fromkeys(("chmod", "fchmodat"), "filename"),
    "fchownat": "pathname",
    "quotactl": "special",
}
_ONE_MORE: Parameters = dict.fromkeys(("mknod", "mknodat"), "path")
"""Those that sysdig's fs.path.name leaves out."""
_OF_FD = frozenset({"fchmod", "fchown"})
"""Calls about one path, that of their descriptor."""
_RENAMES = ("rename", "renameat", "renameat2")
_LINKS = ("link", "linkat")
_SYMLINKS = ("symlink", "symlinkat")
_SOURCE: Parameters = {
    **dict.fromkeys(_RENAMES, "oldpath"),
    **dict.fromkeys(_LINKS, "newpath"),
    **dict.fromkeys(_SYMLINKS, "linkpath"),
    "mount": "dev",
}
_TARGET: Parameters = {
    **dict.fromkeys(_RENAMES, "newpath"),
    **dict.fromkeys(_LINKS, "oldpath"),
    **dict.fromkeys(_SYMLINKS, "target"),
    "mount": "dir",
}
_AT: Parameters = {
    **dict.fromkeys(("renameat", "renameat2", "linkat"), "oldpath"),
    **dict.fromkeys(("openat", "openat2", "unlinkat"), "name"),
    "symlinkat": "linkpath",
    "open_by_handle_at": "path",
    "mkdirat": "path",
    "fchmodat": "filename",
    "fchownat": "pathname",
}
_AT_SECOND: Parameters = dict.fromkeys(("renameat", "renameat2", "linkat"), "newpath")


def _told(event: Event, name: str) -> Event | None:
    """The event that has a parameter: this one, else the enter before it."""
    if event.type.index(name) is not None:
        return event
    enter = enter_of(event)
    return enter if enter is not None and enter.type.index(name) is not None else None


def _worked(event: Event) -> bool:
    """True for exits of calls that succeeded; whether an open did does not matter."""
    return event.type.is_exit and (event.type.name in OPENS or event.result == 0)


def _of_call(
    parameters: Parameters, *, raw: bool = False, attempts: bool = False
) -> Callable[[Event, str | None], Value]:
    """The text of a parameter, of calls that succeeded; ``attempts``: of all."""

    def value(event: Event, _: str | None) -> Value:
        name = parameters.get(event.type.name)
        if name is None or not (attempts or _worked(event)):
            return None
        told = _told(event, name)
        if told is None:
            return None
        return argument_value(told, name) if raw else _folded(argument_text(told, name))

    return value


def _folded(path: Value) -> Value:
    """A path without double and trailing slashes, ``.`` and ``..``, if it is absolute."""
    return joined(b"", path) if isinstance(path, bytes) and path.startswith(b"/") else path


def _target(*, attempts: bool = False) -> Callable[[Event, str | None], Value]:
    of_target, of_link = _of_call(_TARGET, attempts=attempts), _of_call(_SOURCE, attempts=attempts)

    def value(event: Event, _: str | None) -> Value:
        target = of_target(event, None)
        if event.type.name not in _SYMLINKS or not isinstance(target, bytes) or target.startswith(b"/"):
            return target
        link = of_link(event, None)
        return joined(link.rpartition(b"/")[0] + b"/", target) if isinstance(link, bytes) else target

    return value


def _one(
    parameters: Parameters = _ONE, *, raw: bool = False, attempts: bool = False
) -> Callable[[Event, str | None], Value]:
    of_parameter = _of_call(parameters, raw=raw, attempts=attempts)

    def value(event: Event, _: str | None) -> Value:
        if event.type.name not in _OF_FD:
            return of_parameter(event, None)
        identity = event.fd
        return without_controls(identity.name) if identity is not None and (attempts or _worked(event)) else None

    return value


_attempted_one = _one({**_ONE, **_ONE_MORE}, attempts=True)
_attempted_source = _of_call(_SOURCE, attempts=True)
_attempted_target = _target(attempts=True)


def _attempted(event: Event, which: str | None) -> Value:
    if not event.type.is_exit:
        return None
    if which == "dst":
        return _attempted_target(event, None)
    return (_attempted_source if event.type.name in _SOURCE else _attempted_one)(event, None)


def _absolute(event: Event, which: str | None) -> Value:
    if event.type.name == "open_by_handle_at" and (event.result or 0) <= 0:
        return None
    second = which == "dst" and event.type.name in _AT_SECOND
    name = (_AT_SECOND if second else _AT).get(event.type.name)
    return None if name is None or event.type.index(name) is None else _folded(argument_text(event, name))


def _exits(*tables: Iterable[str]) -> Callable[[EventType], bool]:
    """The exits of calls named in tables."""
    names = frozenset().union(*tables)
    return lambda kind: kind.is_exit and kind.name in names


_late = partial(Field, type=FieldType.TEXT, place=Place.LATE, group="fs.path")
FIELDS = (
    Field(
        "evt.abspath",
        FieldType.TEXT,
        "absolute path given to a call whose name ends in at; [src] or [dst] of those with two",
        _absolute,
        Place.LATE,
        "event",
        argument=Argument.OPTIONAL,
        takes="src or dst",
        named=frozenset({"src", "dst"}),
        types=lambda kind: kind.name in _AT,
        example="evt.abspath[dst] startswith /etc",
    ),
    Field(
        "evt.path",
        FieldType.TEXT,
        "path a call works on, absolute, whether it succeeded or not; of renames and mounts [dst] is where they lead, "
        "of links what they point at",
        _attempted,
        Place.LATE,
        "event",
        argument=Argument.OPTIONAL,
        takes="src or dst",
        named=frozenset({"src", "dst"}),
        types=_exits(_ONE, _ONE_MORE, _OF_FD, _SOURCE),
        own=True,
        example="evt.path startswith /etc and evt.failed = true",
    ),
    _late(
        "fs.path.name",
        meaning="path a call about one path works on, absolute; of calls that succeeded, and of opens",
        value=_one(),
        types=_exits(_ONE, _OF_FD),
        example="fs.path.name startswith /etc",
    ),
    _late("fs.path.nameraw", meaning="fs.path.name as it was passed", value=_one(raw=True), types=_exits(_ONE, _OF_FD)),
    _late(
        "fs.path.source",
        meaning="what a rename, a mount or a new link starts from, absolute; for links the new name",
        value=_of_call(_SOURCE),
        types=_exits(_SOURCE),
    ),
    _late(
        "fs.path.sourceraw",
        meaning="fs.path.source as it was passed",
        value=_of_call(_SOURCE, raw=True),
        types=_exits(_SOURCE),
    ),
    _late(
        "fs.path.target",
        meaning="what a rename, a mount or a link leads to, absolute; for links what they point at",
        value=_target(),
        types=_exits(_TARGET),
        example="fs.path.target glob /etc/*.conf",
    ),
    _late(
        "fs.path.targetraw",
        meaning="fs.path.target as it was passed",
        value=_of_call(_TARGET, raw=True),
        types=_exits(_TARGET),
    ),
)

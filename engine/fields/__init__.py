"""Every field a filter, a column or a format can name: declared once, used everywhere.

The modules beside this one declare the fields by what they are about; this one finds them by name.
"""

from __future__ import annotations

import difflib

from engine.fields import (
    amounts,
    connecting,
    container,
    event,
    exchanges,
    family,
    fd,
    fdlist,
    inside,
    k8s,
    opened,
    paths,
    process,
    spans,
    syslog,
    thread,
    times,
    user,
)
from engine.fields.field import Argument, Field
from engine.fields.unavailable import UNAVAILABLE

_MODULES = (
    *(event, times, amounts, paths, process, family, thread, inside, fd, user, container, k8s, syslog, fdlist, opened),
    connecting,
    exchanges,
    spans,
)
FIELDS: dict[str, Field] = {field.name: field for module in _MODULES for field in module.FIELDS}
"""All fields by name, group by group."""


class UnknownField(ValueError):  # noqa: N818 - the name says it all
    """A name that is no field, or a field with an argument it does not take; the text is for people."""

    def __init__(self, message: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(message + (f", did you mean {' or '.join(near)}?" if near else ""))
        self.near = near
        """Names like the one asked for, best first."""


def look_up(name: str) -> tuple[Field, str | None]:
    """The field and argument of ``proc.name``, ``evt.arg.fd`` or ``evt.arg[0]``; UnknownField if there is none."""
    base, bracket, argument = name.partition("[")
    if bracket:
        if not argument.endswith("]"):
            raise UnknownField(f"no closing ] in {name}")
        return _checked(base, argument[:-1])
    if name in FIELDS:
        return _checked(name, None)
    base = name
    while "." in base:
        base = base.rpartition(".")[0]
        if base in FIELDS and FIELDS[base].argument is not Argument.NONE:
            return _checked(base, name[len(base) + 1 :])
    return _checked(name, None)


def _checked(name: str, argument: str | None) -> tuple[Field, str | None]:
    field = FIELDS.get(name)
    if field is None and name in UNAVAILABLE:
        raise UnknownField(f"{name} is not available: {UNAVAILABLE[name]}")
    if field is None:
        raise UnknownField(f"unknown field {name}", tuple(difflib.get_close_matches(name, FIELDS, 3, 0.7)))
    if argument is None:
        if field.argument is Argument.REQUIRED:
            raise UnknownField(f"{name} needs an argument, as in {name}[…]")
    elif field.argument is Argument.NONE:
        raise UnknownField(f"{name} takes no argument")
    elif not argument or (field.whole_argument and not (argument.isascii() and argument.isdigit())):
        raise UnknownField(
            f"{name}[{argument}]: expected {'a whole number' if field.whole_argument else 'an argument'}"
        )
    elif field.named is not None and not argument.isdecimal() and argument not in field.named:
        near = (f"{name}.{one}" for one in difflib.get_close_matches(argument, field.named, 3, 0.7))
        raise UnknownField(f"unknown event argument {argument}", tuple(near))
    return field, argument

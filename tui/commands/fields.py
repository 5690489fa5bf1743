"""`tui fields`: list the fields that filters, formats and columns can name."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from engine.fields import FIELDS
from engine.fields.field import Field
from engine.fields.unavailable import UNAVAILABLE
from engine.text import clean
from tui.exit_codes import Exit


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "fields",
        usage="tui fields [--json | --markdown] [SEARCH ...]",
        description="List the fields with their type and meaning; all, or those in which every SEARCH word occurs.",
        allow_abbrev=False,
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as a JSON array")
    form.add_argument("--markdown", action="store_true", help="as Markdown tables")
    parser.add_argument("search", metavar="SEARCH", nargs="*", help="words to look for in names and meanings")


def run(args: argparse.Namespace) -> int:
    """Print; exit status 1 when nothing matches."""
    words = [word.lower() for word in args.search]

    def matches(*texts: str) -> bool:
        return all(word in " ".join(texts).lower() for word in words)

    found = [field for field in FIELDS.values() if matches(field.name, field.meaning, field.group)]
    missing = {name: reason for name, reason in UNAVAILABLE.items() if matches(name, reason)}
    if args.json:
        described = [*map(_described, found), *({"name": n, "unavailable": why} for n, why in missing.items())]
        print(json.dumps(described, indent=1, ensure_ascii=False))
    elif args.markdown:
        print("\n".join(markdown(found, missing)))
    else:
        rows = [(field.spelling, _type(field), _meaning(field)) for field in found]
        rows += [(name, "not available", reason) for name, reason in missing.items()]
        names, types = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
        for name, kind, meaning in rows:
            print(f"{name:<{names}}  {kind:<{types}}  {meaning}")
    if not found and not missing:
        print(f"tui fields: no field has {clean(' '.join(words))} in its name or meaning", file=sys.stderr)
        return Exit.FAILED
    return Exit.OK


def _type(field: Field) -> str:
    kind = "list" if field.is_list else field.type.value
    return f"{kind}, {field.counts}" if field.counts and not field.counts.startswith("ns") else kind


def _meaning(field: Field) -> str:
    notes = []
    if field.filter_only:
        notes.append("only in filters")
    if field.own:
        notes.append("not in sysdig")
    if field.deprecated:
        notes.append(f"deprecated: {field.deprecated}")
    return field.meaning + (f" ({'; '.join(notes)})" if notes else "")


def _described(field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "group": field.group,
        "type": field.type.value,
        "unit": field.counts,
        "argument": field.argument.value,
        "takes": field.takes,
        "several": field.multiple,
        "list": field.is_list,
        "filter_only": field.filter_only,
        "deprecated": field.deprecated,
        "own": field.own,
        "place": field.place.value,
        "meaning": field.meaning,
        "example": field.example,
    }


_INTRODUCTION = """\
# Fields

What filters, formats (`tui dig -p`) and columns of views can name; `tui fields SEARCH` finds one, this page is made by
`tui fields --markdown`. A field that has no value for an event satisfies no comparison; `not FIELD exists` finds such
events. An argument in round brackets may be left out: `proc.args([N])` is `proc.args` or `proc.args[0]`, which may also
be written `proc.args.0`.

* Numbers take `K`, `M`, `G`, `T` (powers of 1024), durations `ns`, `us`, `ms`, `s`, `m`, `h`: `evt.buflen >= 64K`,
  `evt.latency > 5ms`. Ids and ports are plain numbers; a port may be the name of a service.
* Durations are in ns, times in ns since 1970; a time may be written `2017-09-23T10:02:03`.
* A field of *several* values holds when any of them does, for `!=` when all do.
* A call counts once: `evt.type = read and evt.dir = <` are the exits, where a result and a latency are known.
  Captures without enters have exits only."""


def markdown(fields: Iterable[Field], missing: dict[str, str]) -> Iterable[str]:
    """The lines of a page about these fields, group by group."""
    yield _INTRODUCTION
    group = ""
    for field in sorted(fields, key=lambda field: _GROUPS.index(field.group)):
        if field.group != group:
            group = field.group
            yield f"\n## {group}\n\n| field | type | meaning | example |\n| --- | --- | --- | --- |"
        kind = _type(field) + (", several" if field.multiple else "")
        example = f"`{field.example}`" if field.example else ""
        yield f"| `{field.spelling}` | {kind} | {_meaning(field)} | {example} |"
    if missing:
        yield "\n## not available\n\n| field | why |\n| --- | --- |"
    for name, reason in missing.items():
        yield f"| `{name}` | {reason} |"


_GROUPS = list(dict.fromkeys(field.group for field in FIELDS.values()))

"""`tui fields`: list the fields that filters, formats and columns can name."""

from __future__ import annotations

import argparse
import json

from engine.fields import FIELDS
from engine.fields.field import Argument, Field
from tui.exit_codes import Exit

_ARGUMENTS = {Argument.NONE: "", Argument.OPTIONAL: "[…]?", Argument.REQUIRED: "[…]"}


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
    found = [
        field for field in FIELDS.values() if all(word in f"{field.name} {field.meaning}".lower() for word in words)
    ]
    if args.json:
        print(json.dumps([_described(field) for field in found], indent=1))
    elif args.markdown:
        _print_markdown(found)
    else:
        for field in found:
            print(f"{field.name + _ARGUMENTS[field.argument]:<28} {field.type.value:<9} {_meaning(field)}")
    return Exit.OK if found else Exit.FAILED


def _meaning(field: Field) -> str:
    return field.meaning + (" (only in filters)" if field.filter_only else "")


def _described(field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "group": field.group,
        "type": field.type.value,
        "argument": field.argument.value,
        "filter_only": field.filter_only,
        "meaning": field.meaning,
    }


def _print_markdown(fields: list[Field]) -> None:
    group = ""
    for field in fields:
        if field.group != group:
            group = field.group
            print(f"\n## {group}\n\n| field | type | meaning |\n| --- | --- | --- |")
        print(f"| `{field.name}{_ARGUMENTS[field.argument]}` | {field.type.value} | {_meaning(field)} |")

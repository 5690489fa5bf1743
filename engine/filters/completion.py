"""What can stand at a place of a filter being typed, the likeliest first. Without a screen.

    complete(text, cursor, presence, macros=…, uses=…) -> Completion

* ``text`` may be unfinished or wrong; only what is before ``cursor`` (an index into it) decides.
* ``presence`` (``filters.presence.Presence``, one for a store) supplies the values in the data and their counts; None
  offers only what the language knows.
* The answer's ``items`` replace ``text[start:end]``: put ``item.text`` there and the cursor after it. ``shown`` is the
  same without quoting, for a list; ``note`` says what it is; ``count`` in how many events a value is.
* ``hint`` says in words what may stand there, also where nothing can be listed.
* ``complete`` is False while values are still being counted: ask again, the counting goes on where it stopped.

Through a session: ``session.ask(slot, CompletionRequest(text, cursor))``; answers come as ``CompletionSnapshot``, the
first within ``ANSWER_TIME`` and then, unless a newer request takes the slot, further ones until it is complete. Whether
a filter is right and how many events it keeps is answered by a ``VerdictRequest``.

Which parts the grammar has where is ``parser``'s to say, the values are ``presence``'s.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from engine import text as shown_text
from engine.events import CATALOGUE, ERRNO, FLAG_TABLES, SIGNALS, codes_by_name
from engine.fields import FIELDS, UnknownField, look_up
from engine.fields.field import Argument, Field, FieldType
from engine.filters.errors import FilterError, near
from engine.filters.literals import EXPECTED
from engine.filters.operators import ALLOWED, ALLOWED_LIST, MEANINGS
from engine.filters.parser import Part, Spot, spots
from engine.filters.presence import Presence, Single
from engine.filters.scanner import BLANK, Scanner
from engine.filters.sides import Side, side_of
from engine.filters.syntax import BARE_ARGUMENT, BARE_VALUE, LIST_OPERATORS, OPERATORS, ORDERINGS, quote
from engine.filters.transformers import TRANSFORMERS

ANSWER_TIME = 0.01
"""Seconds of counting after which there is an answer, complete or not."""
MOST_ITEMS = 100
"""Items of an answer."""
COMMON = (
    *("proc.name", "evt.type", "fd.name", "evt.failed", "evt.latency", "proc.pid", "fd.port", "container.name"),
    *("user.name", "evt.buffer", "fd.ip", "fd.type", "proc.cmdline", "evt.res", "proc.aname", "evt.category"),
    *("evt.buflen", "fd.sport", "evt.dir", "thread.tid", "fd.net", "evt.is_io", "evt.time", "proc.pname"),
)
"""Fields asked for most, in that order."""
_TEXTS = (FieldType.TEXT, FieldType.BYTES)
_FIELD_REST = re.compile(r"[A-Za-z0-9_.]*")
_NAME_LETTERS = string.ascii_letters + string.digits + "_."
_NAMED = (Part.CHECK, Part.OPERAND)
_WORD_REST = re.compile(r"[A-Za-z]*")


class Kind(Enum):
    """What an item is."""

    FIELD = "field"
    TRANSFORMER = "transformer"
    MACRO = "macro"
    ARGUMENT = "argument"
    OPERATOR = "operator"
    VALUE = "value"
    KEYWORD = "keyword"
    BRACKET = "bracket"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can stand at the place."""

    text: str
    """What to write, blank or bracket after it included where one must follow; safe to show."""
    kind: Kind
    note: str = ""
    """Its meaning in a few words, safe to show."""
    count: int | None = None
    """Events with this value, of values in the data."""
    shown: str = ""
    """The same for a list of choices, without quotes; safe to show."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What can stand in place of ``text[start:end]``."""

    start: int
    end: int
    items: tuple[Item, ...]
    hint: str
    complete: bool


def complete(
    text: str,
    cursor: int,
    presence: Presence | None = None,
    *,
    macros: Mapping[str, str] | None = None,
    uses: Mapping[str, int] | None = None,
    seconds: float = ANSWER_TIME,
) -> Completion:
    """What can stand at the cursor, see the module's text. ``macros`` are those of the settings, ``uses`` how often
    each field was used in earlier filters."""
    cursor = max(0, min(cursor, len(text)))
    before = text[:cursor]
    found = spots(before)
    here = [spot for spot in found if spot.start == cursor]
    begun = max((spot for spot in found if spot.start < cursor), key=lambda spot: spot.start, default=None)
    if before.endswith("."):
        word = len(before.rstrip(_NAME_LETTERS))
        begun = next((spot for spot in found if spot.start == word and spot.part in _NAMED), begun)
    elif begun is not None and not _unfinished(begun, before):
        begun = None
    offer = _Offer(presence, macros or {}, uses or {}, seconds)
    if begun is not None:
        prefix = before[begun.start :]
        items = _ranked(offer.items(begun, prefix), prefix)
        if not items and begun.part in _NAMED and _FIELD_REST.fullmatch(prefix):
            items = tuple(_named(name, Kind.FIELD, FIELDS[name].meaning) for name in near(prefix, FIELDS))
        exact = any(item.shown == prefix or item.text.strip() == prefix for item in items)
        if items and not (exact and here):
            return Completion(begun.start, _end(begun, text, cursor), items, offer.hint(begun), offer.complete)
        longer = [
            Item(item.text[len(prefix) :], item.kind, item.note, item.count, item.shown)
            for item in items
            if item.text.startswith(prefix) and item.shown != prefix
        ]
    else:
        longer = []
    spot = here[-1] if here else begun
    if spot is None:
        return Completion(cursor, cursor, (), "", True)
    items = tuple(_spaced(item, before) for one in _distinct(here) for item in _ranked(offer.items(one, ""), ""))
    # A longer value is likelier meant than what comes after; a longer field or operator is not.
    both = (*longer, *items) if begun is not None and begun.part is Part.VALUE else (*items, *longer)
    return Completion(cursor, cursor, both[:MOST_ITEMS], offer.hint(spot), offer.complete)


def _distinct(here: Iterable[Spot]) -> list[Spot]:
    """One spot of each part, the innermost."""
    return list({spot.part: spot for spot in here}.values())


def _unfinished(spot: Spot, before: str) -> bool:
    """True when what was read last is still being written."""
    written = before[spot.start :]
    if written[0] in "\"'":
        try:
            Scanner(written).quoted()
        except FilterError:
            return True
        return False
    if spot.part is Part.OPERATOR and not written[-1].isalpha():
        return False
    return written[-1] not in BLANK and written[-1] not in "(),"


def _end(spot: Spot, text: str, cursor: int) -> int:
    """Where the word ends that the cursor is in."""
    if text[spot.start] in "\"'":
        return cursor
    rest = {Part.VALUE: BARE_VALUE, Part.LIST: BARE_VALUE, Part.ARGUMENT: BARE_ARGUMENT, Part.OPERATOR: _WORD_REST}
    match = rest.get(spot.part, _FIELD_REST).match(text, cursor)
    return match.end() if match else cursor


def _spaced(item: Item, before: str) -> Item:
    """The item with a blank before it, where two words would run together."""
    if before[-1:] not in (*BLANK, "(", "") and item.text[0].isalpha() and before[-1].isalnum():
        return Item(" " + item.text, item.kind, item.note, item.count, item.shown)
    return item


def _ranked(items: Iterable[Item], written: str) -> tuple[Item, ...]:
    """The items that fit what is written, those that begin with it first; else in the order given."""
    wanted = written.strip("\"'").casefold()
    ranked: tuple[list[Item], ...] = ([], [], [])
    for item in items:
        shown = item.shown.casefold()
        at = shown.find(wanted)
        if at == 0:
            ranked[0].append(item)
        elif at > 0:
            ranked[1 if not shown[at - 1].isalnum() else 2].append(item)
    return tuple([item for group in ranked for item in group][:MOST_ITEMS])


class _Offer:
    """What the language and the data have to offer at a spot."""

    def __init__(
        self, presence: Presence | None, macros: Mapping[str, str], uses: Mapping[str, int], seconds: float
    ) -> None:
        self._presence = presence
        self._macros = macros
        self._uses = uses
        self._seconds = seconds
        self.complete = True

    def items(self, spot: Spot, written: str) -> Iterator[Item]:
        """Everything that may stand at a spot, the likeliest first."""
        match spot.part:
            case Part.CHECK:
                yield from self._fields(written)
                yield from (_named(name, Kind.MACRO, _short(self._macros[name])) for name in sorted(self._macros))
                yield Item("not ", Kind.KEYWORD, "the contrary", shown="not")
                yield Item("(", Kind.BRACKET, "conditions taken together", shown="(")
                yield from _transformers()
            case Part.OPERAND:
                yield from self._fields(written)
                yield from _transformers()
            case Part.ARGUMENT:
                yield from self._arguments(spot)
            case Part.OPERATOR:
                yield from _operators(spot)
            case Part.VALUE:
                yield from self._values(spot, written)
                if spot.operator in (*ORDERINGS, "=", "!="):
                    yield Item("val(", Kind.TRANSFORMER, "the value of another field", shown="val(")
            case Part.LIST:
                yield Item("(", Kind.BRACKET, "a list of values", shown="(")
                yield from (
                    _named(name, Kind.MACRO, _short(text))
                    for name, text in sorted(self._macros.items())
                    if text.lstrip().startswith("(")
                )
            case Part.JOIN:
                if spot.depth:
                    yield Item(")", Kind.BRACKET, "closes the bracket", shown=")")
                yield Item("and ", Kind.KEYWORD, "both must hold", shown="and")
                yield Item("or ", Kind.KEYWORD, "one must hold", shown="or")
            case Part.MORE:
                yield Item(", ", Kind.BRACKET, "one more", shown=",")
                yield Item(")", Kind.BRACKET, "ends the list", shown=")")

    def hint(self, spot: Spot) -> str:
        """What may stand at a spot, in words."""
        match spot.part:
            case Part.CHECK:
                return "a field, not, ( or a macro"
            case Part.OPERAND:
                return "a field, a transformer, or text in quotes"
            case Part.ARGUMENT:
                field = None if spot.left is None else FIELDS.get(str(spot.left))
                return field.meaning if field else "an argument"
            case Part.OPERATOR:
                field = _field_of(spot)
                return f"an operator; {field.name}: {field.meaning}" if field else "an operator"
            case Part.VALUE:
                side = _side(spot)
                if spot.operator in ("regex", "glob", "iglob", "bcontains", "bstartswith"):
                    return MEANINGS[spot.operator]
                return EXPECTED[side.type] if side else "a value"
            case Part.LIST:
                return "a list in brackets, a range such as 1..9, or a macro"
            case Part.JOIN:
                return "and, or" + (", )" if spot.depth else "")
            case Part.MORE:
                return "a comma, or )"

    def _fields(self, written: str) -> Iterator[Item]:
        order = {name: place for place, name in enumerate(COMMON)}
        fields = sorted(
            FIELDS.values(),
            key=lambda field: (
                -self._uses.get(field.name, 0),
                order.get(field.name, len(order)),
                bool(field.deprecated),
            ),
        )
        for field in fields:
            required = field.argument is Argument.REQUIRED
            text = f"{field.name}." if required and field.named else f"{field.name}[" if required else field.name
            yield Item(text, Kind.FIELD, f"{field.type.value}: {field.meaning}", shown=text)
            if field.named and written.startswith(f"{field.name}."):
                yield from (
                    Item(f"{field.name}.{name}", Kind.FIELD, field.meaning, shown=f"{field.name}.{name}")
                    for name in sorted(field.named)
                )

    def _arguments(self, spot: Spot) -> Iterator[Item]:
        field = None if spot.left is None else FIELDS.get(str(spot.left))
        if field is None:
            return
        if field.named:
            yield from (_named(name, Kind.ARGUMENT, "", "]") for name in sorted(field.named))
        elif field.whole_argument:
            yield from (_named(str(number), Kind.ARGUMENT, "", "]") for number in range(1, 6))

    def _values(self, spot: Spot, written: str) -> Iterator[Item]:
        side = _side(spot)
        if side is None:
            return
        quoted = written[:1] in ("'", '"')
        wanted = written.strip("\"'").casefold()
        begins = within = 0
        for value, count in self._present(spot, side):
            shown = _shown(side.type, value)
            at = shown.casefold().find(wanted)
            begins, within = begins + (at == 0), within + (at > 0)
            if at == 0 or (at > 0 and within <= MOST_ITEMS):
                text = quote(value) if isinstance(value, bytes) and side.type in _TEXTS else shown
                yield Item(f'"{text}"' if quoted and text[0] != '"' else text, Kind.VALUE, "", count, shown)
                if begins == MOST_ITEMS:
                    return

    def _present(self, spot: Spot, side: Side) -> Iterator[tuple[Single, int | None]]:
        """Values of a side with their counts, then those that are possible and not there; of parameters those that have
        names, uncounted: they are in the events themselves."""
        if side.field is not None and side.field.name == "evt.arg" and side.argument is not None:
            yield from ((name.encode(), None) for name in _names_of(side.argument))
            return
        given: set[Single] = set()
        if self._presence is not None and side.field is not None:
            present = self._presence.values(side.field, side.argument, self._seconds)
            self.complete &= present.complete
            for value, count in present.counts:
                given.add(value)
                yield value, count
        possible: Iterable[Single] = ()
        if side.type is FieldType.BOOL:
            possible = (True, False)
        elif side.name in ("evt.type", "syscall.type"):
            possible = (name.encode() for name in codes_by_name())
        yield from ((value, 0) for value in possible if value not in given)


@cache
def _names_of(parameter: str) -> tuple[str, ...]:
    """Names of flags, errors and signals that parameters of a name can have."""
    kinds = {one for kind in CATALOGUE for one in kind.params if one.name == parameter}
    tables = sorted({one.table for one in kinds if one.table})
    names = [name for table in tables for name, _ in FLAG_TABLES.get(table, ())]
    names += ERRNO.values() if any(one.type == "ERRNO" for one in kinds) else ()
    names += SIGNALS.values() if any(one.type == "SIGTYPE" for one in kinds) else ()
    return tuple(dict.fromkeys(names))


def _shown(kind: FieldType, value: Single) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return shown_text.address(value) if kind is FieldType.ADDRESS else shown_text.safe(value)
        case _:
            return str(value)


def _named(name: str, kind: Kind, note: str, after: str = "") -> Item:
    return Item(name + after, kind, note, shown=name)


def _short(text: str) -> str:
    shown = shown_text.clean(" ".join(text.split()))
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _transformers() -> Iterator[Item]:
    for name, transformer in TRANSFORMERS.items():
        yield Item(f"{name}(", Kind.TRANSFORMER, transformer.meaning, shown=f"{name}(")


def _side(spot: Spot) -> Side | None:
    try:
        return None if spot.left is None else side_of(spot.left)
    except FilterError:
        return None


def _field_of(spot: Spot) -> Field | None:
    """The field on the left, when it stands there by itself."""
    try:
        return None if spot.left is None else look_up(str(spot.left))[0]
    except UnknownField:
        return None


def _operators(spot: Spot) -> Iterator[Item]:
    side = _side(spot)
    if side is None:
        return
    allowed = ALLOWED_LIST if side.is_list else ALLOWED[side.type]
    symbols = ("=", "!=", *ORDERINGS)
    for word in (*symbols, *(word for word in OPERATORS if word not in symbols)):
        if word in allowed:
            after = "" if word in symbols or word == "exists" else " (" if word in LIST_OPERATORS else " "
            yield _named(word, Kind.OPERATOR, MEANINGS[word], after)

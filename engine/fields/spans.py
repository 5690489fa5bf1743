"""Fields of spans that programs tell by writing to /dev/null: of the event that ends one."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from engine.fields.field import Argument, Field, FieldType, Numbers, Place
from engine.fields.words import WORDS
from engine.protocols.spans import Span, spans_of
from engine.store.segment import Segment
from engine.store.store import Store


def _numbers(read: Callable[[Span, str | None], int | None]) -> Callable[..., Numbers]:
    def value(segment: Segment, store: Store, argument: str | None) -> Numbers:
        values = np.zeros(len(segment), np.int64)
        present = np.zeros(len(segment), np.bool_)
        for span in spans_of(store).of(segment):
            number = read(span, argument)
            if number is not None:
                row = span.number - segment.first - 1
                values[row], present[row] = number, True
        return Numbers(values, present)

    return value


def _tag(span: Span, place: str | None) -> int | None:
    at = int(place or 0)
    return WORDS.code(span.tags[at]) if at < len(span.tags) else None


_span = partial(Field, place=Place.EVENT, group="span", of_others=True)
_text = partial(_span, type=FieldType.TEXT, words=WORDS.text)
FIELDS = (
    _span("span.id", FieldType.ID, "number a program gave a span, told at its end", _numbers(lambda span, _: span.id)),
    _span(
        "span.ntags",
        FieldType.INTEGER,
        "tags of a span, told at its end: how deep it is nested",
        _numbers(lambda span, _: len(span.tags)),
    ),
    _span(
        "span.duration",
        FieldType.DURATION,
        "time from a span's beginning to its end",
        _numbers(lambda span, _: span.took),
        example="span.duration > 1s",
    ),
    _span(
        "span.duration.quantized",
        FieldType.INTEGER,
        "span.duration as a step of a scale with ten steps for each power of ten ns",
        _numbers(lambda span, _: math.floor(10 * math.log10(span.took) + 1e-9) if span.took else None),
    ),
    _text(
        "span.tags",
        meaning="tags of a span with dots between, told at its end",
        value=_numbers(lambda span, _: WORDS.code(b".".join(span.tags))),
    ),
    _text(
        "span.tag",
        meaning="one tag of a span, from 0",
        value=_numbers(_tag),
        argument=Argument.REQUIRED,
        takes="N",
        whole_argument=True,
        example="span.tag[0] = login",
    ),
    _text(
        "span.enterargs",
        meaning="arguments a span had when it began",
        value=_numbers(lambda span, _: WORDS.code(span.arguments)),
    ),
)

"""Moments of a capture as people write them: where a part of it begins and ends."""

from __future__ import annotations

import re
from datetime import datetime

from engine.fields.field import FieldType
from engine.filters import FilterError
from engine.filters.literals import read, time_of_day
from engine.filters.syntax import Text
from engine.store.segment import Window

_DURATION = re.compile(r"[+-]?[0-9.]+(?:ns|us|ms|s|m|h)")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9:.]+")
_SECOND = 10**9
_DAY = 24 * 3600 * _SECOND


class MomentError(ValueError):
    """What was written is no moment, or none of the capture. ``str`` is one line for people."""


def moment(text: str, span: Window) -> int:
    """ns since 1970 of a time in a capture of that span.

    A date and time or a number of ns since 1970; a time of day, of the first such time from the beginning on;
    ``5s`` or ``+5s`` after the beginning, ``-5s`` before the end. Raises MomentError.
    """
    value = Text(text.encode(), 0)
    try:
        if _DURATION.fullmatch(text):
            after = read(Text(text.lstrip("+").encode(), 0), FieldType.DURATION)
            return int(span[0] + after if after >= 0 else span[1] + after)
        if _CLOCK.fullmatch(text):
            since = time_of_day(value)
            day = datetime.fromtimestamp(span[0] // _SECOND).replace(hour=0, minute=0, second=0)
            found = int(day.timestamp()) * _SECOND + since
            # The second that was asked for may have begun before the capture did.
            return found if found // _SECOND >= span[0] // _SECOND else found + _DAY
        return int(read(value, FieldType.TIME))
    except FilterError as error:
        raise MomentError(
            f"{text!r} is no time: expected one as in 2017-09-23T10:02:03.5, a time of day (10:02:03), ns since 1970, "
            "5s after the beginning or -5s before the end"
        ) from error


def window(since: str, until: str, span: Window) -> Window:
    """From one moment to another of a capture of that span, empty for its beginning and its end.

    Raises MomentError when one is no time, or nothing of the capture is between them.
    """
    first = moment(since, span) if since else span[0]
    last = moment(until, span) if until else span[1]
    if first > last or first > span[1] or last < span[0]:
        raise MomentError(
            f"there is nothing from {_written(first)} to {_written(last)}: "
            f"the capture goes from {_written(span[0])} to {_written(span[1])}"
        )
    return first, last


def _written(ns: int) -> str:
    """A moment so that ``moment`` reads it."""
    second, rest = divmod(ns, _SECOND)
    try:
        return f"{datetime.fromtimestamp(second):%Y-%m-%dT%H:%M:%S}.{rest:09}"
    except (ValueError, OverflowError, OSError):
        return str(ns)

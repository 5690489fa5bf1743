"""Types of option values that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

N = TypeVar("N", int, float)


def at_least(least: N) -> Callable[[str], N]:
    """Numbers from ``least`` on, whole ones if that is one."""
    kind = type(least)

    def parse(text: str) -> N:
        try:
            number = kind(text)
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"expected {expected}, not {text!r}") from None
        if not number >= least:
            raise argparse.ArgumentTypeError(f"{text} is too small, the least is {least}")
        return number

    return parse


def power_of_two(text: str) -> int:
    """A number of MB the buffer shared with the kernel can have."""
    value = int(text) if text.isdecimal() else 0
    if value < 1 or value > 1024 or value & (value - 1):
        raise argparse.ArgumentTypeError(f"{text} is not 1, 2, 4 ... 1024")
    return value
